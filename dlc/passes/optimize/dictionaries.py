"""What the dictionary of a column chunk in a Parquet file tells: distinct values, and how wide texts are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from .page_header import LONGEST, dictionary_page

_DICTIONARY = frozenset({"PLAIN_DICTIONARY", "RLE_DICTIONARY"})
_SIMPLE = _DICTIONARY | {"PLAIN", "RLE", "BIT_PACKED"}
"""Encodings of chunks whose size tells how much of them is plain."""
_LENGTH_BYTES = 4
"""Bytes before each text in a plain page."""
_HEADER_BYTES = 256
"""Bytes of the headers of data pages, besides the bounds that they give."""
_RUN_BYTES = 0.25
"""Bytes of a value that may as well be more headers and short runs of equal values."""


@dataclass(frozen=True)
class Contents:
    """Distinct values of a column in some rows, and the mean width of its texts in bytes; None is unknown."""

    distinct: float | None = None
    width: float | None = None


def contents(file: int, chunk: Any) -> Contents:
    """What one column chunk holds, by the header of its dictionary in an open file. Raises OSError.

    A writer whose dictionary grows too large writes the rest as plain values. How many those are shows in the
    size of the chunk; they are taken to bring new values as often as the others.
    """
    rows: int = chunk.num_values
    statistics = chunk.statistics
    nulls: int = statistics.null_count if statistics is not None and statistics.has_null_count else 0
    values = rows - nulls
    if values <= 0:
        return Contents(0.0)
    encodings = set(chunk.encodings)
    text = chunk.physical_type == "BYTE_ARRAY"
    if not encodings <= _SIMPLE:
        return Contents()
    if not encodings & _DICTIONARY:
        size = chunk.total_uncompressed_size / values - _LENGTH_BYTES
        return Contents(None, max(0.0, size) if text else None)
    # Some writers name the first page only.
    start = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
    page = dictionary_page(os.pread(file, LONGEST, start)) if start >= 0 else None
    if page is None or not 0 < page.values <= values or page.size > chunk.total_uncompressed_size:
        return Contents()
    width = page.size / page.values
    levels = rows / 8 if nulls else 0.0
    rest = chunk.total_uncompressed_size - page.size - page.header - levels - _HEADER_BYTES - 2 * width
    coded = (page.values - 1).bit_length() / 8
    distinct = float(page.values)
    if width > coded and rest / values > coded + _RUN_BYTES:
        plain = (rest / values - coded) / (width - coded)
        distinct /= max(1 - plain, distinct / values)
    return Contents(distinct, max(0.0, width - _LENGTH_BYTES) if text else None)

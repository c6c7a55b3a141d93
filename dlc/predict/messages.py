"""Bytes that ranks send when rows move between them, in messages as `dlc.runtime.exchange` packs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dlc.predict.frames import is_text

_MESSAGE = 240  # bytes of schema, headers and end of a stream (measured)
_COLUMN = 88  # what each column adds to them beside its name
_WORD = 8  # bytes to which names are filled up
_OFFSET = 8  # bytes that tell where a text ends

SHUFFLE, EVERYWHERE, TO_ONE, FROM_ONE = "shuffle", "everywhere", "to one", "from one"


@dataclass(frozen=True)
class Rows:
    """Rows of all ranks: bytes of their `values` and of the `headers` of a message, and columns of texts."""

    rows: float
    values: float
    headers: float
    texts: int


def rows_of(rows: float, values: float, columns: Mapping[str, str]) -> Rows:
    """Rows with columns of these types."""
    names = sum(-(-(len(name.encode()) + 1) // _WORD) * _WORD for name in columns)
    texts = sum(map(is_text, columns.values()))
    return Rows(rows, values, _MESSAGE + _COLUMN * len(columns) + names, texts)


def sent(moving: Rows, where: str, ranks: int) -> float:
    """Bytes that all ranks together send to others, when each holds as many rows as the next.

    A shuffle sends a part to each rank; otherwise all rows go everywhere, to one rank, or from one.
    """
    if ranks == 1 or not moving.rows:
        return 0.0
    others = ranks - 1
    share, messages = {
        SHUFFLE: (others / ranks, ranks * others),
        EVERYWHERE: (others, ranks * others),
        TO_ONE: (others / ranks, others),
        FROM_ONE: (others, others),
    }[where]
    offsets = moving.texts * _OFFSET
    # Where there are fewer rows than messages, some stay empty and take nothing.
    filled = min(messages, moving.rows * share)
    return share * (moving.values + offsets * moving.rows) + filled * (moving.headers + offsets)

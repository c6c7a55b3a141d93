"""Headers of dictionary pages in Parquet files: Thrift's compact protocol, as far as they use it.

The layout is that of `PageHeader` and `DictionaryPageHeader` in `parquet.thrift`
(https://github.com/apache/parquet-format), in the encoding of
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

LONGEST = 64
"""Bytes in which the header of every dictionary page ends: seven numbers of at most five, and their heads."""

_TRUE, _FALSE, _I16, _I32, _I64, _STRUCT = 1, 2, 4, 5, 6, 12
_VARINT_BYTES = 10
_DICTIONARY_PAGE = 2
# Numbers of fields.
_TYPE, _UNCOMPRESSED_SIZE, _DICTIONARY_HEADER = 1, 2, 7
_NUM_VALUES = 1

Fields: TypeAlias = "dict[int, int | Fields]"


@dataclass(frozen=True)
class DictionaryPage:
    """A dictionary page: how many values it holds, and bytes of the values and of the header."""

    values: int
    size: int
    header: int


def dictionary_page(raw: bytes) -> DictionaryPage | None:
    """The page whose header the bytes begin with; None if they are anything else.

    Looks at no more than the first `LONGEST` bytes, whatever they hold.
    """
    reader = _Reader(raw[:LONGEST])
    try:
        fields = reader.structure(inner=True)
    except (ValueError, IndexError):
        return None
    size, header = fields.get(_UNCOMPRESSED_SIZE), fields.get(_DICTIONARY_HEADER)
    if fields.get(_TYPE) != _DICTIONARY_PAGE or not isinstance(size, int) or not isinstance(header, dict):
        return None
    values = header.get(_NUM_VALUES)
    if not isinstance(values, int) or values < 0 or size < 0:
        return None
    return DictionaryPage(values, size, reader.at)


class _Reader:
    """A place in bytes. Raises ValueError and IndexError for what is no such header."""

    def __init__(self, raw: bytes):
        self._raw = raw
        self.at = 0

    def structure(self, inner: bool) -> Fields:
        """Fields by number; with `inner`, some of them may be structures of plain fields."""
        fields: Fields = {}
        number = 0
        while head := self._byte():
            kind, step = head & 0x0F, head >> 4
            number = number + step if step else self._signed()
            fields[number] = self._value(kind, inner)
        return fields

    def _value(self, kind: int, inner: bool) -> int | Fields:
        if kind in (_TRUE, _FALSE):
            return int(kind == _TRUE)
        if kind in (_I16, _I32, _I64):
            return self._signed()
        if kind == _STRUCT and inner:
            return self.structure(inner=False)
        raise ValueError(f"a dictionary page has no field of type {kind}")

    def _byte(self) -> int:
        self.at += 1
        return self._raw[self.at - 1]

    def _signed(self) -> int:
        """A number of seven bits a byte, the lowest first, whose lowest bit is the sign."""
        number = 0
        for shift in range(0, 7 * _VARINT_BYTES, 7):
            byte = self._byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (number >> 1) ^ -(number & 1)
        raise ValueError("a number has more than 64 bits")

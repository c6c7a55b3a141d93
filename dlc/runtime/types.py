"""Column types: their text form in plans, and the Polars types that stand for them.

A type has a logical Polars type, in which people give and get data, and a physical one inside the executor;
they differ for decimals alone, which the executor holds as scaled integers.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

import polars as pl

from dlc.diagnostics import DlcError

Unit = Literal["ns", "us", "ms"]

_SIMPLE: dict[str, pl.DataType] = {
    "bool": pl.Boolean(),
    "i8": pl.Int8(),
    "i16": pl.Int16(),
    "i32": pl.Int32(),
    "i64": pl.Int64(),
    "ui8": pl.UInt8(),
    "ui16": pl.UInt16(),
    "ui32": pl.UInt32(),
    "ui64": pl.UInt64(),
    "f32": pl.Float32(),
    "f64": pl.Float64(),
    "string": pl.String(),
    "date": pl.Date(),
}
_WIDTHS = (8, 16, 32, 64)
_INTEGERS = {
    **{f"i{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in _WIDTHS},
    **{f"ui{bits}": (0, (1 << bits) - 1) for bits in _WIDTHS},
}
_TEXT = re.compile(
    r"(?P<simple>[a-z]+[0-9]*)"
    r"(\((?P<precision>[0-9]{1,2}),(?P<scale>[0-9]{1,2})\)|\[(?P<unit>ns|us|ms)(,(?P<zone>[^\]]+))?\])?"
    r"(?P<nullable>\?)?"
)


@dataclass(frozen=True)
class ColumnType:
    """One column type; `precision` and `scale` count decimal digits, `zone` is "" for no time zone."""

    kind: str
    nullable: bool = False
    precision: int = 0
    scale: int = 0
    unit: Unit = "us"
    zone: str = ""

    @property
    def is_integer(self) -> bool:
        return self.kind in _INTEGERS

    @property
    def is_float(self) -> bool:
        return self.kind in ("f32", "f64")

    @property
    def is_decimal(self) -> bool:
        return self.kind == "decimal"

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the largest integer that an integer or decimal column may hold (decimals scaled)."""
        if self.is_decimal:
            largest = 10**self.precision - 1
            return -largest, largest
        return _INTEGERS[self.kind]

    @property
    def logical(self) -> pl.DataType:
        """The Polars type in which people see the column."""
        if self.is_decimal:
            return pl.Decimal(self.precision, self.scale)
        if self.kind == "timestamp":
            return pl.Datetime(self.unit, self.zone or None)
        if self.kind == "duration":
            return pl.Duration(self.unit)
        return _SIMPLE[self.kind]

    @property
    def physical(self) -> pl.DataType:
        """The Polars type inside the executor."""
        if self.is_decimal:
            return pl.Int64() if self.precision <= 18 else pl.Int128()
        return self.logical


@cache
def parse_type(text: str) -> ColumnType:
    """The type that a text such as `decimal(15,2)?` names. Raises DLC501, as only plans hold such text."""
    match = _TEXT.fullmatch(text)
    if match is not None:
        kind, nullable = match["simple"], match["nullable"] is not None
        if kind in _SIMPLE and match[2] is None:
            return ColumnType(kind, nullable)
        if kind == "decimal" and match["precision"] and 0 < int(match["precision"]) <= 38:
            return ColumnType(kind, nullable, int(match["precision"]), int(match["scale"]))
        if kind in ("timestamp", "duration") and match["unit"]:
            unit = cast("Unit", match["unit"])
            return ColumnType(kind, nullable, unit=unit, zone=match["zone"] or "")
    raise DlcError(
        "DLC501", f"the plan names an unknown type {text[:80]!r}", help="compile the program again"
    )


Schema = list[tuple[str, ColumnType]]


def parse_schema(schema: list[list[str]]) -> Schema:
    """A plan's `[[name, type], …]`."""
    return [(name, parse_type(text)) for name, text in schema]

"""Data types as programs name them: `dlc.Int64`, `dlc.Decimal(15, 2)`, `dlc.Datetime("us", "UTC")`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from xdsl.utils.exceptions import VerifyException

from dlc.diagnostics import DlcError, suggest
from dlc.dialects import datatypes as t
from dlc.frontends.location import caller


@dataclass(frozen=True)
class DataType:
    """Type of a column; `spelling` is its text form without the `?` of nullable types."""

    spelling: str
    nullable: bool = field(default=False, compare=False)
    """Whether the column may hold nulls; two types are equal whether or not they are nullable."""

    def __str__(self) -> str:
        return self.spelling + "?" * self.nullable

    def __repr__(self) -> str:
        return str(self)

    @property
    def ir(self) -> t.DataType:
        """The type in the IR."""
        return t.parse_text(str(self))


def of_ir(type_: t.DataType) -> DataType:
    """The public form of a type in the IR."""
    return DataType(t.text(t.strip(type_)), t.is_nullable(type_))


Boolean = DataType("bool")
Int8, Int16, Int32, Int64 = (DataType(f"i{bits}") for bits in (8, 16, 32, 64))
UInt8, UInt16, UInt32, UInt64 = (DataType(f"ui{bits}") for bits in (8, 16, 32, 64))
Float32, Float64 = DataType("f32"), DataType("f64")
String = DataType("string")
Date = DataType("date")


def Decimal(precision: int, scale: int) -> DataType:  # noqa: N802 - types are named as in Polars
    """Exact decimal number of `precision` digits (38 at most), `scale` of them after the point."""
    if not (1 <= precision <= t.MAX_PRECISION and 0 <= scale <= precision):
        raise DlcError(
            "DLC106",
            f"there is no decimal of {precision} digits with {scale} after the point",
            loc=caller(),
            help=f"a precision is 1 to {t.MAX_PRECISION}, a scale 0 to the precision",
        )
    return DataType(f"decimal({precision},{scale})")


def Datetime(unit: str = "us", zone: str | None = None) -> DataType:  # noqa: N802
    """Instant in units of `ms`, `us` or `ns`; without a zone it is local wall time."""
    return DataType(f"timestamp[{_unit(unit)}{',' if zone else ''}{zone or ''}]")


def Duration(unit: str = "us") -> DataType:  # noqa: N802
    """Difference of two instants in units of `ms`, `us` or `ns`."""
    return DataType(f"duration[{_unit(unit)}]")


def _unit(unit: str) -> str:
    if unit not in t.TIME_UNITS:
        raise DlcError(
            "DLC106", f"there is no time unit {unit!r}", loc=caller(), help=f"use {', '.join(t.TIME_UNITS)}"
        )
    return unit


_PYTHON: dict[object, DataType] = {
    bool: Boolean,
    int: Int64,
    float: Float64,
    str: String,
    datetime.date: Date,
    datetime.datetime: Datetime(),
    datetime.timedelta: Duration(),
}


def data_type(given: object) -> t.DataType:
    """The IR type that a program means by a `DataType`, its text form or a Python type; DLC106 else."""
    if isinstance(given, type) and given in _PYTHON:
        return _PYTHON[given].ir
    spelling = given.spelling if isinstance(given, DataType) else given
    if isinstance(spelling, str):
        try:
            return t.strip(t.parse_text(spelling))
        except (ValueError, VerifyException):
            near = suggest(spelling, ["bool", "f32", "f64", "string", "date", *t.integers])
            raise DlcError(
                "DLC106",
                f"there is no type '{spelling}'",
                loc=caller(),
                help=f"did you mean '{near}'?" if near else "types are named as in dlc.Int64 or 'i64'",
            ) from None
    raise DlcError(
        "DLC106",
        f"{given!r} is not a data type",
        loc=caller(),
        help="types are named as in dlc.Int64, dlc.String, dlc.Decimal(15, 2) or 'i64'",
    )


def of_python(python_type: object) -> DataType | None:
    """The type that holds values of a Python type, None when there is none."""
    return _PYTHON.get(python_type) if isinstance(python_type, type) else None

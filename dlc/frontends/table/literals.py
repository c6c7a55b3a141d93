"""Python values as constants of the IR.

A Python value has no type of its own: beside a column it takes the column's type where it fits.
"""

from __future__ import annotations

import datetime
import decimal
import math
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from xdsl.dialects.builtin import StringAttr, f32, f64, i1, i64

from dlc.dialects import datatypes as t

Literal: TypeAlias = (
    bool | int | float | str | decimal.Decimal | datetime.date | datetime.datetime | datetime.timedelta | None
)
LITERAL_TYPES = (
    bool,
    int,
    float,
    str,
    decimal.Decimal,
    datetime.date,
    datetime.datetime,
    datetime.timedelta,
    type(None),
)
_EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - wall time, as timestamps without a zone are
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}


class UnfitError(ValueError):
    """A Python value that a type cannot hold; the message says why."""


def literal_type(value: Literal, beside: t.DataType | None = None) -> t.DataType:
    """The type that a value takes beside an operand of a given type (None: alone)."""
    base = None if beside is None else t.strip(beside)
    match value:
        case None:
            if base is None:
                raise UnfitError("None alone has no type: write lit(None).cast(…)")
            return t.nullable(base)
        case bool():
            return i1
        case int():
            return _int_type(value, base)
        case float():
            if base == f32:
                return f32
            if base is not None and t.is_decimal(base) and math.isfinite(value):
                # The decimal that the float prints as: 0.1 means one tenth.
                return _decimal_type(decimal.Decimal(repr(value))) or f64
            return f64
        case decimal.Decimal():
            if not value.is_finite() or (type_ := _decimal_type(value)) is None:
                raise UnfitError(f"{value} is not a decimal of at most {t.MAX_PRECISION} digits")
            return type_
        case str():
            return base if base is not None and t.is_temporal(base) else t.string
        case datetime.datetime():
            return _timestamp_type(value, base)
        case datetime.date():
            return t.date
        case datetime.timedelta():
            unit = base.unit if isinstance(base, t.TimestampType | t.DurationType) else StringAttr("us")
            finer = unit if value.microseconds % 1000 == 0 or unit.data != "ms" else StringAttr("us")
            return t.DurationType(finer)


def _int_type(value: int, base: t.DataType | None) -> t.DataType:
    if base is not None and t.is_integer(base) and _fits(value, base):
        return base
    if base is not None and t.is_float(base):
        return base if base == f64 or abs(value) <= 2**24 else f64
    if base is not None and t.is_decimal(base):
        return _decimal_type(decimal.Decimal(value)) or f64
    for candidate in (i64, t.integers["ui64"]):
        if _fits(value, candidate):
            return candidate
    raise UnfitError(f"the integer {_short(value)} does not fit 64 bits")


def _fits(value: int, type_: t.DataType) -> bool:
    low, high = t.integer_bounds(type_)
    return low <= value <= high


def _decimal_type(value: decimal.Decimal) -> t.DecimalType | None:
    """The narrowest decimal type that holds a finite value, None when 38 digits are too few."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    scale = max(0, -exponent)
    precision = max(len(digits) + max(0, exponent), scale, 1)
    return t.DecimalType.of(precision, scale) if precision <= t.MAX_PRECISION else None


def _timestamp_type(value: datetime.datetime, base: t.DataType | None) -> t.DataType:
    if isinstance(base, t.TimestampType):
        if bool(base.zone.data) != (value.tzinfo is not None):
            has, other = ("a", "none") if value.tzinfo is None else ("no", "one")
            raise UnfitError(f"the column has {has} time zone and the literal {value} has {other}")
        if value.microsecond % 1000 == 0 or base.unit.data != "ms":
            return base
        return t.TimestampType(StringAttr("us"), base.zone)
    zone = "" if value.tzinfo is None else getattr(value.tzinfo, "key", None) or "UTC"
    return t.TimestampType(StringAttr("us"), StringAttr(zone))


def constant(value: Literal, type_: t.DataType) -> float | str | bool:
    """The value as `expr.literal` holds it; UnfitError when the (non-nullable) type cannot hold it."""
    match value:
        case bool() if t.is_bool(type_):
            return value
        case bool():
            pass
        case int() if t.is_integer(type_) and _fits(value, type_):
            return value
        case int() | float() | decimal.Decimal() if t.is_float(type_):
            return _float(value)
        case int() | float() | decimal.Decimal() if isinstance(type_, t.DecimalType):
            return _scaled(value, type_)
        case str() if isinstance(type_, t.StringType):
            _text(value)
            return value
        case str() | datetime.date() if isinstance(type_, t.TimestampType):
            return _instant(value, type_)
        case datetime.datetime():
            pass
        case str() | datetime.date() if isinstance(type_, t.DateType):
            return (_date(value) - _EPOCH.date()).days
        case datetime.timedelta() if isinstance(type_, t.DurationType):
            return _count(value, type_.unit.data)
        case _:
            pass
    raise UnfitError(f"{_short(value)} is not a value of type {t.text(type_)}")


def _float(value: float | decimal.Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        raise UnfitError(f"{_short(value)} is too large for a float") from None


def _scaled(value: float | decimal.Decimal, type_: t.DecimalType) -> str:
    exact = decimal.Decimal(repr(value) if isinstance(value, float) else value)
    traps = [decimal.Inexact, decimal.InvalidOperation, decimal.Overflow]
    context = decimal.Context(prec=2 * t.MAX_PRECISION, traps=traps)
    try:
        scaled = int(context.to_integral_exact(context.scaleb(exact, type_.scale.data)))
    except (ArithmeticError, ValueError):
        scaled = None
    if scaled is None or abs(scaled) >= 10**type_.precision.data:
        raise UnfitError(f"{_short(value)} does not fit {t.text(type_)}")
    return str(scaled)


def _text(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UnfitError(f"{_short(value)} is not valid Unicode text") from None


def _date(value: str | datetime.date) -> datetime.date:
    if not isinstance(value, str):
        return value
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        raise UnfitError(f"{_short(value)} is not an ISO date such as '2024-12-31'") from None


def _instant(value: str | datetime.date, type_: t.TimestampType) -> int:
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            raise UnfitError(f"{_short(value)} is not an ISO time such as '2024-12-31T23:59:00'") from None
    elif not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    zone = type_.zone.data
    if zone and value.tzinfo is None:
        value = value.replace(tzinfo=_zone(zone))
    elif value.tzinfo is not None and not zone:
        raise UnfitError(f"{value} has a time zone and the column has none")
    try:
        utc = value if value.tzinfo is None else value.astimezone(datetime.UTC).replace(tzinfo=None)
    except OverflowError:
        raise UnfitError(f"{value} lies outside of the years 1 to 9999") from None
    return _count(utc - _EPOCH, type_.unit.data)


def _zone(name: str) -> datetime.tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise UnfitError(f"the time zone {name!r} is not known here: give the literal a tzinfo") from None


def _count(value: datetime.timedelta, unit: str) -> int:
    micros = value // datetime.timedelta(microseconds=1)
    whole, rest = divmod(micros * _PER_SECOND[unit], 10**6)
    if rest or not _fits(whole, i64):
        raise UnfitError(f"{value} does not fit 64 bits of {unit}")
    return whole


def _short(value: object) -> str:
    """The value's repr, cut so that it fits a message."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"of {value.bit_length()} bits"
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"

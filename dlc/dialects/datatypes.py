"""Data types of table columns and scalar expressions, and the rules that combine them.

Numbers and booleans are MLIR's builtin types; this file adds what SQL needs beside them. The text form
(`decimal(15,2)?`) is the one used in plans, messages and documentation.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from xdsl.dialects.builtin import (
    Float32Type,
    Float64Type,
    IntAttr,
    IntegerType,
    Signedness,
    StringAttr,
    f32,
    f64,
    i1,
    i64,
)
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

MAX_PRECISION = 38
"""Digits of the widest decimal (128-bit scaled integer)."""
NARROW_PRECISION = 18
"""Digits of the widest decimal whose scaled value fits 64 bits."""
TIME_UNITS = ("ms", "us", "ns")


@irdl_attr_definition
class StringType(ParametrizedAttribute, TypeAttribute):
    """Unicode text of any length."""

    name = "expr.string"


@irdl_attr_definition
class DateType(ParametrizedAttribute, TypeAttribute):
    """Calendar day, proleptic Gregorian."""

    name = "expr.date"


@irdl_attr_definition
class DecimalType(ParametrizedAttribute, TypeAttribute):
    """Exact decimal number of `precision` digits, `scale` of them after the point."""

    name = "expr.decimal"
    precision: IntAttr = param_def()
    scale: IntAttr = param_def()

    @classmethod
    def of(cls, precision: int, scale: int) -> DecimalType:
        """Build from plain integers."""
        return cls(IntAttr(precision), IntAttr(scale))

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        with parser.in_angle_brackets():
            precision = parser.parse_integer(allow_boolean=False, allow_negative=False)
            parser.parse_punctuation(",")
            scale = parser.parse_integer(allow_boolean=False, allow_negative=False)
        return [IntAttr(precision), IntAttr(scale)]

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(f"{self.precision.data}, {self.scale.data}")

    def verify(self) -> None:
        precision, scale = self.precision.data, self.scale.data
        if not 1 <= precision <= MAX_PRECISION:
            raise VerifyException(f"decimal precision must be 1 to {MAX_PRECISION}, got {precision}")
        if not 0 <= scale <= precision:
            raise VerifyException(f"decimal scale must be 0 to its precision {precision}, got {scale}")


@irdl_attr_definition
class TimestampType(ParametrizedAttribute, TypeAttribute):
    """Instant in units of `ms`, `us` or `ns` since 1970; a time zone of "" means local wall time."""

    name = "expr.timestamp"
    unit: StringAttr = param_def()
    zone: StringAttr = param_def()

    def verify(self) -> None:
        if self.unit.data not in TIME_UNITS:
            raise VerifyException(f"timestamp unit must be one of ms, us, ns, got {self.unit.data!r}")


@irdl_attr_definition
class DurationType(ParametrizedAttribute, TypeAttribute):
    """Difference of two instants, in units of `ms`, `us` or `ns`."""

    name = "expr.duration"
    unit: StringAttr = param_def()

    def verify(self) -> None:
        if self.unit.data not in TIME_UNITS:
            raise VerifyException(f"duration unit must be one of ms, us, ns, got {self.unit.data!r}")


@irdl_attr_definition
class NullableType(ParametrizedAttribute, TypeAttribute):
    """A value of the element type, or null."""

    name = "expr.nullable"
    element: Attribute = param_def()

    def verify(self) -> None:
        if isinstance(self.element, NullableType):
            raise VerifyException("nullable of nullable")
        if not is_data_type(self.element):
            raise VerifyException(f"{self.element} cannot be a column type")


DataType: TypeAlias = Attribute
"""Any type for which `is_data_type` holds."""

string = StringType()
date = DateType()
integers = {
    f"{prefix}i{width}" if prefix else f"i{width}": IntegerType(width, sign)
    for prefix, sign in (("", Signedness.SIGNLESS), ("u", Signedness.UNSIGNED))
    for width in (8, 16, 32, 64)
}


_UNSIGNED = frozenset(type_ for name, type_ in integers.items() if name.startswith("u"))


def is_data_type(type_: Attribute) -> bool:
    """Whether a column or an expression may have this type."""
    return (
        type_ in (i1, f32, f64)
        or type_ in integers.values()
        or isinstance(
            type_, StringType | DateType | DecimalType | TimestampType | DurationType | NullableType
        )
    )


def strip(type_: DataType) -> DataType:
    """The type without its nullability."""
    return type_.element if isinstance(type_, NullableType) else type_


def is_nullable(type_: DataType) -> bool:
    """Whether null is a value of the type."""
    return isinstance(type_, NullableType)


def nullable(type_: DataType, when: bool = True) -> DataType:
    """The type with null added (or as it is, when `when` is false)."""
    return NullableType(type_) if when and not isinstance(type_, NullableType) else type_


def is_integer(type_: DataType) -> bool:
    """Integers of any width and sign, booleans excluded; nullability is ignored."""
    return strip(type_) in integers.values()


def is_float(type_: DataType) -> bool:
    """f32 or f64; nullability is ignored."""
    return isinstance(strip(type_), Float32Type | Float64Type)


def is_decimal(type_: DataType) -> bool:
    """Decimals; nullability is ignored."""
    return isinstance(strip(type_), DecimalType)


def is_numeric(type_: DataType) -> bool:
    """Integers, floats and decimals; nullability is ignored."""
    return is_integer(type_) or is_float(type_) or is_decimal(type_)


def is_temporal(type_: DataType) -> bool:
    """Dates and timestamps; nullability is ignored."""
    return isinstance(strip(type_), DateType | TimestampType)


def is_bool(type_: DataType) -> bool:
    """Booleans; nullability is ignored."""
    return strip(type_) == i1


def integer_bounds(type_: DataType) -> tuple[int, int]:
    """Smallest and largest value of an integer type."""
    base = strip(type_)
    width = int(str(base).lstrip("ui"))
    if base in _UNSIGNED:
        return 0, 2**width - 1
    return -(2 ** (width - 1)), 2 ** (width - 1) - 1


def as_decimal(type_: DataType) -> DecimalType | None:
    """The decimal that holds every value of an integer or decimal type, None for other types."""
    base = strip(type_)
    if isinstance(base, DecimalType):
        return base
    if is_integer(base):
        return DecimalType.of(len(str(integer_bounds(base)[1])), 0)
    return None


def holds_all(target: DataType, source: DataType) -> bool:
    """Whether every value of `source` can be cast to `target`; nullability is ignored."""
    a, b = strip(source), strip(target)
    if a == b or (is_bool(a) and (is_integer(b) or is_float(b) or b == string)):
        return True
    if is_numeric(a) and (b in (string, f64) or (is_float(b) and not is_float(a))):
        return True
    if is_integer(a) and is_integer(b):
        (low, high), (least, most) = integer_bounds(a), integer_bounds(b)
        return least <= low and high <= most
    x = as_decimal(a)
    if x is not None and isinstance(b, DecimalType):
        digits, places = b.precision.data, b.scale.data
        return x.scale.data <= places and x.precision.data - x.scale.data <= digits - places
    return False


def common_type(left: DataType, right: DataType) -> DataType | None:
    """The narrowest type that both convert to without losing values, None when there is none.

    Integers meet in the wider signed type, integers and decimals in a decimal, any float in f64
    (f32 only with f32 or integers of 16 bits at most).
    """
    null = is_nullable(left) or is_nullable(right)
    a, b = strip(left), strip(right)
    if a == b:
        return nullable(a, null)
    if is_float(a) or is_float(b):
        if not (is_numeric(a) and is_numeric(b)):
            return None
        small = [t for t in (a, b) if t == f32 or (is_integer(t) and integer_bounds(t)[1] < 2**16)]
        return nullable(f32 if len(small) == 2 else f64, null)
    if is_integer(a) and is_integer(b):
        low = min(integer_bounds(a)[0], integer_bounds(b)[0])
        high = max(integer_bounds(a)[1], integer_bounds(b)[1])
        for candidate in integers.values():
            bounds = integer_bounds(candidate)
            if bounds[0] <= low and high <= bounds[1]:
                return nullable(candidate, null)
        return nullable(DecimalType.of(20, 0), null)
    x, y = as_decimal(a), as_decimal(b)
    if x is not None and y is not None:
        scale = max(x.scale.data, y.scale.data)
        whole = max(x.precision.data - x.scale.data, y.precision.data - y.scale.data)
        return nullable(DecimalType.of(min(whole + scale, MAX_PRECISION), scale), null)
    if isinstance(a, DateType) and isinstance(b, TimestampType):
        return nullable(b, null)
    if isinstance(b, DateType) and isinstance(a, TimestampType):
        return nullable(a, null)
    if isinstance(a, TimestampType) and isinstance(b, TimestampType) and a.zone == b.zone:
        return nullable(a if TIME_UNITS.index(a.unit.data) > TIME_UNITS.index(b.unit.data) else b, null)
    return None


def arithmetic_type(op: str, left: DataType, right: DataType) -> DataType | None:
    """Result type of `add sub mul div floordiv mod pow`, None if ill-typed.

    The frontend has brought the operands together: equal integer or float types, two decimals, or instants
    and durations.
    """
    null = is_nullable(left) or is_nullable(right)
    a, b = strip(left), strip(right)
    if op in ("div", "pow"):
        if not (is_numeric(a) and is_numeric(b)):
            return None
        return nullable(f32 if a == b == f32 else f64, null)
    if isinstance(a, DecimalType) and isinstance(b, DecimalType):
        result = _decimal_arithmetic(op, a, b)
        return None if result is None else nullable(result, null)
    if a == b and (is_integer(a) or is_float(a)):
        return nullable(a, null)
    if op == "sub" and is_temporal(a) and a == b:
        return nullable(DurationType(a.unit if isinstance(a, TimestampType) else StringAttr("us")), null)
    if op in ("add", "sub") and isinstance(b, DurationType) and (is_temporal(a) or a == b):
        return nullable(a, null)
    if op == "add" and isinstance(a, DurationType) and is_temporal(b):
        return nullable(b, null)
    return None


def _decimal_arithmetic(op: str, a: DecimalType, b: DecimalType) -> DecimalType | None:
    precision_a, scale_a, precision_b, scale_b = (
        a.precision.data,
        a.scale.data,
        b.precision.data,
        b.scale.data,
    )
    if op == "mul":
        if scale_a + scale_b > MAX_PRECISION:
            return None
        return DecimalType.of(min(precision_a + precision_b, MAX_PRECISION), scale_a + scale_b)
    scale = max(scale_a, scale_b)
    whole = max(precision_a - scale_a, precision_b - scale_b) + (op in ("add", "sub"))
    return DecimalType.of(min(whole + scale, MAX_PRECISION), scale)


def aggregate_type(function: str, type_: DataType | None) -> DataType | None:
    """Result type of an aggregate over a column of `type_` (None for `len`); None if ill-typed.

    Aggregates other than counts are null over no rows, hence nullable.
    """
    if function in ("len", "count", "n_unique"):
        return i64
    if function == "merge_count":  # the sum of counts, 0 over nothing
        return i64 if type_ == i64 else None
    if type_ is None:
        return None
    base = strip(type_)
    if function in ("min", "max", "first"):
        return nullable(type_)
    if function == "sum":
        if isinstance(base, DecimalType):
            return nullable(DecimalType.of(MAX_PRECISION, base.scale.data))
        if is_bool(base):
            return nullable(i64)
        if is_integer(base):
            return nullable(integers["ui64"] if integer_bounds(base)[0] == 0 else i64)
        return nullable(base) if is_float(base) or isinstance(base, DurationType) else None
    if function in ("mean", "var", "std", "median") or function.startswith("quantile:"):
        return nullable(f64) if is_numeric(base) or is_bool(base) else None
    return None


def text(type_: DataType) -> str:
    """Text form of a type: `i64`, `decimal(15,2)?`, `timestamp[us,UTC]`."""
    if isinstance(type_, NullableType):
        return text(type_.element) + "?"
    if type_ == i1:
        return "bool"
    if isinstance(type_, StringType):
        return "string"
    if isinstance(type_, DateType):
        return "date"
    if isinstance(type_, DecimalType):
        return f"decimal({type_.precision.data},{type_.scale.data})"
    if isinstance(type_, TimestampType):
        return f"timestamp[{type_.unit.data}{',' if type_.zone.data else ''}{type_.zone.data}]"
    if isinstance(type_, DurationType):
        return f"duration[{type_.unit.data}]"
    return str(type_)


_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_TIME = re.compile(r"(timestamp|duration)\[(ms|us|ns)(?:,([^\]]+))?\]")
_PLAIN: dict[str, DataType] = {
    "bool": i1,
    "f32": f32,
    "f64": f64,
    "string": string,
    "date": date,
    **integers,
}


def parse_text(spelling: str) -> DataType:
    """Inverse of `text`; ValueError on anything else."""
    if spelling.endswith("?"):
        return nullable(parse_text(spelling[:-1]))
    if spelling in _PLAIN:
        return _PLAIN[spelling]
    if match := _DECIMAL.fullmatch(spelling):
        return DecimalType.of(int(match[1]), int(match[2]))
    if match := _TIME.fullmatch(spelling):
        if match[1] == "timestamp":
            return TimestampType(StringAttr(match[2]), StringAttr(match[3] or ""))
        if not match[3]:
            return DurationType(StringAttr(match[2]))
    raise ValueError(f"unknown type {spelling!r}")

"""Constants of the `expr` dialect as Python values, and back."""

from __future__ import annotations

import math
import struct
from typing import Any, NamedTuple, TypeAlias

from xdsl.dialects.builtin import LocationAttr, f32
from xdsl.ir import Attribute, Operation, SSAValue

from dlc.dialects import datatypes as t
from dlc.dialects.expr import CastOp, LiteralOp, NullOp, python_literal

Value: TypeAlias = int | float | str
"""A constant that is not null: decimals scaled, dates as days, instants in units of their type."""


class Constant(NamedTuple):
    """A known value; None is null."""

    value: Value | None


NULL = Constant(None)


def value_of(attribute: Attribute, type_: t.DataType) -> Value:
    """The value that the attribute of a literal stands for."""
    value = python_literal(attribute, t.strip(type_))
    if t.strip(type_) == f32:
        return single(float(value))
    return int(value) if t.is_decimal(type_) else value


def constant(value: SSAValue) -> Constant | None:
    """The constant that an expression is, None if it is none."""
    op = value.owner
    # What makes a constant nullable is a cast.
    while isinstance(op, CastOp) and t.strip(op.operand.type) == t.strip(op.result.type):
        op = op.operand.owner
    if isinstance(op, NullOp):
        return NULL
    return Constant(value_of(op.value, op.result.type)) if isinstance(op, LiteralOp) else None


def materialize(known: Constant, type_: t.DataType, location: LocationAttr) -> list[Operation]:
    """Ops of which the last one has the constant as its result, in exactly this type."""
    ops: list[Operation]
    if known.value is None:
        ops = [NullOp(type_)]
    else:
        base = t.strip(type_)
        literal = LiteralOp(str(known.value) if t.is_decimal(base) else known.value, base)
        ops = [literal] if type_ == base else [literal, CastOp(literal.result, type_)]
    for op in ops:
        op.location = location
    return ops


def single(value: float) -> float:
    """The nearest number of single precision."""
    try:
        return struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def rescaled(value: Any, source: t.DataType, target: t.DataType) -> Any:
    """A decimal in the scale of another decimal type, not the smaller one; other values as they are."""
    a, b = t.strip(source), t.strip(target)
    if isinstance(a, t.DecimalType) and isinstance(b, t.DecimalType):
        return value * 10 ** (b.scale.data - a.scale.data)
    return value


def in_order(value: Any) -> tuple[bool, Any]:
    """A sort key: NaN equals itself and stands above all numbers."""
    nan = isinstance(value, float) and math.isnan(value)
    return nan, 0.0 if nan else value


def fits(value: int, type_: t.DataType) -> bool:
    """Whether an integer or scaled decimal type holds the value."""
    base = t.strip(type_)
    if isinstance(base, t.DecimalType):
        return abs(value) < 10**base.precision.data
    low, high = t.integer_bounds(base)
    return low <= value <= high

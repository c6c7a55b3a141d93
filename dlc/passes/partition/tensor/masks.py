"""Masks: rows that only pad a chunk count nothing in whatever is reduced over rows."""

from __future__ import annotations

import math
from typing import cast

from xdsl.dialects.builtin import AnyFloat, IntegerType, Signedness, i32
from xdsl.ir import Attribute, Operation, SSAValue

from dlc.dialects.stablehlo import tensor

from .build import Emitter
from .factors import Span
from .ops import Unsupported


def identity(op: Operation, element: Attribute, reduction: str) -> int | float:
    """The number that a reduction over entries of a type leaves as it is."""
    if reduction in ("sum", "or"):
        return 0
    if reduction == "prod":
        return 1
    if isinstance(element, AnyFloat) and reduction in ("max", "min"):
        return -math.inf if reduction == "max" else math.inf
    if not isinstance(element, IntegerType):
        raise Unsupported(op, f"{reduction} of {element} has no identity")
    width = cast("IntegerType", element).width.data
    if width == 1:
        return int(reduction in ("and", "min"))
    if reduction == "and":
        return -1
    signed = cast("IntegerType", element).signedness.data is not Signedness.UNSIGNED
    if reduction == "max":
        return -(1 << (width - 1)) if signed else 0
    return (1 << (width - 1)) - 1 if signed else (1 << width) - 1


def real_rows(emit: Emitter, valid: SSAValue, span: Span, rows: int) -> SSAValue:
    """Which entries of a dimension belong to the first `valid` of its rows: a vector of booleans."""
    size = span.per_row * rows
    row = emit.iota(size)
    if span.inner > 1:
        row = emit.binary("divide", row, emit.constant(i32, span.inner, [size]))
    if span.outer > 1:
        row = emit.binary("remainder", row, emit.constant(i32, rows, [size]))
    return emit.compare("LT", row, emit.broadcast(valid, [size]))


def hidden(emit: Emitter, value: SSAValue, axis: int, real: SSAValue, filler: float) -> SSAValue:
    """The value with `filler` in place of the entries along an axis that are not real."""
    shape = tensor(value).get_shape()
    keep = emit.broadcast(real, shape, [axis])
    return emit.select(keep, value, emit.constant(tensor(value).element_type, filler, shape))

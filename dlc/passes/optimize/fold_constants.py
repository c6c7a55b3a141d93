"""`fold-constants`: expressions of constants become constants, exactly as the run would compute them.

What would fail at run time (overflow, division by zero) stays, so that the run reports it.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr, f32, f64
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from dlc.dialects import datatypes as t
from dlc.dialects.arithmetic import ArithmeticOp, PowOp, UnaryArithmeticOp, kind_of
from dlc.dialects.expr import AndOp, CallOp, CastOp, CompareOp, IsInOp, IsNullOp, NotOp, OrOp

from .constants import NULL, Constant, constant, fits, in_order, materialize, rescaled, single, value_of
from .dce import erase_dead

EPOCH = datetime.date(1970, 1, 1)


def fold(op: Operation) -> Constant | None:
    """The constant that an op comes to, None if it is none or computing it could fail."""
    known = [constant(operand) for operand in op.operands]
    if isinstance(op, AndOp | OrOp):
        return _kleene(isinstance(op, AndOp), known)
    if isinstance(op, IsNullOp):
        return Constant(known[0].value is None) if known[0] is not None else None
    if not isinstance(op, ArithmeticOp | UnaryArithmeticOp | CompareOp | NotOp | CastOp | IsInOp | CallOp):
        return None
    if isinstance(op, CallOp) and op.function.data not in CALLS:
        return None
    if NULL in known:
        return NULL
    values = [k.value for k in known if k is not None]
    if not values or len(values) < len(known):
        return None
    return _computed(op, values)


def _computed(op: Operation, values: Sequence[Any]) -> Constant | None:
    """The op over values of which none is null."""
    match op:
        case ArithmeticOp():
            return _arithmetic(op, *values)
        case UnaryArithmeticOp() if t.is_numeric(op.result.type):
            value = abs(values[0]) if kind_of(op) == "abs" else -values[0]
            return Constant(value) if t.is_float(op.result.type) or fits(value, op.result.type) else None
        case CompareOp():
            return Constant(_compare(op, *values))
        case NotOp():
            return Constant(not values[0])
        case IsInOp():
            members = (in_order(value_of(member, op.operand.type)) for member in op.values)
            return Constant(in_order(values[0]) in members)
        case CastOp():
            return _cast(values[0], op.operand.type, op.result.type)
        case CallOp():
            return CALLS[op.function.data](op, values)
        case _:
            return None


def _kleene(conjunction: bool, known: Sequence[Constant | None]) -> Constant | None:
    decisive = Constant(not conjunction)
    if decisive in known:
        return decisive
    if None in known:
        return None
    return NULL if NULL in known else Constant(conjunction)


def _arithmetic(op: ArithmeticOp, a: Any, b: Any) -> Constant | None:
    kind, base = kind_of(op), t.strip(op.result.type)
    if isinstance(op, PowOp) or not t.is_numeric(base) or not t.is_numeric(op.lhs.type):
        return None
    if t.is_float(base):
        if t.is_decimal(op.lhs.type) or t.is_decimal(op.rhs.type):
            return None
        exact = t.is_integer(op.lhs.type) or t.is_integer(op.rhs.type)
        return _floating(kind, float(a), float(b), exact, base)
    if isinstance(base, t.DecimalType):
        if kind not in ("add", "sub", "mul"):
            return None
        if kind != "mul":
            a, b = rescaled(a, op.lhs.type, base), rescaled(b, op.rhs.type, base)
    if kind in ("floordiv", "mod") and b == 0:
        return None
    value = INTEGER[kind](a, b)
    return Constant(value) if fits(value, base) else None


INTEGER: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
}


def _floating(kind: str, a: float, b: float, integers: bool, type_: t.DataType) -> Constant | None:
    """IEEE arithmetic; rounding once more to single precision is exact for these operations."""
    match kind:
        case "add":
            value = a + b
        case "sub":
            value = a - b
        case "mul":
            value = a * b
        case "div" if b:
            value = a / b
        case "div" if not integers:
            value = math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)
        case _:
            return None
    return Constant(single(value) if type_ == f32 else value)


def _compare(op: CompareOp, a: Any, b: Any) -> bool:
    wide = max(op.lhs.type, op.rhs.type, key=_scale)
    x, y = in_order(rescaled(a, op.lhs.type, wide)), in_order(rescaled(b, op.rhs.type, wide))
    less, equal = x < y, x == y
    return {
        "eq": equal,
        "ne": not equal,
        "lt": less,
        "le": less or equal,
        "gt": not (less or equal),
        "ge": not less,
    }[op.predicate.data]


def _scale(type_: t.DataType) -> int:
    base = t.strip(type_)
    return base.scale.data if isinstance(base, t.DecimalType) else 0


def _cast(value: Any, source: t.DataType, target: t.DataType) -> Constant | None:
    """Conversions between numbers that are exact, or that every machine rounds alike."""
    a, b = t.strip(source), t.strip(target)
    if a == b:
        return Constant(value)
    if (t.is_integer(a) or t.is_bool(a)) and b == f64:
        return Constant(float(value))
    if a == f32 and b == f64:
        return Constant(value)
    if t.is_bool(a) and t.is_integer(b):
        return Constant(int(value))
    if t.is_integer(a) and (t.is_integer(b) or t.is_decimal(b)):
        scaled = value * 10 ** _scale(b)
        return Constant(scaled) if fits(scaled, b) else None
    if t.is_decimal(a) and t.is_decimal(b) and _scale(a) <= _scale(b):
        scaled = rescaled(value, a, b)
        return Constant(scaled) if fits(scaled, b) else None
    return None


def _text_option(op: CallOp) -> str:
    pattern = op.options.data["pattern"] if op.options is not None else None
    return pattern.data if isinstance(pattern, StringAttr) else ""


def _calendar(part: Callable[[datetime.date], int]) -> Callable[[CallOp, Sequence[Any]], Constant | None]:
    def folded(op: CallOp, values: Sequence[Any]) -> Constant | None:
        if t.strip(op.arguments[0].type) != t.date:
            return None
        try:
            return Constant(part(EPOCH + datetime.timedelta(values[0])))
        except OverflowError:  # years beyond 1 to 9999
            return None

    return folded


CALLS: dict[str, Callable[[CallOp, Sequence[Any]], Constant | None]] = {
    "year": _calendar(lambda day: day.year),
    "quarter": _calendar(lambda day: (day.month + 2) // 3),
    "month": _calendar(lambda day: day.month),
    "day": _calendar(lambda day: day.day),
    "weekday": _calendar(datetime.date.isoweekday),
    "str_len": lambda _, values: Constant(len(values[0])),
    "str_concat": lambda _, values: Constant("".join(values)),
    "str_starts_with": lambda op, values: Constant(values[0].startswith(_text_option(op))),
    "str_ends_with": lambda op, values: Constant(values[0].endswith(_text_option(op))),
}
"""Functions of constants that need no library."""


def fold_block(block: Block) -> None:
    """Fold the ops of a block and of the regions in it, operands before users."""
    for op in block.ops:
        for region in op.regions:
            for inner in region.blocks:
                fold_block(inner)
        if op.results and constant(op.results[0]) is None and (known := fold(op)) is not None:
            Rewriter.replace_op(op, materialize(known, op.results[0].type, op.location))


@dataclass(frozen=True)
class FoldConstantsPass(ModulePass):
    """Computes what depends on constants only."""

    name = "fold-constants"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        fold_block(op.body.block)
        erase_dead(op.body.block)

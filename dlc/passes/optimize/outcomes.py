"""What a predicate can come to over rows of which only the bounds of the columns are known.

Every answer errs on the side of "possible". Comparisons are those of SQL, with NaN above all numbers.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from xdsl.dialects.builtin import ArrayAttr, StringAttr, f64
from xdsl.ir import Attribute, Operation, SSAValue

from dlc.dialects import datatypes as t
from dlc.dialects.expr import (
    AndOp,
    CallOp,
    CastOp,
    ColumnOp,
    CompareOp,
    IsInOp,
    IsNullOp,
    LiteralOp,
    NotOp,
    NullOp,
    OrOp,
)

from .constants import value_of
from .expressions import tree
from .files import Bounds

DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
"""Units in a day."""


class Outcomes(NamedTuple):
    """Which truth values are possible."""

    true: bool
    false: bool
    null: bool


@dataclass(frozen=True)
class Range:
    """The values that an expression can take: bounds (None: unbounded), NaN, null, or nothing but null."""

    low: Any = None
    high: Any = None
    nan: bool = False
    null: bool = False
    only_null: bool = False


class Predicate:
    """A boolean expression, to be judged over many sets of rows."""

    def __init__(self, root: SSAValue):
        self._root = root
        self._ops = tree([root])

    def outcomes(self, columns: Mapping[str, Bounds]) -> Outcomes:
        """The truth values that it can take over rows with these bounds."""
        known = dict[SSAValue, Range | Outcomes]()
        for op in self._ops:
            known[op.results[0]] = _evaluate(op, known, columns)
        return _truth(known[self._root])


def _evaluate(
    op: Operation, known: Mapping[SSAValue, Any], columns: Mapping[str, Bounds]
) -> Range | Outcomes:
    match op:
        case ColumnOp():
            return _column(columns.get(op.column.data), op.result.type)
        case LiteralOp():
            return _point(op.value, op.result.type)
        case NullOp():
            return Range(null=True, only_null=True)
        case CompareOp():
            return _compare(op, known[op.lhs], known[op.rhs])
        case AndOp():
            return _and(_truth(known[op.lhs]), _truth(known[op.rhs]))
        case OrOp():
            return _not(_and(_not(_truth(known[op.lhs])), _not(_truth(known[op.rhs]))))
        case NotOp():
            return _not(_truth(known[op.operand]))
        case IsNullOp():
            return _is_null(known[op.operand])
        case IsInOp():
            return _is_in(op, known[op.operand])
        case CastOp():
            return _cast(known[op.operand], op.operand.type, op.result.type)
        case CallOp() if op.function.data in FUNCTIONS:
            found = FUNCTIONS[op.function.data](op, known[op.arguments[0]])
            return found if found is not None else _anything(op.result.type)
        case _:
            return _anything(op.results[0].type)


def _anything(type_: t.DataType) -> Range:
    return Range(nan=t.is_float(type_), null=t.is_nullable(type_))


def _column(bounds: Bounds | None, type_: t.DataType) -> Range:
    if bounds is None:
        return _anything(type_)
    null = t.is_nullable(type_) and bounds.nulls != 0
    return Range(bounds.low, bounds.high, t.is_float(type_), null, null and bounds.all_null)


def _point(value: Attribute, type_: t.DataType) -> Range:
    constant = value_of(value, type_)
    if constant != constant:
        return Range(nan=True)
    return Range(constant, constant)


def _truth(value: Range | Outcomes) -> Outcomes:
    if isinstance(value, Outcomes):
        return value
    if value.only_null:
        return Outcomes(False, False, True)
    return Outcomes(value.high is not False, value.low is not True, value.null)


def _range(value: Range | Outcomes) -> Range:
    if isinstance(value, Range):
        return value
    if not (value.true or value.false):
        return Range(null=True, only_null=True)
    return Range(not value.false, value.true, null=value.null)


def _not(a: Outcomes) -> Outcomes:
    return Outcomes(a.false, a.true, a.null)


def _and(a: Outcomes, b: Outcomes) -> Outcomes:
    null = (a.null and (b.null or b.true)) or (b.null and a.true)
    return Outcomes(a.true and b.true, a.false or b.false, null)


def _compare(op: CompareOp, left: Range | Outcomes, right: Range | Outcomes) -> Outcomes:
    a, b = _aligned(_range(left), op.lhs.type, _range(right), op.rhs.type)
    return _relate(op.predicate.data, a, b)


def _relate(predicate: str, a: Range, b: Range) -> Outcomes:
    null = a.null or b.null
    if a.only_null or b.only_null:
        return Outcomes(False, False, True)
    match predicate:
        case "lt":
            return Outcomes(_can_be_less(a, b), _can_be_at_most(b, a), null)
        case "le":
            return Outcomes(_can_be_at_most(a, b), _can_be_less(b, a), null)
        case "gt" | "ge":
            return _relate({"gt": "lt", "ge": "le"}[predicate], b, a)
        case _:
            overlap = (a.nan and b.nan) or (_reaches(a.low, b.high) and _reaches(b.low, a.high))
            constant = a.low is not None and a.low == a.high == b.low == b.high and not (a.nan or b.nan)
            equal = Outcomes(overlap, not constant, null)
            return equal if predicate == "eq" else _not(equal)


def _reaches(low: Any, high: Any) -> bool:
    return low is None or high is None or low <= high


def _can_be_less(a: Range, b: Range) -> bool:
    return b.nan or a.low is None or b.high is None or a.low < b.high


def _can_be_at_most(a: Range, b: Range) -> bool:
    return b.nan or _reaches(a.low, b.high)


def _map(value: Range, convert: Callable[[Any], Any]) -> Range:
    low, high = (None if v is None else convert(v) for v in (value.low, value.high))
    return replace(value, low=low, high=high)


def _aligned(a: Range, left: t.DataType, b: Range, right: t.DataType) -> tuple[Range, Range]:
    """Decimals of two scales on the larger one."""
    x, y = t.strip(left), t.strip(right)
    if isinstance(x, t.DecimalType) and isinstance(y, t.DecimalType):
        scale = max(x.scale.data, y.scale.data)
        return (
            _map(a, lambda v: v * 10 ** (scale - x.scale.data)),
            _map(b, lambda v: v * 10 ** (scale - y.scale.data)),
        )
    return a, b


def _is_null(value: Range | Outcomes) -> Outcomes:
    if isinstance(value, Outcomes):
        return Outcomes(value.null, value.true or value.false, False)
    return Outcomes(value.null, not value.only_null, False)


def _is_in(op: IsInOp, operand: Range | Outcomes) -> Outcomes:
    a = _range(operand)
    values: ArrayAttr[Attribute] = op.values
    parts = [_relate("eq", a, _point(value, op.operand.type)) for value in values]
    if a.only_null:
        return Outcomes(False, False, True)
    return Outcomes(any(p.true for p in parts), all(p.false for p in parts), a.null)


def _cast(operand: Range | Outcomes, source: t.DataType, target: t.DataType) -> Range | Outcomes:
    """Conversions that keep the order of values; anything else can give anything."""
    a, b = t.strip(source), t.strip(target)
    if a == b:
        return operand
    value = _range(operand)
    # A lenient cast makes nulls of what does not fit.
    value = replace(value, null=value.null or t.is_nullable(target))
    if t.is_integer(a) and t.is_integer(b):
        return value
    if t.is_integer(a) and b == f64:
        return _map(value, float)
    if t.is_integer(a) and isinstance(b, t.DecimalType):
        return _map(value, lambda v: v * 10**b.scale.data)
    if isinstance(a, t.DecimalType) and isinstance(b, t.DecimalType) and a.scale.data <= b.scale.data:
        return _map(value, lambda v: v * 10 ** (b.scale.data - a.scale.data))
    if a == t.date and isinstance(b, t.TimestampType) and not b.zone.data:
        return _map(value, lambda v: v * DAY[b.unit.data])
    return _anything(target)


def _days(value: Any, type_: t.DataType) -> Any:
    base = t.strip(type_)
    return value // DAY[base.unit.data] if isinstance(base, t.TimestampType) else value


def _in_days(op: CallOp, operand: Range) -> Range | None:
    base = t.strip(op.arguments[0].type)
    if isinstance(base, t.TimestampType) and base.zone.data:
        return None
    return _map(operand, lambda v: _days(v, base))


def _year(op: CallOp, operand: Range) -> Range | None:
    days = _in_days(op, operand)
    epoch = datetime.date(1970, 1, 1)
    try:
        return None if days is None else _map(days, lambda v: (epoch + datetime.timedelta(v)).year)
    except OverflowError:  # years beyond 1 to 9999
        return None


def _option(op: CallOp, name: str) -> str:
    value = op.options.data[name] if op.options is not None else None
    return value.data if isinstance(value, StringAttr) else ""


def _begins(prefix: str, operand: Range) -> Outcomes:
    if operand.only_null:
        return Outcomes(False, False, True)
    n = len(prefix)
    starts = _reaches(operand.low and operand.low[:n], prefix) and _reaches(
        prefix, operand.high and operand.high[:n]
    )
    return Outcomes(starts, True, operand.null)


def _starts_with(op: CallOp, operand: Range) -> Outcomes:
    return _begins(_option(op, "pattern"), operand)


def _like(op: CallOp, operand: Range) -> Outcomes:
    # The text up to the first wildcard or escape stands at the beginning of every match.
    return _begins(re.split(r"[%_\\]", _option(op, "pattern"), maxsplit=1)[0], operand)


FUNCTIONS: dict[str, Callable[[CallOp, Range], Range | Outcomes | None]] = {
    "year": _year,
    "to_date": _in_days,
    "str_starts_with": _starts_with,
    "like": _like,
}

"""Ranges of expressions, from those of columns: ops become `proven`, decimals narrower."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from dlc.dialects import datatypes as t
from dlc.dialects import expr, functions
from dlc.dialects.arithmetic import ArithmeticOp, UnaryArithmeticOp, kind_of
from dlc.dialects.expr import python_literal

from . import intervals
from .expressions import conjuncts
from .intervals import EMPTY, Interval
from .selectivity import MIRRORED

Ranges = Mapping[str, Interval]
"""Ranges of the columns whose values are integers, scaled decimals or days, nulls left out."""

NARROW = Interval(-(10**t.NARROW_PRECISION) + 1, 10**t.NARROW_PRECISION - 1)
FIXED = {
    "quarter": Interval(1, 4),
    "month": Interval(1, 12),
    "day": Interval(1, 31),
    "weekday": Interval(1, 7),
    "hour": Interval(0, 23),
    "minute": Interval(0, 59),
    "second": Interval(0, 59),
    "str_len": Interval(0, 2**31),
}
"""Ranges of functions, whatever their arguments are."""
EPOCH = datetime.date(1970, 1, 1).toordinal()
ARITHMETIC: dict[str, Callable[[Interval, Interval], Interval]] = {
    "add": intervals.add,
    "sub": intervals.sub,
    "mul": intervals.mul,
    "floordiv": intervals.floordiv,
    "mod": intervals.mod,
}


def of_type(type_: t.DataType) -> Interval | None:
    """All values of a type, None where they are not integers."""
    base = t.strip(type_)
    if isinstance(base, t.DecimalType):
        bound = 10**base.precision.data - 1
        return Interval(-bound, bound)
    if t.is_integer(base):
        return Interval(*t.integer_bounds(base))
    if t.is_bool(base):
        return Interval(0, 1)
    return Interval(-(2**31), 2**31 - 1) if base == t.date else None


def scale_of(type_: t.DataType) -> int:
    """Digits after the point, 0 for integers."""
    base = t.strip(type_)
    return base.scale.data if isinstance(base, t.DecimalType) else 0


def with_precision(type_: t.DataType, precision: int) -> t.DataType:
    """The decimal type with at most so many digits, as far as its scale allows."""
    base = t.strip(type_)
    assert isinstance(base, t.DecimalType)
    digits = max(min(base.precision.data, precision), base.scale.data, 1)
    return t.nullable(t.DecimalType.of(digits, base.scale.data), t.is_nullable(type_))


def retype(value: SSAValue, type_: Attribute) -> SSAValue:
    """The value with another type; every use follows."""
    return value if value.type == type_ else Rewriter.replace_value_with_new_type(value, type_)


class ExpressionRanges:
    """Walks one region from top to bottom.

    `columns` and `types` describe the frame that the region reads, `scalar` tells range and type of a column
    of another frame.
    """

    def __init__(
        self,
        block: Block,
        columns: Ranges,
        types: Mapping[str, t.DataType],
        scalar: Callable[[SSAValue, str], tuple[Interval | None, t.DataType]],
    ):
        self._columns = columns
        self._types = types
        self._scalar = scalar
        self._found = dict[SSAValue, Interval]()
        for op in list(block.ops):
            if op.results:
                interval = self._visit(op)
                interval = of_type(op.results[0].type) if interval is None else interval
                if interval is not None:
                    self._found[op.results[0]] = interval

    def get(self, value: SSAValue) -> Interval | None:
        """Range of a value of the region."""
        return self._found.get(value)

    def kept(self, predicate: SSAValue) -> dict[str, Interval]:
        """Ranges of the columns in the rows for which the predicate is true."""
        columns = dict(self._columns)
        for term in conjuncts(predicate):
            op = term.owner
            if isinstance(op, expr.CompareOp):
                self._tighten(columns, op.lhs, op.predicate.data, op.rhs)
                self._tighten(columns, op.rhs, MIRRORED[op.predicate.data], op.lhs)
            elif isinstance(op, expr.IsInOp) and isinstance(op.operand.owner, expr.ColumnOp):
                name = op.operand.owner.column.data
                if name in columns:
                    columns[name] = columns[name] & _members(op)
        return columns

    def _tighten(self, columns: dict[str, Interval], column: SSAValue, kind: str, bound: SSAValue) -> None:
        limit = self._found.get(bound)
        if not isinstance(column.owner, expr.ColumnOp) or limit is None:
            return
        name = column.owner.column.data
        if name not in columns:
            return
        scales = scale_of(column.type), scale_of(bound.type)
        if kind in ("lt", "le", "eq"):
            columns[name] = intervals.below(columns[name], scales[0], limit, scales[1], kind == "lt")
        if kind in ("gt", "ge", "eq"):
            columns[name] = intervals.above(columns[name], scales[0], limit, scales[1], kind == "gt")

    def _visit(self, op: Operation) -> Interval | None:
        """Range of the op's result, None for all values of its type."""
        match op:
            case expr.ColumnOp():
                retype(op.result, self._types[op.column.data])
                return self._columns.get(op.column.data)
            case expr.ScalarOp():
                interval, type_ = self._scalar(op.frame, op.column.data)
                retype(op.result, type_)
                return interval
            case expr.LiteralOp():
                return self._literal(op)
            case expr.NullOp():
                return EMPTY
            case ArithmeticOp():
                return self._arithmetic(op)
            case UnaryArithmeticOp():
                return self._unary(op)
            case expr.CastOp():
                return self._cast(op)
            case expr.CaseOp():
                return self._choice(op, [*range(1, len(op.operands), 2), len(op.operands) - 1])
            case expr.CoalesceOp():
                return self._choice(op, range(len(op.operands)))
            case expr.CallOp():
                return self._call(op)
            case _:
                return None

    def _literal(self, op: expr.LiteralOp) -> Interval | None:
        if of_type(op.result.type) is None:
            return None
        value = int(op.python_value)
        if t.is_decimal(op.result.type) and value in NARROW:
            retype(op.result, with_precision(op.result.type, t.NARROW_PRECISION))
        return Interval(value, value)

    def _arithmetic(self, op: ArithmeticOp) -> Interval | None:
        kind = kind_of(op)
        a, b = self._found.get(op.lhs), self._found.get(op.rhs)
        exact = all(t.is_integer(v.type) or t.is_decimal(v.type) for v in (op.lhs, op.rhs))
        if a is None or b is None or not exact:
            return None
        if kind == "div":
            op.proven = UnitAttr() if 0 not in b else op.proven
        if kind not in ARITHMETIC:
            return None
        scale = scale_of(op.result.type)
        if kind != "mul":
            a, b = (intervals.scaled(i, scale - scale_of(v.type)) for i, v in ((a, op.lhs), (b, op.rhs)))
        result = ARITHMETIC[kind](a, b)
        if kind == "floordiv":
            result = intervals.scaled(result, scale)
        return self._proven(op, result, [a, b], divides=kind in ("floordiv", "mod") and 0 in b)

    def _proven(
        self, op: ArithmeticOp, result: Interval, operands: Sequence[Interval], *, divides: bool
    ) -> Interval:
        """Mark the op if it cannot fail, and narrow its type if result and operands fit 64 bits."""
        if t.is_decimal(op.result.type):
            rule = t.arithmetic_type(kind_of(op), op.lhs.type, op.rhs.type)
            assert rule is not None
            type_ = with_precision(op.result.type, _precision(rule))
            if all(interval.within(NARROW) for interval in (result, *operands)):
                type_ = with_precision(type_, t.NARROW_PRECISION)
            retype(op.result, type_)
        everything = of_type(op.result.type)
        assert everything is not None
        if result.within(everything) and not divides:
            op.proven = UnitAttr()
        return result & everything

    def _unary(self, op: UnaryArithmeticOp) -> Interval | None:
        interval = self._found.get(op.operand)
        retype(op.result, op.operand.type)
        everything = of_type(op.result.type)
        if interval is None or everything is None:
            return None
        result = intervals.neg(interval) if kind_of(op) == "neg" else intervals.magnitude(interval)
        if result.within(everything):
            op.proven = UnitAttr()
        return result & everything

    def _cast(self, op: expr.CastOp) -> Interval | None:
        interval, source, target = self._found.get(op.operand), op.operand.type, op.result.type
        everything = of_type(target)
        if interval is None or everything is None or t.strip(source) == t.date or t.is_bool(target):
            return None
        if t.is_decimal(target):
            interval = intervals.scaled(interval, scale_of(target) - scale_of(source))
            if interval.within(NARROW):
                retype(op.result, with_precision(target, t.NARROW_PRECISION))
        else:
            interval = intervals.truncated(interval, scale_of(source))
        return interval & everything

    def _choice(self, op: Operation, indices: Sequence[int]) -> Interval | None:
        """One of several operands, which must have one type."""
        self._unify(op, indices)
        found = [self._found.get(op.operands[index]) for index in indices]
        known = [interval for interval in found if interval is not None]
        return intervals.hull(known) if len(known) == len(found) else None

    def _unify(self, op: Operation, indices: Sequence[int]) -> None:
        types = [t.strip(op.operands[index].type) for index in indices]
        if not all(isinstance(type_, t.DecimalType) for type_ in types):
            return
        widest = max(types, key=_precision)
        for index in indices:
            value = op.operands[index]
            if t.strip(value.type) != widest:
                cast_op = expr.CastOp(value, t.nullable(widest, t.is_nullable(value.type)))
                cast_op.location = op.location
                Rewriter.insert_op(cast_op, InsertPoint.before(op))
                op.operands[index] = cast_op.result
                if value in self._found:
                    self._found[cast_op.result] = self._found[value]
        retype(op.results[0], t.nullable(widest, t.is_nullable(op.results[0].type)))

    def _call(self, op: expr.CallOp) -> Interval | None:
        name = op.function.data
        if name in ("min_horizontal", "max_horizontal"):
            return self._choice(op, range(len(op.operands)))
        if name in FIXED:
            return FIXED[name]
        argument = self._found.get(op.operands[0]) if op.operands else None
        if name == "year" and argument is not None and t.strip(op.operands[0].type) == t.date:
            return _years(argument)
        if name in ("floor", "ceil", "round"):
            type_ = functions.FUNCTIONS[name].result_type([operand.type for operand in op.operands])
            assert type_ is not None
            retype(op.result, type_)
            everything = of_type(type_)
            if argument is not None and everything is not None and t.is_decimal(type_):
                unit = 10 ** scale_of(type_)
                return intervals.add(argument, Interval(-unit, unit)) & everything
        return None


def _precision(type_: t.DataType) -> int:
    base = t.strip(type_)
    assert isinstance(base, t.DecimalType)
    return base.precision.data


def _members(op: expr.IsInOp) -> Interval:
    type_ = t.strip(op.operand.type)
    constants = [int(python_literal(value, type_)) for value in op.values if not isinstance(value, UnitAttr)]
    return intervals.hull(Interval(value, value) for value in constants)


def _years(days: Interval) -> Interval | None:
    ordinals = [EPOCH + days.low, EPOCH + days.high]
    if days.empty or ordinals[0] < 1 or ordinals[1] > datetime.date.max.toordinal():
        return None
    low, high = (datetime.date.fromordinal(ordinal).year for ordinal in ordinals)
    return Interval(low, high)

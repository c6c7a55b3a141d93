"""What share of the rows a predicate keeps, and what an expression makes of its columns."""

from __future__ import annotations

from dataclasses import replace

from xdsl.ir import Operation, SSAValue

from dlc.dialects import datatypes as t
from dlc.dialects import expr

from . import estimates
from .estimates import Column, Frame
from .expressions import conjuncts

MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}
"""Comparisons seen from the other side."""
PARTS = {
    "month": 12.0,
    "day": 31.0,
    "quarter": 4.0,
    "weekday": 7.0,
    "hour": 24.0,
    "minute": 60.0,
    "second": 60.0,
}
"""Distinct values of the parts of a date."""
WIDTHS = {"string": 24.0, "bool": 1 / 8, "date": 4.0}
"""Bytes of values that are not as wide as the name of their type says."""
FEW_YEARS = 10.0
"""Years that dates without bounds span."""
PATTERNS = ("like", "str_contains", "str_starts_with", "str_ends_with")


def number(value: float | str | bool, type_: t.DataType) -> float:
    """A constant on the axis of its type: decimals unscaled, texts by their first bytes."""
    base = t.strip(type_)
    if isinstance(base, t.DecimalType):
        return int(value) / 10.0**base.scale.data
    return estimates.text_number(value) if isinstance(value, str) else float(value)


def filtered(frame: Frame, predicate: SSAValue) -> Frame:
    """The rows for which the predicate is true; each term sees what the terms before it left."""
    for term in conjuncts(predicate):
        if isinstance(term.owner, expr.IsInOp) and isinstance(term.owner.operand.owner, expr.ColumnOp):
            name = term.owner.operand.owner.column.data
            column = replace(frame.columns[name], nulls=0.0).at_most(len(term.owner.values))
            frame = frame.where(name, column, fraction(frame, term))
            continue
        found = _comparison(term)
        if found is None:
            frame = frame.of(frame.rows * fraction(frame, term))
            continue
        name, kind, value = found
        column = frame.columns[name]
        share = _compared(column, kind, value)
        if kind == "eq":
            column = Column(1.0, column.domain, value, value, 0.0, column.width, known=True)
        elif kind != "ne":
            column = estimates.clipped(column, *_range(kind, value))
        frame = frame.where(name, column, share)
    return frame


def fraction(frame: Frame, value: SSAValue) -> float:
    """Share of the rows for which a boolean is true."""
    match value.owner:
        case expr.AndOp() as op:
            return fraction(frame, op.lhs) * fraction(frame, op.rhs)
        case expr.OrOp() as op:
            return 1 - (1 - fraction(frame, op.lhs)) * (1 - fraction(frame, op.rhs))
        case expr.NotOp() as op:
            return 1 - fraction(frame, op.operand)
        case expr.LiteralOp() as op:
            return float(bool(op.python_value))
        case expr.IsNullOp() as op:
            return column_of(frame, op.operand).nulls
        case expr.IsInOp() as op:
            column = column_of(frame, op.operand)
            return min(1.0, len(op.values) * estimates.equal_fraction(column))
        case expr.CallOp() as op if op.function.data in PATTERNS:
            return estimates.PATTERN_FRACTION
        case expr.CompareOp() as op:
            left, right = column_of(frame, op.lhs), column_of(frame, op.rhs)
            if isinstance(op.lhs.owner, expr.LiteralOp):
                return _compared(right, MIRRORED[op.predicate.data], left.low)
            if isinstance(op.rhs.owner, expr.LiteralOp | expr.ParamOp):
                return _compared(left, op.predicate.data, right.low)
            fewer, more = sorted((left, right), key=lambda column: column.distinct)
            return _compared(more, op.predicate.data, None) * (1 - fewer.nulls)
        case expr.ColumnOp():
            return 0.5 * (1 - column_of(frame, value).nulls)
        case _:
            return estimates.UNKNOWN_FRACTION


def column_of(frame: Frame, value: SSAValue) -> Column:
    """What is known of the values of an expression."""
    match value.owner:
        case expr.ColumnOp() as op:
            return frame.columns[op.column.data]
        case expr.LiteralOp() as op:
            constant = number(op.python_value, op.result.type)
            return Column(1.0, 1.0, constant, constant, 0.0, width(value.type), known=True)
        case expr.NullOp():
            return Column(1.0, 1.0, nulls=1.0, width=width(value.type), known=True)
        case expr.ParamOp() | expr.ScalarOp():
            return Column(1.0, 1.0, width=width(value.type), known=True)
        case expr.CallOp() as op if op.function.data == "year":
            date = column_of(frame, op.arguments[0])
            return _year(date, op.arguments[0].type, width(value.type))
        case expr.CallOp() as op if op.function.data in PARTS:
            count = PARTS[op.function.data]
            return Column(count, count, 0.0, count, 0.0, width(value.type), known=True)
        case Operation() as op:
            inputs = [column_of(frame, operand) for operand in op.operands]
            distinct = 1.0
            for column in inputs:
                distinct = min(frame.rows, distinct * column.distinct)
            if t.is_bool(value.type):
                distinct = min(2.0, distinct)
            nulls = (
                max((column.nulls for column in inputs), default=0.0) if t.is_nullable(value.type) else 0.0
            )
            known = all(column.known for column in inputs)
            guessed = any(column.guessed for column in inputs)
            domain = max(1.0, distinct)
            return Column(domain, domain, None, None, nulls, width(value.type), known, guessed)
        case _:
            raise AssertionError("expressions have no block arguments")


def width(type_: t.DataType, text: float | None = None) -> float:
    """Bytes of one value; of a text its characters, `text` of them on average, as the records of runs count.

    A text takes more in memory, 16 bytes and those beyond the twelfth, and on the wire, eight bytes more.
    """
    base = t.strip(type_)
    validity = 1 / 8 if t.is_nullable(type_) else 0.0
    if base == t.string and text is not None:
        return text + validity
    if isinstance(base, t.DecimalType):
        return (8.0 if base.precision.data <= t.NARROW_PRECISION else 16.0) + validity
    name = t.text(base)
    if name in WIDTHS:
        return WIDTHS[name] + validity
    digits = name.lstrip("uif")
    return (int(digits) / 8 if digits.isdigit() else 8.0) + validity


def _year(column: Column, type_: t.DataType, size: float) -> Column:
    if t.strip(type_) != t.date or column.low is None or column.high is None:
        return Column(FEW_YEARS, FEW_YEARS, None, None, column.nulls, size)
    low, high = 1970 + column.low // 365.2425, 1970 + column.high // 365.2425
    return Column(high - low + 1, high - low + 1, low, high, column.nulls, size, known=True)


def _comparison(term: SSAValue) -> tuple[str, str, float] | None:
    """Column, comparison and constant, if the term compares a column with a constant."""
    op = term.owner
    if isinstance(op, expr.CompareOp):
        for column, constant, kind in (
            (op.lhs.owner, op.rhs.owner, op.predicate.data),
            (op.rhs.owner, op.lhs.owner, MIRRORED[op.predicate.data]),
        ):
            if isinstance(column, expr.ColumnOp) and isinstance(constant, expr.LiteralOp):
                value = number(constant.python_value, constant.result.type)
                return column.column.data, kind, value
    return None


def _compared(column: Column, kind: str, value: float | None) -> float:
    """Share of the rows where a comparison with a constant holds; with None, with an unknown one."""
    if kind == "eq":
        return estimates.equal_fraction(column, value)
    if kind == "ne":
        return max(0.0, 1 - column.nulls - estimates.equal_fraction(column, value))
    if value is None:
        return estimates.UNKNOWN_FRACTION * (1 - column.nulls)
    return estimates.range_fraction(column, *_range(kind, value))


def _range(kind: str, value: float) -> tuple[float | None, float | None]:
    return (value, None) if kind in ("gt", "ge") else (None, value)

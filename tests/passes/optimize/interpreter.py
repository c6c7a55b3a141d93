"""An independent evaluator of flow programs over lists of rows, against which rewrites are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, Region, SSAValue

from dlc.dialects import datatypes as t
from dlc.dialects import expr, table
from dlc.dialects.flow import ProgramOp, ReturnOp
from dlc.dialects.frame import frame_of

Row = dict[str, Any]


class RunError(Exception):
    """Overflow or division by zero."""


@dataclass
class Frame:
    rows: list[Row]
    ordered: bool = False


def run(module: ModuleOp, files: dict[str, list[Row]]) -> dict[str, Frame]:
    """Results by name. Raises RunError where a run would report an error."""
    program = next(op for op in module.walk() if isinstance(op, ProgramOp))
    known: dict[SSAValue, Frame] = {}
    for op in program.body.block.ops:
        if isinstance(op, ReturnOp):
            return {n.data: known[v] for n, v in zip(op.names, op.values, strict=True)}
        known[op.results[0]] = _operator(op, known, files)
    raise AssertionError("no flow.return")


def by_all(row: Row) -> tuple[Any, ...]:
    return tuple(_key(value) for value in row.values())


def _key(value: Any) -> tuple[Any, ...]:
    """Nulls before values, NaN after numbers."""
    if value is None:
        return (0,)
    nan = value != value
    return 1, nan, 0 if nan else value


def _sorted(op: table.SortOp, rows: list[Row]) -> list[Row]:
    rows = sorted(rows, key=by_all)
    for order in reversed(op.by.data):
        name, last = order.column.data, bool(order.nulls_last.value.data)
        rows.sort(key=lambda row: _key(row[name]), reverse=bool(order.descending.value.data))
        rows.sort(key=lambda row: (row[name] is None) is last)
    return rows if op.limit is None else rows[: op.limit.value.data]


def _operator(op: Operation, known: dict[SSAValue, Frame], files: dict[str, list[Row]]) -> Frame:
    columns = list(frame_of(op.results[0]).columns)
    match op:
        case table.ScanOp():
            rows = [row for path in op.paths for row in files[path.data]]
            if op.predicate is not None:
                rows = _filtered(rows, op.predicate, known)
            return Frame([{c: row[c] for c in columns} for row in rows])
        case table.FilterOp():
            frame = known[op.frame]
            return Frame(_filtered(frame.rows, op.predicate, known), frame.ordered)
        case table.ProjectOp():
            frame = known[op.frame]
            return Frame(
                [dict(zip(columns, evaluate(op.body, row, known), strict=True)) for row in frame.rows],
                frame.ordered,
            )
        case table.JoinOp():
            return Frame(_joined(op, known[op.left].rows, known[op.right].rows))
        case table.AggregateOp():
            return Frame(_aggregated(op, known[op.frame].rows))
        case table.SortOp():
            return Frame(_sorted(op, known[op.frame].rows), True)
        case table.UniqueOp():
            on = columns if op.on is None else [name.data for name in op.on]
            first: dict[Any, Row] = {}
            for row in sorted(known[op.frame].rows, key=by_all):
                first.setdefault(tuple(_key(row[c]) for c in on), row)
            return Frame(list(first.values()))
        case table.HeadOp():
            frame = known[op.frame]
            rows = frame.rows if frame.ordered else sorted(frame.rows, key=by_all)
            return Frame(rows[: op.count.value.data], frame.ordered)
        case table.ConcatOp():
            return Frame([row for frame in op.frames for row in known[frame].rows])
        case _:
            raise NotImplementedError(op.name)


def _joined(op: table.JoinOp, left: list[Row], right: list[Row]) -> list[Row]:
    left_on, right_on = op.keys
    extra = [c for c in frame_of(op.right).columns if c not in right_on]
    rows: list[Row] = []
    for a in left:
        key = [a[c] for c in left_on]
        matches = [b for b in right if None not in key and [b[c] for c in right_on] == key]
        match op.kind.data:
            case "semi":
                rows += [a] if matches else []
            case "anti":
                rows += [] if matches else [a]
            case kind:
                rows += [a | {c: b[c] for c in extra} for b in matches]
                if kind == "left" and not matches:
                    rows.append(a | dict.fromkeys(extra))
    return rows


def _aggregated(op: table.AggregateOp, rows: list[Row]) -> list[Row]:
    keys = [key.data for key in op.keys]
    groups: dict[Any, list[Row]] = {} if keys else {(): []}
    for row in rows:
        groups.setdefault(tuple(_key(row[c]) for c in keys), []).append(row)
    found: list[Row] = []
    for group in groups.values():
        result = {key: group[0][key] for key in keys}
        for agg in op.aggregates:
            column, function = agg.column.data, agg.function.data
            values = [row[column] for row in group if column and row[column] is not None]
            if function == "len":
                result[agg.output.data] = len(group)
            elif function == "count":
                result[agg.output.data] = len(values)
            else:
                call: Callable[[list[Any]], Any] = {"sum": sum, "min": min, "max": max}[function]
                result[agg.output.data] = call(values) if values else None
        found.append(result)
    return found


def _filtered(rows: list[Row], predicate: Region, known: dict[SSAValue, Frame]) -> list[Row]:
    return [row for row in rows if evaluate(predicate, row, known)[0] is True]


def evaluate(region: Region, row: Row, known: dict[SSAValue, Frame] | None = None) -> list[Any]:
    """The values that a region yields for one row."""
    values: dict[SSAValue, Any] = {}
    for op in region.block.ops:
        if isinstance(op, table.YieldOp):
            return [values[value] for value in op.values]
        values[op.results[0]] = _expression(op, values, row, known or {})
    raise AssertionError("no table.yield")


def _expression(op: Operation, values: dict[SSAValue, Any], row: Row, known: dict[SSAValue, Frame]) -> Any:
    if isinstance(op, expr.ScalarOp):
        return known[op.frame].rows[0][op.column.data]
    given = [values[operand] for operand in op.operands]
    match op:
        case expr.ColumnOp():
            return row[op.column.data]
        case expr.LiteralOp():
            return op.python_value
        case expr.NullOp():
            return None
        case expr.AndOp():
            return False if False in given else None if None in given else True
        case expr.OrOp():
            return True if True in given else None if None in given else False
        case expr.IsNullOp():
            return given[0] is None
        case expr.CoalesceOp():
            return next((value for value in given if value is not None), None)
        case expr.CaseOp():
            for condition, value in zip(given[:-1:2], given[1::2], strict=True):
                if condition is True:
                    return value
            return given[-1]
        case _:
            return None if None in given else _strict(op, given)


def _strict(op: Operation, given: Sequence[Any]) -> Any:
    match op:
        case expr.NotOp():
            return not given[0]
        case expr.CastOp():
            return given[0]
        case expr.IsInOp():
            return any(_equal(given[0], expr.python_literal(v, t.strip(op.operand.type))) for v in op.values)
        case expr.CallOp() if op.function.data == "str_starts_with":
            assert op.options is not None
            return given[0].startswith(op.options.data["pattern"].data)  # type: ignore[attr-defined]
        case expr.CompareOp():
            a, b = _key(given[0]), _key(given[1])
            kind = op.predicate.data
            return {"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[kind]
        case expr.AddOp() | expr.SubOp() | expr.MulOp() | expr.FloorDivOp():
            return _integer(op, *given)
        case _:
            raise NotImplementedError(op.name)


def _equal(a: Any, b: Any) -> bool:
    return a == b or (a != a and b != b)


def _integer(op: Operation, a: int, b: int) -> int:
    if isinstance(op, expr.FloorDivOp) and b == 0:
        raise RunError("division by zero")
    value = {"expr.add": a.__add__, "expr.sub": a.__sub__, "expr.mul": a.__mul__}.get(
        op.name, lambda b: a // b
    )(b)
    low, high = t.integer_bounds(op.results[0].type)
    if not low <= value <= high:
        raise RunError("overflow")
    return value

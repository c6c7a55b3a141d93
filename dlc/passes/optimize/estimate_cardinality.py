"""`estimate-cardinality`: how many rows and bytes every table op leaves, as attributes `rows` and `bytes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, UnitAttr, i64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from dlc.dialects import datatypes as t
from dlc.dialects import nn, table
from dlc.dialects.expr import ColumnOp, python_literal
from dlc.dialects.frame import FrameType, StatisticsAttr, frame_of

from . import estimates
from .constants import Value
from .estimates import Column, Frame
from .load_statistics import columns_of
from .selectivity import column_of, filtered, number, width

HISTORY = nn.HISTORY.columns
LARGEST = 1e150
"""Floats beyond which bounds count as unknown."""
NOTES = 1000.0
"""Rows that a history of training is taken to have."""


@dataclass(frozen=True)
class EstimateCardinalityPass(ModulePass):
    """Estimates from row counts, bounds of columns and types."""

    name = "estimate-cardinality"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        frames = dict[SSAValue, Frame]()
        for inner in op.walk():
            if len(inner.results) == 1 and isinstance(inner.results[0].type, FrameType):
                frame = estimate(inner, frames)
                frames[inner.results[0]] = frame
                inner.attributes["rows"] = IntegerAttr(round(frame.rows), i64)
                inner.attributes["bytes"] = IntegerAttr(round(frame.bytes), i64)


def estimate(op: Operation, frames: Mapping[SSAValue, Frame]) -> Frame:
    """What an op leaves, given the estimates of what it reads."""
    match op:
        case table.ScanOp():
            return _scan(op)
        case table.FilterOp():
            return filtered(frames[op.frame], table.yielded(op.predicate)[0])
        case table.ProjectOp():
            frame = frames[op.frame]
            columns = {name: column_of(frame, value) for name, value in op.outputs}
            names = {
                value.owner.column.data: name
                for name, value in op.outputs
                if isinstance(value.owner, ColumnOp)
            }
            return Frame(frame.rows, estimates.renamed(columns, names, frame.columns)).of(frame.rows)
        case table.JoinOp():
            return estimates.joined(op.kind.data, frames[op.left], frames[op.right], *op.keys)
        case table.AggregateOp():
            keys = [key.data for key in op.keys]
            frame, types = frames[op.frame], frame_of(op.result).columns
            each = max(1.0, frame.rows / max(1.0, estimates.groups(frame, keys)))
            outputs = {
                agg.output.data: estimates.aggregated(
                    agg.function.data,
                    frame.columns.get(agg.column.data),
                    frame.rows,
                    each,
                    width(types[agg.output.data]),
                )
                for agg in op.aggregates
            }
            return estimates.grouped(frame, keys, outputs)
        case table.UniqueOp():
            frame = frames[op.frame]
            on = list(frame.columns) if op.on is None else [name.data for name in op.on]
            return frame.of(estimates.groups(frame, on))
        case table.SortOp():
            frame = frames[op.frame]
            return frame if op.limit is None else frame.of(min(frame.rows, op.limit.value.data))
        case table.HeadOp():
            return frames[op.frame].of(min(frames[op.frame].rows, op.count.value.data))
        case table.SampleOp():
            frame = frames[op.frame]
            columns = {name.data: frame.columns[name.data] for name in op.columns}
            names = {name: name for name in columns}
            return Frame(frame.rows, estimates.renamed(columns, names, frame.columns)).of(
                min(frame.rows, op.count.value.data)
            )
        case table.ConcatOp():
            return estimates.stacked([frames[frame] for frame in op.frames])
        case table.FromTensorOp():
            frame = frames[op.frame] if op.frame is not None else Frame(1.0, {})
            types = frame_of(op.result).columns
            added = {
                name.data: Column(frame.rows, frame.rows, width=width(types[name.data]))
                for name in op.columns
            }
            return Frame(frame.rows, {**frame.columns, **added})
        case nn.HistoryOp():
            columns = {name: Column(NOTES, NOTES, width=width(type_)) for name, type_ in HISTORY.items()}
            return Frame(NOTES, columns)
        case _:
            raise AssertionError(f"{op.name} leaves a frame of unknown size")


def _scan(op: table.ScanOp) -> Frame:
    pieces = op.piece_list
    rows = estimates.UNKNOWN_ROWS if pieces is None else float(sum(count for _, _, count in pieces))
    statistics = {entry.column.data: entry for entry in op.statistics or ()}
    types = frame_of(op.result).columns
    columns = {name: _column(rows, type_, statistics.get(name)) for name, type_ in columns_of(op).items()}
    frame = Frame(rows, estimates.keyed(columns, rows))
    if op.predicate is not None:
        frame = filtered(frame, table.yielded(op.predicate)[0])
    left = {name: frame.columns[name] for name in types}
    return Frame(frame.rows, estimates.renamed(left, {name: name for name in types}, frame.columns))


def _column(rows: float, type_: Attribute, entry: StatisticsAttr | None) -> Column:
    base = t.strip(type_)
    if entry is None:
        return _guessed(rows, type_, None, None, 0.0, width(type_))
    nulls = max(0, entry.nulls.value.data) / rows if rows else 0.0
    low = high = None
    if not isinstance(entry.minimum, UnitAttr) and not isinstance(entry.maximum, UnitAttr):
        low, high = python_literal(entry.minimum, base), python_literal(entry.maximum, base)
    mean, distinct = entry.width.value.data, entry.distinct.value.data
    size = width(type_) if mean < 0 else width(type_, mean)
    column = _guessed(rows, type_, low, high, nulls, size)
    return column if distinct < 0 else column.holding(min(rows, distinct))


def _guessed(
    rows: float, type_: Attribute, low: Value | None, high: Value | None, nulls: float, size: float
) -> Column:
    """A column by its bounds alone."""
    base = t.strip(type_)
    if base == t.string:
        bounds = (low, high) if isinstance(low, str) and isinstance(high, str) else (None, None)
        return estimates.textual(rows, *bounds, nulls, size)
    numbers = (None, None) if low is None or high is None else (number(low, base), number(high, base))
    if t.is_float(base):
        # The square of a bound has to be a number, too.
        numbers = numbers if all(x is not None and abs(x) < LARGEST for x in numbers) else (None, None)
        return estimates.continuous(rows, *numbers, nulls, size)
    if t.is_bool(base):
        return Column(2.0, 2.0, 0.0, 1.0, nulls, size, known=True)
    step = 10.0**-base.scale.data if isinstance(base, t.DecimalType) else 1.0
    return estimates.discrete(rows, *numbers, step, nulls, size)

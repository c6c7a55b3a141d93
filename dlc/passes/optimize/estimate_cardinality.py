"""`estimate-cardinality`: how many rows and bytes every table op leaves, as attributes `rows` and `bytes`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, UnitAttr, i64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from dlc.dialects import datatypes as t
from dlc.dialects import nn, table
from dlc.dialects.expr import python_literal
from dlc.dialects.frame import FrameType, StatisticsAttr, frame_of

from . import estimates
from .estimates import Column, Frame
from .load_statistics import columns_of
from .selectivity import column_of, filtered, number, width

HISTORY = nn.HISTORY.columns
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
            return Frame(frame.rows, columns).of(frame.rows)
        case table.JoinOp():
            return estimates.joined(op.kind.data, frames[op.left], frames[op.right], *op.keys)
        case table.AggregateOp():
            keys = [key.data for key in op.keys]
            frame, types = frames[op.frame], frame_of(op.result).columns
            outputs = {
                agg.output.data: Column(frame.rows, frame.rows, width=width(types[agg.output.data]))
                for agg in op.aggregates
            }
            return estimates.grouped(frame, keys, outputs)
        case table.UniqueOp():
            frame = frames[op.frame]
            on = list(frame.columns) if op.on is None else [name.data for name in op.on]
            return frame.of(estimates.grouped(frame, on, {}).rows)
        case table.SortOp():
            frame = frames[op.frame]
            return frame if op.limit is None else frame.of(min(frame.rows, op.limit.value.data))
        case table.HeadOp():
            return frames[op.frame].of(min(frames[op.frame].rows, op.count.value.data))
        case table.SampleOp():
            frame = frames[op.frame]
            columns = {name.data: frame.columns[name.data] for name in op.columns}
            return Frame(frame.rows, columns).of(min(frame.rows, op.count.value.data))
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
    frame = Frame(
        rows, {name: _column(rows, type_, statistics.get(name)) for name, type_ in columns_of(op).items()}
    )
    if op.predicate is not None:
        frame = filtered(frame, table.yielded(op.predicate)[0])
    return Frame(frame.rows, {name: frame.columns[name] for name in types})


def _column(rows: float, type_: Attribute, entry: StatisticsAttr | None) -> Column:
    base = t.strip(type_)
    low = high = None
    nulls = 0.0
    if entry is not None:
        nulls = max(0, entry.nulls.value.data) / rows if rows else 0.0
        if not isinstance(entry.minimum, UnitAttr) and not isinstance(entry.maximum, UnitAttr):
            low, high = python_literal(entry.minimum, base), python_literal(entry.maximum, base)
    if base == t.string:
        bounds = (low, high) if isinstance(low, str) and isinstance(high, str) else (None, None)
        return estimates.textual(rows, *bounds, nulls, width(type_))
    numbers = (None, None) if low is None or high is None else (number(low, base), number(high, base))
    if t.is_float(base):
        numbers = numbers if all(map(math.isfinite, (x for x in numbers if x is not None))) else (None, None)
        return estimates.continuous(rows, *numbers, nulls, width(type_))
    if t.is_bool(base):
        return Column(2.0, 2.0, 0.0, 1.0, nulls, width(type_), known=True)
    step = 10.0**-base.scale.data if isinstance(base, t.DecimalType) else 1.0
    return estimates.discrete(rows, *numbers, step, nulls, width(type_))

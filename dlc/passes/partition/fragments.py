"""Building blocks of the `dist` stage: operators wrapped in fragments, and their two-phase forms."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, UnitAttr
from xdsl.ir import Block, Operation, Region, SSAValue

from dlc.dialects import dist, table
from dlc.dialects.frame import AggregateAttr
from dlc.passes.locations import at

from .attributes import to_attribute
from .layouts import Layout

MERGE = {"sum": "sum", "min": "min", "max": "max", "count": "merge_count", "len": "merge_count"}
"""How partial results of an aggregate are combined."""

SAMPLES_PER_RANK = 64
"""Rows that each rank offers as splitters of a sort: ranges then differ in size by a few per cent."""


def local(
    op: Operation, values: Sequence[SSAValue], inputs: Sequence[SSAValue], layouts: Sequence[Layout]
) -> dist.LocalOp:
    """A fragment that holds a copy of one operator, whose results lie in these layouts.

    `values` are what the operator reads at the flow stage, `inputs` the distributed values in their place.
    """
    given = dict(zip(values, inputs, strict=True))
    block = Block(arg_types=[dist.part_of(value).whole for value in given.values()])
    copy = op.clone(dict(zip(given, block.args, strict=True)))
    block.add_op(copy)
    block.add_op(at(op.location, dist.YieldOp(copy.results)))
    outputs = [
        dist.PartType(result.type, to_attribute(layout))
        for result, layout in zip(copy.results, layouts, strict=True)
    ]
    fragment = dist.LocalOp(list(given.values()), Region(block), outputs)
    fragment.location = op.location
    return fragment


def replicated_read(scan: table.ScanOp) -> table.ScanOp:
    """A copy of a scan that every rank reads as a whole."""
    copy = scan.clone()
    copy.attributes["replicated"] = UnitAttr()
    return copy


def combine_op(op: Operation, partials: SSAValue) -> Operation:
    """The operator that combines the partial results which `op` leaves on each rank."""
    if isinstance(op, table.UniqueOp):
        return at(op.location, table.UniqueOp(partials, [n.data for n in op.on] if op.on else None))
    assert isinstance(op, table.AggregateOp)
    merged = [
        AggregateAttr.of(agg.output.data, MERGE[agg.function.data], agg.output.data) for agg in op.aggregates
    ]
    return table.AggregateOp.create(
        operands=[partials],
        properties={"keys": op.keys, "aggregates": ArrayAttr(merged)},
        attributes=dict(op.attributes),
        result_types=[op.result.type],
        location=op.location,
    )


def combine_region(op: table.AggregateOp) -> Region:
    """A fragment that combines the partial results of all ranks."""
    block = Block(arg_types=[op.result.type])
    combined = combine_op(op, block.args[0])
    block.add_op(combined)
    block.add_op(at(op.location, dist.YieldOp(combined.results)))
    return Region(block)

"""`pooling-to-comparisons`: gradients of pooling without overlap as comparisons, which compilers can fuse.

A `select_and_scatter` walks over every window for itself. Where windows do not overlap, all of them can be
walked at once, entry by entry: what is left is element-wise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from dlc.dialects.stablehlo import SelectAndScatterOp
from dlc.passes.partition.tensor.build import Emitter
from dlc.passes.partition.tensor.factors import DYNAMIC
from dlc.passes.partition.tensor.ops import attribute, ints, reducer, shape, terminator

MAX_WINDOW = 64
"""Entries of a window up to which all are written out."""


class DisjointWindows(RewritePattern):
    """Windows that tile the operand, its end perhaps left over.

    Equal to the original also where entries tie or are not numbers: the entries of a window are compared in
    the same order by the same comparison.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SelectAndScatterOp, rewriter: PatternRewriter):
        windows = ints(op, "window_dimensions")
        if (
            DYNAMIC in shape(op.operand)
            or ints(op, "window_strides", (1,) * len(windows)) != windows
            or any(ints(op, "padding"))
            or prod(windows) > MAX_WINDOW
            or reducer(op, region=1) != "sum"
        ):
            return
        comparison = _comparison(op)
        if comparison is None:
            return
        emit = Emitter(rewriter.insert, op.location)
        chosen = _chosen(emit, op.operand, shape(op.source), windows, comparison)
        rewriter.replace(op, [], [_spread(emit, op, chosen, windows)])


def _comparison(op: SelectAndScatterOp) -> str | None:
    """The comparison of the entry selected so far with the next one that keeps the former."""
    block = op.select.block
    first = block.first_op
    if first is None or first.name != "stablehlo.compare" or first.next_op is not block.last_op:
        return None
    if list(first.operands) != list(block.args) or terminator(block).operands[0] is not first.results[0]:
        return None
    return _direction(first)


def _direction(compare: Operation) -> str:
    return str(getattr(attribute(compare, "comparison_direction"), "data"))  # noqa: B009


def _chosen(
    emit: Emitter, operand: SSAValue, out: tuple[int, ...], windows: tuple[int, ...], comparison: str
) -> SSAValue:
    """Which entry of each window is selected, counted from its start."""
    entries = [
        emit.slice(
            operand,
            offset,
            [start + (count - 1) * step + 1 for start, count, step in zip(offset, out, windows, strict=True)],
            windows,
        )
        for offset in product(*map(range, windows))
    ]
    best, chosen = entries[0], emit.constant(i32, 0, out)
    for number, entry in enumerate(entries[1:], start=1):
        keep = emit.compare(comparison, best, entry)
        best = emit.select(keep, best, entry)
        chosen = emit.select(keep, chosen, emit.constant(i32, number, out))
    return chosen


def _spread(emit: Emitter, op: SelectAndScatterOp, chosen: SSAValue, windows: tuple[int, ...]) -> SSAValue:
    """The initial value, and at the chosen entry of each window the source added to it."""
    out, full = shape(op.source), shape(op.operand)
    tiled: list[int] = []
    outer: list[int] = []
    inner: list[int] = []
    for count, step in zip(out, windows, strict=True):
        outer.append(len(tiled))
        tiled.append(count)
        if step > 1:
            inner.append(len(tiled))
            tiled.append(step)
    places = emit.reshape(emit.iota(prod(windows)), [step for step in windows if step > 1])
    here = emit.compare("EQ", emit.broadcast(chosen, tiled, outer), emit.broadcast(places, tiled, inner))
    added = emit.binary("add", op.source, emit.broadcast(op.init_value, out))
    spread = emit.select(here, emit.broadcast(added, tiled, outer), emit.broadcast(op.init_value, tiled))
    covered = [count * step for count, step in zip(out, windows, strict=True)]
    rest = [size - cover for size, cover in zip(full, covered, strict=True)]
    nothing = [0] * len(full)
    return emit.pad(emit.reshape(spread, covered), nothing, rest, nothing, op.init_value)


@dataclass(frozen=True)
class PoolingToComparisonsPass(ModulePass):
    """Rewrites gradients of pooling whose windows do not overlap as element-wise operations."""

    name = "pooling-to-comparisons"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        PatternRewriteWalker(DisjointWindows(), apply_recursively=False).rewrite_module(op)

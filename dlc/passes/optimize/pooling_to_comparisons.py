"""`pooling-to-comparisons`: gradients of pooling as comparisons, which compilers can fuse.

A `select_and_scatter` walks over every window for itself. All windows can be walked at once, entry by entry:
what is left is element-wise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, i1, i32
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from dlc.dialects.stablehlo import SelectAndScatterOp, tensor
from dlc.passes.partition.tensor.build import Emitter
from dlc.passes.partition.tensor.factors import DYNAMIC
from dlc.passes.partition.tensor.ops import attribute, ints, reducer, shape, terminator
from dlc.passes.partition.tensor.window_rules import Window, windows_of

MAX_WINDOW = 64
"""Entries of a window up to which all are written out."""


class GradientOfPooling(RewritePattern):
    """Finds the entry that each window selects, then adds the source there.

    The entries of a window are compared in the same order by the same comparison, so that the same one is
    selected also where entries tie or are not numbers. Only where windows overlap, sums may round otherwise.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SelectAndScatterOp, rewriter: PatternRewriter):
        comparison = _comparison(op)
        windows = windows_of(op, ints(op, "window_dimensions"), ("window_strides", "", ""))
        small = prod(window.size for window in windows) <= MAX_WINDOW
        if comparison is None or not small or DYNAMIC in shape(op.operand) or reducer(op, region=1) != "sum":
            return
        emit = Emitter(rewriter.insert, op.location)
        pooling = _Pooling(emit, op, windows)
        chosen = pooling.chosen(comparison)
        rewriter.replace(op, [], [pooling.tiled(chosen) if pooling.tiles else pooling.summed(chosen)])


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


class _Pooling:
    """The parts of the gradient of pooling over some windows."""

    def __init__(self, emit: Emitter, op: SelectAndScatterOp, windows: Sequence[Window]):
        self.emit, self.op, self.windows = emit, op, windows
        self.sizes = [window.size for window in windows]
        self.low = [window.low for window in windows]
        self.high = [window.high for window in windows]
        self.out = shape(op.source)
        self.offsets = list(product(*map(range, self.sizes)))
        self.nothing = [0] * len(windows)

    @property
    def padded(self) -> bool:
        """Whether windows reach over the edges."""
        return any((*self.low, *self.high))

    @property
    def tiles(self) -> bool:
        """Whether windows tile the operand, its end perhaps left over."""
        return not self.padded and all(window.stride == window.size for window in self.windows)

    def chosen(self, comparison: str) -> SSAValue:
        """Which entry of each window is selected, counted from its start."""
        emit = self.emit
        entries = self._entries(emit.pad(self.op.operand, self.low, self.high, self.nothing))
        inside = self._inside() if self.padded else []
        best, chosen = entries[0], emit.constant(i32, 0, self.out)
        begun = inside[0] if inside else None
        for number, entry in enumerate(entries[1:], start=1):
            keep = emit.compare(comparison, best, entry)
            if begun is not None:
                # What lies outside is never selected, and whatever comes first inside is.
                outside = emit.op("not", [inside[number]], keep.type)
                keep = emit.binary("or", outside, emit.binary("and", keep, begun))
                begun = emit.binary("or", begun, inside[number])
            best = emit.select(keep, best, entry)
            chosen = emit.select(keep, chosen, emit.constant(i32, number, self.out))
        return chosen

    def _entries(self, padded: SSAValue) -> list[SSAValue]:
        """Of all windows, the entry at each offset."""
        steps = [window.stride for window in self.windows]
        counts = [min(count, size) for count, size in zip(self.out, shape(padded), strict=True)]
        return [
            self.emit.slice(
                padded,
                offset,
                [at + (count - 1) * step + 1 for at, count, step in zip(offset, counts, steps, strict=True)],
                steps,
            )
            for offset in self.offsets
        ]

    def _inside(self) -> list[SSAValue]:
        """Of all windows, whether the entry at each offset lies in the operand."""
        emit = self.emit
        sizes = [
            size if window.size > 1 else 1
            for size, window in zip(shape(self.op.operand), self.windows, strict=True)
        ]
        edge = emit.constant(i1, 0)
        area = emit.pad(emit.constant(i1, 1, sizes), self.low, self.high, self.nothing, edge)
        axes = list(range(len(sizes)))
        return [emit.broadcast(entry, self.out, axes) for entry in self._entries(area)]

    def tiled(self, chosen: SSAValue) -> SSAValue:
        """The source at the chosen entry of each window, of windows that do not overlap."""
        emit, op = self.emit, self.op
        tiled: list[int] = []
        outer: list[int] = []
        inner: list[int] = []
        for count, step in zip(self.out, self.sizes, strict=True):
            outer.append(len(tiled))
            tiled.append(count)
            if step > 1:
                inner.append(len(tiled))
                tiled.append(step)
        places = emit.reshape(emit.iota(prod(self.sizes)), [step for step in self.sizes if step > 1])
        here = emit.compare("EQ", emit.broadcast(chosen, tiled, outer), emit.broadcast(places, tiled, inner))
        added = emit.binary("add", op.source, emit.broadcast(op.init_value, self.out))
        spread = emit.select(here, emit.broadcast(added, tiled, outer), emit.broadcast(op.init_value, tiled))
        covered = [count * step for count, step in zip(self.out, self.sizes, strict=True)]
        rest = [size - cover for size, cover in zip(shape(op.operand), covered, strict=True)]
        return emit.pad(emit.reshape(spread, covered), self.nothing, rest, self.nothing, op.init_value)

    def summed(self, chosen: SSAValue) -> SSAValue:
        """For each offset the source of the windows that chose it, spread out and added up."""
        emit, op = self.emit, self.op
        element = tensor(op.source).element_type
        total = emit.broadcast(op.init_value, shape(op.operand))
        zeros = emit.constant(element, 0, self.out)
        gaps = [window.stride - 1 for window in self.windows]
        for number, offset in enumerate(self.offsets):
            here = emit.compare("EQ", chosen, emit.constant(i32, number, self.out))
            low = [at - edge for at, edge in zip(offset, self.low, strict=True)]
            high = [
                size - start - (count - 1) * (gap + 1) - 1
                for size, start, count, gap in zip(shape(op.operand), low, self.out, gaps, strict=True)
            ]
            spread = emit.pad(emit.select(here, op.source, zeros), low, high, gaps)
            total = emit.binary("add", total, spread)
        return total


@dataclass(frozen=True)
class PoolingToComparisonsPass(ModulePass):
    """Rewrites gradients of pooling as element-wise operations."""

    name = "pooling-to-comparisons"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        PatternRewriteWalker(GradientOfPooling(), apply_recursively=False).rewrite_module(op)

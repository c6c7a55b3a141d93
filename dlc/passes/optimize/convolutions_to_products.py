"""`convolutions-to-products`: convolutions as matrix products or sums of scaled slices, where that is faster.

XLA has fast code for convolutions over one or two dimensions. It has none for those over more, for those of
single channels, and for those that are a product in disguise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import inf, prod
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import FixedBitwidthType, ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from dlc.dialects.stablehlo import ConvolutionOp, tensor
from dlc.passes.partition.tensor.build import Emitter
from dlc.passes.partition.tensor.factors import DYNAMIC
from dlc.passes.partition.tensor.ops import shape
from dlc.passes.partition.tensor.window_rules import Convolution

ENGINE = "engine"
"""Attribute of a convolution, or of what stands in its place: who does the work."""

MAX_SLICES = 128
"""Slices that are written out at most."""

# Costs relative to an operation of a large matrix product, which XLA of jaxlib 0.10 does at 70 GFLOP/s on one
# core of an AMD EPYC: its convolutions of a line or plane at 80, of single channels at 25, of more dimensions
# at 15, of a product in disguise at 20 to 60, in groups at 1; sums of scaled slices at 90, or 6 in groups.
PRODUCT, PLANE, SINGLE, DEEP, DISGUISED, GROUPED = 1.0, 0.85, 2.8, 4.7, 1.8, 70.0
SCALED, SCALED_GROUPS = 0.8, 12.0
COPIED_BYTE = 15.0
"""To put a byte of a slice beside the other slices, and read it there."""


@dataclass(frozen=True)
class Site:
    """A convolution with what its cost and its forms depend on."""

    op: ConvolutionOp
    conv: Convolution

    @property
    def channels(self) -> int:
        """Channels of the input that each entry of the output depends on."""
        return shape(self.op.rhs)[self.conv.kernel.first]

    @property
    def window(self) -> list[int]:
        """Size of the kernel."""
        return [window.size for window in self.conv.windows]

    @property
    def positions(self) -> list[int]:
        """Where the window stands."""
        return [shape(self.op.result)[axis] for axis in self.conv.output.spatial]

    @property
    def costs(self) -> dict[str, float]:
        """Relative cost of each engine, infinite for one that cannot do it."""
        groups = max(self.conv.feature_groups, self.conv.batch_groups)
        flops = 2.0 * prod(shape(self.op.result)) * prod(self.window) * self.channels
        element = cast("FixedBitwidthType", tensor(self.op.lhs).element_type).size
        slice_bytes = (
            element
            * prod(self.window + self.positions)
            * prod(shape(self.op.lhs)[axis] for axis in (self.conv.input.first, self.conv.input.second))
        )

        def sliced(count: int) -> float:
            if groups > 1 or count > MAX_SLICES:
                return inf
            return PRODUCT * flops + (COPIED_BYTE * slice_bytes if count > 1 else 0)

        each_its_own = self.conv.feature_groups == shape(self.op.result)[self.conv.output.second]
        scales = self.channels == 1 and prod(self.window) <= MAX_SLICES and self.conv.batch_groups == 1
        return {
            "xla": flops * self._library(groups),
            "product of windows": sliced(prod(self.window)),
            "product of positions": sliced(prod(self.positions)),
            "scaled slices": flops * (SCALED if groups == 1 else SCALED_GROUPS)
            if scales and (groups == 1 or each_its_own)
            else inf,
        }

    def _library(self, groups: int) -> float:
        if groups > 1:
            return GROUPED
        if prod(self.window) == 1 or prod(self.positions) == 1:
            return DISGUISED
        if len(self.window) > 2:
            return DEEP
        return SINGLE if self.channels == 1 else PLANE


class CheapestEngine(RewritePattern):
    """Each convolution of known shape goes to the engine that is predicted to be fastest."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConvolutionOp, rewriter: PatternRewriter):
        if ENGINE in op.attributes or any(DYNAMIC in shape(value) for value in (op.lhs, op.rhs)):
            return
        site = Site(op, Convolution.of(op))
        costs = site.costs
        engine = min(costs, key=lambda name: costs[name])
        if engine == "xla":
            op.attributes[ENGINE] = StringAttr(engine)
            rewriter.notify_op_modified(op)
            return
        form = _Form(site, Emitter(rewriter.insert, op.location))
        match engine:
            case "product of windows":
                result = form.product_of_windows()
            case "product of positions":
                result = form.product_of_positions()
            case _:
                result = form.scaled_slices()
        rewriter.replace(op, [], [result])


class _Form:
    """The forms of a convolution as other operations."""

    def __init__(self, site: Site, emit: Emitter):
        self.site, self.conv, self.emit = site, site.conv, emit
        self.kernel = site.op.rhs
        windows = self.conv.windows
        spatial = self.conv.input.spatial
        rank = len(shape(site.op.lhs))

        def along(values: list[int]) -> list[int]:
            chosen = dict(zip(spatial, values, strict=True))
            return [chosen.get(axis, 0) for axis in range(rank)]

        self.input = emit.pad(
            site.op.lhs,
            along([window.low for window in windows]),
            along([window.high for window in windows]),
            along([window.base_dilation - 1 for window in windows]),
        )
        backwards = [
            axis for axis, window in zip(self.conv.kernel.spatial, windows, strict=True) if window.reversed
        ]
        self.forward = emit.reverse(self.kernel, backwards)

    def product_of_windows(self) -> SSAValue:
        """Few places in the window: the input as each of them sees it side by side, times the kernel."""
        entries = [
            self._slice(offset, self.site.positions, "stride", "dilation")
            for offset in product(*map(range, self.site.window))
        ]
        axes, kernel = self.conv.input, self.conv.kernel
        columns = self.emit.concatenate(entries, axes.second)
        ordered = self.emit.transpose(self.forward, [*kernel.spatial, kernel.first, kernel.second])
        features = shape(ordered)[-1]
        matrix = self.emit.reshape(ordered, [prod(shape(ordered)[:-1]), features])
        made = self._dot(columns, matrix, [axes.second], [0])
        kept = [axis for axis in range(len(shape(columns))) if axis != axes.second]
        return self._ordered(made, kept.index(axes.first), len(kept), [kept.index(a) for a in axes.spatial])

    def product_of_positions(self) -> SSAValue:
        """Few positions of the window: what it sees at each below the other, times the kernel."""
        entries = [
            self._slice(position, self.site.window, "dilation", "stride")
            for position in product(*map(range, self.site.positions))
        ]
        axes, kernel = self.conv.input, self.conv.kernel
        seen = self.emit.concatenate(entries, axes.first)
        made = self._dot(seen, self.forward, [axes.second, *axes.spatial], [kernel.first, *kernel.spatial])
        positions = self.site.positions
        batch, features = shape(self.site.op.lhs)[axes.first], shape(made)[1]
        apart = self.emit.reshape(made, [*positions, batch, features])
        count = len(positions)
        return self._ordered(apart, count, count + 1, list(range(count)))

    def scaled_slices(self) -> SSAValue:
        """One channel, or each for itself: a sum of the shifted input times a number for each feature."""
        out, axes = self.conv.output, self.conv.input
        target = shape(self.site.op.result)
        places = {axes.first: out.first, **dict(zip(axes.spatial, out.spatial, strict=True))}
        if self.conv.feature_groups > 1:
            places[axes.second] = out.second
        kept = sorted(places)
        kernel = self.conv.kernel
        scales = self.emit.transpose(self.forward, [*kernel.spatial, kernel.first, kernel.second])
        features = shape(scales)[-1]
        total: SSAValue | None = None
        for number, offset in enumerate(product(*map(range, self.site.window))):
            seen = self._slice(offset, self.site.positions, "stride", "dilation")
            seen = self.emit.reshape(seen, [shape(seen)[axis] for axis in kept])
            scale = self.emit.reshape(scales, [prod(self.site.window), features])
            scale = self.emit.reshape(
                self.emit.slice(scale, [number, 0], [number + 1, features], [1, 1]), [features]
            )
            term = self.emit.binary(
                "multiply",
                self.emit.broadcast(seen, target, [places[axis] for axis in kept]),
                self.emit.broadcast(scale, target, [out.second]),
            )
            total = term if total is None else self.emit.binary("add", total, term)
        assert total is not None
        return total

    def _slice(self, at: tuple[int, ...], counts: list[int], step: str, offset: str) -> SSAValue:
        """The entries `counts` steps on from the `at`-th offset along the spatial dimensions."""
        start, stop, steps = (
            [0] * len(shape(self.input)),
            list(shape(self.input)),
            [1] * len(shape(self.input)),
        )
        for axis, window, index, count in zip(
            self.conv.input.spatial, self.conv.windows, at, counts, strict=True
        ):
            start[axis] = index * getattr(window, offset)
            steps[axis] = getattr(window, step)
            stop[axis] = start[axis] + (count - 1) * steps[axis] + 1
        return self.emit.slice(self.input, start, stop, steps)

    def _dot(self, left: SSAValue, right: SSAValue, lhs: list[int], rhs: list[int]) -> SSAValue:
        made = self.emit.dot_general(left, right, (lhs, rhs), self.site.op.precision_config)
        cast("Operation", made.owner).attributes[ENGINE] = StringAttr("matrix-product")
        return made

    def _ordered(self, made: SSAValue, batch: int, feature: int, spatial: list[int]) -> SSAValue:
        """Transposed to the dimensions of the output."""
        out = self.conv.output
        order = {out.first: batch, out.second: feature, **dict(zip(out.spatial, spatial, strict=True))}
        return self.emit.transpose(made, [order[axis] for axis in range(len(order))])


@dataclass(frozen=True)
class ConvolutionsToProductsPass(ModulePass):
    """Rewrites convolutions of known shape as matrix products where these are predicted to be faster."""

    name = "convolutions-to-products"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        PatternRewriteWalker(CheapestEngine(), apply_recursively=False).rewrite_module(op)

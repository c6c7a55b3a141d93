"""`channels-last`: pictures keep their channels as the innermost dimension, from one convolution to the next.

PyTorch puts channels before rows and columns. Convolutions and pooling of XLA on a CPU are faster when the
channels of a point lie side by side. The transpositions that this takes sink through what lies between two
convolutions, and meet the inverse ones there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DenseIntOrFPElementsAttr, IntAttr, ModuleOp, TensorType, i64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)
from xdsl_jax.dialects.stablehlo.data_movement_ops import TransposeOp

from dlc.dialects.stablehlo import ConvolutionOp, tensor
from dlc.dialects.stablehlo_attributes import ConvDimensionNumbers
from dlc.passes.optimize.dce import erase_dead
from dlc.passes.partition.tensor.build import Emitter, integer_array
from dlc.passes.partition.tensor.ops import attribute, ints, shape
from dlc.passes.partition.tensor.stablehlo_rules import ELEMENTWISE
from dlc.passes.partition.tensor.window_rules import Axes, Convolution

_BY_AXIS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(ELEMENTWISE, ()),
    "stablehlo.pad": ("edge_padding_low", "edge_padding_high", "interior_padding"),
    "stablehlo.reduce_window": ("window_dimensions", "window_strides", "base_dilations", "window_dilations"),
    "stablehlo.select_and_scatter": ("window_dimensions", "window_strides"),
    "stablehlo.slice": ("start_indices", "limit_indices", "strides"),
}
"""Operations that do the same in any order of the dimensions, with their attributes that follow it."""


def last(rank: int) -> list[int]:
    """The order that moves the second dimension to the end."""
    return [0, *range(2, rank), 1]


def back(rank: int) -> list[int]:
    """The order that moves the last dimension to the second place."""
    return [0, rank - 1, *range(1, rank - 1)]


class AroundConvolution(RewritePattern):
    """A convolution whose tensors end in spatial dimensions takes and gives them channels last."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConvolutionOp, rewriter: PatternRewriter):
        conv = Convolution.of(op)
        rank = len(conv.windows) + 2
        spatial = tuple(range(2, rank))
        moved = [axes.spatial == spatial for axes in (conv.input, conv.kernel, conv.output)]
        if not any(moved):
            return
        emit = Emitter(rewriter.insert, op.location)
        operands = [
            emit.transpose(operand, last(rank)) if move else operand
            for operand, move in zip(op.operands, moved, strict=False)
        ]
        order = last(rank)
        axes = [
            _moved(axes, order) if move else axes
            for axes, move in zip((conv.input, conv.kernel, conv.output), moved, strict=True)
        ]
        result = _ordered(op.result.type, order) if moved[2] else op.result.type
        copy = ConvolutionOp.create(
            operands=operands,
            result_types=[result],
            properties={**op.properties, "dimension_numbers": _numbers(axes)},
            attributes=dict(op.attributes),
            location=op.location,
        )
        rewriter.insert(copy)
        rewriter.replace(op, [], [emit.transpose(copy.result, back(rank)) if moved[2] else copy.result])


def _moved(axes: Axes, order: Sequence[int]) -> Axes:
    where = {axis: place for place, axis in enumerate(order)}
    return Axes(where[axes.first], where[axes.second], tuple(where[axis] for axis in axes.spatial))


def _numbers(tensors: Sequence[Axes]) -> ConvDimensionNumbers:
    parameters: list[Attribute] = []
    for axes in tensors:
        spatial = ArrayAttr(IntAttr(axis) for axis in axes.spatial)
        parameters += [IntAttr(axes.first), IntAttr(axes.second), spatial]
    return ConvDimensionNumbers.new(parameters)


def _ordered(kind: Attribute, order: Sequence[int]) -> TensorType[Attribute]:
    found = cast("TensorType[Attribute]", kind)
    return TensorType(found.element_type, [found.get_shape()[axis] for axis in order])


class Sink(RewritePattern):
    """What works entry by entry or window by window does so before its operands are moved back."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter):
        if op.name not in _BY_AXIS or len(op.results) != 1:
            return
        rank = len(shape(op.results[0]))
        if rank < 3 or not any(_is_moved_back(operand) for operand in op.operands):
            return
        emit, order = Emitter(rewriter.insert, op.location), last(rank)
        copy = type(op).create(
            operands=[emit.transpose(o, order) if shape(o) else o for o in op.operands],
            result_types=[_ordered(op.results[0].type, order)],
            properties={**op.properties, **_attributes(op, order)},
            attributes=dict(op.attributes),
            regions=[region.clone() for region in op.regions],
            location=op.location,
        )
        rewriter.insert(copy)
        rewriter.replace(op, [], [emit.transpose(copy.results[0], back(rank))])


def _is_moved_back(value: SSAValue) -> bool:
    op = value.owner
    return isinstance(op, TransposeOp) and list(ints(op, "permutation")) == back(len(shape(value)))


def _attributes(op: Operation, order: Sequence[int]) -> dict[str, Attribute]:
    """The attributes that have an entry, or two, for each dimension."""
    changed: dict[str, Attribute] = {}
    for name in _BY_AXIS[op.name]:
        if attribute(op, name) is not None:
            values = ints(op, name)
            changed[name] = integer_array([values[axis] for axis in order])
    padding = ints(op, "padding")
    if padding:
        values = [padding[2 * axis + side] for axis in order for side in (0, 1)]
        changed["padding"] = DenseIntOrFPElementsAttr.from_list(TensorType(i64, [len(order), 2]), values)
    return changed


class ReduceMoved(RewritePattern):
    """A reduction of what was moved back is one of what was there before, if the rest keeps its order."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter):
        if op.name != "stablehlo.reduce" or len(op.results) != 1 or not _is_moved_back(op.operands[0]):
            return
        source = cast("TransposeOp", op.operands[0].owner).operands[0]
        order, reduced = back(len(shape(source))), ints(op, "dimensions")
        left = [place for axis, place in enumerate(order) if axis not in reduced]
        if left != sorted(left):
            return
        copy = type(op).create(
            operands=[source, op.operands[1]],
            result_types=[op.results[0].type],
            properties={"dimensions": integer_array(sorted(order[axis] for axis in reduced))},
            regions=[region.clone() for region in op.regions],
            location=op.location,
        )
        rewriter.replace(op, copy)


class TransposeOfTranspose(RewritePattern):
    """One transposition, or none."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter):
        inner = op.operands[0].owner
        if not isinstance(inner, Operation):
            return
        emit, order = Emitter(rewriter.insert, op.location), ints(op, "permutation")
        if isinstance(inner, TransposeOp):
            first = ints(inner, "permutation")
            value = emit.transpose(inner.operands[0], [first[axis] for axis in order])
        elif inner.name == "stablehlo.broadcast_in_dim":
            axes = [order.index(axis) for axis in ints(inner, "broadcast_dimensions")]
            target = tensor(op.results[0]).get_shape()
            value = emit.broadcast(inner.operands[0], target, axes)
        else:
            return
        rewriter.replace(op, [], [value])


@dataclass(frozen=True)
class ChannelsLastPass(ModulePass):
    """Gives the tensors between convolutions their channels as the innermost dimension."""

    name = "channels-last"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns: list[RewritePattern] = [AroundConvolution(), TransposeOfTranspose(), Sink(), ReduceMoved()]
        walker = PatternRewriteWalker(GreedyRewritePatternApplier(patterns))
        for inner in op.body.block.ops:
            if any(isinstance(found, ConvolutionOp) for found in inner.walk()):
                for region in inner.regions:
                    walker.rewrite_region(region)
                    erase_dead(region.block)

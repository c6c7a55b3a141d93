"""Factor rules of operations that move a window: convolutions and pooling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, BoolAttr
from xdsl.ir import Attribute, Operation

from .factors import Dimensions, FactorRule, Factors
from .ops import attribute, integers, ints, number, shape


@dataclass(frozen=True)
class Window:
    """How a window moves over one spatial dimension: sizes and steps in entries."""

    size: int
    stride: int
    low: int
    high: int
    base_dilation: int
    dilation: int
    reversed: bool = False

    @property
    def trivial(self) -> bool:
        """Whether every position sees just the entry in its own place."""
        return self == Window(1, 1, 0, 0, self.base_dilation, self.dilation, self.reversed) and (
            self.base_dilation == 1
        )


@dataclass(frozen=True)
class Axes:
    """Where one tensor of a convolution has its two named dimensions, and its spatial ones."""

    first: int
    second: int
    spatial: tuple[int, ...]

    def dimensions(self, first: tuple[int, ...], second: tuple[int, ...], spatial: Dimensions) -> Dimensions:
        """Dimensions of the tensor in their order."""
        dims = {self.first: first, self.second: second, **dict(zip(self.spatial, spatial, strict=True))}
        return tuple(dims[axis] for axis in range(len(dims)))


@dataclass(frozen=True)
class Convolution:
    """The attributes of a `convolution`: `input` has (batch, feature), `kernel` (input, output feature)."""

    input: Axes
    kernel: Axes
    output: Axes
    windows: tuple[Window, ...]
    feature_groups: int
    batch_groups: int

    @staticmethod
    def of(op: Operation) -> Convolution:
        """Read from the operation."""
        numbers = attribute(op, "dimension_numbers")

        def axes(first: str, second: str, spatial: str) -> Axes:
            found = [integers(cast("Attribute", getattr(numbers, name))) for name in (first, second, spatial)]
            return Axes(found[0][0], found[1][0], found[2])

        kernel = axes(
            "kernel_input_feature_dimension", "kernel_output_feature_dimension", "kernel_spatial_dimensions"
        )
        sizes = [shape(op.operands[1])[axis] for axis in kernel.spatial]
        return Convolution(
            axes("input_batch_dimension", "input_feature_dimension", "input_spatial_dimensions"),
            kernel,
            axes("output_batch_dimension", "output_feature_dimension", "output_spatial_dimensions"),
            windows_of(op, sizes, ("window_strides", "lhs_dilation", "rhs_dilation")),
            number(op, "feature_group_count", 1),
            number(op, "batch_group_count", 1),
        )


def windows_of(op: Operation, sizes: Sequence[int], names: tuple[str, str, str]) -> tuple[Window, ...]:
    """The window along each dimension, given the names of its strides, base dilations and dilations."""
    rank = len(sizes)
    strides, base, window = (ints(op, name, (1,) * rank) for name in names)
    padding = ints(op, "padding", (0,) * (2 * rank))
    flips = attribute(op, "window_reversal")
    turned = [bool(integers_of) for integers_of in _flags(flips)] if flips is not None else [False] * rank
    return tuple(
        Window(sizes[d], strides[d], padding[2 * d], padding[2 * d + 1], base[d], window[d], turned[d])
        for d in range(rank)
    )


def _flags(found: Attribute) -> tuple[int, ...]:
    if isinstance(found, ArrayAttr):
        return tuple(int(cast("BoolAttr", value).value.data) for value in cast("ArrayAttr[Attribute]", found))
    return integers(found)


def convolution(op: Operation) -> FactorRule:
    """Batch runs along; features are contracted, which in a gradient are the batch of the forward pass."""
    conv = Convolution.of(op)
    factors = Factors()
    lhs, rhs, out = shape(op.operands[0]), shape(op.operands[1]), shape(op.results[0])
    grouped = conv.feature_groups > 1
    contracted = (factors.new(lhs[conv.input.second], reduction="" if grouped else "sum", whole=grouped),)
    spans = (factors.new(rhs[conv.kernel.first], whole=True),) if grouped else contracted
    if conv.batch_groups > 1:
        batch = (factors.new(lhs[conv.input.first], whole=True),)
        batch_out = (factors.new(out[conv.output.first]),)
    else:
        batch = batch_out = (factors.new(lhs[conv.input.first]),)
    features = (factors.new(rhs[conv.kernel.second]),)
    spatial_in, spatial_kernel, spatial_out = (
        tuple((factors.new(sizes[axis], whole=True),) for axis in axes.spatial)
        for sizes, axes in ((lhs, conv.input), (rhs, conv.kernel), (out, conv.output))
    )
    return factors.rule(
        [
            conv.input.dimensions(batch, contracted, spatial_in),
            conv.kernel.dimensions(spans, features, spatial_kernel),
        ],
        [conv.output.dimensions(batch_out, features, spatial_out)],
    )


def reduce_window(op: Operation) -> FactorRule:
    """Dimensions over which the window does not extend run along."""
    factors = Factors()
    count = len(op.results)
    windows = windows_of(
        op, ints(op, "window_dimensions"), ("window_strides", "base_dilations", "window_dilations")
    )
    source, target = shape(op.operands[0]), shape(op.results[0])
    result = factors.each(target)
    operand = tuple(
        result[axis] if windows[axis].trivial else (factors.new(size, whole=True),)
        for axis, size in enumerate(source)
    )
    return factors.rule([operand] * count + [()] * count, [result] * count)


def select_and_scatter(op: Operation) -> FactorRule:
    """The gradient of pooling: as its window, backwards."""
    factors = Factors()
    windows = windows_of(op, ints(op, "window_dimensions"), ("window_strides", "", ""))
    operand = tuple(
        (factors.new(size, whole=not windows[axis].trivial),)
        for axis, size in enumerate(shape(op.operands[0]))
    )
    source = tuple(
        operand[axis] if windows[axis].trivial else (factors.new(size, whole=True),)
        for axis, size in enumerate(shape(op.operands[1]))
    )
    return factors.rule([operand, source, ()], [operand])

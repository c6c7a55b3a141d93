"""Shape arithmetic: the integer tensors that give dynamic operations their sizes, as functions of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xdsl.ir import BlockArgument, Operation, SSAValue

from .factors import Span
from .index_rules import slice_dimensions
from .ops import attribute, integers, ints, number, shape, terminator


@dataclass(frozen=True)
class Size:
    """`per_row` × rows + `fixed`."""

    per_row: int
    fixed: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.per_row + other.per_row, self.fixed + other.fixed)

    def __sub__(self, other: Size) -> Size:
        return Size(self.per_row - other.per_row, self.fixed - other.fixed)

    def times(self, other: Size) -> Size | None:
        """The product, None when it is not linear in the rows."""
        if self.per_row and other.per_row:
            return None
        return Size(
            self.per_row * other.fixed + self.fixed * other.per_row,
            self.fixed * other.fixed,
        )

    def over(self, other: Size) -> Size | None:
        """The quotient, None when it is not exact for every number of rows."""
        if other.per_row or not other.fixed or self.per_row % other.fixed or self.fixed % other.fixed:
            return None
        return Size(self.per_row // other.fixed, self.fixed // other.fixed)

    def less(self, other: Size) -> bool | None:
        """Whether this is smaller for every number of rows; None when that depends on it."""
        difference = self - other
        if difference.per_row == 0 or (difference.per_row > 0) == (difference.fixed >= 0):
            return difference.fixed < 0 or difference.per_row < 0
        return None

    def largest(self, other: Size) -> Size | None:
        """The larger one, None when that depends on the number of rows."""
        less = self.less(other)
        return None if less is None else other if less else self

    def smallest(self, other: Size) -> Size | None:
        """The smaller one, None when that depends on the number of rows."""
        less = self.less(other)
        return None if less is None else self if less else other


Sizes = tuple[Size | None, ...]
"""Entries of an integer tensor, row by row; None where an entry is not known."""

Spans = Mapping[SSAValue, tuple[Span | None, ...]]

_BINARY: dict[str, Callable[[Size, Size], Size | None]] = {
    "stablehlo.add": Size.__add__,
    "stablehlo.subtract": Size.__sub__,
    "stablehlo.multiply": Size.times,
    "stablehlo.divide": Size.over,
    "stablehlo.maximum": Size.largest,
    "stablehlo.minimum": Size.smallest,
}


def _clamped(low: Size | None, size: Size | None, high: Size | None) -> Size | None:
    if low is not None and low == high:
        return low
    if low is None or size is None or high is None:
        return None
    capped = size.smallest(high)
    return None if capped is None else capped.largest(low)


_SAME = frozenset(("stablehlo.convert", "stablehlo.reshape", "stablehlo.broadcast_in_dim"))

_OTHERS = frozenset(("stablehlo.clamp", "stablehlo.concatenate", "stablehlo.slice"))

_LONGEST = 64
"""Shapes are short; longer constants are data."""


def sizes(value: SSAValue, rows: SSAValue, spans: Spans) -> Sizes:
    """The entries of a shape tensor (of rank 0 or 1).

    Args:
        value: the tensor
        rows: the argument that holds the number of rows
        spans: how the rows lie in the tensors whose sizes may be asked for

    """
    length = shape(value)[0] if shape(value) else 1
    unknown: Sizes = (None,) * max(length, 1)
    if value is rows:
        return (Size(1),)
    if isinstance(value, BlockArgument):
        invariant = _invariant(value)
        return unknown if invariant is None else sizes(invariant, rows, spans)
    op = value.owner
    if not isinstance(op, Operation) or length > _LONGEST:
        return unknown
    name = op.name
    given = [sizes(operand, rows, spans) for operand in op.operands] if _is_arithmetic(name) else []
    if name == "stablehlo.constant":
        return _constant(op, length)
    if name in _SAME:
        return given[0] * length if len(given[0]) == 1 else given[0]
    if name == "stablehlo.concatenate":
        return tuple(size for part in given for size in part)
    if name == "stablehlo.slice":
        start, stop, step = (ints(op, key)[0] for key in ("start_indices", "limit_indices", "strides"))
        return given[0][start:stop:step]
    if name == "stablehlo.get_dimension_size":
        return (_queried(op, spans),)
    if name == "stablehlo.clamp":
        low, found, high = (part * length if len(part) == 1 else part for part in given)
        return tuple(map(_clamped, low, found, high))
    if name in _BINARY:
        return tuple(
            None if a is None or b is None else _BINARY[name](a, b) for a, b in zip(*given, strict=True)
        )
    return unknown


def _is_arithmetic(name: str) -> bool:
    return name in _BINARY or name in _SAME or name in _OTHERS


def _constant(op: Operation, length: int) -> Sizes:
    try:
        values = integers(attribute(op, "value"))
    except (TypeError, ValueError, OverflowError):
        return (None,) * length
    return tuple(Size(0, number) for number in (values * length if len(values) == 1 else values))


def _queried(op: Operation, spans: Spans) -> Size | None:
    axis = number(op, "dimension")
    fixed = shape(op.operands[0])[axis]
    if fixed >= 0:
        return Size(0, fixed)
    span = spans.get(op.operands[0], ())
    found = span[axis] if axis < len(span) else None
    return Size(found.per_row) if found is not None else None


def _invariant(argument: BlockArgument) -> SSAValue | None:
    """What a loop is given for an argument that its body hands on unchanged."""
    loop = argument.block.parent_op()
    if loop is None or loop.name != "stablehlo.while":
        return None
    carried = loop.regions[1].block
    unchanged = terminator(carried).operands[argument.index] is carried.args[argument.index]
    return loop.operands[argument.index] if unchanged else None


def _gathered(op: Operation, slices: Sizes) -> Sizes:
    """Sizes of a gather's result along the dimensions of its slices; others are not known."""
    kept, offsets = slice_dimensions(op)
    known = dict(zip(offsets, (slices[axis] for axis in kept), strict=True))
    return tuple(known.get(axis) for axis in range(len(shape(op.results[0]))))


def result_sizes(op: Operation, rows: SSAValue, spans: Spans) -> Sizes:
    """What the operands of a dynamic operation say about the sizes of its result; empty for others."""

    def given(index: int) -> Sizes:
        return sizes(op.operands[index], rows, spans)

    match op.name:
        case "stablehlo.dynamic_broadcast_in_dim" | "stablehlo.dynamic_reshape":
            return given(1)
        case "stablehlo.dynamic_iota":
            return given(0)
        case "stablehlo.dynamic_gather":
            return _gathered(op, given(2))
        case "stablehlo.real_dynamic_slice":
            return tuple(
                b - a if a is not None and b is not None and step == Size(0, 1) else None
                for a, b, step in zip(given(1), given(2), given(3), strict=True)
            )
        case _:
            return ()

"""What a tensor function costs: floating-point operations, and bytes that pass through memory."""

from __future__ import annotations

from collections.abc import Callable
from math import log2, prod
from typing import cast

from xdsl.dialects.builtin import FixedBitwidthType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from dlc.dialects.stablehlo import tensor

from .function import Analysis, whole
from .ops import ints, named, shape, splat, terminator
from .stablehlo_rules import ELEMENTWISE, TRANSCENDENTAL, DotNumbers
from .window_rules import Convolution

TRANSCENDENTAL_FLOPS = 10
"""Additions that a transcendental function, a division or a root is worth."""

_UNFUSED = named(
    "cholesky concatenate convolution dot_general dynamic_gather dynamic_update_slice fft gather pad reduce "
    "reduce_window reverse scatter select_and_scatter sort transpose triangular_solve"
)
"""Operations whose operands and results XLA keeps in memory; it fuses the others with them."""

_Shape = Callable[[SSAValue], tuple[int, ...]]


def flops(function: FuncOp, rows: int) -> float:
    """Floating-point operations of a tensor function on `rows` rows, on whatever rank they lie.

    A multiplication with an addition counts two, a transcendental function TRANSCENDENTAL_FLOPS.
    Raises Unsupported for an operation without a rule.
    """
    return _Work(function, rows).flops


def traffic(function: FuncOp, rows: int) -> float:
    """Bytes that a tensor function reads and writes on `rows` rows, when element-wise operations are fused.

    Raises Unsupported for an operation without a rule.
    """
    return _Work(function, rows).traffic


class _Work:
    def __init__(self, function: FuncOp, rows: int):
        self.states = Analysis(function, whole(function)).states
        self.rows = rows
        block = function.body.block
        self.flops = 0.0
        self.traffic = sum(map(self._bytes, (*block.args, *terminator(block).operands)))
        self._add(block, 1)

    def _shape(self, value: SSAValue) -> tuple[int, ...]:
        return self.states[value].shape(shape(value), self.rows)

    def _bytes(self, value: SSAValue) -> float:
        return prod(self._shape(value)) * cast("FixedBitwidthType", tensor(value).element_type).size

    def _add(self, block: Block, times: float) -> None:
        for op in block.ops:
            match op.name:
                case "stablehlo.while":
                    self._add(op.regions[1].block, times * _trips(op))
                case "stablehlo.if" | "stablehlo.case":
                    for region in op.regions:
                        self._add(region.block, times / len(op.regions))
                case _:
                    self.flops += times * operation_flops(op, self._shape)
                    if op.name in _UNFUSED:
                        self.traffic += times * sum(map(self._bytes, (*op.operands, *op.results)))


def operation_flops(op: Operation, sizes: _Shape) -> float:
    """Floating-point operations of one operation whose tensors have these shapes."""
    if op.name in ELEMENTWISE:
        return prod(sizes(op.results[0])) * (TRANSCENDENTAL_FLOPS if op.name in TRANSCENDENTAL else 1)
    match op.name:
        case "stablehlo.dot_general":
            return 2.0 * _multiplications(op, sizes)
        case "stablehlo.convolution":
            conv = Convolution.of(op)
            window = prod(window.size for window in conv.windows)
            return 2.0 * prod(sizes(op.results[0])) * window * sizes(op.operands[1])[conv.kernel.first]
        case "stablehlo.reduce":
            return float(prod(sizes(op.operands[0])) * len(op.results))
        case "stablehlo.reduce_window":
            return float(prod(sizes(op.results[0])) * prod(ints(op, "window_dimensions")) * len(op.results))
        case "stablehlo.select_and_scatter":
            return float(prod(sizes(op.operands[1])) * prod(ints(op, "window_dimensions")))
        case "stablehlo.scatter":
            return float(prod(sizes(op.operands[-1])))
        case "stablehlo.sort":
            count = prod(sizes(op.operands[0]))
            return count * log2(max(count, 2))
        case _:
            return 0.0


def _multiplications(op: Operation, sizes: _Shape) -> int:
    """Products of entries: the entries of the result, times those that each is a sum over."""
    left = sizes(op.operands[0])
    return prod(sizes(op.results[0])) * prod(left[axis] for axis in DotNumbers(op).lhs_contracting)


def _trips(loop: Operation) -> float:
    """Passes of a loop that counts from a constant to a constant; one where that cannot be seen."""
    condition = loop.regions[0].block
    compare = terminator(condition).operands[0].owner
    if not isinstance(compare, Operation) or compare.name != "stablehlo.compare":
        return 1
    counter, limit = compare.operands
    stop = splat(limit)
    if not isinstance(counter, BlockArgument) or stop is None:
        return 1
    start = splat(loop.operands[counter.index])
    return max(stop - start, 0) if start is not None else 1

"""Row numbers as indices: `x[arange(n), y]` takes from each row an entry of its own."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from .factors import DYNAMIC
from .ops import attribute, named, number, shape, splat

_KEEPS = named("broadcast_in_dim convert dynamic_broadcast_in_dim dynamic_reshape reshape slice transpose")
"""Operations after which an entry is still the number of its row."""

_NEUTRAL = {"stablehlo.add": 0, "stablehlo.multiply": 1}


def index_columns(indices: SSAValue, vector: int) -> list[SSAValue]:
    """The parts of which index vectors are made, one a component, if they are put together so."""
    op = indices.owner
    if (
        isinstance(op, Operation)
        and op.name == "stablehlo.concatenate"
        and number(op, "dimension") == vector
        and all(shape(part)[vector] == 1 for part in op.operands)
    ):
        return list(op.operands)
    return [indices]


def are_row_numbers(value: SSAValue) -> bool:
    """Whether every entry is the number of its row."""
    op = value.owner
    if not isinstance(op, Operation):
        return False
    if op.name in ("stablehlo.dynamic_iota", "stablehlo.iota"):
        return shape(value)[number(op, "iota_dimension")] == DYNAMIC
    if op.name in _KEEPS:
        return are_row_numbers(op.operands[0])
    if op.name in _NEUTRAL:
        left, right = op.operands
        neutral = _NEUTRAL[op.name]
        return (_everywhere(left) == neutral and are_row_numbers(right)) or (
            _everywhere(right) == neutral and are_row_numbers(left)
        )
    # Row numbers are never negative: what counts from the end is not chosen.
    return op.name == "stablehlo.select" and are_row_numbers(op.operands[2]) and _is_negative(op.operands[0])


def _is_negative(condition: SSAValue) -> bool:
    """Whether a condition asks if row numbers are below zero."""
    op = condition.owner
    return (
        isinstance(op, Operation)
        and op.name == "stablehlo.compare"
        and "LT" in str(attribute(op, "comparison_direction"))
        and are_row_numbers(op.operands[0])
        and _everywhere(op.operands[1]) == 0
    )


def _everywhere(value: SSAValue) -> float | None:
    """The number that all entries of a broadcast constant are."""
    op = value.owner
    while isinstance(op, Operation) and op.name in _KEEPS:
        value = op.operands[0]
        op = value.owner
    return splat(value)

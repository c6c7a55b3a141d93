"""Which operations may work on the partial results of a reduction, and leave partial results again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import AnyFloat, IntegerType
from xdsl.ir import Operation

from dlc.dialects.stablehlo import tensor

from .ops import REDUCERS, NeedsWhole, named, reducer
from .state import State

_FIRST = frozenset((0,))

_MOVES = named(
    "broadcast_in_dim dynamic_broadcast_in_dim dynamic_gather dynamic_reshape dynamic_slice gather "
    "real_dynamic_slice reshape reverse slice transpose"
)
"""Operations that only move entries of their first operand: any reduction may come after them."""

_JOINT = {
    "stablehlo.concatenate": None,
    "stablehlo.dynamic_update_slice": (0, 1),
    "stablehlo.pad": (0, 1),
    "stablehlo.select": (1, 2),
}
"""Operations that take each entry from one of several operands (None: of all)."""


def partial_of(op: Operation, given: Sequence[State]) -> tuple[str, frozenset[int]]:
    """The reduction that is pending on the results, "" for none; and the operands that enter it in shares.

    A value that all ranks have is added to a pending sum in shares, by the part of the rows that a rank has.
    Raises NeedsWhole when a pending reduction must be finished before the operation.
    """
    partial = frozenset(index for index, state in enumerate(given) if state.partial)
    if not partial:
        return "", frozenset()
    pending = {given[index].partial for index in partial}
    if len(pending) == 1 and not any(state.split for state in given):
        (reduction,) = pending
        for group in _groups(op, reduction):
            if partial <= group:
                shared = counted(op, given, group - partial, reduction)
                if shared is not None:
                    return reduction, shared
    raise NeedsWhole(op, f"it needs the finished {' and '.join(sorted(pending))} over all rows")


def counted(
    op: Operation, given: Sequence[State], whole: frozenset[int], reduction: str
) -> frozenset[int] | None:
    """Which of some operands that all ranks have a sum would count for each; None if one cannot be split."""
    if reduction != "sum":
        return frozenset() if not whole or reduction in ("max", "min", "and", "or") else None
    several = frozenset(index for index in whole if not given[index].zero)
    if all(isinstance(tensor(op.operands[index]).element_type, AnyFloat) for index in several):
        return several
    return None


def _groups(op: Operation, reduction: str) -> list[frozenset[int]]:
    """Sets of operands in which the operation commutes with the reduction, the other operands being whole."""
    name, count = op.name, len(op.operands)
    everything = frozenset(range(count))
    if name in _MOVES:
        return [_FIRST]
    if name in _JOINT:
        return [frozenset(_JOINT[name] or everything)]
    if name == "stablehlo.optimization_barrier" or REDUCERS.get(name) == reduction:
        return [everything]
    if name in ("stablehlo.reduce", "stablehlo.scatter"):
        return (
            [everything - {1}]
            if name.endswith("scatter") and reducer(op) == reduction
            else ([everything] if reducer(op) == reduction else [])
        )
    if name == "stablehlo.convert":
        return [_FIRST] if _widens(op, reduction) else []
    return _linear(op) if reduction == "sum" else []


def _linear(op: Operation) -> list[frozenset[int]]:
    match op.name:
        case "stablehlo.subtract":
            return [frozenset((0, 1))]
        case "stablehlo.negate" | "stablehlo.real" | "stablehlo.imag":
            return [_FIRST]
        case "stablehlo.divide" if isinstance(tensor(op.results[0]).element_type, AnyFloat):
            return [_FIRST]
        case "stablehlo.multiply" | "stablehlo.dot_general" | "stablehlo.convolution":
            return [_FIRST, frozenset((1,))]
        case _:
            return []


def _widens(op: Operation, reduction: str) -> bool:
    """Whether a conversion keeps every value, so that sums may be converted after or before."""
    source, target = (tensor(value).element_type for value in (op.operands[0], op.results[0]))
    if isinstance(target, AnyFloat):
        if isinstance(source, AnyFloat):
            return reduction in ("max", "min") or target.bitwidth >= source.bitwidth
        return reduction in ("sum", "max", "min") and isinstance(source, IntegerType)
    if isinstance(target, IntegerType) and isinstance(source, IntegerType):
        return 1 < cast("IntegerType", source).bitwidth <= cast("IntegerType", target).bitwidth
    return False

"""Predicted times of a placed program: in order, or not there."""

from __future__ import annotations

import math

from xdsl.dialects.builtin import FloatAttr
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation

from .common import broken

Times = tuple[float, float]


def require_order(block: Block, within: Times = (0.0, math.inf)) -> None:
    """DLC305 unless operations end after they start, start after what they use, and stay in their loop."""
    for op in block.ops:
        own = _times(op)
        if own is not None:
            _require_order(op, *own, within)
        if isinstance(op, ForOp):
            require_order(op.body.block, own or within)


def _require_order(op: Operation, start: float, finish: float, within: Times) -> None:
    if not start <= finish:
        raise broken(op, "placed", f"it starts at {start} s and finishes at {finish} s")
    if start < within[0] or finish > within[1]:
        raise broken(op, "placed", f"its first round is not over when its loop is, at {within[1]} s")
    for operand in op.operands:
        made = _times(operand.owner) if isinstance(operand.owner, Operation) else None
        if made is not None and start < made[1]:
            raise broken(op, "placed", f"it starts at {start} s, and what it uses is there at {made[1]} s")


def _times(op: Operation) -> Times | None:
    start, finish = op.attributes.get("start"), op.attributes.get("finish")
    if not isinstance(start, FloatAttr) or not isinstance(finish, FloatAttr):
        if start is not finish:
            raise broken(op, "placed", "it needs both a start and a finish, in seconds, or none")
        return None
    return start.value.data, finish.value.data

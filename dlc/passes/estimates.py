"""What earlier passes estimated of a frame, wherever it stands now."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Block, OpResult, SSAValue

from dlc.dialects import dist, plan


def estimate(value: SSAValue, attribute: str) -> int | None:
    """Estimated `rows` or `bytes` of a frame, None when nothing is known.

    Distributed values are followed into the fragment that leaves them; a collective changes nothing.
    """
    op = value.owner
    if isinstance(op, Block):
        return None
    known = op.attributes.get(attribute)
    if isinstance(known, IntegerAttr):
        return int(known.value.data)
    if isinstance(op, dist.LocalOp | plan.RunOp) and isinstance(value, OpResult):
        end = op.body.block.last_op
        assert isinstance(end, dist.YieldOp)
        return estimate(end.values[value.index], attribute)
    if isinstance(op, plan.ReadOp):
        return estimate(op.scan_op.result, attribute)
    sizes = [estimate(operand, attribute) for operand in op.operands]
    found = [size for size in sizes if size is not None]
    return max(found) if found else None

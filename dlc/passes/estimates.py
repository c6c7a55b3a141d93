"""What earlier passes estimated of a frame, wherever it stands now."""

from __future__ import annotations

import math

from xdsl.dialects.builtin import DYNAMIC_INDEX, FixedBitwidthType, IntegerAttr, TensorType
from xdsl.ir import Attribute, Block, OpResult, SSAValue

from dlc.dialects import dist, nn, plan
from dlc.dialects.table_tensors import as_tensor


def tensor_bytes(type_: TensorType[Attribute]) -> int:
    """Bytes of a tensor, of one row where it has rows."""
    element = type_.element_type
    width = element.size if isinstance(element, FixedBitwidthType) else 4
    return width * math.prod(size for size in type_.get_shape() if size != DYNAMIC_INDEX)


def estimate(value: SSAValue, attribute: str) -> int | None:
    """Estimated `rows` or `bytes` of a frame, None when nothing is known.

    Distributed values are followed into the fragment that leaves them; a collective changes nothing.
    """
    tensor = as_tensor(nn.whole(value.type))
    if tensor is not None and tensor.has_static_shape():
        return tensor_bytes(tensor) if attribute == "bytes" else None
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
    if tensor is not None:
        # Rows are those of the frame that the tensor comes from, if there is one.
        rows = estimate(op.operands[0], "rows") if op.operands else None
        return None if rows is None else rows if attribute == "rows" else rows * tensor_bytes(tensor)
    sizes = [estimate(operand, attribute) for operand in op.operands]
    found = [size for size in sizes if size is not None]
    return max(found) if found else None

"""Bytes that collectives move between ranks."""

from __future__ import annotations

from xdsl.dialects.builtin import FixedBitwidthType
from xdsl.ir import Operation, SSAValue

from dlc.dialects import dist, nn
from dlc.dialects.datatypes import text
from dlc.dialects.frame import FrameType
from dlc.dialects.table_tensors import as_tensor
from dlc.passes.estimates import estimate
from dlc.predict import messages
from dlc.predict.reductions import Bucket, sent


def moved(op: Operation, ranks: int) -> int | None:
    """Bytes that all ranks together send to others in a collective; None for other ops.

    Estimated for frames; exact for tensors of known shape.
    """
    if isinstance(op, dist.AllReduceTensorsOp):
        return sum(sent(bucket_of(op, ranks), op.order.data))
    if not isinstance(op, dist.CollectiveOp):
        return None
    size, rows = (estimate(op.frame, name) or 0 for name in ("bytes", "rows"))
    match op:
        case dist.ShuffleOp() | dist.RangeShuffleOp():
            where = messages.SHUFFLE
        case dist.GatherOp():
            where = messages.TO_ONE
        case dist.BroadcastOp():
            where = messages.FROM_ONE
        case _:
            where = messages.EVERYWHERE
    part = dist.part_of(op.frame)
    copied = isinstance(part.layout, dist.PartialAttr | dist.ReplicatedAttr)
    copies = ranks if copied and where != messages.FROM_ONE else 1
    assert isinstance(part.whole, FrameType)
    columns = {name: text(type_) for name, type_ in part.whole.columns.items()}
    moving = messages.rows_of(rows * copies, size * copies, columns)
    return round(messages.sent(moving, where, ranks))


def bucket_of(op: dist.AllReduceTensorsOp, ranks: int) -> Bucket:
    """What a reduction combines: the partial results of micro-batches, or one of each rank."""
    tensors = [as_tensor(dist.part_of(value).whole) for value in op.tensors]
    shapes: list[tuple[tuple[int, ...], int]] = []
    for tensor in tensors:
        assert tensor is not None
        element = tensor.element_type
        shapes.append((tensor.get_shape(), element.size if isinstance(element, FixedBitwidthType) else 4))
    shards = max((_shards(value) or ranks for value in op.tensors), default=ranks)
    return Bucket(tuple(shapes), shards, ranks)


def _shards(value: SSAValue) -> int | None:
    """The micro-batches of which a value is a partial result, if it is one."""
    fragment = value.owner
    for given in fragment.inputs if isinstance(fragment, dist.LocalOp) else ():
        batch = given.owner
        if isinstance(batch, nn.BatchOp) and isinstance(batches := batch.batches.owner, nn.BatchesOp):
            return batches.micro_batches.value.data
    return None

"""What the ops between frames and tensors, and calls of functions, leave in a fragment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects.builtin import IntegerAttr, StringAttr, i64
from xdsl.dialects.func import CallOp
from xdsl.ir import Attribute, Operation

from dlc.dialects import dist, table
from dlc.passes.partition.attributes import from_attribute, to_attribute
from dlc.passes.partition.functions import callee, row_layouts

REPLICATED = dist.ReplicatedAttr()


class Mismatch(Exception):
    """An operator is given a layout on which it would leave wrong rows."""

    def __init__(self, op: Operation, reason: str):
        super().__init__(reason)
        self.op = op


def split(rows: Attribute) -> dist.SplitAttr:
    """The layout of a tensor whose rows lie like those of a frame."""
    return dist.SplitAttr(IntegerAttr(0, i64), rows)


def to_tensor(op: Operation, given: Sequence[Attribute]) -> list[Attribute]:
    """Rows stay where they are."""
    left = REPLICATED if given[0] == REPLICATED else split(given[0])
    return [left] * len(op.results)


def rows(op: Operation, given: Sequence[Attribute]) -> list[Attribute]:
    """The number of a rank's own rows."""
    del op
    return [REPLICATED if given[0] == REPLICATED else dist.PartialAttr(StringAttr("sum"))]


def from_tensor(op: Operation, given: Sequence[Attribute]) -> list[Attribute]:
    """Tensors and frame must have the same rows in the same places."""
    assert isinstance(op, table.FromTensorOp)
    frame = given[0] if op.frame is not None else REPLICATED
    wanted = REPLICATED if frame == REPLICATED else split(frame)
    tensors = given[1:] if op.frame is not None else given
    for layout in tensors:
        if layout != wanted:
            raise Mismatch(
                op, f"the rows of a tensor that lies as {layout} are not those of the frame, {frame}"
            )
    return [frame]


def call(op: Operation, given: Sequence[Attribute]) -> list[Attribute]:
    """What the operations of the function make of the layouts."""
    assert isinstance(op, CallOp)
    if all(layout == REPLICATED for layout in given):
        return [REPLICATED] * len(op.results)
    layouts = [from_attribute(layout) for layout in given]
    lying = {layout for layout in given if isinstance(layout, dist.SplitAttr)}
    if len({layout.rows for layout in lying}) > 1:
        raise Mismatch(op, "its tensors have rows of different frames")
    left = row_layouts(callee(op), layouts)
    if left is None:
        raise Mismatch(op, f"@{op.callee.root_reference.data} cannot run on a part of the rows")
    return [to_attribute(layout) for layout in left]


TENSOR_RULES: dict[type[Operation], Callable[[Operation, Sequence[Attribute]], list[Attribute]]] = {
    table.ToTensorOp: to_tensor,
    table.RowsOp: rows,
    table.FromTensorOp: from_tensor,
    CallOp: call,
}

"""The columns that tell the rows of a frame apart, by which they are dealt to micro-batches."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from dlc.dialects import table
from dlc.dialects.expr import ColumnOp


def row_keys(frame: SSAValue, columns: Sequence[str | Sequence[str]]) -> list[str]:
    """The keys of the grouping that a frame comes from, under their present names; else the tensors' columns.

    Depends on the program alone, never on the machine, so that every number of ranks deals the same rows.
    """
    return _grouped(frame) or list(
        dict.fromkeys(name for some in columns for name in ([some] if isinstance(some, str) else some))
    )


def _grouped(frame: SSAValue) -> list[str] | None:
    match op := frame.owner:
        case table.AggregateOp():
            return [key.data for key in op.keys]
        case table.FilterOp() | table.SortOp() | table.HeadOp() | table.FromTensorOp() if (
            op.frame is not None
        ):
            return _grouped(op.frame)
        case table.ProjectOp():
            keys = _grouped(op.frame)
            kept = {
                value.owner.column.data: name
                for name, value in op.outputs
                if isinstance(value.owner, ColumnOp)
            }
            return None if keys is None or not set(keys) <= set(kept) else [kept[key] for key in keys]
        case _:
            return None

"""Why an operator cannot run on the rows as they lie."""

from __future__ import annotations

from xdsl.dialects.func import CallOp
from xdsl.ir import Operation

from dlc.diagnostics import DlcError
from dlc.dialects.table_tensors import carries_rows
from dlc.passes.locations import source_loc

from .functions import callee
from .layouts import Layout, Replicated, Split


def refusal(op: Operation) -> DlcError:
    """The error for an operator that has no way to run on rows that no rank has as a whole."""
    if isinstance(op, CallOp):
        from .tensor.function import analyse, no_rule
        from .tensor.ops import Unsupported

        given: list[Layout] = [
            Split(0) if carries_rows(value.type) else Replicated() for value in op.operands
        ]
        try:
            analyse(callee(op), given)
        except Unsupported as error:
            return no_rule(error)
    return DlcError(
        "DLC307",
        f"{op.name} needs tensors of the same rows",
        loc=source_loc(op),
        help="take all tensors of one call from one frame",
    )

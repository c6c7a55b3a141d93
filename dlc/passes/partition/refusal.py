"""Why an operator cannot run on the rows as they lie."""

from __future__ import annotations

from xdsl.dialects.func import CallOp
from xdsl.ir import Operation

from dlc.diagnostics import DlcError
from dlc.passes.locations import source_loc

from .functions import callee, row_split


def refusal(op: Operation) -> DlcError:
    """The error for an operator that has no way to run on rows that no rank has as a whole."""
    if isinstance(op, CallOp):
        from .tensor.function import analyse, no_rule
        from .tensor.ops import Unsupported

        try:
            analyse(callee(op), [row_split(value.type) for value in op.operands])
        except Unsupported as error:
            return no_rule(error)
    return DlcError(
        "DLC307",
        f"{op.name} needs tensors of the same rows",
        loc=source_loc(op),
        help="take all tensors of one call from one frame",
    )

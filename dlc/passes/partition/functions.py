"""What the propagation asks of a tensor function: the layouts that it leaves, and its work.

The analysis is imported by those who have a function: tables need no StableHLO.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Attribute

from dlc.dialects.table_tensors import as_tensor

from .layouts import Any, Layout, Replicated, Split

TYPICAL_ROWS = 1024
"""Rows for which the work of a function is estimated when they are not known."""


def callee(op: CallOp) -> FuncOp:
    """The function that a call names."""
    module = op.parent_op()
    while not isinstance(module, ModuleOp):
        assert module is not None
        module = module.parent_op()
    name = op.callee.root_reference.data
    return next(
        function for function in module.ops if isinstance(function, FuncOp) and function.sym_name.data == name
    )


def row_split(type_: Attribute) -> Layout:
    """The layout of an argument whose rows, if it has any, are split."""
    tensor = as_tensor(type_)
    if tensor is None or DYNAMIC_INDEX not in tensor.get_shape():
        return Replicated()
    return Split(tensor.get_shape().index(DYNAMIC_INDEX))


def row_layouts(function: FuncOp, given: Sequence[Layout]) -> tuple[Layout, ...] | None:
    """Layouts of the results when the arguments lie as given; None when it cannot run on some of the rows."""
    from .tensor.function import analyse
    from .tensor.ops import Unsupported

    rows = next((layout.rows for layout in given if isinstance(layout, Split)), Any())
    try:
        left = analyse(function, list(given))
    except Unsupported:
        return None
    return tuple(Split(layout.axis, rows) if isinstance(layout, Split) else layout for layout in left)


def work(function: FuncOp) -> float:
    """FLOPs of a call on a typical number of rows; of a function that `row_layouts` accepts."""
    from .tensor.work import flops

    return flops(function, TYPICAL_ROWS)

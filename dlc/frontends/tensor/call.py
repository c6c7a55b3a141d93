"""Functions written in JAX, called with tensors of a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import SSAValue

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects.table_tensors import COUNT, RowsOp
from dlc.frontends import recording
from dlc.frontends.location import attribute, caller
from dlc.frontends.table.traced import Traced

from .arguments import require_callable
from .constants import parameters
from .shapes import is_array
from .trace import trace_function
from .untyped import tree_util
from .values import Tensor


class Function:
    """A pure function over arrays and trees of arrays, which a program calls with tensors."""

    def __init__(self, function: Callable[..., Any]):
        if not callable(function):  # pyright: ignore[reportUnnecessaryComparison]
            raise DlcError(
                "DLC117",
                f"{function!r} is not a function",
                loc=caller(),
                help="give a function over arrays, as in dlc.jax(lambda x: x.mean())",
            )
        self.function = function
        self.name = identifier(function)

    def __repr__(self) -> str:
        return f"<function {self.name} of tensors>"

    def __call__(self, *args: Any) -> Any:
        """The results as tensors, in the tree that the function returns.

        Tensors among the arguments keep their rows unknown, arrays become constants of the program, all else
        is part of the function. Raises DLC112 to DLC117 at the line that is at fault.
        """
        loc = caller()
        leaves, tree = tree_util.tree_flatten(args, is_leaf=is_tensor)
        _check_arguments(leaves, loc)
        require_callable(self.function, args, "the function", loc)
        specs = [leaf.spec if is_tensor(leaf) else leaf for leaf in leaves]
        traced = trace_function(self.function, tree_util.tree_unflatten(tree, specs), name=self.name, loc=loc)
        frame = next((leaf.frame for leaf in leaves if is_tensor(leaf) and leaf.frame is not None), None)
        results = call(traced.function, frame, values_of(leaves, loc), loc)
        found = [
            Tensor(value, frame if None in result.shape else None)
            for value, result in zip(results, traced.results, strict=True)
        ]
        return tree_util.tree_unflatten(traced.tree, found)


def jax(function: Callable[..., Any]) -> Function:
    """A pure function written in JAX, for use with tensors of a program."""
    return Function(function)


def identifier(function: Callable[..., Any]) -> str:
    """A name for the IR: that of the function, a lambda's without its brackets."""
    return cast("str", getattr(function, "__name__", type(function).__name__)).strip("<>")


def is_tensor(leaf: object) -> bool:
    """Whether a leaf of the arguments stands for data of the program."""
    return isinstance(leaf, Tensor)


def _check_arguments(leaves: Sequence[Any], loc: SourceLoc) -> None:
    for leaf in leaves:
        if isinstance(leaf, Traced) and not is_tensor(leaf):
            raise DlcError(
                "DLC117",
                f"a function over tensors is given {leaf.traced_as}",
                loc=loc,
                help="make tensors of its columns with frame.to_tensor([…])",
            )


def values_of(leaves: Sequence[Any], loc: SourceLoc) -> list[SSAValue]:
    """The values of the tensors and arrays among the leaves of some arguments, in order."""
    arrays = [leaf for leaf in leaves if is_array(leaf)]
    constants = iter(parameters([f"c{index}" for index in range(len(arrays))], arrays, loc))
    return [
        leaf.value if isinstance(leaf, Tensor) else next(constants)
        for leaf in leaves
        if isinstance(leaf, Tensor) or is_array(leaf)
    ]


def call(
    function: FuncOp, rows: SSAValue | None, operands: Sequence[SSAValue], loc: SourceLoc
) -> Sequence[SSAValue]:
    """The results of a call; `rows` is the frame whose rows the operands have, or their number."""
    count = rows_of(rows if function.args[0].uses else None, loc)
    name = recording.here().define(function)
    op = CallOp(name, [count, *operands], [*function.function_type.outputs])
    op.location = attribute(loc)
    return op.results


def rows_of(rows: SSAValue | None, loc: SourceLoc) -> SSAValue:
    """The number of rows of a frame; a number as it is; 1 where there are no rows."""
    if rows is None:
        return parameters(["rows"], [np.int32(1)], loc)[0]
    if rows.type == COUNT:
        return rows
    op = RowsOp(rows)
    op.location = attribute(loc)
    return op.count

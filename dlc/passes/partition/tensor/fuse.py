"""Calls of tensor functions as one tensor function: what one of them keeps for another never leaves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.dialects.builtin import FunctionType
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from dlc.passes.locations import at

from .localise import marked
from .ops import terminator


def fuse(
    name: str, calls: Sequence[CallOp], functions: Mapping[str, FuncOp], results: Sequence[SSAValue]
) -> tuple[FuncOp, list[SSAValue]]:
    """A tensor function that does what several calls do, and the values to call it with.

    Args:
        name: symbol of the new function
        calls: calls in order, all for the same rows: their first argument is the same number
        functions: the tensor functions by their symbols
        results: results of the calls that the new function returns

    """
    made = {value for call in calls for value in call.results}
    taken = dict.fromkeys(operand for call in calls for operand in call.operands if operand not in made)
    block = Block(arg_types=[value.type for value in taken])
    values: dict[SSAValue, SSAValue] = dict(zip(taken, block.args, strict=True))
    for call in calls:
        source = functions[call.callee.root_reference.data].body.block
        inner: dict[SSAValue, SSAValue] = {
            argument: values[operand] for argument, operand in zip(source.args, call.operands, strict=True)
        }
        for op in source.ops:
            if op is not source.last_op:
                block.add_op(op.clone(inner))
        returned = (inner[value] for value in terminator(source).operands)
        values.update(zip(call.results, returned, strict=True))
    location = calls[0].location
    block.add_op(at(location, ReturnOp(*(values[value] for value in results))))
    kind = FunctionType.from_lists(block.arg_types, [value.type for value in results])
    fused = FuncOp(name, kind, Region(block), "private", arg_attrs=marked(len(block.args)))
    return at(location, fused), list(taken)

"""`fuse-calls`: calls become one where no layout describes what one hands to the other.

A function may merge its rows with another dimension, as in `x.reshape(-1, k)`. Within a function the rows are
still known; a tensor between two calls is split along one dimension or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from dlc.dialects import flow
from dlc.dialects.table_tensors import carries_rows
from dlc.passes.locations import at

from .functions import callee, row_layouts, row_split


@dataclass(frozen=True)
class FuseCallsPass(ModulePass):
    """Put a function that leaves such a tensor together with the one that takes it."""

    name = "fuse-calls"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for program in [inner for inner in op.ops if isinstance(inner, flow.ProgramOp)]:
            _fuse_in(program.body.block)


def _fuse_in(block: Block) -> None:
    for op in list(block.ops):
        if isinstance(op, ForOp):
            _fuse_in(op.body.block)
        elif isinstance(op, CallOp) and op.parent is block:
            _fuse(op)


def _fuse(call: CallOp) -> None:
    """Fuse a call with its users until its results can be told apart by layouts."""
    while (user := _user(call)) is not None and not _has_layouts(call):
        call = _merged(call, user)


def _has_layouts(call: CallOp) -> bool:
    return row_layouts(callee(call), [row_split(value.type) for value in call.operands]) is not None


def _user(call: CallOp) -> CallOp | None:
    """The first call of the block that takes rows which this call leaves."""
    taken = {use.operation for value in call.results if carries_rows(value.type) for use in value.uses}
    op = call.next_op
    while op is not None:
        if op in taken:
            return op if isinstance(op, CallOp) and op.operands[0] is call.operands[0] else None
        op = op.next_op
    return None


def _merged(call: CallOp, user: CallOp) -> CallOp:
    from .tensor.fuse import fuse

    functions = {op.callee.root_reference.data: callee(op) for op in (call, user)}
    names = list(functions)
    kept = [value for value in call.results if {use.operation for use in value.uses} - {user}]
    results = [*kept, *user.results]
    name = ".".join((names[0], names[1].rpartition(".")[2]))
    function, operands = fuse(name, [call, user], functions, results)
    first = functions[names[0]]
    Rewriter.insert_op(function, InsertPoint.before(first))
    merged = CallOp(function.sym_name.data, operands, [value.type for value in results])
    Rewriter.insert_op(at(user.location, merged), InsertPoint.before(user))
    for old, new in zip(results, merged.results, strict=True):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    for op in (user, call):
        op.detach()
        op.erase(safe_erase=False)
    return merged

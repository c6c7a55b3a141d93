"""`insert-frees`: every value is dropped after the last instruction that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from dlc.dialects import plan


@dataclass(frozen=True)
class InsertFreesPass(ModulePass):
    """Insert `plan.free` after last uses; results live on until the caller has them."""

    name = "insert-frees"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for gang in [inner for inner in op.walk() if isinstance(inner, plan.GangOp)]:
            _free_in(gang.body.block)


def reads(op: Operation) -> Iterator[SSAValue]:
    """Values that an instruction reads; a loop reads what its body takes from outside."""
    yield from op.operands
    if isinstance(op, ForOp):
        for inner in op.body.block.ops:
            yield from reads(inner)


def _free_in(block: Block) -> None:
    """A loop's own carried values are the executor's to drop."""
    mine = {result for op in block.ops for result in op.results}
    last_use = dict[SSAValue, Operation]()
    kept = set[SSAValue]()
    for op in block.ops:
        if isinstance(op, ForOp):
            _free_in(op.body.block)
        if isinstance(op, plan.FreeOp):
            kept |= set(op.operands)
        # A value that nothing reads is dropped as soon as it is there.
        last_use.update(dict.fromkeys([*op.results, *(value for value in reads(op) if value in mine)], op))
        if isinstance(op, plan.ResultOp):
            kept.add(op.frame)
    dead = dict[Operation, list[SSAValue]]()
    for value, op in last_use.items():
        # Numbers cost nothing, and what a block ends with is handed on.
        if value not in kept and not isinstance(value.type, IndexType) and op is not block.last_op:
            dead.setdefault(op, []).append(value)
    for op, values in dead.items():
        free = plan.FreeOp(values)
        free.location = op.location
        block.insert_op_after(free, op)

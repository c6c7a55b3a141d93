"""`insert-frees`: every frame is dropped after the last instruction that reads it."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from dlc.dialects import plan


@dataclass(frozen=True)
class InsertFreesPass(ModulePass):
    """Insert `plan.free` after last uses; results live on until the caller has them."""

    name = "insert-frees"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for gang in [inner for inner in op.walk() if isinstance(inner, plan.GangOp)]:
            _free_in(gang)


def _free_in(gang: plan.GangOp) -> None:
    last_use = dict[SSAValue, Operation]()
    kept = set[SSAValue]()
    for op in gang.body.block.ops:
        if isinstance(op, plan.FreeOp):
            kept |= set(op.operands)
        # A value that nothing reads is dropped as soon as it is there.
        last_use.update(dict.fromkeys([*op.results, *op.operands], op))
        if isinstance(op, plan.ResultOp):
            kept.add(op.frame)
    dead = dict[Operation, list[SSAValue]]()
    for value, op in last_use.items():
        if value not in kept:
            dead.setdefault(op, []).append(value)
    for op, values in dead.items():
        free = plan.FreeOp(values)
        free.location = op.location
        gang.body.block.insert_op_after(free, op)

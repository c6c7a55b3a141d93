"""`verify-plan`: the gangs' instruction lists run to their end, even when nothing buffers a message."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from dlc.diagnostics import DlcError, Note
from dlc.dialects import plan
from dlc.passes.locations import source_loc
from dlc.passes.lower.insert_frees import reads
from dlc.passes.wellformed import verify

from .common import broken, operations
from .rendezvous import Blocked, simulate


@dataclass(frozen=True)
class VerifyPlanPass(ModulePass):
    """Sends match receives, collectives have one order on all members, nothing waits in a circle or leaks."""

    name = "verify-plan"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        verify(op)
        for program in [inner for inner in op.ops if isinstance(inner, plan.ProgramOp)]:
            gangs = [inner for inner in program.body.block.ops if isinstance(inner, plan.GangOp)]
            for gang in gangs:
                _verify_ranks(gang, program.world.value.data)
                _verify_lifetimes(gang.body.block)
            _verify_progress(gangs)


def _verify_ranks(gang: plan.GangOp, world: int) -> None:
    for rank in plan.ranks_of(gang):
        if not 0 <= rank < world:
            raise broken(gang, "plan", f"rank {rank} is outside of the world of {world}")


def _verify_lifetimes(block: Block) -> None:
    freed = set[SSAValue]()
    made = dict[SSAValue, Operation]()
    kept = set(block.last_op.operands) if block.last_op is not None else set[SSAValue]()
    for op in block.ops:
        if isinstance(op, ForOp):
            _verify_lifetimes(op.body.block)
        for operand in reads(op):
            if operand in freed:
                raise broken(op, "plan", "it reads a frame that has been freed")
        made |= {result: op for result in op.results if not isinstance(result.type, IndexType)}
        if isinstance(op, plan.FreeOp):
            freed |= set(op.operands)
        if isinstance(op, plan.ResultOp):
            kept.add(op.frame)
    for value, op in made.items():
        if value not in freed | kept:
            raise broken(op, "plan", "what it leaves is never freed", "run insert-frees")


def _verify_progress(gangs: list[plan.GangOp]) -> None:
    blocked = simulate([(plan.ranks_of(gang), list(operations(gang.body.block))) for gang in gangs])
    if blocked:
        first = blocked[0]
        raise DlcError(
            "DLC305",
            f"the plan would hang: {_describe(first)}",
            loc=source_loc(first.op),
            notes=[Note(_describe(other), source_loc(other.op)) for other in blocked[1:4]],
            help="every send needs a receive with its tag, and members must meet in one order",
        )


def _describe(blocked: Blocked) -> str:
    return f"rank {blocked.rank} waits in {blocked.op.name} {blocked.reason}"

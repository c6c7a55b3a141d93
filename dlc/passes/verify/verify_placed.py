"""`verify-placed`: the program is bound to a gang, and what it needs fits the machine."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from dlc.diagnostics import DlcError
from dlc.dialects import dist, flow
from dlc.passes.locations import source_loc
from dlc.passes.machine import machine_of

from .common import broken, operations, programs, require_locations
from .times import require_order
from .verify_dist import verify_op


@dataclass(frozen=True)
class VerifyPlacedPass(ModulePass):
    """The `dist` invariant still holds, one gang runs the program, in order, and memory fits (DLC505)."""

    name = "verify-placed"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for program in programs(op):
            require_locations(program, "placed")
            for inner in operations(program.body.block):
                verify_op(inner, "placed")
            _verify_gang(program, op)
            require_order(program.body.block)


def _verify_gang(program: flow.ProgramOp, module: ModuleOp) -> None:
    gangs = [op for op in program.body.block.ops if isinstance(op, dist.GangOp)]
    if len(gangs) != 1:
        raise broken(program, "placed", f"it needs one gang, got {len(gangs)}")
    gang, machine = gangs[0], machine_of(module)
    ranks = gang.ranks.value.data
    if ranks < 1:
        raise broken(gang, "placed", "a gang needs at least one rank")
    if machine is None or gang.memory is None:
        return
    on_one_node = machine.ranks_per_node(ranks)
    needed = gang.memory.value.data * on_one_node
    if needed > machine.memory_bytes:
        raise DlcError(
            "DLC505",
            f"{on_one_node} ranks are predicted to need {needed / 1e9:.1f} GB on a node of {machine.name}, "
            f"which has {machine.memory_bytes / 1e9:.1f} GB",
            loc=source_loc(program),
            help="use fewer columns or rows, or a machine with more memory",
        )

"""`partition`: from a global view to fragments, layouts and explicit collectives."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.passes import ModulePass

from dlc.dialects import flow, table
from dlc.dialects.frame import OrderAttr, frame_of
from dlc.passes.machine import machine_of

from .costs import Costs, DefaultNetwork
from .emit import Emitter
from .propagate import Propagation
from .rules import is_ordered


@dataclass(frozen=True)
class PartitionPass(ModulePass):
    """Choose a layout for every value, the cheapest in seconds on the machine, and insert the collectives."""

    name = "partition"
    ranks: int = 2
    fast_math: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(op)
        costs = Costs(self.ranks, DefaultNetwork())
        if machine is not None:
            nodes = self.ranks / machine.ranks_per_node(self.ranks)
            costs = Costs(self.ranks, machine, machine.memory_bytes * nodes)
        for program in [inner for inner in op.ops if isinstance(inner, flow.ProgramOp)]:
            partition_program(program, costs, self.fast_math)


def partition_program(program: flow.ProgramOp, costs: Costs, fast_math: bool = False) -> None:
    """Rewrite the body of one program in place."""
    order_heads(program)
    block = program.body.block
    propagation = Propagation(costs, fast_math)
    propagation.run(block.ops)
    emitter = Emitter(propagation, block)
    emitter.emit_ends()
    program.body.detach_block(block)
    program.body.add_block(emitter.block)
    program.stage = StringAttr("dist")


def order_heads(program: flow.ProgramOp) -> None:
    """The head of a bag becomes its smallest rows by all columns, so that it does not depend on the ranks."""
    for op in list(program.body.block.ops):
        if isinstance(op, table.HeadOp) and not is_ordered(op.frame):
            by = [OrderAttr.of(name) for name in frame_of(op.frame).columns]
            sort = table.SortOp(op.frame, by, op.count.value.data)
            sort.location = op.location
            sort.attributes.update(op.attributes)
            program.body.block.insert_op_before(sort, op)
            op.result.replace_all_uses_with(sort.result)
            op.detach()
            op.erase()

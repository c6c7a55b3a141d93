"""`place`: gangs bound to islands of the machine, with the memory and the time they are predicted to take."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, i64
from xdsl.dialects.func import CallOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from dlc.dialects import dist, flow
from dlc.dialects.nn import BatchesOp, BatchesType
from dlc.passes.estimates import estimate
from dlc.passes.machine import machine_of
from dlc.predict.simulate import idle_bytes

from .times import predict_times
from .traffic import moved


@dataclass(frozen=True)
class PlacePass(ModulePass):
    """Bind the whole program to one gang of all ranks.

    `moved` tells the bytes that collectives send. With a machine, `start` and `finish` tell when an operation
    begins and ends, `rounds` how often a loop runs, and `memory` what a rank is predicted to need; without
    one, `memory` counts the values that it holds.
    """

    name = "place"
    ranks: int = 2

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(op)
        island = machine.name if machine is not None else "any"
        for program in [inner for inner in op.ops if isinstance(inner, flow.ProgramOp)]:
            block = program.body.block
            held = peak_bytes(program, self.ranks) if machine is None else None
            gang = dist.GangOp("main", self.ranks, island, held)
            gang.location = program.location
            first = block.first_op
            assert first is not None
            block.insert_op_before(gang, first)
            for inner in program.walk():
                if (size := moved(inner, self.ranks)) is not None:
                    inner.attributes["moved"] = IntegerAttr(size, i64)
            program.stage = StringAttr("placed")
            if machine is not None:
                found = predict_times(ctx, op, program, machine)
                gang.memory = IntegerAttr(round(found.rank_memory), i64)


def peak_bytes(program: flow.ProgramOp, ranks: int) -> int:
    """Most bytes of frames and tensors that one rank holds at a time, with what the runtime itself takes."""
    functions = any(isinstance(op, CallOp) for op in program.walk())
    idle = idle_bytes(ranks, kernels=functions, compiling=functions)
    return idle + _peak(program.body.block, ranks)


def _peak(block: Block, ranks: int) -> int:
    operations = list(block.ops)
    last_use = dict[SSAValue, int]()
    for index, op in enumerate(operations):
        last_use.update(dict.fromkeys((value for inner in op.walk() for value in inner.operands), index))
    held, peak = dict[SSAValue, int](), 0
    for index, op in enumerate(operations):
        held |= {result: bytes_on_rank(result, ranks) for result in op.results}
        peak = max(peak, sum(held.values()) + _scratch(op, ranks))
        held = {value: size for value, size in held.items() if last_use.get(value, -1) > index}
    return peak


def bytes_on_rank(value: SSAValue, ranks: int) -> int:
    """Estimated bytes of a value on the rank that holds most of it."""
    if isinstance(value.type, BatchesType):
        # The rows of an epoch, in their order; how many there are says the frame that they come from.
        owner = value.owner
        tensors = owner.tensors if isinstance(owner, BatchesOp) else ()
        return sum(bytes_on_rank(tensor, ranks) for tensor in tensors)
    if not isinstance(value.type, dist.PartType):
        return 0
    size = estimate(value, "bytes") or 0
    whole = isinstance(value.type.layout, dist.ReplicatedAttr | dist.SingleAttr | dist.PartialAttr)
    return size if whole else -(-size // ranks)


def _scratch(op: Operation, ranks: int) -> int:
    """Bytes that an operator needs beside its inputs and outputs: collectives pack what they send."""
    if dist.is_collective(op):
        return sum(bytes_on_rank(value, ranks) for value in op.results)
    return _peak(op.body.block, ranks) if isinstance(op, ForOp) else 0

"""`lower-to-plan`: the placed program becomes the instruction list of each gang."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from dlc.dialects import dist, flow, plan, table
from dlc.dialects.frame import strings
from dlc.passes.partition.attributes import from_attribute
from dlc.passes.partition.rules import captured_frames


@dataclass(frozen=True)
class LowerToPlanPass(ModulePass):
    """One op an instruction; scans leave their fragments and become reads."""

    name = "lower-to-plan"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for program in [inner for inner in op.ops if isinstance(inner, flow.ProgramOp)]:
            gang_op = next(inner for inner in program.body.block.ops if isinstance(inner, dist.GangOp))
            ranks = gang_op.ranks.value.data
            body = _Lowering().lower(program)
            gang = plan.GangOp(gang_op.sym_name.data, range(ranks), Region(body))
            gang.location = gang_op.location
            gang.attributes["island"] = gang_op.island
            if gang_op.memory is not None:
                gang.attributes["memory"] = gang_op.memory
            block = Block([gang, plan.EndOp()])
            lowered = plan.ProgramOp(program.sym_name.data, ranks, program.parameters, Region(block))
            lowered.location = program.location
            op.body.block.insert_op_before(lowered, program)
            program.detach()
            program.erase()


class _Lowering:
    """Values of the placed program → values of the instruction list."""

    def __init__(self) -> None:
        self.block = Block()
        self.values = dict[SSAValue, SSAValue]()

    def lower(self, program: flow.ProgramOp) -> Block:
        for op in program.body.block.ops:
            if not isinstance(op, dist.GangOp):
                self._lower(op)
        self.block.add_op(plan.EndOp())
        return self.block

    def _add(self, new: Operation, old: Operation) -> None:
        new.location = old.location
        # The executor does not need layouts; whoever reads the plan does.
        new.attributes["layouts"] = strings(str(from_attribute(dist.part_of(v).layout)) for v in old.results)
        self.block.add_op(new)
        for before, after in zip(old.results, new.results, strict=True):
            after.name_hint = before.name_hint
            self.values[before] = after

    def _lower(self, op: Operation) -> None:
        values = [self.values[operand] for operand in op.operands]
        match op:
            case dist.LocalOp():
                self._fragment(op, values)
            case dist.ShuffleOp():
                self._add(plan.ShuffleOp(values[0], [key.data for key in op.keys]), op)
            case dist.AllGatherOp():
                self._add(plan.AllGatherOp(values[0]), op)
            case dist.GatherOp():
                self._add(plan.GatherOp(values[0]), op)
            case dist.BroadcastOp():
                self._add(plan.BroadcastOp(values[0]), op)
            case dist.AllReduceOp():
                self._add(plan.AllReduceOp(values[0], op.combine.clone()), op)
            case dist.RangeShuffleOp():
                self._add(plan.RangeShuffleOp(values[0], values[1], list(op.by)), op)
            case table.SinkOp():
                write = plan.WriteOp(values[0], op.format.data, op.path.data, op.layout.data)
                write.location = op.location
                self.block.add_op(write)
            case flow.ReturnOp():
                for name, value in zip(op.names, values, strict=True):
                    result = plan.ResultOp(name.data, value)
                    result.location = op.location
                    self.block.add_op(result)
            case _:
                raise AssertionError(f"{op.name} has no place in a placed program")

    def _fragment(self, op: dist.LocalOp, inputs: list[SSAValue]) -> None:
        body = op.body.clone()
        block = body.block
        reads = list[SSAValue]()
        for scan in [inner for inner in block.ops if isinstance(inner, table.ScanOp)]:
            # `push-down-predicates` leaves predicates over computed scalars outside of scans.
            assert not captured_frames(scan)
            argument = block.insert_arg(scan.result.type, len(block.args))
            argument.name_hint = scan.result.name_hint
            scan.result.replace_all_uses_with(argument)
            scan.detach()
            read = plan.ReadOp(scan)
            read.location = scan.location
            self.block.add_op(read)
            reads.append(read.result)
        run = plan.RunOp([*inputs, *reads], body, [dist.part_of(value).frame for value in op.outputs])
        self._add(run, op)

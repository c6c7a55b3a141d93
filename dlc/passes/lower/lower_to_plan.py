"""`lower-to-plan`: the placed program becomes the instruction list of each gang."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from dlc.dialects import dist, flow, nn, plan, table
from dlc.dialects.frame import strings
from dlc.dialects.plan_training import ReduceOp
from dlc.passes.locations import at
from dlc.passes.partition.attributes import from_attribute
from dlc.passes.partition.fuse_fragments import holds_calls
from dlc.passes.partition.rules import captured_frames

from .local_calls import LocalCalls
from .lower_calls import CallLowering, insert_waits

PREDICTIONS = ("moved", "start", "finish", "rounds", "seconds")
"""Attributes in which a placed operation tells what it is predicted to take."""
Origins = dict[Operation, Operation]


@dataclass(frozen=True)
class LowerToPlanPass(ModulePass):
    """One op an instruction; scans leave their fragments and become reads, functions get static shapes."""

    name = "lower-to-plan"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for program in [inner for inner in op.ops if isinstance(inner, flow.ProgramOp)]:
            lower_program(op, program)


def lower_program(module: ModuleOp, program: flow.ProgramOp) -> Origins:
    """Put the instruction list of a placed program in its place; tells what each instruction stems from."""
    gang_op = next(inner for inner in program.body.block.ops if isinstance(inner, dist.GangOp))
    ranks = gang_op.ranks.value.data
    lowering = _Lowering(LocalCalls(module), {}, {})
    body = lowering.lower(program.body.block)
    body.add_op(plan.EndOp())
    gang = plan.GangOp(gang_op.sym_name.data, range(ranks), Region(body))
    gang.location = gang_op.location
    gang.attributes["island"] = gang_op.island
    if gang_op.memory is not None:
        gang.attributes["memory"] = gang_op.memory
    _keep_predictions(gang, gang_op)
    block = Block([gang, plan.EndOp()])
    lowered = plan.ProgramOp(program.sym_name.data, ranks, program.parameters, Region(block))
    lowered.location = program.location
    module.body.block.insert_op_before(lowered, program)
    program.detach()
    program.erase()
    return lowering.origins


def _keep_predictions(new: Operation, old: Operation) -> None:
    new.attributes.update({name: old.attributes[name] for name in PREDICTIONS if name in old.attributes})


class _Lowering:
    """Values of the placed program → values of the instruction list; new operations → those before."""

    def __init__(self, calls: LocalCalls, values: dict[SSAValue, SSAValue], origins: Origins) -> None:
        self.block = Block()
        self.values = values
        self.calls = calls
        self.origins = origins

    def lower(self, block: Block) -> Block:
        for op in block.ops:
            if not isinstance(op, dist.GangOp | nn.BatchOp):
                self._lower(op)
        insert_waits(self.block)
        return self.block

    def _add(self, new: Operation, old: Operation) -> None:
        new.location = old.location
        # The executor does not need layouts; whoever reads the plan does.
        new.attributes["layouts"] = strings(str(from_attribute(dist.part_of(v).layout)) for v in old.results)
        self._plain(new, old)

    def _plain(self, new: Operation, old: Operation) -> None:
        new.location = old.location
        _keep_predictions(new, old)
        self.block.add_op(new)
        self.origins[new] = old
        for before, after in zip(old.results, new.results, strict=True):
            after.name_hint = before.name_hint
            self.values[before] = after

    def _lower(self, op: Operation) -> None:
        match op:
            case dist.LocalOp() if holds_calls(op):
                self._add(CallLowering(op, self.calls, self.values).instruction(), op)
                return
            case scf.ForOp():
                self._loop(op)
                return
            case _:
                values = [self.values[operand] for operand in op.operands]
        match op:
            case dist.LocalOp():
                self._fragment(op, values)
            case dist.ShuffleOp():
                self._add(plan.ShuffleOp(values[0], [key.data for key in op.keys], op.shards), op)
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
            case dist.AllReduceTensorsOp():
                self._add(ReduceOp(values, op.op.data, op.order.data), op)
            case table.SinkOp():
                self._plain(plan.WriteOp(values[0], op.format.data, op.path.data, op.layout.data), op)
            case flow.ReturnOp():
                for name, value in zip(op.names, values, strict=True):
                    self.block.add_op(at(op.location, plan.ResultOp(name.data, value)))
            case _ if op.dialect_name() in ("nn", "arith", "scf"):
                self._same(op, values)
            case _:
                raise AssertionError(f"{op.name} has no place in a placed program")

    def _same(self, op: Operation, values: list[SSAValue]) -> None:
        """An op that is an instruction as it is, on what a rank holds."""
        new = type(op).create(
            operands=values,
            result_types=[nn.whole(result.type) for result in op.results],
            properties=dict(op.properties),
            attributes=dict(op.attributes),
        )
        self._plain(new, op)

    def _loop(self, op: scf.ForOp) -> None:
        inner = _Lowering(self.calls, self.values, self.origins)
        for argument in op.body.block.args:
            index = len(inner.block.args)
            self.values[argument] = inner.block.insert_arg(nn.whole(argument.type), index)
            inner.block.args[index].name_hint = argument.name_hint
        body = inner.lower(op.body.block)
        bounds = [self.values[value] for value in (op.lb, op.ub, op.step)]
        carried = [self.values[value] for value in op.iter_args]
        self._plain(scf.ForOp(bounds[0], bounds[1], bounds[2], carried, body), op)

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
            self.origins[read] = op
            reads.append(read.result)
        run = plan.RunOp([*inputs, *reads], body, [dist.part_of(value).whole for value in op.outputs])
        self._add(run, op)

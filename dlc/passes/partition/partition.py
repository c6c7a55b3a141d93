"""`partition`: from a global view to fragments, layouts and explicit collectives."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from dlc.dialects import dist, flow, table
from dlc.dialects.frame import OrderAttr, frame_of
from dlc.passes.locations import at
from dlc.passes.machine import machine_of

from . import fragments
from . import layouts as la
from .attributes import order_of
from .costs import Costs, DefaultNetwork
from .propagate import Choice, Propagation
from .rules import frame_inputs, is_ordered


@dataclass(frozen=True)
class PartitionPass(ModulePass):
    """Choose a layout for every value, the cheapest in seconds on the machine, and insert the collectives."""

    name = "partition"
    ranks: int = 2

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(op)
        costs = Costs(self.ranks, DefaultNetwork())
        if machine is not None:
            costs = Costs(self.ranks, machine, machine.memory_bytes)
        for program in [inner for inner in op.ops if isinstance(inner, flow.ProgramOp)]:
            partition_program(program, costs)


def partition_program(program: flow.ProgramOp, costs: Costs) -> None:
    """Rewrite the body of one program in place."""
    order_heads(program)
    block = program.body.block
    operations = list(block.ops)
    propagation = Propagation(costs)
    propagation.run(operations)
    emitter = Emitter(propagation)
    for op in operations:
        if isinstance(op, table.SinkOp):
            emitter.sink(op)
        elif isinstance(op, flow.ReturnOp):
            emitter.deliver(op)
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


@dataclass
class Emitter:
    """Builds the distributed program from the ends backwards; every value in every layout once."""

    propagation: Propagation
    block: Block = field(default_factory=Block)
    _built: dict[tuple[SSAValue, la.Layout], SSAValue] = field(
        default_factory=dict[tuple[SSAValue, la.Layout], SSAValue]
    )

    def sink(self, op: table.SinkOp) -> None:
        """Write a frame where its rule wants it."""
        choice = self.propagation.deliveries[op, 0]
        value = self.get(op.frame, choice.alternative.inputs[0])
        copy = op.clone({op.frame: value})
        self.block.add_op(copy)

    def deliver(self, op: flow.ReturnOp) -> None:
        """Bring the results to rank 0."""
        values = [
            self.get(value, self.propagation.deliveries[op, index].alternative.inputs[0])
            for index, value in enumerate(op.values)
        ]
        copy = flow.ReturnOp([name.data for name in op.names], values)
        copy.location = op.location
        self.block.add_op(copy)

    def get(self, value: SSAValue, wanted: la.Layout) -> SSAValue:
        """A value in a layout: as it is, or by a collective from where it is had most cheaply."""
        if (value, wanted) in self._built:
            return self._built[value, wanted]
        source, _ = self.propagation.source(value, wanted)
        for layout in self.propagation.choices[value]:
            # What stands already is not computed twice when a collective can start from it.
            built = (value, layout) in self._built
            if built and math.isfinite(self.propagation.conversion(value, layout, wanted)):
                source = layout
        result = self._built.get((value, source)) or self._build(value, source)
        if source != wanted:
            result = self._convert(result, wanted, value.owner)
            self._built[value, wanted] = result
        return result

    def _build(self, value: SSAValue, layout: la.Layout) -> SSAValue:
        op = value.owner
        assert isinstance(op, Operation)
        choice = self.propagation.choices[value][layout]
        result = self._emit(op, choice)
        self._built[value, layout] = result
        return result

    def _convert(self, value: SSAValue, wanted: la.Layout, origin: Operation | Block) -> SSAValue:
        match wanted:
            case la.Replicated():
                op = dist.AllGatherOp(value)
            case la.Single():
                op = dist.GatherOp(value)
            case la.Hash(keys):
                op = dist.ShuffleOp(value, keys)
            case _:
                raise AssertionError(f"no collective leaves {wanted}")
        return self._add(op, origin)

    def _add(self, op: Operation, origin: Operation | Block) -> SSAValue:
        if isinstance(origin, Operation):
            op.location = origin.location
        self.block.add_op(op)
        return op.results[0]

    def _local(self, op: Operation, inputs: list[SSAValue], layout: la.Layout) -> SSAValue:
        fragment = fragments.local(op, frame_inputs(op), inputs, layout)
        self.block.add_op(fragment)
        return fragment.outputs[0]

    def _emit(self, op: Operation, choice: Choice) -> SSAValue:
        alternative = choice.alternative
        inputs = [
            self.get(frame, wanted)
            for frame, wanted in zip(frame_inputs(op), alternative.inputs, strict=True)
        ]
        match alternative.strategy:
            case "replicated-read":
                assert isinstance(op, table.ScanOp)
                frames = frame_inputs(op)
                fragment = fragments.local(fragments.replicated_read(op), frames, inputs, alternative.output)
                self.block.add_op(fragment)
                return fragment.outputs[0]
            case "all-reduce":
                assert isinstance(op, table.AggregateOp)
                partials = self._local(op, inputs, la.Partial())
                return self._add(dist.AllReduceOp(partials, fragments.combine_region(op)), op)
            case "shuffle-partials":
                assert isinstance(alternative.output, la.Hash)
                partials = self._local(op, inputs, la.Partial())
                met = self._add(dist.ShuffleOp(partials, alternative.output.keys), op)
                return self._combine(op, met, alternative.output)
            case "gather-partials":
                partials = self._local(op, inputs, la.Partial())
                return self._combine(op, self._add(dist.AllGatherOp(partials), op), alternative.output)
            case "gather-best":
                best = self._local(op, inputs, la.Partial())
                gathered = self._add(dist.GatherOp(best), op)
                return self._local(op, [gathered], la.Single())
            case "sample-sort":
                assert isinstance(op, table.SortOp)
                return self._sample_sort(op, inputs[0])
            case _:
                return self._local(op, inputs, alternative.output)

    def _combine(self, op: Operation, met: SSAValue, layout: la.Layout) -> SSAValue:
        combined = fragments.combine_op(op, Block(arg_types=[dist.part_of(met).frame]).args[0])
        return self._local(combined, [met], layout)

    def _sample_sort(self, op: table.SortOp, value: SSAValue) -> SSAValue:
        by = list(op.by)
        ordered = self._local(op, [value], la.Any())
        stand_in = Block(arg_types=[op.frame.type]).args[0]
        sample = table.SampleOp(stand_in, [key.column.data for key in by], fragments.SAMPLES_PER_RANK)
        at(op.location, sample)
        samples = self._add(dist.AllGatherOp(self._local(sample, [ordered], la.Partial())), op)
        splitters = table.SortOp(Block(arg_types=[dist.part_of(samples).frame]).args[0], by)
        at(op.location, splitters)
        cuts = self._local(splitters, [samples], la.Replicated())
        shuffled = self._add(dist.RangeShuffleOp(ordered, cuts, by), op)
        layout = la.Range(tuple(order_of(key) for key in by))
        return self._local(op, [shuffled], layout)

"""Builds the distributed program that the propagation has chosen: fragments and explicit collectives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.dialects import scf
from xdsl.dialects.builtin import IndexType, IntegerAttr, StringAttr, i64
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.rewriter import Rewriter
from xdsl.traits import is_side_effect_free

from dlc.dialects import dist, flow, nn, table
from dlc.dialects.frame import FrameType
from dlc.dialects.table_tensors import as_tensor
from dlc.passes.locations import at

from . import fragments
from . import layouts as la
from .attributes import order_of, to_attribute
from .propagate import Propagation
from .rules import Alternative, inputs_of


@dataclass
class Emitter:
    """Builds a block of the distributed program from its ends backwards; every value in every layout once.

    What a loop's body takes from outside is built outside, by the `outer` emitter.
    """

    propagation: Propagation
    source: Block
    outer: Emitter | None = None
    block: Block = field(default_factory=Block)
    _built: dict[tuple[SSAValue, la.Layout], SSAValue] = field(
        default_factory=dict[tuple[SSAValue, la.Layout], SSAValue]
    )
    _numbers: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])

    def emit_ends(self) -> None:
        """Build what has an effect, and what the block ends with, in their order."""
        for op in self.source.ops:
            match op:
                case flow.ReturnOp():
                    self._deliver(op)
                case table.SinkOp() | nn.LogOp() | nn.SaveOp() | scf.YieldOp():
                    self._end(op)
                case scf.ForOp() if not op.results and not is_side_effect_free(op):
                    self._loop(op, [])
                case scf.ForOp() if not is_side_effect_free(op):
                    self.get(op.results[0], la.Replicated())
                case _:
                    pass  # built when something asks for it

    def _end(self, op: Operation) -> None:
        """An op without results, its operands where its rule wants them."""
        wanted = self.propagation.deliveries[op, 0].alternative.inputs
        values = zip(inputs_of(op), wanted, strict=True)
        known = {value: self.get(value, layout) for value, layout in values}
        self.block.add_op(op.clone({**known, **self._plain(op)}))

    def _plain(self, op: Operation) -> dict[SSAValue, SSAValue]:
        """The numbers, alike on every rank, among the operands of an op."""
        return {value: self.number(value) for value in op.operands if isinstance(value.type, IndexType)}

    def number(self, value: SSAValue) -> SSAValue:
        """A number that every rank computes for itself."""
        if self.outer is not None and _home(value) is not self.source:
            return self.outer.number(value)
        if value not in self._numbers:
            op = value.owner
            assert isinstance(op, Operation)
            if value in self.propagation.choices:
                return self.get(value, la.Any())
            copy = op.clone(self._plain(op))
            self.block.add_op(copy)
            self._numbers.update(zip(op.results, copy.results, strict=True))
        return self._numbers[value]

    def _deliver(self, op: flow.ReturnOp) -> None:
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
        if self.outer is not None and _home(value) is not self.source:
            return self.outer.get(value, wanted)
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
        built = self._emit(op, choice.alternative)
        for result, left, new in zip(op.results, choice.alternative.outputs, built, strict=True):
            new.name_hint = result.name_hint
            self._built.setdefault((result, left), new)
        return self._built[value, layout]

    def _convert(self, value: SSAValue, wanted: la.Layout, origin: Operation | Block) -> SSAValue:
        match wanted:
            case la.Replicated() if isinstance(dist.part_of(value).layout, dist.PartialAttr):
                return self._add(self._reduction(value), origin)
            case la.Replicated():
                op = dist.AllGatherOp(value)
            case la.Single():
                op = dist.GatherOp(value)
            case la.Hash(keys):
                op = dist.ShuffleOp(value, keys)
            case la.Shards(keys, count):
                op = dist.ShuffleOp(value, keys, count)
            case _:
                raise AssertionError(f"no collective leaves {wanted}")
        return self._add(op, origin)

    def _add(self, op: Operation, origin: Operation | Block) -> SSAValue:
        if isinstance(origin, Operation):
            op.location = origin.location
        self.block.add_op(op)
        return op.results[0]

    def _reduction(self, value: SSAValue) -> dist.AllReduceTensorsOp:
        layout = dist.part_of(value).layout
        assert isinstance(layout, dist.PartialAttr)
        order = "any" if self.propagation.fast_math else "tree"
        return dist.AllReduceTensorsOp([value], layout.op.data, order)

    def _local(self, op: Operation, inputs: list[SSAValue], *layouts: la.Layout) -> SSAValue:
        return self._locals(op, inputs, layouts)[0]

    def _locals(
        self, op: Operation, inputs: list[SSAValue], layouts: Sequence[la.Layout]
    ) -> Sequence[SSAValue]:
        fragment = fragments.local(op, inputs_of(op), inputs, layouts)
        self.block.add_op(fragment)
        return fragment.outputs

    def _emit(self, op: Operation, alternative: Alternative) -> Sequence[SSAValue]:
        """The results of an op, in the layouts that the alternative leaves."""
        inputs = [
            self.get(value, wanted) for value, wanted in zip(inputs_of(op), alternative.inputs, strict=True)
        ]
        match alternative.strategy:
            case "direct" if isinstance(op, scf.ForOp):
                return self._loop(op, inputs)
            case "direct":
                return self._direct(op, inputs, alternative)
            case "batches-all" | "batches-hash" | "batches-local":
                (batches,) = self._direct(op, inputs, alternative)
                copy = batches.owner
                assert isinstance(copy, nn.BatchesOp)
                copy.owned = StringAttr(alternative.strategy.removeprefix("batches-"))
                if copy.owned.data == "local":
                    # The rows of each rank are a shard, of which a batch takes as many as of the others.
                    ranks = self.propagation.costs.ranks
                    size = -(-copy.size.value.data // ranks) * ranks
                    copy.size, copy.micro_batches = IntegerAttr(size, i64), IntegerAttr(ranks, i64)
                return [batches]
            case "local":
                return self._locals(op, inputs, alternative.outputs)
            case _:
                return [self._table(op, alternative, inputs)]

    def _direct(self, op: Operation, inputs: list[SSAValue], alternative: Alternative) -> Sequence[SSAValue]:
        """The op itself, between distributed values."""
        known = dict(zip(inputs_of(op), inputs, strict=True))
        copy = op.clone({**known, **self._plain(op)})
        for result, layout in zip(copy.results, alternative.outputs, strict=True):
            whole: Attribute = result.type
            if isinstance(whole, FrameType) or as_tensor(whole) is not None:
                part = dist.PartType(whole, to_attribute(layout))
                Rewriter.replace_value_with_new_type(result, part)
        self.block.add_op(copy)
        return copy.results

    def _loop(self, op: scf.ForOp, inputs: list[SSAValue]) -> Sequence[SSAValue]:
        """A loop over distributed values; `inputs` are the carried ones."""
        bounds = [self.number(value) for value in (op.lb, op.ub, op.step)]
        source = op.body.block
        inner = Emitter(self.propagation, source, self)
        index, *carried = source.args
        inner.block.insert_arg(index.type, 0)
        inner._numbers[index] = inner.block.args[0]
        for argument, value in zip(carried, inputs, strict=True):
            inner.block.insert_arg(value.type, len(inner.block.args))
            inner._built[argument, la.Replicated()] = inner.block.args[-1]
        for argument, new in zip(source.args, inner.block.args, strict=True):
            new.name_hint = argument.name_hint
        inner.emit_ends()
        loop = scf.ForOp(bounds[0], bounds[1], bounds[2], inputs, inner.block)
        loop.location = op.location
        self.block.add_op(loop)
        return loop.results

    def _table(self, op: Operation, alternative: Alternative, inputs: list[SSAValue]) -> SSAValue:
        match alternative.strategy:
            case "replicated-read":
                assert isinstance(op, table.ScanOp)
                whole = fragments.replicated_read(op)
                fragment = fragments.local(whole, inputs_of(op), inputs, alternative.outputs)
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
            case strategy if strategy.startswith("broadcast") or strategy == "shuffle":
                return self._local(op, inputs, alternative.output)
            case strategy:
                raise AssertionError(f"{strategy} is no strategy")

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


def _home(value: SSAValue) -> Block | None:
    """The block in which a value is defined."""
    return value.owner if isinstance(value.owner, Block) else value.owner.parent_block()

"""Fragments that call functions, as instructions: as a whole, on chunks of rows, or on micro-batches."""

from __future__ import annotations

from xdsl.ir import Block, Operation, SSAValue

from dlc.diagnostics import DlcError
from dlc.dialects import dist, nn, plan
from dlc.dialects.plan_training import MapRowsOp, MicroOp, ReduceOp, WaitOp
from dlc.dialects.table_tensors import carries_rows
from dlc.passes.locations import at, source_loc

from .local_calls import LocalCalls, kind_of, result_layouts

CHUNK = 4096
"""Rows that a function takes at a time, where they are not those of a micro-batch."""


class CallLowering:
    """Chooses and builds the instruction of one fragment."""

    def __init__(self, fragment: dist.LocalOp, calls: LocalCalls, values: dict[SSAValue, SSAValue]):
        self.fragment, self.calls, self.values = fragment, calls, values

    def instruction(self) -> Operation:
        """The instruction, between values of the plan."""
        batch = next((v.owner for v in self.fragment.inputs if isinstance(v.owner, nn.BatchOp)), None)
        if isinstance(batch, nn.BatchOp):
            return self._micro(batch)
        inputs = [self.values[value] for value in self.fragment.inputs]
        outputs = [dist.part_of(value).whole for value in self.fragment.outputs]
        if not any(carries_rows(value.type) for value in inputs):
            return plan.RunOp(inputs, self.fragment.body.clone(), outputs)
        kinds = [kind_of(layout) for layout in result_layouts(self.fragment)]
        types, places = [value.type for value in inputs], range(len(inputs))
        body = self.calls.region(self.fragment, types, places, CHUNK, masked=False)
        masked = None
        if not set(kinds) <= {"rows", "same"}:
            masked = self.calls.region(self.fragment, types, places, CHUNK, masked=True)
        return MapRowsOp(inputs, CHUNK, kinds, body, masked, outputs)

    def _micro(self, batch: nn.BatchOp) -> MicroOp:
        batches = batch.batches.owner
        assert isinstance(batches, nn.BatchesOp)
        (combine,) = self._reductions(batch)
        tensors = [nn.whole(value.type) for value in batch.results]
        results: list[SSAValue] = list(batch.results)
        captured = [value for value in self.fragment.inputs if value.owner is not batch]
        places = [
            results.index(value) if value.owner is batch else len(tensors) + captured.index(value)
            for value in self.fragment.inputs
        ]
        inputs = [self.values[value] for value in captured]
        types = [*tensors, *(value.type for value in inputs)]
        rows = batches.size.value.data // batches.micro_batches.value.data
        return MicroOp(
            self.values[batch.batches],
            None if batch.step is None else self.values[batch.step],
            inputs,
            rows,
            combine,
            self.calls.region(self.fragment, types, places, rows, masked=False),
            self.calls.region(self.fragment, types, places, rows, masked=True),
        )

    def _reductions(self, batch: nn.BatchOp) -> set[str]:
        """The reduction of the results, which is the same for all of them; DLC307 otherwise."""
        users = {use.operation for value in batch.tensors for use in value.uses}
        kinds = {kind_of(layout) for layout in result_layouts(self.fragment)}
        if users != {self.fragment} or len(kinds) != 1 or kinds & {"rows", "same"}:
            raise DlcError(
                "DLC307",
                "a step of training leaves something else than sums over the rows of its batch",
                loc=source_loc(self.fragment),
                help="let the loss be a mean or sum over rows, in which every parameter takes part",
            )
        return kinds


def insert_waits(block: Block) -> None:
    """Let every reduction of a block be complete before the first op that reads it."""
    for op in list(block.ops):
        if isinstance(op, ReduceOp):
            user = op.next_op
            while user is not None and not _reads(user, op):
                user = user.next_op
            if user is not None:
                block.insert_op_before(at(op.location, WaitOp(op.outputs)), user)


def _reads(user: Operation, op: ReduceOp) -> bool:
    return any(value.owner is op for inner in user.walk() for value in inner.operands)

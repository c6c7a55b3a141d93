"""`verify-dist`: layouts are what fragments really leave, and nothing is resharded silently."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from dlc.dialects import dist, flow, nn, table

from .common import broken, operations, programs, require_locations
from .layout_rules import Mismatch, fragment_layouts, implies


@dataclass(frozen=True)
class VerifyDistPass(ModulePass):
    """Every value has a layout, which follows from its fragment by rules of its own."""

    name = "verify-dist"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for program in programs(op):
            require_locations(program, "dist")
            for inner in operations(program.body.block):
                verify_op(inner, "dist")


def verify_op(op: Operation, stage: str) -> None:
    """DLC305 unless an op of a distributed program keeps its promises."""
    match op:
        case dist.LocalOp():
            _verify_fragment(op, stage)
        case table.SinkOp() | flow.ReturnOp():
            _verify_end(op, stage)
        case dist.CollectiveOp():
            _verify_collective(op, stage)
        case scf.ForOp() | scf.YieldOp() | nn.LogOp() | nn.SaveOp() | nn.LoadOp() | nn.HistoryOp():
            _verify_replicated(op, stage)
        case nn.BatchesOp():
            _verify_batches(op, stage)
        case nn.BatchOp():
            _verify_batch(op, stage)
        case dist.GangOp() | dist.AllReduceTensorsOp() | nn.ParametersOp() | nn.StepsOp():
            pass
        case _ if op.dialect_name() == "arith":
            pass
        case _:
            raise broken(op, stage, "only fragments, collectives and the program's ends stand here")


def _verify_fragment(op: dist.LocalOp, stage: str) -> None:
    given = [dist.part_of(value).layout for value in op.inputs]
    try:
        left = fragment_layouts(op, given)
    except Mismatch as error:
        raise broken(error.op, stage, str(error)) from error
    for value, layout in zip(op.outputs, left, strict=True):
        claimed = dist.part_of(value).layout
        if not implies(layout, claimed):
            raise broken(op, stage, f"it claims to leave {claimed}, but its operators leave {layout}")


def _verify_end(op: Operation, stage: str) -> None:
    everywhere = isinstance(op, table.SinkOp) and op.layout.data == "directory"
    for value in op.operands:
        layout = dist.part_of(value).layout
        if isinstance(layout, dist.PartialAttr):
            raise broken(op, stage, "a partial result must be combined first")
        if not everywhere and not isinstance(layout, dist.SingleAttr | dist.ReplicatedAttr):
            raise broken(op, stage, f"it needs all rows in one place, got {layout}", "gather them first")


def _verify_replicated(op: Operation, stage: str) -> None:
    for value in (*op.operands, *op.results):
        if isinstance(value.type, dist.PartType) and value.type.layout != dist.ReplicatedAttr():
            raise broken(op, stage, f"its values must be the same on every rank, got {value.type.layout}")


def _verify_batches(op: nn.BatchesOp, stage: str) -> None:
    """The rows of the frame and of all tensors are the same, and each rank finds its shards among them."""
    rows = dist.part_of(op.frame).layout
    whole = rows == dist.ReplicatedAttr()
    for value in op.tensors:
        expected = rows if whole else dist.SplitAttr(IntegerAttr(0, i64), rows)
        if dist.part_of(value).layout != expected:
            raise broken(op, stage, f"its tensors must have the rows of its frame, which lies as {rows}")
    owned = op.owned.data if op.owned is not None else ""
    dealt = (
        isinstance(rows, dist.HashAttr)
        or (isinstance(rows, dist.ShardsAttr) and rows.count == op.micro_batches)
    ) and rows.keys == op.keys
    if owned not in (("all",) if whole else ("hash", "local") if dealt else ("local",)):
        raise broken(
            op, stage, f"a rank cannot find its shards ({owned or 'nothing said'}) in rows that lie as {rows}"
        )


def _verify_batch(op: nn.BatchOp, stage: str) -> None:
    for value in op.tensors:
        if not isinstance(dist.part_of(value).layout, dist.SplitAttr):
            raise broken(op, stage, "a rank has only its own rows of a batch")


def _verify_collective(op: dist.CollectiveOp, stage: str) -> None:
    given = dist.part_of(op.frame).layout
    if isinstance(op, dist.BroadcastOp):
        if not isinstance(given, dist.SingleAttr):
            raise broken(op, stage, f"a broadcast sends the rows of rank 0, got {given}")
    elif isinstance(given, dist.ReplicatedAttr):
        raise broken(op, stage, "every rank holds all rows already: they would be duplicated")
    partial = isinstance(given, dist.PartialAttr)
    if isinstance(op, dist.AllReduceOp):
        if not partial:
            raise broken(op, stage, f"an all-reduce combines partial results, got {given}")
    elif partial:
        for use in op.result.uses:
            if not (isinstance(use.operation, dist.LocalOp) and _combines(use.operation, use.index)):
                raise broken(use.operation, stage, "it must combine the partial results it is given")


def _combines(fragment: dist.LocalOp, index: int) -> bool:
    """Whether everything that reads an input of the fragment merges rows of the same group."""
    combiners = (table.AggregateOp, table.UniqueOp, table.SortOp, table.HeadOp)
    argument = fragment.body.block.args[index]
    return all(isinstance(use.operation, combiners) for use in argument.uses)

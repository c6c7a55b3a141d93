"""`push-down-projections`: a column exists only as long as something will read it.

Needs flow from the results back to the scans; then the operators are narrowed from the scans on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, FixedBitwidthType, ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from dlc.dialects import datatypes as t
from dlc.dialects.expr import ScalarOp
from dlc.dialects.flow import ProgramOp
from dlc.dialects.frame import FrameType, frame_of, join_schema, strings
from dlc.dialects.nn import BatchesOp, HistoryOp
from dlc.dialects.table import (
    AggregateOp,
    ConcatOp,
    FilterOp,
    JoinOp,
    ProjectOp,
    SampleOp,
    ScanOp,
    UniqueOp,
    yielded,
)
from dlc.dialects.table_tensors import FromTensorOp, RowsOp, ToTensorOp
from dlc.passes.projection import Projection

from .dce import erase_dead
from .expressions import columns_read

Names = set[str]
"""Columns of one frame."""
Rule = Callable[[Any, Names], list[Names]]
"""From the columns needed of an operator's result to those needed of each of its operands."""


def of_project(op: ProjectOp, needed: Names) -> list[Names]:
    """What the expressions kept read."""
    return [set(columns_read(value for name, value in op.outputs if name in needed))]


def of_filter(op: FilterOp, needed: Names) -> list[Names]:
    """The predicate reads columns too."""
    return [needed | set(columns_read(yielded(op.predicate)))]


def of_join(op: JoinOp, needed: Names) -> list[Names]:
    """Each side brings its own columns and its keys."""
    left, right = op.keys
    return [
        needed & set(frame_of(op.left).columns) | set(left),
        needed & set(frame_of(op.right).columns) | set(right),
    ]


def of_aggregate(op: AggregateOp, needed: Names) -> list[Names]:
    """Keys always, columns of the aggregates kept."""
    columns = {agg.column.data for agg in op.aggregates if agg.output.data in needed}
    return [columns - {""} | {key.data for key in op.keys}]


def of_unique(op: UniqueOp, needed: Names) -> list[Names]:
    """All columns choose the row of each group, which cannot be told when only the group is looked at."""
    compared = {name.data for name in op.on or ()}
    return [compared if op.on is not None and needed <= compared else set(frame_of(op.frame).columns)]


def of_sample(op: SampleOp, needed: Names) -> list[Names]:
    """The sampled columns."""
    del needed
    return [{name.data for name in op.columns}]


def of_concat(op: ConcatOp, needed: Names) -> list[Names]:
    """The same of every part."""
    return [needed] * len(op.frames)


def of_to_tensor(op: ToTensorOp, needed: Names) -> list[Names]:
    """The columns of all its tensors."""
    del needed
    return [{name for names in op.names for name in ([names] if isinstance(names, str) else names)}]


def of_from_tensor(op: FromTensorOp, needed: Names) -> list[Names]:
    """What is needed beside the tensors; at least one column, to count rows by."""
    if op.frame is None:
        return []
    kept = needed & set(frame_of(op.frame).columns)
    return [kept or {_narrowest(frame_of(op.frame))}]


def of_batches(op: BatchesOp, needed: Names) -> list[Names]:
    """The keys by which rows are dealt."""
    del needed
    return [{key.data for key in op.keys}]


def of_rows(op: RowsOp, needed: Names) -> list[Names]:
    """Any column tells how many rows there are."""
    del needed
    return [{_narrowest(frame_of(op.frame))}]


def all_columns(op: Operation, needed: Names) -> list[Names]:
    """Sorting and taking the first rows break ties by all columns; a sink or a result shows them."""
    del needed
    return [set(frame_of(operand).columns) for operand in _frames(op)]


def _frames(op: Operation) -> list[SSAValue]:
    return [operand for operand in op.operands if isinstance(operand.type, FrameType)]


RULES: dict[type[Operation], Rule] = {
    ProjectOp: of_project,
    FilterOp: of_filter,
    JoinOp: of_join,
    AggregateOp: of_aggregate,
    UniqueOp: of_unique,
    SampleOp: of_sample,
    ConcatOp: of_concat,
    ToTensorOp: of_to_tensor,
    FromTensorOp: of_from_tensor,
    BatchesOp: of_batches,
    RowsOp: of_rows,
}


def columns_needed(block: Block) -> dict[SSAValue, Names]:
    """For every frame of a program, the columns that are read of it, at least one to count rows by."""
    needs = dict[SSAValue, Names]()
    _collect(block, needs)
    return needs


def _collect(block: Block, needs: dict[SSAValue, Names]) -> None:
    for op in reversed(block.ops):
        if isinstance(op, ForOp):
            _collect(op.body.block, needs)
            continue
        wanted = set[str]()
        for result in op.results:
            if isinstance(result.type, FrameType):
                wanted = needs[result] = needs.get(result) or {_narrowest(result.type)}
        for operand, names in zip(_frames(op), RULES.get(type(op), all_columns)(op, wanted), strict=True):
            needs.setdefault(operand, set()).update(names)
        for scalar in op.walk():
            if isinstance(scalar, ScalarOp):
                needs.setdefault(scalar.frame, set()).add(scalar.column.data)


def _narrowest(frame: FrameType) -> str:
    """The column that costs the least to carry."""

    def bits(type_: t.DataType) -> int:
        base = t.strip(type_)
        return base.bitwidth if isinstance(base, FixedBitwidthType) else 1000 if base == t.string else 64

    return min(frame.columns.items(), key=lambda column: bits(column[1]))[0]


def fit(op: Operation, index: int, names: Names) -> None:
    """Put a projection before an operator that moves rows about, when it would move more than it needs."""
    frame = op.operands[index]
    columns = frame_of(frame).columns
    if names.issuperset(columns):
        return
    names = names or {_narrowest(frame_of(frame))}
    projection = Projection(frame, op.location)
    projection.keep(name for name in columns if name in names)
    project = projection.build()
    Rewriter.insert_op(project, InsertPoint.before(op))
    op.operands[index] = project.result


def narrow(op: Operation, needed: Names) -> None:
    """Drop the columns of an operator's result that nothing needs; its operands are narrow already."""
    old = frame_of(op.results[0]).columns
    if isinstance(op, JoinOp | AggregateOp | UniqueOp | ConcatOp):
        for index, names in enumerate(RULES[type(op)](op, needed)):
            fit(op, index, names)
    match op:
        case ScanOp():
            kept = [name for name in old if name in needed]
        case ProjectOp():
            kept = [name for name in old if name in needed]
            values = dict(op.outputs)
            assert op.body.block.last_op is not None
            op.body.block.last_op.operands = [values[name] for name in kept]
            op.names = strings(kept)
            erase_dead(op.body.block)
        case AggregateOp():
            op.aggregates = ArrayAttr([agg for agg in op.aggregates if agg.output.data in needed])
            kept = [*(key.data for key in op.keys), *(agg.output.data for agg in op.aggregates)]
        case JoinOp():
            kept = list(join_schema(op.kind.data, frame_of(op.left), frame_of(op.right), op.keys[1]))
        case SampleOp() | HistoryOp():
            kept = list(old)
        case FromTensorOp():
            added = [name.data for name in op.columns]
            kept = [*(frame_of(op.frame).columns if op.frame is not None else ()), *added]
        case _:
            kept = list(frame_of(op.operands[0]).columns)
    if kept != list(old):
        Rewriter.replace_value_with_new_type(op.results[0], FrameType.of({n: old[n] for n in kept}))


@dataclass(frozen=True)
class PushDownProjectionsPass(ModulePass):
    """Drops columns that no result, sink or other operator reads, from the scans on."""

    name = "push-down-projections"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for program in op.walk():
            if isinstance(program, ProgramOp):
                needs = columns_needed(program.body.block)
                for table_op in list(program.body.block.ops):
                    if table_op.results and table_op.results[0] in needs:
                        narrow(table_op, needs[table_op.results[0]])

"""Partition rules of what stands between frames and tensors, of calls of tensor functions, and of training.

A tensor has the layout `split<0, L>` when its rows are those of a frame that lies as L: values of one frame
in one layout are aligned row by row.
"""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import IndexType
from xdsl.dialects.func import CallOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue

from dlc.dialects import nn, table
from dlc.dialects.table_tensors import carries_rows

from .functions import callee, row_layouts, row_split, work
from .layouts import Any, Hash, Layout, Partial, Replicated, Shards, Single, Split
from .rules import Alternative, Rule, Site, inputs_of, one

FLOP_RATE = 2e10
"""FLOP/s of one rank in compiled functions; only ratios between alternatives of one function matter."""


def to_tensor(site: Site) -> Iterator[Alternative]:
    """Columns become tensors where their rows are."""
    for layout in _frame_layouts(site):
        left = Replicated() if layout == Replicated() else Split(0, layout)
        outputs = (left,) * len(site.op.results)
        yield Alternative("local", (layout,), outputs, site.work(layout, site.sizes[0]))


def _frame_layouts(site: Site) -> Iterator[Layout]:
    """Layouts in which rows can become tensors: those at hand, and what batches would like."""
    found = dict.fromkeys(layout for layout in site.candidates[0] if not isinstance(layout, Single))
    if site.costs.ranks > 1:
        for user in _users(site.op):
            if isinstance(user, nn.BatchesOp):
                found[dealt(user, site.costs.ranks)] = None
    return iter(found)


def _users(op: Operation) -> set[Operation]:
    return {use.operation for result in op.results for use in result.uses}


def dealt(op: nn.BatchesOp, ranks: int) -> Layout:
    """The layout in which every rank holds just the rows of its own shards."""
    keys, shards = tuple(key.data for key in op.keys), op.micro_batches.value.data
    # The ranks divide the shards: rows with equal hash modulo the shards have equal hash modulo the ranks.
    return Hash(keys) if shards % ranks == 0 else Shards(keys, shards)


def rows(site: Site) -> Iterator[Alternative]:
    """Every rank counts its rows."""
    for layout in site.candidates[0]:
        if layout == Replicated():
            yield one("local", (layout,), Replicated(), 0.0)
        elif layout.disjoint:
            yield one("local", (layout,), Partial("sum"), 0.0)


def from_tensor(site: Site) -> Iterator[Alternative]:
    """Tensors become columns where the rows of their frame are."""
    op = site.op
    assert isinstance(op, table.FromTensorOp)
    if op.frame is None:
        yield one("local", (Replicated(),) * len(op.tensors), Replicated(), 0.0)
        return
    for layout in site.candidates[0]:
        rows = Replicated() if layout == Replicated() else Split(0, layout)
        if all(rows in candidates for candidates in site.candidates[1:]):
            inputs = (layout, *(rows,) * len(op.tensors))
            yield one("local", inputs, layout, site.work(layout, site.output_size))


def call(site: Site) -> Iterator[Alternative]:
    """A function runs on the rows of each rank if its rules allow that, or as a whole on every rank."""
    op = site.op
    assert isinstance(op, CallOp)
    function = callee(op)
    if row_layouts(function, [row_split(value.type) for value in op.operands]) is None:
        return  # rows are taken in chunks, on one rank as on many
    seconds = work(function) / FLOP_RATE
    everywhere = tuple(Replicated() for _ in op.operands)
    yield Alternative("local", everywhere, tuple(Replicated() for _ in op.results), seconds)
    for given in _row_split(site):
        outputs = row_layouts(function, given)
        if outputs is not None:
            yield Alternative("local", given, outputs, seconds / site.costs.ranks)


def _row_split(site: Site) -> Iterator[tuple[Layout, ...]]:
    """Layouts of all operands in which those with rows are split alike, by the rows of one frame."""
    carriers = [index for index, value in enumerate(site.op.operands) if carries_rows(value.type)]
    splits = [[layout for layout in site.candidates[i] if isinstance(layout, Split)] for i in carriers]
    for first in splits[0] if splits else ():
        alike = [next((other for other in some if other.rows == first.rows), None) for some in splits]
        if None not in alike:
            chosen = dict(zip(carriers, alike, strict=True))
            yield tuple(chosen.get(index) or Replicated() for index in range(len(site.op.operands)))


def batches(site: Site) -> Iterator[Alternative]:
    """Every rank deals its own rows to its shards, or all rows when it has them all."""
    op = site.op
    assert isinstance(op, nn.BatchesOp)
    tensors = len(op.tensors)
    yield one("batches-all", (Replicated(),) * (tensors + 1), Any(), 0.0)
    if site.costs.ranks == 1:
        return
    if site.fast_math:
        for layout in site.candidates[0]:
            if layout.disjoint and not isinstance(layout, Single):
                yield one("batches-local", (layout, *(Split(0, layout),) * tensors), Any(), 0.0)
        return
    layout = dealt(op, site.costs.ranks)
    yield one("batches-hash", (layout, *(Split(0, layout),) * tensors), Any(), 0.0)


def batch(site: Site) -> Iterator[Alternative]:
    """A rank has its own rows of a batch; their number is that of the whole batch."""
    tensors = len(site.op.results) - 1
    outputs = (Replicated(), *(Split(0, Any()),) * tensors)
    yield Alternative("direct", (Any(),), outputs, 0.0)


def everywhere(site: Site) -> Iterator[Alternative]:
    """What every rank does alike with values that all of them have."""
    inputs = tuple(Any() if isinstance(v.type, nn.BatchesType) else Replicated() for v in inputs_of(site.op))
    yield Alternative("direct", inputs, tuple(_known(result) for result in site.op.results), 0.0)


def _known(value: SSAValue) -> Layout:
    return Any() if isinstance(value.type, IndexType) else Replicated()


TRAINING_RULES: dict[type[Operation], Rule] = {
    table.ToTensorOp: to_tensor,
    table.RowsOp: rows,
    table.FromTensorOp: from_tensor,
    CallOp: call,
    nn.BatchesOp: batches,
    nn.BatchOp: batch,
    nn.StepsOp: everywhere,
    nn.ParametersOp: everywhere,
    nn.LogOp: everywhere,
    nn.HistoryOp: everywhere,
    nn.SaveOp: everywhere,
    nn.LoadOp: everywhere,
    ForOp: everywhere,
}

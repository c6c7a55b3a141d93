"""Partition rules: the layouts that each operator can take its inputs in, what it leaves, and its work.

A rule looks at the layouts its inputs can be had in and offers alternatives. It names the strategy that
`emit` builds; it never touches IR itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import IntegerAttr, TensorType
from xdsl.ir import Operation, SSAValue

from dlc.dialects import table
from dlc.dialects.expr import ColumnOp, ScalarOp
from dlc.dialects.frame import FrameType
from dlc.dialects.nn import BatchesType

from .attributes import order_of
from .costs import GROUP_FACTOR, Costs
from .layouts import Any, Hash, Layout, Range, Replicated, Rows, Single

HOLISTIC = ("n_unique", "median", "first", "quantile")
"""Aggregates that need all rows of a group at once."""

LAID_OUT = (FrameType, TensorType, BatchesType)
"""Types of the values that lie over the ranks; others, such as a loop's index, are known everywhere."""


@dataclass(frozen=True)
class Alternative:
    """One way to run an operator: inputs and outputs in these layouts, local work in seconds."""

    strategy: str
    inputs: tuple[Layout, ...]
    outputs: tuple[Layout, ...]
    seconds: float

    @property
    def output(self) -> Layout:
        """The layout of the only output."""
        (layout,) = self.outputs
        return layout


def one(strategy: str, inputs: tuple[Layout, ...], output: Layout, seconds: float) -> Alternative:
    """An alternative of an operator with one output."""
    return Alternative(strategy, inputs, (output,), seconds)


@dataclass(frozen=True)
class Site:
    """An operator with what its rule may ask: layouts and sizes (bytes) of its inputs, size of its output."""

    op: Operation
    candidates: tuple[tuple[Layout, ...], ...]
    sizes: tuple[float, ...]
    output_size: float
    costs: Costs
    fast_math: bool = False

    def work(self, layout: Layout, size: float) -> float:
        """Seconds for one pass over a frame in a layout."""
        return self.costs.work(size, replicated=isinstance(layout, Replicated | Single))


Rule = Callable[[Site], Iterator[Alternative]]


def captured_frames(op: Operation) -> list[SSAValue]:
    """One-row frames that the expressions of an operator read, each once."""
    found = dict[SSAValue, None]()
    for inner in op.walk():
        if isinstance(inner, ScalarOp):
            found[inner.frame] = None
    return list(found)


def inputs_of(op: Operation) -> list[SSAValue]:
    """Frames, tensors and batches that an operator reads: its operands, then what its expressions capture."""
    operands = [value for value in op.operands if isinstance(value.type, LAID_OUT)]
    return operands + [value for value in captured_frames(op) if value not in operands]


def is_ordered(value: SSAValue) -> bool:
    """Whether a frame has an order of its own, or is a bag of rows."""
    pending = [value]
    while pending:
        op = pending.pop().owner
        if isinstance(op, table.FilterOp | table.ProjectOp | table.HeadOp | table.ConcatOp):
            pending += [operand for operand in op.operands if isinstance(operand.type, FrameType)]
        elif not isinstance(op, table.ScanOp | table.SortOp):
            return False
    return True


def scan(site: Site) -> Iterator[Alternative]:
    """Every rank reads its share of the pieces, or a small file as a whole."""
    assert isinstance(site.op, table.ScanOp)
    scalars = (Replicated(),) * len(site.candidates)
    decoded = _decoded_size(site.op, site.output_size)
    everywhere = site.costs.read(decoded, replicated=True) + site.costs.crowding(site.output_size)
    yield one("replicated-read", scalars, Replicated(), everywhere)
    if site.costs.ranks > 1:
        yield one("local", scalars, Rows(), site.costs.read(decoded, replicated=False))


def _decoded_size(op: table.ScanOp, kept: float) -> float:
    """Bytes of all rows that a scan decodes, of which its predicate keeps those counted in `kept`."""
    rows = op.attributes.get("rows")
    if op.piece_list is None or not isinstance(rows, IntegerAttr):
        return kept
    return kept / max(rows.value.data, 1) * sum(piece[2] for piece in op.piece_list)


def row_by_row(site: Site) -> Iterator[Alternative]:
    """Filters and projections run where the rows are."""
    names = _kept_names(site.op)
    scalars = (Replicated(),) * (len(site.candidates) - 1)
    for layout in site.candidates[0]:
        yield one("local", (layout, *scalars), layout.renamed(names), site.work(layout, site.sizes[0]))


def _kept_names(op: Operation) -> dict[str, str]:
    frame = op.operands[0].type
    assert isinstance(frame, FrameType)
    if not isinstance(op, table.ProjectOp):
        return {name: name for name in frame.columns}
    kept = dict[str, str]()
    for name, value in op.outputs:
        if isinstance(value.owner, ColumnOp):
            kept.setdefault(value.owner.column.data, name)
    return kept


def join(site: Site) -> Iterator[Alternative]:
    """Shuffle both sides by the keys, or bring one side whole to every rank."""
    op = site.op
    assert isinstance(op, table.JoinOp)
    lefts, rights = site.candidates[0], site.candidates[1]
    left_size, right_size = site.sizes[0], site.sizes[1]
    left_on, right_on = op.keys
    everything = site.costs.work(left_size + right_size, replicated=True)
    yield one("local", (Replicated(), Replicated()), Replicated(), everything)
    if site.costs.ranks == 1:
        return
    build_right = site.costs.work(right_size, replicated=True)
    for layout in lefts:
        if layout.disjoint and not isinstance(layout, Single):
            work = build_right + site.work(layout, left_size)
            yield one("broadcast-right", (layout, Replicated()), layout.unordered(), work)
    if op.kind.data == "inner":
        build_left = site.costs.work(left_size, replicated=True)
        names = dict(zip(right_on, left_on, strict=True)) | {
            name: name for name in _columns(op.right) if name not in right_on
        }
        for layout in rights:
            if layout.disjoint and not isinstance(layout, Single):
                work = build_left + site.work(layout, right_size)
                yield one("broadcast-left", (Replicated(), layout), layout.renamed(names).unordered(), work)
    both = site.work(Any(), left_size) + site.work(Any(), right_size)
    for left_keys, right_keys in _join_keys(lefts, rights, left_on, right_on):
        yield one("shuffle", (Hash(left_keys), Hash(right_keys)), Hash(left_keys), both)


def _join_keys(
    lefts: Sequence[Layout], rights: Sequence[Layout], left_on: Sequence[str], right_on: Sequence[str]
) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Key lists to shuffle by: all keys, and those by which a side already lies."""
    found = {(tuple(left_on), tuple(right_on))}
    to_right, to_left = dict(zip(left_on, right_on, strict=True)), dict(zip(right_on, left_on, strict=True))
    for layout in lefts:
        if isinstance(layout, Hash) and all(key in to_right for key in layout.keys):
            found.add((layout.keys, tuple(to_right[key] for key in layout.keys)))
    for layout in rights:
        if isinstance(layout, Hash) and all(key in to_left for key in layout.keys):
            found.add((tuple(to_left[key] for key in layout.keys), layout.keys))
    return found


def _columns(value: SSAValue) -> dict[str, object]:
    assert isinstance(value.type, FrameType)
    return dict(value.type.columns)


def aggregate(site: Site) -> Iterator[Alternative]:
    """Group where equal keys already meet, or group in two phases around a collective."""
    op = site.op
    assert isinstance(op, table.AggregateOp)
    keys = tuple(key.data for key in op.keys)
    holistic = any(agg.function.data.partition(":")[0] in HOLISTIC for agg in op.aggregates)
    yield from _grouping(site, keys, two_phase=not holistic)


def unique(site: Site) -> Iterator[Alternative]:
    """As grouping by the columns that must differ."""
    op = site.op
    assert isinstance(op, table.UniqueOp)
    keys = [name.data for name in op.on] if op.on is not None else list(_columns(op.frame))
    yield from _grouping(site, tuple(keys), two_phase=True)


def _grouping(site: Site, keys: tuple[str, ...], *, two_phase: bool) -> Iterator[Alternative]:
    size, groups, costs = site.sizes[0], site.output_size, site.costs

    def group(layout: Layout, rows: float, groups: float) -> float:
        return site.work(layout, rows + GROUP_FACTOR * groups)

    yield one("local", (Replicated(),), Replicated(), group(Replicated(), size, groups))
    if costs.ranks == 1:
        return
    if not keys:
        if two_phase:
            for layout in _disjoint(site):
                work = site.work(layout, size) + costs.all_gather(groups * costs.ranks)
                yield one("all-reduce", (layout,), Replicated(), work)
        else:
            yield one("local", (Single(),), Single(), site.work(Single(), size))
        return
    for layout in site.candidates[0]:
        if isinstance(layout, Hash) and set(layout.keys) <= set(keys):
            yield one("local", (layout,), layout, group(layout, size, groups))
    by_keys = Hash(keys)
    yield one("local", (by_keys,), by_keys, group(by_keys, size, groups))
    if not two_phase:
        return
    # The first phase leaves at most every group on every rank.
    partials = min(size, groups * costs.ranks)
    for layout in _disjoint(site):
        first = group(layout, size, partials)
        shuffled = first + costs.shuffle(partials) + group(by_keys, partials, groups)
        yield one("shuffle-partials", (layout,), by_keys, shuffled)
        gathered = first + costs.all_gather(partials) + group(Replicated(), partials, groups)
        yield one("gather-partials", (layout,), Replicated(), gathered)


def _disjoint(site: Site) -> Iterator[Layout]:
    return (layout for layout in site.candidates[0] if layout.disjoint and not isinstance(layout, Single))


def sort(site: Site) -> Iterator[Alternative]:
    """Sort in one place, or by ranges cut at a sample; with a limit, each rank's best rows are enough."""
    op = site.op
    assert isinstance(op, table.SortOp)
    size, costs = site.sizes[0], site.costs
    yield one("local", (Replicated(),), Replicated(), 2 * site.work(Replicated(), size))
    if costs.ranks == 1:
        return
    for layout in _disjoint(site):
        first = 2 * site.work(layout, size)
        if op.limit is not None:
            best = min(size, site.output_size * costs.ranks)
            yield one("gather-best", (layout,), Single(), first + costs.gather(best))
        else:
            by = tuple(order_of(key) for key in op.by)
            # The second sort finds its rows in a few sorted runs.
            cost = 1.5 * first + costs.shuffle(size) + costs.all_gather(min(size, 1e4))
            yield one("sample-sort", (layout,), Range(by), cost)
    if op.limit is None:
        yield one("local", (Single(),), Single(), 2 * site.work(Single(), size))


def head(site: Site) -> Iterator[Alternative]:
    """The first rows of each rank, then the first of those."""
    yield one("local", (Replicated(),), Replicated(), 0.0)
    if site.costs.ranks == 1:
        return
    best = min(site.sizes[0], site.output_size * site.costs.ranks)
    for layout in site.candidates[0]:
        if layout.ordered and layout.disjoint and not isinstance(layout, Single):
            yield one("gather-best", (layout,), Single(), site.costs.gather(best))


def concat(site: Site) -> Iterator[Alternative]:
    """Each rank appends its own rows, which loses the order; in one place the order stays."""
    for whole in (Replicated(), Single()):
        inputs = (whole,) * len(site.candidates)
        yield one("local", inputs, whole, site.work(whole, sum(site.sizes)))
    if site.costs.ranks == 1:
        return
    spread = [
        next((la for la in layouts if la.disjoint and not isinstance(la, Single)), None)
        for layouts in site.candidates
    ]
    if all(layout is not None for layout in spread):
        inputs = tuple(layout for layout in spread if layout is not None)
        yield one("local", inputs, Any(), site.work(Any(), sum(site.sizes)))


def sink(site: Site) -> Iterator[Alternative]:
    """One file is written from one place, a directory by every rank."""
    op = site.op
    assert isinstance(op, table.SinkOp)
    for layout in site.candidates[0]:
        if layout.disjoint and op.layout.data == "directory":
            yield one("local", (layout,), layout, site.work(layout, site.sizes[0]))
    for whole in (Single(), Replicated()):
        yield one("local", (whole,), whole, site.work(whole, site.sizes[0]))


def deliver(site: Site) -> Iterator[Alternative]:  # noqa: ARG001
    """A result for the caller lies whole on rank 0."""
    for whole in (Single(), Replicated()):
        yield one("local", (whole,), whole, 0.0)


RULES: dict[type[Operation], Rule] = {
    table.ScanOp: scan,
    table.FilterOp: row_by_row,
    table.ProjectOp: row_by_row,
    table.JoinOp: join,
    table.AggregateOp: aggregate,
    table.UniqueOp: unique,
    table.SortOp: sort,
    table.HeadOp: head,
    table.ConcatOp: concat,
    table.SinkOp: sink,
}

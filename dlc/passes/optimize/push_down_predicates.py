"""`push-down-predicates`: rows that nobody wants are dropped as early as possible, at best while reading.

A term of a predicate moves only when it cannot fail, so that no error appears that the program as written
would not raise; the operators above it see fewer rows, never more.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import LocationAttr, ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from dlc.dialects import datatypes as t
from dlc.dialects.expr import ColumnOp
from dlc.dialects.frame import frame_of
from dlc.dialects.table import (
    AggregateOp,
    ConcatOp,
    FilterOp,
    JoinOp,
    ProjectOp,
    ScanOp,
    SortOp,
    UniqueOp,
    yielded,
)

from .expressions import (
    MAX_DEPTH,
    at,
    can_fail,
    columns_read,
    conjuncts,
    copy_into,
    depth,
    is_cheap,
    predicate_region,
    reads_frame,
)


@dataclass(frozen=True)
class Move:
    """Where a term goes: an operand of the operator below, and what columns are called there."""

    operand: int
    columns: Mapping[str, SSAValue] = field(default_factory=dict[str, SSAValue])


def below_project(project: ProjectOp, term: SSAValue) -> list[Move]:
    """The term with columns replaced by the expressions that compute them."""
    outputs = dict(project.outputs)
    values = {name: outputs[name] for name in columns_read([term])}
    if any(can_fail(value) or not is_cheap(value) for value in values.values()):
        return []
    if depth([term]) + depth(values.values()) > MAX_DEPTH:
        return []
    return [Move(0, values)]


def below_join(join: JoinOp, term: SSAValue) -> list[Move]:
    """To the side whose columns it reads; to both when it reads only keys, which are equal on both."""
    left, right = frame_of(join.left).columns, frame_of(join.right).columns
    names = columns_read([term])
    pairs = zip(*join.keys, strict=True)
    # Equal floats can still differ: 0.0 and -0.0.
    same = [(a, b) for a, b in pairs if left[a] == right[b] and not t.is_float(left[a])]
    renamed = Block([ColumnOp(b, right[b]) for _, b in same])
    keys = {a: op.results[0] for (a, _), op in zip(same, renamed.ops, strict=True)}
    to_right = [Move(1, keys)] if names and all(name in keys for name in names) else []
    if all(name in left for name in names):
        return [Move(0), *to_right]
    if join.kind.data == "inner" and all(name in right or name in keys for name in names):
        return [Move(1, keys)]
    return []


def below_aggregate(aggregate: AggregateOp, term: SSAValue) -> list[Move]:
    """A group goes whole when the term reads only its keys; without keys there is one row in any case."""
    keys = [key.data for key in aggregate.keys]
    return [Move(0)] if keys and _reads_only(term, keys, aggregate.frame) else []


def below_unique(unique: UniqueOp, term: SSAValue) -> list[Move]:
    """Rows taken for duplicates agree on the columns compared, so they go together."""
    compared = frame_of(unique.frame).columns if unique.on is None else [name.data for name in unique.on]
    return [Move(0)] if _reads_only(term, compared, unique.frame) else []


def below_sort(sort: SortOp, term: SSAValue) -> list[Move]:
    """Fewer rows in the same order, unless their number is limited."""
    del term
    return [Move(0)] if sort.limit is None else []


def below_concat(concat: ConcatOp, term: SSAValue) -> list[Move]:
    """To every part."""
    del term
    return [Move(index) for index in range(len(concat.frames))]


def _reads_only(term: SSAValue, names: Iterable[str], frame: SSAValue) -> bool:
    exact = {name for name in names if not t.is_float(frame_of(frame).columns[name])}
    return exact.issuperset(columns_read([term]))


Rule = Callable[[Any, SSAValue], list[Move]]
RULES: dict[type[Operation], Rule] = {
    ProjectOp: below_project,
    JoinOp: below_join,
    AggregateOp: below_aggregate,
    UniqueOp: below_unique,
    SortOp: below_sort,
    ConcatOp: below_concat,
}


def _add(predicate: Region | None, terms: Sequence[SSAValue], location: LocationAttr) -> Region:
    """The conjunction of the predicate that may be there already and of further terms."""
    block = Block()
    known = copy_into(block, conjuncts(yielded(predicate)[0])) if predicate is not None else []
    return predicate_region(block, [*known, *copy_into(block, terms)], location)


def _new_filter(frame: SSAValue, predicate: Region, before: Operation, location: LocationAttr) -> FilterOp:
    filter_ = at(location, FilterOp(frame, predicate))
    Rewriter.insert_op(filter_, InsertPoint.before(before))
    return filter_


def _leave(filter_: FilterOp, frame: SSAValue, moved: Container[SSAValue]) -> None:
    """Replace a filter by one of the terms that did not move, or by the frame when none is left."""
    rest = [term for term in terms_of(filter_) if term not in moved]
    if rest:
        frame = _new_filter(frame, _add(None, rest, filter_.location), filter_, filter_.location).result
    filter_.result.replace_all_uses_with(frame)
    Rewriter.erase_op(filter_)


def terms_of(filter_: FilterOp) -> list[SSAValue]:
    """The conjuncts of a filter."""
    return conjuncts(yielded(filter_.predicate)[0])


def into_scan(filter_: FilterOp, scan: ScanOp) -> None:
    """Have the reader drop the rows."""
    # A reader has no other frame at hand.
    moved = [term for term in terms_of(filter_) if not can_fail(term) and not reads_frame(term)]
    if moved:
        predicate = _add(scan.predicate, moved, filter_.location)
        if scan.predicate is not None:
            scan.detach_region(scan.predicate)
        scan.add_region(predicate)
        _leave(filter_, scan.result, moved)


def into_filter(filter_: FilterOp, lower: FilterOp) -> list[FilterOp]:
    """Make one filter of two; it stands where the upper one stood, after all that its terms refer to."""
    moved = [term for term in terms_of(filter_) if not can_fail(term)]
    if not moved:
        return []
    merged = _new_filter(lower.frame, _add(lower.predicate, moved, filter_.location), filter_, lower.location)
    _leave(filter_, merged.result, moved)
    Rewriter.erase_op(lower)
    return [merged]


def below(filter_: FilterOp, source: Operation, rule: Rule) -> list[FilterOp]:
    """Let each term go where the rule of the operator sends it."""
    moves = {term: rule(source, term) for term in terms_of(filter_) if not can_fail(term)}
    moves = {term: targets for term, targets in moves.items() if targets}
    if not moves:
        return []
    # The operator comes up to the filter, where all that the terms refer to is known.
    source.detach()
    Rewriter.insert_op(source, InsertPoint.before(filter_))
    lower = list[FilterOp]()
    for index, frame in enumerate(source.operands):
        block = Block()
        terms = list[SSAValue]()
        for term, targets in moves.items():
            for move in (move for move in targets if move.operand == index):
                values = copy_into(block, list(move.columns.values()))
                terms += copy_into(block, [term], dict(zip(move.columns, values, strict=True)))
        if terms:
            region = predicate_region(block, terms, filter_.location)
            lower.append(_new_filter(frame, region, source, filter_.location))
            source.operands[index] = lower[-1].result
    _leave(filter_, source.results[0], moves)
    return lower


def push(filter_: FilterOp) -> list[FilterOp]:
    """Move what can move below the operator beneath a filter; returns the filters that now stand lower."""
    source = filter_.frame.owner
    # With another reader of the frame, its work would be done twice.
    if not isinstance(source, Operation) or not filter_.frame.has_one_use():
        return []
    if isinstance(source, ScanOp):
        into_scan(filter_, source)
        return []
    if isinstance(source, FilterOp):
        return into_filter(filter_, source)
    rule = RULES.get(type(source))
    return below(filter_, source, rule) if rule is not None else []


@dataclass(frozen=True)
class PushDownPredicatesPass(ModulePass):
    """Moves the terms of filters towards the scans."""

    name = "push-down-predicates"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        pending = [filter_ for filter_ in op.walk(reverse=True) if isinstance(filter_, FilterOp)]
        while pending:
            filter_ = pending.pop()
            if filter_.parent is not None:
                pending += push(filter_)

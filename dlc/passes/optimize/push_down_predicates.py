"""`push-down-predicates`: rows that nobody wants are dropped as early as possible, at best while reading.

A term of a predicate moves only when it cannot fail, so that no error appears that the program as written
would not raise; the operators above it see fewer rows, never more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from dlc.passes.locations import at

from .expressions import (
    MAX_DEPTH,
    can_fail,
    columns_read,
    conjuncts,
    copy_into,
    depth,
    is_cheap,
    is_column,
    predicate_region,
    reads_frame,
)


@dataclass(frozen=True)
class Move:
    """Where a term goes: an operand of the operator below, and what columns are called there."""

    operand: int
    columns: Mapping[str, SSAValue] = field(default_factory=dict[str, SSAValue])


Rule = Callable[[SSAValue], list[Move]]
"""Where a term goes from above an operator; nowhere if it has to stay."""


def below_project(project: ProjectOp) -> Rule:
    """The term with columns replaced by the expressions that compute them."""
    changed = {name: value for name, value in project.outputs if not is_column(value, name)}

    def rule(term: SSAValue) -> list[Move]:
        values = {name: changed[name] for name in columns_read([term]) if name in changed}
        if any(can_fail(value) or not is_cheap(value) for value in values.values()):
            return []
        return [Move(0, values)] if depth([term]) + depth(values.values()) <= MAX_DEPTH else []

    return rule


def below_join(join: JoinOp) -> Rule:
    """To the side whose columns it reads; to both when it reads only keys, which are equal on both."""
    left, right = frame_of(join.left).columns, frame_of(join.right).columns
    pairs = zip(*join.keys, strict=True)
    # Equal floats can still differ: 0.0 and -0.0.
    same = [(a, b) for a, b in pairs if left[a] == right[b] and not t.is_float(left[a])]
    renamed = Block([at(join.location, ColumnOp(b, right[b])) for _, b in same])
    keys = {a: op.results[0] for (a, _), op in zip(same, renamed.ops, strict=True)}

    def rule(term: SSAValue) -> list[Move]:
        names = columns_read([term])
        to_right = [Move(1, {name: keys[name] for name in names if name in keys})]
        if all(name in left for name in names):
            return [Move(0), *(to_right if names and all(name in keys for name in names) else [])]
        inner = join.kind.data == "inner"
        return to_right if inner and all(name in right or name in keys for name in names) else []

    return rule


def below_aggregate(aggregate: AggregateOp) -> Rule:
    """A group goes whole when the term reads only its keys; without keys there is one row in any case."""
    keys = [key.data for key in aggregate.keys]
    return _if_reads_only(keys, aggregate.frame) if keys else lambda _: []


def below_unique(unique: UniqueOp) -> Rule:
    """Rows taken for duplicates agree on the columns compared, so they go together."""
    compared = frame_of(unique.frame).columns if unique.on is None else [name.data for name in unique.on]
    return _if_reads_only(compared, unique.frame)


def _if_reads_only(names: Iterable[str], frame: SSAValue) -> Rule:
    columns = frame_of(frame).columns
    # Equal floats can still differ: 0.0 and -0.0.
    exact = {name for name in names if not t.is_float(columns[name])}
    return lambda term: [Move(0)] if exact.issuperset(columns_read([term])) else []


def below_sort(sort: SortOp) -> Rule:
    """Fewer rows in the same order, unless their number is limited."""
    return lambda _: [Move(0)] if sort.limit is None else []


def below_concat(concat: ConcatOp) -> Rule:
    """To every part."""
    moves = [Move(index) for index in range(len(concat.frames))]
    return lambda _: moves


RULES: dict[type[Operation], Callable[[Any], Rule]] = {
    ProjectOp: below_project,
    JoinOp: below_join,
    AggregateOp: below_aggregate,
    UniqueOp: below_unique,
    SortOp: below_sort,
    ConcatOp: below_concat,
}


@dataclass
class Descent:
    """Brings the terms of one filter down, and with them those of the filters on the way."""

    filter: FilterOp
    pending: list[tuple[Operation, int, list[SSAValue]]] = field(
        default_factory=list[tuple[Operation, int, list[SSAValue]]]
    )
    """Operators, one of their operands, and what its rows have to satisfy."""
    blocks: list[Block] = field(default_factory=list[Block])
    """Where terms live while they move."""

    def run(self) -> None:
        """Leave each term where it can go no further."""
        self.pending.append((self.filter, 0, self.take(self.filter)))
        while self.pending:
            self.step(*self.pending.pop())
        if not self.filter.predicate.blocks:
            self.filter.result.replace_all_uses_with(self.filter.frame)
            Rewriter.erase_op(self.filter)
        for block in self.blocks:
            block.erase()

    def take(self, filter_: FilterOp) -> list[SSAValue]:
        """Take the terms that cannot fail out of a filter, which is left without a block if they were all."""
        region = filter_.predicate
        terms = conjuncts(yielded(region)[0])
        rest = [term for term in terms if can_fail(term)]
        self.blocks.append(region.detach_block(0))
        if rest:
            region.add_block(_predicate(rest, filter_.location).detach_block(0))
        return [term for term in terms if term not in rest]

    def step(self, user: Operation, index: int, terms: list[SSAValue]) -> None:
        """Bring terms below the operator that makes an operand, or put a filter there."""
        frame = user.operands[index]
        source = frame.owner
        # With another reader of the frame, its work would be done twice.
        if not isinstance(source, Operation) or not frame.has_one_use():
            self.settle(user, index, terms)
        elif isinstance(source, ScanOp):
            # A reader has no other frame at hand.
            here = [term for term in terms if not reads_frame(term)]
            self.into_scan(source, here)
            self.settle(user, index, [term for term in terms if term not in here])
        elif isinstance(source, FilterOp):
            terms = [*self.take(source), *terms]
            if source.predicate.blocks:
                self.below(source, user, [terms])
            else:
                user.operands[index] = source.frame
                Rewriter.erase_op(source)
                self.pending.append((user, index, terms))
        elif type(source) in RULES:
            rule = RULES[type(source)](source)
            moves = {term: rule(term) for term in terms}
            placed: list[list[SSAValue]] = [[] for _ in source.operands]
            for term, targets in moves.items():
                for move in targets:
                    placed[move.operand].append(self.renamed(term, move.columns))
            if any(placed):
                self.below(source, user, placed)
            self.settle(user, index, [term for term in terms if not moves[term]])
        else:
            self.settle(user, index, terms)

    def below(self, source: Operation, user: Operation, terms: Sequence[list[SSAValue]]) -> None:
        """Go on below an operator, which comes up to where all that terms refer to is known."""
        source.detach()
        Rewriter.insert_op(source, InsertPoint.before(user))
        self.pending += [(source, index, part) for index, part in enumerate(terms) if part]

    def renamed(self, term: SSAValue, columns: Mapping[str, SSAValue]) -> SSAValue:
        """The term over other columns."""
        if not columns:
            return term
        block = Block()
        self.blocks.append(block)
        values = copy_into(block, list(columns.values()))
        return copy_into(block, [term], dict(zip(columns, values, strict=True)))[0]

    def into_scan(self, scan: ScanOp, terms: list[SSAValue]) -> None:
        """Have the reader drop the rows."""
        if terms:
            known = conjuncts(yielded(scan.predicate)[0]) if scan.predicate is not None else []
            predicate = _predicate([*known, *terms], self.filter.location)
            if scan.predicate is not None:
                scan.detach_region(scan.predicate)
            scan.add_region(predicate)

    def settle(self, user: Operation, index: int, terms: list[SSAValue]) -> None:
        """Put a filter before an operand."""
        if terms:
            location = self.filter.location
            filter_ = at(location, FilterOp(user.operands[index], _predicate(terms, location)))
            Rewriter.insert_op(filter_, InsertPoint.before(user))
            user.operands[index] = filter_.result


def _predicate(terms: Iterable[SSAValue], location: LocationAttr) -> Region:
    """A region of copies of these terms."""
    block = Block()
    return predicate_region(block, [copy_into(block, [term])[0] for term in terms], location)


@dataclass(frozen=True)
class PushDownPredicatesPass(ModulePass):
    """Moves the terms of filters towards the scans."""

    name = "push-down-predicates"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        # The topmost first: it takes the filters below along.
        for filter_ in [found for found in op.walk(reverse=True) if isinstance(found, FilterOp)]:
            if filter_.parent is not None and filter_.frame.has_one_use():
                Descent(filter_).run()

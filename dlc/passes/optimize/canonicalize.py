"""`canonicalize`: one spelling for programs that mean the same, with fewer operators and expressions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue, Use
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from dlc.dialects import datatypes as t
from dlc.dialects.expr import CastOp, ColumnOp, LiteralOp, NullOp, ParamOp
from dlc.dialects.frame import frame_of
from dlc.dialects.table import (
    AggregateOp,
    ConcatOp,
    FilterOp,
    HeadOp,
    JoinOp,
    ProjectOp,
    SortOp,
    UniqueOp,
    yielded,
)
from dlc.passes.locations import at

from .constants import Constant, constant
from .dce import erase_dead
from .expressions import MAX_DEPTH, can_fail, conjuncts, copy_into, depth, is_column, predicate_region
from .simplify import EXPRESSION_PATTERNS


def _supplant(op: Operation, new: Operation, inner: Operation, rewriter: PatternRewriter) -> None:
    """Replace an op and the one beneath it, which others may still read, by a new one."""
    rewriter.replace(op, new)
    if not any(result.uses for result in inner.results):
        rewriter.erase(inner)


class ProjectOfProject(RewritePattern):
    """One projection, unless an expression would be computed twice."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ProjectOp, rewriter: PatternRewriter):
        inner = op.frame.owner
        if not isinstance(inner, ProjectOp):
            return
        outputs = dict(inner.outputs)
        uses = Counter[str]()
        for read in op.body.block.ops:
            if isinstance(read, ColumnOp):
                uses[read.column.data] += read.result.uses.get_length()
        computed = [name for name in uses if not _is_plain(outputs[name])]
        if any(uses[name] > 1 for name in computed) or (computed and not inner.result.has_one_use()):
            return
        if depth(yielded(op.body)) + depth(outputs[name] for name in uses) > MAX_DEPTH:
            return
        if not inner.result.has_one_use():
            inner = rewriter.insert(inner.clone())
            outputs = dict(inner.outputs)
        block = inner.body.block
        assert block.last_op is not None
        rewriter.erase(block.last_op)
        for moved in list(op.body.block.ops):
            if isinstance(moved, ColumnOp):
                rewriter.replace_all_uses_with(moved.result, outputs[moved.column.data])
                rewriter.erase(moved)
            else:
                moved.detach()
                block.add_op(moved)
        merged = ProjectOp(inner.frame, [name.data for name in op.names], inner.detach_region(inner.body))
        rewriter.replace(op, at(op.location, merged))
        rewriter.erase(inner)


def _is_plain(value: SSAValue) -> bool:
    """Whether an expression costs nothing, so that it may stand in several places."""
    op = value.owner
    if isinstance(op, CastOp) and t.strip(op.operand.type) == t.strip(op.result.type):
        op = op.operand.owner
    return isinstance(op, ColumnOp | LiteralOp | NullOp | ParamOp)


class IdentityProject(RewritePattern):
    """A projection to the columns that are there already."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ProjectOp, rewriter: PatternRewriter):
        if op.result.type == op.frame.type and all(is_column(value, name) for name, value in op.outputs):
            rewriter.replace(op, [], [op.frame])


class FilterOfTrue(RewritePattern):
    """A filter that keeps every row."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FilterOp, rewriter: PatternRewriter):
        if constant(yielded(op.predicate)[0]) == Constant(True):
            rewriter.replace(op, [], [op.frame])


class FilterOfFilter(RewritePattern):
    """One filter by all predicates of a chain, cut where one may fail on rows that a lower one drops."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FilterOp, rewriter: PatternRewriter):
        user = op.result.get_user_of_unique_use()
        if isinstance(user, FilterOp) and _joins_lower(user):
            return
        chain = [op]
        while _joins_lower(chain[-1]):
            chain.append(cast("FilterOp", chain[-1].frame.owner))
        if len(chain) > 1:
            terms = [term for filter_ in reversed(chain) for term in conjuncts(yielded(filter_.predicate)[0])]
            block = Block()
            copies = [copy_into(block, [term])[0] for term in terms]
            merged = FilterOp(chain[-1].frame, predicate_region(block, copies, op.location))
            rewriter.replace(op, at(chain[-1].location, merged))
            for lower in chain[1:]:
                rewriter.erase(lower)


def _joins_lower(filter_: FilterOp) -> bool:
    """Whether the predicate may be evaluated together with that of the filter below."""
    lower = filter_.frame.owner
    return (
        isinstance(lower, FilterOp)
        and lower.result.has_one_use()
        and not can_fail(yielded(filter_.predicate)[0])
    )


class HeadOfOrdered(RewritePattern):
    """The first rows of a sorted frame need no full sort, the first of the first no second look."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: HeadOp, rewriter: PatternRewriter):
        inner, count = op.frame.owner, op.count.value.data
        match inner:
            case SortOp() if inner.result.has_one_use():
                limit = count if inner.limit is None else min(count, inner.limit.value.data)
                new = SortOp(inner.frame, list(inner.by), limit)
            case HeadOp():
                new = HeadOp(inner.frame, min(count, inner.count.value.data))
            case _:
                return
        _supplant(op, at(inner.location, new), inner, rewriter)


class ConcatOfOne(RewritePattern):
    """A frame put after nothing."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConcatOp, rewriter: PatternRewriter):
        if len(op.frames) == 1:
            rewriter.replace(op, [], [op.frames[0]])


class UnobservedSort(RewritePattern):
    """A sort whose order nobody can see."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SortOp, rewriter: PatternRewriter):
        if op.limit is None and op.result.uses and not _order_matters(op.result):
            rewriter.replace(op, [], [op.frame])


def _order_matters(frame: SSAValue) -> bool:
    return any(_sees_order(use) for use in frame.uses)


def _sees_order(use: Use) -> bool:
    match user := use.operation:
        case AggregateOp():
            return any(agg.function.data == "first" for agg in user.aggregates)
        case UniqueOp() | SortOp():
            return False
        case JoinOp() if use.index == 1:
            return False
        case FilterOp() | ProjectOp():
            return _order_matters(user.result)
        case _:
            return True


class UniqueOfGroups(RewritePattern):
    """Groups differ in their keys already."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: UniqueOp, rewriter: PatternRewriter):
        inner = op.frame.owner
        compared = [name.data for name in op.on] if op.on is not None else list(frame_of(op.frame).columns)
        if isinstance(inner, AggregateOp) and {key.data for key in inner.keys} <= set(compared):
            rewriter.replace(op, [], [op.frame])


TABLE_PATTERNS: tuple[RewritePattern, ...] = (
    ProjectOfProject(),
    IdentityProject(),
    FilterOfTrue(),
    FilterOfFilter(),
    HeadOfOrdered(),
    ConcatOfOne(),
    UnobservedSort(),
    UniqueOfGroups(),
)


@dataclass(frozen=True)
class CanonicalizePass(ModulePass):
    """Simplifies expressions and merges operators, until nothing changes."""

    name = "canonicalize"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns = GreedyRewritePatternApplier([*EXPRESSION_PATTERNS, *TABLE_PATTERNS])
        PatternRewriteWalker(patterns).rewrite_module(op)
        erase_dead(op.body.block)

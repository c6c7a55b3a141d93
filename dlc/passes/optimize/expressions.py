"""Expression trees inside the regions of table operators: reading, copying, rebuilding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Block, Operation, Region, SSAValue

from dlc.dialects import datatypes as t
from dlc.dialects.expr import AndOp, CallOp, ColumnOp, ScalarOp, may_fail
from dlc.dialects.table import YieldOp
from dlc.passes.locations import at


def tree(roots: Iterable[SSAValue]) -> list[Operation]:
    """The ops of one region that compute these values, operands before users."""
    found = dict[Operation, None]()
    pending = [owner for root in roots if isinstance(owner := root.owner, Operation)][::-1]
    while pending:
        op = pending[-1]
        # Frames that `expr.scalar` reads live outside the region.
        missing = [
            owner
            for operand in op.operands
            if isinstance(owner := operand.owner, Operation)
            and owner.parent is op.parent
            and owner not in found
        ]
        pending += reversed(missing)
        if not missing:
            found[op] = None
            pending.pop()
    return list(found)


def columns_read(roots: Iterable[SSAValue]) -> list[str]:
    """Names of the columns that these values depend on, each once."""
    return list(dict.fromkeys(op.column.data for op in tree(roots) if isinstance(op, ColumnOp)))


def is_column(value: SSAValue, name: str) -> bool:
    """Whether the value is the column of that name as it is."""
    return isinstance(value.owner, ColumnOp) and value.owner.column.data == name


def can_fail(root: SSAValue) -> bool:
    """Whether computing the value could raise a run-time error."""
    return any(may_fail(op) for op in tree([root]))


def is_cheap(root: SSAValue) -> bool:
    """Whether computing the value a second time is cheaper than carrying it along: no text is searched."""
    return not any(
        isinstance(op, CallOp) and any(t.strip(a.type) == t.string for a in op.arguments)
        for op in tree([root])
    )


def reads_frame(root: SSAValue) -> bool:
    """Whether the value depends on another frame through `expr.scalar`."""
    return any(isinstance(op, ScalarOp) for op in tree([root]))


MAX_DEPTH = 100
"""Levels beyond which rewrites let an expression stay in two operators: kernels walk trees by recursion."""


def depth(roots: Iterable[SSAValue]) -> int:
    """Levels of the deepest of these trees."""
    roots = list(roots)
    levels = dict[SSAValue, int]()
    for op in tree(roots):
        level = 1 + max((levels.get(operand, 0) for operand in op.operands), default=0)
        levels.update(dict.fromkeys(op.results, level))
    return max((levels.get(root, 0) for root in roots), default=0)


def conjuncts(root: SSAValue) -> list[SSAValue]:
    """Terms of a conjunction, from left to right; a filter keeps a row when all of them are true."""
    terms = list[SSAValue]()
    pending = [root]
    while pending:
        value = pending.pop()
        if isinstance(value.owner, AndOp):
            pending += [value.owner.rhs, value.owner.lhs]
        else:
            terms.append(value)
    return terms


def copy_into(
    block: Block, roots: Sequence[SSAValue], columns: Mapping[str, SSAValue] | None = None
) -> list[SSAValue]:
    """Append copies of the trees to a block, with some columns replaced by values of that block."""
    copies = dict[SSAValue, SSAValue]()
    for op in tree(roots):
        if isinstance(op, ColumnOp) and columns and op.column.data in columns:
            copies[op.result] = columns[op.column.data]
        else:
            block.add_op(op.clone(copies))
    return [copies[root] for root in roots]


def predicate_region(block: Block, terms: Sequence[SSAValue], location: LocationAttr) -> Region:
    """Close a block into a region that yields the conjunction of some of its values, at least one."""
    level = list(terms)
    while len(level) > 1:
        # Pairs, so that many terms make a shallow tree.
        pairs = [at(location, AndOp(a, b)) for a, b in zip(level[::2], level[1::2], strict=False)]
        block.add_ops(pairs)
        level = [pair.result for pair in pairs] + level[2 * len(pairs) :]
    block.add_op(at(location, YieldOp(level)))
    return Region(block)

"""What a fragment leaves, worked out operator by operator from the layouts it is given.

Written apart from the partitioner's rules, so that one checks the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Attribute, Operation, SSAValue

from dlc.dialects import dist, table
from dlc.dialects.expr import ColumnOp, ScalarOp
from dlc.dialects.frame import frame_of, strings

from .tensor_layouts import TENSOR_RULES, Mismatch

WHOLE = (dist.ReplicatedAttr, dist.SingleAttr)
PARTIAL = dist.PartialAttr(StringAttr("merge"))


def implies(found: Attribute, claimed: Attribute) -> bool:
    """Whether rows that lie as `found` may be called `claimed`."""
    if found == claimed:
        return True
    if isinstance(claimed, dist.AnyAttr):
        return not isinstance(found, dist.ReplicatedAttr | dist.PartialAttr)
    # Whatever rows a rank computes of its own may be declared partial: whoever takes them must combine.
    rows = not isinstance(found, dist.ReplicatedAttr | dist.SplitAttr | dist.PartialAttr)
    return claimed == PARTIAL and rows


def fragment_layouts(fragment: dist.LocalOp, given: Sequence[Attribute]) -> list[Attribute]:
    """Layouts of a fragment's outputs. Raises Mismatch."""
    known: dict[SSAValue, Attribute] = dict(zip(fragment.body.block.args, given, strict=True))
    for op in fragment.body.block.ops:
        for inner in op.walk():
            if isinstance(inner, ScalarOp) and inner.frame not in fragment.body.block.args:
                raise Mismatch(op, "a scalar must be known before the fragment runs, as one of its inputs")
            if isinstance(inner, ScalarOp) and not isinstance(known[inner.frame], WHOLE):
                raise Mismatch(op, "a scalar must be the same on every rank, so its frame must be whole")
        if isinstance(op, dist.YieldOp):
            return [known[value] for value in op.values]
        given_here = [known[value] for value in op.operands if value in known]
        if type(op) in TENSOR_RULES:
            known.update(zip(op.results, TENSOR_RULES[type(op)](op, given_here), strict=True))
        else:
            known[op.results[0]] = _leaves(op, given_here)
    raise Mismatch(fragment, "the fragment yields nothing")


def _leaves(op: Operation, given: list[Attribute]) -> Attribute:
    match op:
        case table.ScanOp():
            return dist.ReplicatedAttr() if "replicated" in op.attributes else dist.RowsAttr()
        case table.FilterOp():
            return given[0]
        case table.ProjectOp():
            return _project(op, given[0])
        case table.JoinOp():
            return _join(op, given[0], given[1])
        case table.AggregateOp() | table.UniqueOp():
            return _group(op, given[0])
        case table.ConcatOp():
            return _concat(op, given)
        case table.SortOp():
            return _sort(op, given[0])
        case table.HeadOp() | table.SampleOp():
            return given[0] if isinstance(given[0], WHOLE) else PARTIAL
        case _:
            raise Mismatch(op, "the operator has no layout rule")


def _project(op: table.ProjectOp, given: Attribute) -> Attribute:
    kept = dict[str, str]()
    for name, value in op.outputs:
        if isinstance(value.owner, ColumnOp):
            kept.setdefault(value.owner.column.data, name)
    return _renamed(given, kept)


def _renamed(given: Attribute, names: dict[str, str]) -> Attribute:
    if isinstance(given, dist.HashAttr | dist.ShardsAttr):
        keys = [key.data for key in given.keys]
        if not set(keys) <= set(names):
            return dist.AnyAttr()
        renamed = strings(names[key] for key in keys)
        return (
            dist.HashAttr(renamed)
            if isinstance(given, dist.HashAttr)
            else dist.ShardsAttr(renamed, given.count)
        )
    if isinstance(given, dist.RangeAttr) and not {key.column.data for key in given.by} <= set(names):
        return dist.RowsAttr()
    return given


def _join(op: table.JoinOp, left: Attribute, right: Attribute) -> Attribute:
    if isinstance(right, dist.ReplicatedAttr) or (
        isinstance(left, dist.SingleAttr) and isinstance(right, dist.SingleAttr)
    ):
        return dist.AnyAttr() if isinstance(left, dist.RowsAttr | dist.RangeAttr) else left
    left_on, right_on = op.keys
    back = dict(zip(right_on, left_on, strict=True))
    if isinstance(left, dist.ReplicatedAttr) and op.kind.data == "inner":
        names = back | {name: name for name in frame_of(op.right).columns if name not in back}
        moved = _renamed(right, names)
        return dist.AnyAttr() if isinstance(moved, dist.RowsAttr | dist.RangeAttr) else moved
    if isinstance(left, dist.HashAttr) and isinstance(right, dist.HashAttr):
        keys = [key.data for key in right.keys]
        if set(keys) <= set(back) and [back[key] for key in keys] == [key.data for key in left.keys]:
            return left
    raise Mismatch(op, f"rows with equal keys do not meet: {left} against {right}")


def _group(op: table.AggregateOp | table.UniqueOp, given: Attribute) -> Attribute:
    if isinstance(given, WHOLE):
        return given
    if isinstance(op, table.AggregateOp):
        keys = {key.data for key in op.keys}
    else:
        keys = {name.data for name in op.on} if op.on is not None else set(frame_of(op.frame).columns)
    if isinstance(given, dist.HashAttr) and {key.data for key in given.keys} <= keys:
        return given
    return PARTIAL


def _concat(op: table.ConcatOp, given: list[Attribute]) -> Attribute:
    if all(layout == given[0] for layout in given) and isinstance(given[0], WHOLE):
        return given[0]
    if any(isinstance(layout, dist.ReplicatedAttr | dist.PartialAttr) for layout in given):
        raise Mismatch(op, "rows that every rank holds would be appended more than once")
    return dist.AnyAttr()


def _sort(op: table.SortOp, given: Attribute) -> Attribute:
    if isinstance(given, WHOLE):
        return given
    if op.limit is not None:
        return PARTIAL
    if isinstance(given, dist.RangeAttr) and given.by == op.by:
        return given
    return dist.AnyAttr()

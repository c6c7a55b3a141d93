"""Equi-joins: keys as columns of both sides, and names that do not clash."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from dlc.diagnostics import DlcError, Note, SourceLoc
from dlc.dialects import datatypes as t
from dlc.dialects.frame import frame_of
from dlc.dialects.table import JOIN_KINDS, JoinOp
from dlc.frontends.location import attribute

from .errors import bad_argument, duplicate
from .node import Node
from .project import project, with_keys


def join(
    left: SSAValue,
    right: SSAValue,
    left_on: Sequence[Node],
    right_on: Sequence[Node],
    how: str,
    suffix: str,
    loc: SourceLoc,
) -> SSAValue:
    """The joined frame: left columns, then right columns without its keys, clashing ones with the suffix."""
    if how not in JOIN_KINDS:
        raise bad_argument(f"how={how!r} is unknown", loc, f"use one of {', '.join(JOIN_KINDS)}")
    if not left_on or len(left_on) != len(right_on):
        raise bad_argument(
            f"the join has {len(left_on)} left and {len(right_on)} right keys",
            loc,
            "give as many keys on both sides",
        )
    if not isinstance(suffix, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise bad_argument(f"suffix={suffix!r} is not a string", loc, "as in suffix='_right'")
    columns = list(frame_of(left).columns)
    taken = {*columns, *frame_of(right).columns}
    left_keys, left = with_keys(left, left_on, "join", loc, taken)
    right_keys, right = with_keys(right, right_on, "join", loc, taken)
    _require_equal_types(left, right, left_keys, right_keys, right_on)
    if how not in ("semi", "anti"):
        right = _renamed(left, right, right_keys, suffix, loc)
    op = JoinOp(how, left, right, left_keys, right_keys)
    op.location = attribute(loc)
    if len(frame_of(left).columns) == len(columns):
        return op.result
    # Computed keys of the left have done their work.
    temporary = set(frame_of(left).columns) - set(columns)
    kept = [name for name in frame_of(op.result).columns if name not in temporary]
    return project(op.result, {name: name for name in kept}, loc)


def _require_equal_types(
    left: SSAValue,
    right: SSAValue,
    left_keys: Sequence[str],
    right_keys: Sequence[str],
    nodes: Sequence[Node],
) -> None:
    for a, b, node in zip(left_keys, right_keys, nodes, strict=True):
        x, y = t.strip(frame_of(left).columns[a]), t.strip(frame_of(right).columns[b])
        if x != y:
            cast = f"col('{b}').cast('{t.text(x)}')"
            raise DlcError(
                "DLC103",
                f"the join keys '{a}' ({t.text(x)}) and '{b}' ({t.text(y)}) differ in type",
                loc=node.loc,
                help=f"cast one side before the join, as in .with_columns({cast})",
                notes=[Note("keys are compared without conversion")],
            )


def _renamed(left: SSAValue, right: SSAValue, keys: Sequence[str], suffix: str, loc: SourceLoc) -> SSAValue:
    """The right side with names of its own, for all columns but the keys, which the join leaves out."""
    taken = set(frame_of(left).columns)
    outputs = dict[str, str]()
    for name in frame_of(right).columns:
        clashes = name in taken and name not in keys
        target = name + suffix if clashes else name
        if target in outputs.values() or (clashes and target in taken):
            raise duplicate(target, "join", loc, "give another suffix=…, or drop the column before")
        outputs[name] = target
    if all(name == target for name, target in outputs.items()):
        return right
    return project(right, {target: name for name, target in outputs.items()}, loc)

"""Projections: the one op that computes, renames and drops columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import count

from xdsl.ir import SSAValue

from dlc.diagnostics import SourceLoc
from dlc.dialects.frame import frame_of
from dlc.dialects.table import ProjectOp
from dlc.frontends.location import attribute

from .errors import misplaced_aggregate
from .lowering import Lowering
from .node import Node


def project(frame: SSAValue, outputs: Mapping[str, Node | str], loc: SourceLoc) -> SSAValue:
    """A frame of exactly these columns: expressions, or names of columns of the frame."""
    lowering = Lowering(frame)
    values = [
        lowering.column(output, loc) if isinstance(output, str) else lowering.value(output)
        for output in outputs.values()
    ]
    op = ProjectOp(frame, list(outputs), lowering.region(values, loc))
    op.location = attribute(loc)
    return op.result


def with_keys(
    frame: SSAValue, keys: Sequence[Node], verb: str, loc: SourceLoc, taken: Collection[str] = ()
) -> tuple[list[str], SSAValue]:
    """Names of the keys, and the frame with a further column, of a name not taken, for each computed key."""
    columns = frame_of(frame).columns
    fresh = (name for i in count() if (name := f"_{i}") not in columns and name not in taken)
    names, computed = list[str](), dict[str, Node]()
    for key in keys:
        if key.aggregates:
            raise misplaced_aggregate(f"a key of {verb}", key)
        if key.kind == "col":
            Lowering(frame).column(key.value, key.loc)
            names.append(key.value)
        else:
            names.append(next(fresh))
            computed[names[-1]] = key
    if not computed:
        return names, frame
    return names, project(frame, {**{name: name for name in columns}, **computed}, loc)

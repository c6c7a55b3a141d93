"""Concatenation of frames of one schema."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import datatypes as t
from dlc.dialects.expr import CastOp
from dlc.dialects.frame import frame_of
from dlc.dialects.table import ConcatOp, ProjectOp
from dlc.frontends.location import attribute

from .lowering import Lowering


def concatenated(frames: Sequence[SSAValue], loc: SourceLoc) -> SSAValue:
    """The rows of all frames; columns are nullable where any frame's is. DLC111 for other differences."""
    first = frame_of(frames[0]).columns
    for number, frame in enumerate(frames[1:], start=2):
        _require_same(first, frame_of(frame).columns, number, loc)
    schema = {
        name: t.nullable(type_, any(t.is_nullable(frame_of(frame).columns[name]) for frame in frames))
        for name, type_ in first.items()
    }
    if len(frames) == 1:
        return frames[0]
    op = ConcatOp([_widened(frame, schema, loc) for frame in frames])
    op.location = attribute(loc)
    return op.result


def _require_same(
    first: dict[str, t.DataType], other: dict[str, t.DataType], number: int, loc: SourceLoc
) -> None:
    if list(first) != list(other):
        missing = [name for name in first if name not in other]
        extra = [name for name in other if name not in first]
        what = (
            f"lacks '{missing[0]}'" if missing else f"has '{extra[0]}' too" if extra else "has another order"
        )
        raise DlcError(
            "DLC111",
            f"frame {number} of the concat {what}",
            loc=loc,
            help=f"bring it to the columns of the first: .select({', '.join(map(repr, first))})",
        )
    for name, type_ in first.items():
        x, y = t.strip(type_), t.strip(other[name])
        if x != y:
            raise DlcError(
                "DLC111",
                f"column '{name}' is {t.text(x)} in the first frame and {t.text(y)} in frame {number}",
                loc=loc,
                help=f"cast it before the concat: .with_columns(col('{name}').cast('{t.text(x)}'))",
            )


def _widened(frame: SSAValue, schema: dict[str, t.DataType], loc: SourceLoc) -> SSAValue:
    """The frame with the nullability of the schema."""
    if frame_of(frame).columns == schema:
        return frame
    lowering = Lowering(frame)
    values = list[SSAValue]()
    for name, type_ in schema.items():
        value = lowering.column(name, loc)
        values.append(value if value.type == type_ else lowering.add(CastOp(value, type_), loc))
    op = ProjectOp(frame, list(schema), lowering.region(values, loc))
    op.location = attribute(loc)
    return op.result

"""Errors that several verbs share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import FileLineColLoc
from xdsl.ir import Operation, SSAValue

from dlc.diagnostics import DlcError, Note, SourceLoc, suggest
from dlc.dialects.frame import FrameType, frame_of
from dlc.frontends.location import source_loc

if TYPE_CHECKING:
    from .node import Node

_SHOWN = 20


def unknown_column(name: str, frame: SSAValue, loc: SourceLoc) -> DlcError:
    """DLC101: the guess at what was meant, the columns there are, and where the column was lost."""
    columns = list(frame_of(frame).columns)
    near = suggest(name, columns)
    notes = [Note(f"the frame has the columns {listed(columns)}", _loc(frame))]
    if (lost := _left_out(name, frame)) is not None:
        notes.append(Note(f"'{name}' is left out here", lost))
    return DlcError(
        "DLC101",
        f"there is no column '{name}'",
        loc=loc,
        help=f"did you mean '{near}'?" if near else "use one of the columns in the note",
        notes=notes,
    )


def misplaced_aggregate(where: str, node: Node) -> DlcError:
    """DLC107: an aggregate in an expression of a place where rows are not reduced."""
    while node.kind != "agg":
        node = next(arg for arg in node.args if arg.aggregates)
    return DlcError(
        "DLC107",
        f"an aggregate cannot stand in {where}",
        loc=node.loc,
        help="compute it first with agg, or a select of aggregates, and join its result",
    )


def duplicate(
    name: str, verb: str, loc: SourceLoc, help: str = "rename one of them with .alias('…')"
) -> DlcError:
    """DLC105: two columns of one name in the result of a verb."""
    return DlcError("DLC105", f"{verb} makes two columns named '{name}'", loc=loc, help=help)


def bad_argument(message: str, loc: SourceLoc, help: str) -> DlcError:
    """DLC106: an argument of the wrong kind or value."""
    return DlcError("DLC106", message, loc=loc, help=help)


def require_name(name: object, loc: SourceLoc) -> None:
    """DLC106 unless a column can have this name."""
    if not isinstance(name, str) or not name or not _is_text(name):
        raise bad_argument(f"{name!r} is not a column name", loc, "a name is a string that is not empty")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def listed(names: Sequence[str]) -> str:
    """Names for a message; a long list is cut."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) + more) or "none"


def _loc(value: SSAValue) -> SourceLoc | None:
    location = value.owner.location if isinstance(value.owner, Operation) else None
    return source_loc(location) if isinstance(location, FileLineColLoc) else None


def _left_out(name: str, frame: SSAValue) -> SourceLoc | None:
    """Where the nearest frame before this one that had the column was turned into one without it."""
    pending, seen = [frame], {frame}
    while pending:
        value = pending.pop(0)
        if not isinstance(value.owner, Operation):
            continue
        for operand in value.owner.operands:
            if isinstance(operand.type, FrameType) and operand not in seen:
                if name in operand.type.columns:
                    return _loc(value)
                seen.add(operand)
                pending.append(operand)
    return None

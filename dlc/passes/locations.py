"""Where in the user's files an operation comes from."""

from __future__ import annotations

from typing import TypeVar

from xdsl.dialects.builtin import (
    CallSiteLoc,
    FileLineColLoc,
    FusedLoc,
    IntAttr,
    LocationAttr,
    NameLoc,
    StringAttr,
)
from xdsl.ir import Attribute, Operation

from dlc.diagnostics import SourceLoc

OpT = TypeVar("OpT", bound=Operation)


def source_loc(op: Operation) -> SourceLoc | None:
    """The first file and line that the op's location names; None when it names none."""
    return _resolve(op.location)


def file_location(filename: str, line: int, column: int) -> FileLineColLoc:
    """The attribute for a place in a file."""
    return FileLineColLoc(StringAttr(filename), IntAttr(line), IntAttr(column))


def at(location: LocationAttr, op: OpT) -> OpT:
    """The op, with the location of what it stands for."""
    op.location = location
    return op


def _resolve(location: Attribute) -> SourceLoc | None:
    match location:
        case FileLineColLoc():
            return SourceLoc(location.filename.data, location.line.data, location.column.data)
        case NameLoc():
            return _resolve(location.location)
        case CallSiteLoc():
            return _resolve(location.callee) or _resolve(location.caller)
        case FusedLoc():
            found = (_resolve(part) for part in getattr(location.locations, "data", ()))
            return next((loc for loc in found if loc is not None), None)
        case _:
            return None

"""Where in the user's Python the expression at hand stands, found from the call stack."""

from __future__ import annotations

import linecache
import os
import sys
from itertools import islice
from pathlib import Path
from types import FrameType

from xdsl.dialects.builtin import FileLineColLoc, IntAttr, StringAttr

from dlc.diagnostics import SourceLoc

_PACKAGE = str(Path(__file__).parent.parent) + "/"


def caller() -> SourceLoc:
    """The expression outside of this package that is being evaluated."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    return of_frame(frame, frame.f_lasti, frame.f_lineno)


def of_frame(frame: FrameType, instruction: int, line: int) -> SourceLoc:
    """The expression to which an instruction (byte offset) of a stack frame belongs."""
    code = frame.f_code
    # A Path would cost more than the rest, and this runs once for each op.
    directory = os.getcwd()  # noqa: PTH109
    file = shown(code.co_filename, directory)
    span = next(islice(code.co_positions(), instruction // 2, None), (None, None, None, None))
    start, end, column, end_column = span
    if start is None or column is None or end_column is None:
        return SourceLoc(file, line)
    text = linecache.getline(code.co_filename, start).rstrip()
    if end != start:
        # Only the first line of an expression is shown: mark what stands on it.
        end_column = len(text.encode())
    if not text.isascii():
        # Python counts bytes, people count characters.
        raw = text.encode()
        column = len(raw[:column].decode(errors="replace"))
        end_column = len(raw[:end_column].decode(errors="replace"))
    return SourceLoc(file, start, column + 1, end_column + 1)


def attribute(loc: SourceLoc) -> FileLineColLoc:
    """The location as the IR holds it."""
    return FileLineColLoc(StringAttr(loc.file), IntAttr(loc.line), IntAttr(loc.column))


def source_loc(location: object) -> SourceLoc | None:
    """Inverse of `attribute`, without the end of the range; None for other locations."""
    if isinstance(location, FileLineColLoc):
        return SourceLoc(location.filename.data, location.line.data, location.column.data)
    return None


def shown(file: str, directory: str) -> str:
    """A file's name relative to a directory that holds it, else as it is."""
    return file.removeprefix(directory.rstrip("/") + "/")

"""The user's line behind a location that JAX recorded."""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from xdsl.dialects.builtin import FileLineColLoc

from dlc.diagnostics import SourceLoc
from dlc.frontends.libraries import is_library
from dlc.frontends.location import attribute, shown

from .untyped import mlir


def user_location(location: Any) -> FileLineColLoc | None:
    """The innermost place outside of libraries that a location names; None when it names none."""
    for place in _places(location):
        if not is_library(place.filename):
            return _attribute(place.filename, place.start_line, place.start_col)
    return None


def _places(location: Any) -> Iterator[Any]:
    """The files and lines in a location, callees before their callers."""
    match location:
        case mlir.FileLineColLoc():
            yield location
        case mlir.NameLoc():
            yield from _places(location.child_loc)
        case mlir.CallSiteLoc():
            yield from _places(location.callee)
            yield from _places(location.caller)
        case mlir.FusedLoc():
            for part in location.locations:
                yield from _places(part)
        case _:
            pass


@lru_cache(maxsize=4096)
def _attribute(file: str, line: int, column: int) -> FileLineColLoc:
    # JAX counts bytes from 0, people count characters from 1; what JAX does not know is beyond the line.
    text = linecache.getline(file, line).encode()
    known = 0 <= column < len(text)
    characters = len(text[:column].decode(errors="replace")) + 1 if known else 0
    return attribute(SourceLoc(shown(file, os.getcwd()), line, characters))  # noqa: PTH109

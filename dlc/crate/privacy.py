"""Keeps out of a crate where its author works: paths below the working directory become relative to it."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from dlc.runtime.plan import Plan

_PLACE = re.compile(r"(?:^|[\s:;,=])[/~]")


def relative(path: str) -> str:
    """The path from the working directory where it leads below that, else as it is."""
    place, here = Path(path), Path.cwd()
    below = place.is_absolute() and place.is_relative_to(here) and place != here
    return os.fspath(place.relative_to(here)) if below else path


def relative_files(module: ModuleOp) -> None:
    """Let a program read and write its files by relative paths, so that no later stage has others."""
    from xdsl.dialects.builtin import ArrayAttr, StringAttr

    from dlc.dialects.nn import LoadOp, SaveOp
    from dlc.dialects.table import ScanOp, SinkOp

    for op in module.walk():
        if isinstance(op, ScanOp):
            op.paths = ArrayAttr([StringAttr(relative(path.data)) for path in op.paths])
        elif isinstance(op, SinkOp | SaveOp | LoadOp):
            op.path = StringAttr(relative(op.path.data))


def placed_in_crate(plan: Plan, program: Path) -> Plan:
    """The plan with lines of the program told by their place in the crate."""
    folder = program.resolve().parent

    def place(file: str) -> str:
        path = Path(file).resolve()
        return f"program/{path.relative_to(folder).as_posix()}" if path.is_relative_to(folder) else file

    return replace(plan, locations=[[place(file), *rest] for file, *rest in plan.locations])


def names_place(value: str) -> bool:
    """Whether the value of a variable names a place in the file system."""
    return _PLACE.search(value) is not None

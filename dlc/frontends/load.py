"""Finds the program in a Python file."""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING

from dlc.diagnostics import DlcError, SourceLoc, suggest

from .failure import failures
from .program import Program

if TYPE_CHECKING:
    from types import CodeType, ModuleType


def load(path: str | os.PathLike[str], name: str | None = None) -> Program:
    """Import a Python file and return its program, the one called `name` if it has several.

    DLC201 for a missing file, DLC109 when there is no such program or more than one, DLC112 when the file raises.
    """
    file = os.fspath(path)
    if not os.path.isfile(file):
        raise DlcError("DLC201", f"there is no file '{file}'", help="give the path of a Python program")
    with failures(SourceLoc(file, 1)):
        module = _imported(file)
    programs = {
        value.name: value
        for value in vars(module).values()
        if isinstance(value, Program) and value.function.__module__ == module.__name__
    }
    if name is None and len(programs) == 1:
        return next(iter(programs.values()))
    if name in programs:
        return programs[name]
    raise _ambiguous(file, name, list(programs))


class _Loader(SourceFileLoader):
    """Compiles anew each time: a cached compilation may be that of an older text of the same second."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _imported(file: str) -> ModuleType:
    name = f"_program_{os.path.splitext(os.path.basename(file))[0]}"
    directory = os.path.dirname(os.path.abspath(file))
    if directory not in sys.path:
        # As for a script: the modules beside the file, which it may also import while it is traced.
        sys.path.insert(0, directory)
    spec = importlib.util.spec_from_file_location(name, file, loader=_Loader(name, file))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _ambiguous(file: str, name: str | None, programs: list[str]) -> DlcError:
    if not programs:
        return DlcError(
            "DLC109",
            f"'{file}' has no program",
            loc=SourceLoc(file, 0),
            help="put @dlc.program above its function",
        )
    if name is None:
        return DlcError(
            "DLC109",
            f"'{file}' has {len(programs)} programs: {', '.join(programs)}",
            loc=SourceLoc(file, 0),
            help=f"name the one that is meant: {file}:{programs[0]}",
        )
    near = suggest(name, programs)
    return DlcError(
        "DLC109",
        f"'{file}' has no program '{name}'",
        loc=SourceLoc(file, 0),
        help=f"did you mean '{near}'?" if near else f"it has {', '.join(programs)}",
    )

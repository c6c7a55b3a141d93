"""Finds the program in a Python file."""

from __future__ import annotations

import importlib.util
import linecache
import os
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from dlc.diagnostics import DlcError, SourceLoc, suggest

from .failure import failures
from .program import Program


def load(path: str | os.PathLike[str], name: str | None = None) -> Program:
    """The program in a Python file, the one called `name` if there are several.

    Raises DLC201 for a missing file, DLC109 for no or several programs, DLC112 when the file raises.
    """
    file = os.fspath(path)
    if not Path(file).is_file():
        raise DlcError("DLC201", f"there is no file '{file}'", help="give the path of a Python program")
    linecache.checkcache(file)
    with failures(SourceLoc(file, 1)):
        module = _imported(file)
    programs = {
        value.name: value
        for value in vars(module).values()
        if isinstance(value, Program) and value.function.__module__ == module.__name__
    }
    if name is None and len(programs) == 1:
        return next(iter(programs.values()))
    if name is not None and name in programs:
        return programs[name]
    raise _not_found(file, name, list(programs))


class _Loader(SourceFileLoader):
    """Compiles anew each time: a cached compilation may be that of another text of the same second."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return self.source_to_code(self.get_data(self.path), self.path)


def _imported(file: str) -> ModuleType:
    """The module of a file, run as a script would be, with the modules beside it; raises what it raises."""
    name = f"_program_{Path(file).stem}"
    directory = str(Path(file).resolve().parent)
    if directory not in sys.path:
        # It stays there: the function may import its neighbours when it is traced.
        sys.path.insert(0, directory)
    spec = importlib.util.spec_from_file_location(name, file, loader=_Loader(name, file))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _not_found(file: str, name: str | None, programs: list[str]) -> DlcError:
    near = suggest(name, programs) if name else None
    if not programs:
        message, remedy = f"'{file}' has no program", "put @dlc.program above its function"
    elif name is None:
        message = f"'{file}' has {len(programs)} programs: {', '.join(programs)}"
        remedy = f"name the one that is meant: {file}:{programs[0]}"
    else:
        message = f"'{file}' has no program '{name}'"
        remedy = f"did you mean '{near}'?" if near else f"it has {', '.join(programs)}"
    return DlcError("DLC109", message, loc=SourceLoc(file, 0), help=remedy)

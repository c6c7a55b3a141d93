"""Programs: functions under `@dlc.program`, found in a file and traced to a module."""

from __future__ import annotations

import linecache
import os
from collections.abc import Callable, Mapping
from functools import update_wrapper
from pathlib import Path
from typing import Any, cast, overload

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from dlc.diagnostics import DlcError, SourceLoc, suggest

from . import recording
from .binding import Binding
from .failure import failures
from .loading import imported
from .location import shown
from .recording import Recording
from .table.frame import Frame


class Program:
    """A function that records a pipeline when it is called; `inputs` binds its frame parameters to files."""

    def __init__(self, function: Callable[..., Any], inputs: Mapping[str, str] | None = None):
        self.function = function
        self.name = function.__name__
        self.inputs = dict(inputs or {})
        self.loc = _definition(function)
        update_wrapper(self, function)

    def __repr__(self) -> str:
        return f"<program {self.name} at {self.loc}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as it is, as one program does with another."""
        return self.function(*args, **kwargs)

    def trace(
        self, parameters: Mapping[str, object] | None = None, inputs: Mapping[str, object] | None = None
    ) -> ModuleOp:
        """Call the function once and return what it recorded: a verified module of the stage `flow`.

        `inputs` names files of frame parameters; `parameters` stay open until the plan runs, those given here
        are only checked. Raises DLC110 for those that do not fit, and DLC112 when the function raises.
        """
        recorded = Recording()
        binding = Binding(self.function, self.name, self.loc)
        arguments = binding.arguments(parameters or {}, {**self.inputs, **(inputs or {})}, recorded)
        token = recording.current.set(recorded)
        try:
            with failures(self.loc):
                result = self.function(**arguments)
        finally:
            recording.current.reset(token)
        return recorded.module(self.name, self._results(result, recorded), self.loc)

    def _results(self, result: object, recorded: Recording) -> dict[str, SSAValue]:
        if isinstance(result, Frame):
            return {self.name: result.value}
        if result is None:
            if not recorded.sinks:
                raise self._bad_result("returns nothing and writes nothing")
            return {}
        if not isinstance(result, Mapping):
            raise self._bad_result(f"returns a value of type {type(result).__name__}")
        results = dict[str, SSAValue]()
        for name, frame in cast("Mapping[object, object]", result).items():
            if not isinstance(name, str) or not isinstance(frame, Frame):
                raise self._bad_result(f"returns {name!r} with a value of type {type(frame).__name__}")
            results[name] = frame.value
        return results

    def _bad_result(self, what: str) -> DlcError:
        return DlcError(
            "DLC106",
            f"program '{self.name}' {what}",
            loc=self.loc,
            help="return a frame or a dict of frames by name; a program that only writes returns None",
        )


@overload
def program(function: Callable[..., Any], /) -> Program: ...
@overload
def program(*, inputs: Mapping[str, str]) -> Callable[[Callable[..., Any]], Program]: ...
def program(
    function: Callable[..., Any] | None = None, /, *, inputs: Mapping[str, str] | None = None
) -> Program | Callable[[Callable[..., Any]], Program]:
    """Mark a function as a program; `inputs` names the files of its `dlc.Frame` parameters."""

    def mark(marked: Callable[..., Any]) -> Program:
        return Program(marked, inputs)

    return mark if function is None else mark(function)


def load(path: str | os.PathLike[str], name: str | None = None) -> Program:
    """The program in a Python file, the one called `name` if there are several.

    Raises DLC201 for a missing file, DLC109 for no or several programs, DLC112 when the file raises.
    """
    file = os.fspath(path)
    if not Path(file).is_file():
        raise DlcError("DLC201", f"there is no file '{file}'", help="give the path of a Python program")
    with failures(SourceLoc(file, 1)):
        module = imported(file)
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


def _definition(function: Callable[..., Any]) -> SourceLoc:
    code = function.__code__
    # A decorated function begins at its decorators; people look for its name.
    line, last = code.co_firstlineno, code.co_firstlineno + 20
    while line < last and "def " not in linecache.getline(code.co_filename, line):
        line += 1
    return SourceLoc(shown(code.co_filename, str(Path.cwd())), line if line < last else code.co_firstlineno)

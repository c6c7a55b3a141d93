"""Programs: functions under `@dlc.program`, found in a file and traced to a module."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Mapping
from functools import update_wrapper
from pathlib import Path
from typing import Any, cast, overload

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from dlc.diagnostics import DlcError, SourceLoc

from . import recording
from .binding import Binding
from .failure import failures
from .location import caller, shown
from .recording import Recording
from .table.frame import Frame


class Program:
    """A function that records a pipeline when it is called; `inputs` binds its frame parameters to files."""

    def __init__(self, function: Callable[..., Any], inputs: Mapping[str, str] | None = None):
        if not inspect.isfunction(function):
            raise DlcError(
                "DLC106",
                f"{function!r} is not a function",
                loc=caller(),
                help="put @dlc.program above a function, nearest to its def",
            )
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


def trace(program: Program, parameters: Mapping[str, object] | None = None) -> ModuleOp:
    """Call the function once and return what it recorded: a verified module of the stage `flow`.

    `parameters` sets defaults of scalar parameters, and files of frame parameters. Raises DLC110 for those
    that do not fit, DLC106 for a result that is no frame, and DLC112 when the function raises.
    """
    recorded = Recording()
    binding = Binding(program.function, program.name, program.loc)
    arguments = binding.arguments({**program.inputs, **(parameters or {})}, recorded)
    token = recording.current.set(recorded)
    try:
        with failures(program.loc):
            result = program.function(**arguments)
    finally:
        recording.current.reset(token)
    return recorded.module(program.name, _results(program, result, recorded), program.loc)


def _results(program: Program, result: object, recorded: Recording) -> dict[str, SSAValue]:
    """The frames that a program returns, by name."""
    if isinstance(result, Frame):
        return {program.name: result.value}
    if result is None:
        if not recorded.sinks and not recorded.loops:
            raise _bad_result(program, "returns nothing and writes nothing")
        return {}
    if not isinstance(result, Mapping):
        raise _bad_result(program, f"returns a value of type {type(result).__name__}")
    results = dict[str, SSAValue]()
    for name, frame in cast("Mapping[object, object]", result).items():
        if not isinstance(name, str) or not isinstance(frame, Frame):
            raise _bad_result(program, f"returns {name!r} with a value of type {type(frame).__name__}")
        results[name] = frame.value
    return results


def _bad_result(program: Program, what: str) -> DlcError:
    return DlcError(
        "DLC106",
        f"program '{program.name}' {what}",
        loc=program.loc,
        help="return a frame or a dict of frames by name; a program that only writes returns None",
    )


def _definition(function: Callable[..., Any]) -> SourceLoc:
    code = function.__code__
    # A decorated function begins at its decorators; people look for its name.
    line, last = code.co_firstlineno, code.co_firstlineno + 20
    while line < last and "def " not in linecache.getline(code.co_filename, line):
        line += 1
    return SourceLoc(shown(code.co_filename, str(Path.cwd())), line if line < last else code.co_firstlineno)

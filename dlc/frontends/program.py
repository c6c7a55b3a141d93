"""Programs: functions under `@dlc.program`, and the module that comes of tracing one."""

from __future__ import annotations

import inspect
import linecache
import typing
from collections.abc import Callable, Mapping
from functools import update_wrapper
from types import SimpleNamespace
from typing import Any, cast, overload

from xdsl.ir import Attribute, SSAValue

from dlc.diagnostics import DlcError, SourceLoc, suggest
from dlc.dialects import datatypes as t
from dlc.dialects.expr import literal_attribute

from . import recording
from .failure import failures
from .location import shown
from .recording import Recording
from .table.expression import Expr
from .table.frame import Frame
from .table.literals import Literal, UnfitError, constant
from .table.node import make
from .table.scan import scan_input
from .table.types import of_python

if typing.TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


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


@overload
def program(function: Callable[..., Any], /) -> Program: ...
@overload
def program(*, inputs: Mapping[str, str]) -> Callable[[Callable[..., Any]], Program]: ...
def program(
    function: Callable[..., Any] | None = None, /, *, inputs: Mapping[str, str] | None = None
) -> Program | Callable[[Callable[..., Any]], Program]:
    """Mark a function as a program; `inputs` names the files of its `dlc.Frame` parameters."""
    if function is None:
        return lambda decorated: Program(decorated, inputs)
    return Program(function)


def trace(program: Program, parameters: Mapping[str, object] | None = None) -> ModuleOp:
    """Call the program once and return what it recorded: a verified module of the stage `flow`.

    `parameters` sets defaults of scalar parameters and files of frame parameters; text is read as the
    parameter's type. DLC110 for parameters that do not fit, DLC112 when the program raises.
    """
    recorded = Recording()
    arguments = _arguments(program, dict(parameters or {}), recorded)
    token = recording.current.set(recorded)
    try:
        with failures(program.loc):
            result = program.function(**arguments)
    finally:
        recording.current.reset(token)
    return recorded.module(program.name, _results(program, result, recorded), program.loc)


def _definition(function: Callable[..., Any]) -> SourceLoc:
    code = function.__code__
    line = code.co_firstlineno
    # The first line of a decorated function is that of its decorator.
    while (text := linecache.getline(code.co_filename, line)) and text.lstrip().startswith(("@", "#")):
        line += 1
    import os

    return SourceLoc(shown(code.co_filename, os.getcwd()), line)


def _arguments(program: Program, given: dict[str, object], recorded: Recording) -> dict[str, Frame | Expr]:
    signature = inspect.signature(program.function).parameters
    for name in given:
        if name not in signature:
            near = suggest(name, signature)
            known = f"its parameters are {', '.join(signature)}" if signature else "it has none"
            raise _unfit(program, f"has no parameter '{name}'", f"did you mean '{near}'?" if near else known)
    arguments = dict[str, Frame | Expr]()
    for name, parameter in signature.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise _unfit(program, f"has a parameter '{name}' without a fixed name", "name each parameter")
        python_type = _annotation(program, parameter)
        if python_type is Frame:
            arguments[name] = _input(program, name, given)
        else:
            arguments[name] = _scalar(program, parameter, python_type, given, recorded)
    return arguments


def _annotation(program: Program, parameter: inspect.Parameter) -> object:
    """The type that a parameter is annotated with, else that of its default."""
    if parameter.annotation is parameter.empty:
        return type(parameter.default)
    holder = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        return typing.get_type_hints(holder, program.function.__globals__)[parameter.name]
    except Exception as error:
        raise _unfit(
            program,
            f"annotates '{parameter.name}' with {parameter.annotation!r}, which is not known: {error}",
            "import the type at the top of the file",
        ) from None


def _input(program: Program, name: str, given: Mapping[str, object]) -> Frame:
    source = given.get(name, program.inputs.get(name))
    if source is None:
        raise _unfit(
            program,
            f"needs a file for its frame '{name}'",
            f"give --param {name}=PATH, or @dlc.program(inputs={{'{name}': 'PATH'}})",
        )
    return source if isinstance(source, Frame) else scan_input(source, program.loc)


def _scalar(
    program: Program,
    parameter: inspect.Parameter,
    python_type: object,
    given: Mapping[str, object],
    recorded: Recording,
) -> Expr:
    public = of_python(python_type)
    if public is None:
        raise _unfit(
            program,
            f"has a parameter '{parameter.name}' of no type that a plan knows",
            "annotate it: int, float, str, bool, date, datetime, timedelta or dlc.Frame",
        )
    name, type_ = parameter.name, public.ir
    default: Attribute | None = None
    if name in given:
        default = _constant(program, name, _parsed(given[name], python_type), type_)
    elif parameter.default is not parameter.empty:
        default = _constant(program, name, parameter.default, type_)
    recorded.declare(name, type_, default)
    return Expr(make("param", value=(name, type_), name=name))


def _parsed(value: object, python_type: object) -> object:
    """A value that came as text, in the parameter's type where it has that form."""
    if not isinstance(value, str):
        return value
    try:
        if python_type in (int, float):
            return cast("type[float]", python_type)(value)
    except ValueError:
        return value
    return _BOOLEANS.get(value.lower(), value) if python_type is bool else value


def _constant(program: Program, name: str, value: object, type_: t.DataType) -> Attribute:
    try:
        return literal_attribute(constant(cast("Literal", value), type_), type_)
    except UnfitError as error:
        raise _unfit(
            program, f"has a parameter '{name}' of type {t.text(type_)}: {error}", f"give a {t.text(type_)}"
        ) from None


def _results(program: Program, result: object, recorded: Recording) -> dict[str, SSAValue]:
    if isinstance(result, Frame):
        return {program.name: result.value}
    if result is None:
        if not recorded.sinks:
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


def _unfit(program: Program, what: str, help: str) -> DlcError:
    return DlcError("DLC110", f"program '{program.name}' {what}", loc=program.loc, help=help)


def _bad_result(program: Program, what: str) -> DlcError:
    return DlcError(
        "DLC106",
        f"program '{program.name}' {what}",
        loc=program.loc,
        help="return a frame, or a dict of frames by name; a program that only writes returns None",
    )

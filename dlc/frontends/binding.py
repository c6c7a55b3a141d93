"""Binds the parameters of a program's function: scalars to run-time parameters, frames to files."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from xdsl.ir import Attribute

from dlc.diagnostics import DlcError, SourceLoc, suggest
from dlc.dialects import datatypes as t
from dlc.dialects.expr import literal_attribute

from .recording import Recording
from .table.expression import Expr
from .table.frame import Frame
from .table.literals import Literal, UnfitError, constant
from .table.node import make
from .table.scan import scan_input
from .table.types import of_python

_BOOLEANS = {"true": True, "false": False}


class Binding:
    """The arguments for one call of a program's function; every problem is DLC110 at the program."""

    def __init__(self, function: Callable[..., Any], name: str, loc: SourceLoc):
        self._function, self._name, self._loc = function, name, loc
        self._signature = inspect.signature(function).parameters
        for parameter in self._signature.values():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise self._unfit(
                    f"has a parameter '{parameter.name}' without a fixed name", "name each parameter"
                )
        self._types = {name: self._annotation(parameter) for name, parameter in self._signature.items()}

    def arguments(self, given: Mapping[str, object], recorded: Recording) -> dict[str, Frame | Expr]:
        """One argument by each name; `given` has files for frames and defaults for scalars."""
        for name in given:
            if name not in self._signature:
                near = suggest(name, self._signature)
                known = f"it has {', '.join(self._signature)}" if self._signature else "it has none"
                raise self._unfit(f"has no parameter '{name}'", f"did you mean '{near}'?" if near else known)
        return {
            name: self._input(name, given) if type_ is Frame else self._scalar(name, given, recorded)
            for name, type_ in self._types.items()
        }

    def _annotation(self, parameter: inspect.Parameter) -> object:
        """The type that a parameter is annotated with, else that of its default."""
        if parameter.annotation is parameter.empty:
            return cast("object", type(parameter.default))
        holder = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
        try:
            return typing.get_type_hints(holder, self._function.__globals__)[parameter.name]
        except Exception as error:
            raise self._unfit(
                f"annotates '{parameter.name}' with {parameter.annotation!r}, which is not known: {error}",
                "import the type at the top of the file",
            ) from None

    def _input(self, name: str, given: Mapping[str, object]) -> Frame:
        if name not in given:
            raise self._unfit(
                f"needs a file for its frame '{name}'",
                f"give --param {name}=PATH, or bind it with @dlc.program(inputs={{'{name}': 'PATH'}})",
            )
        return scan_input(given[name], self._loc)

    def _scalar(self, name: str, given: Mapping[str, object], recorded: Recording) -> Expr:
        public = of_python(self._types[name])
        if public is None:
            raise self._unfit(
                f"has a parameter '{name}' of no type that a plan knows",
                "annotate it with int, float, str, bool, date, datetime, timedelta or dlc.Frame",
            )
        default: object = self._signature[name].default
        if name in given:
            default = _parsed(given[name], public.ir)
        required = default is inspect.Parameter.empty
        recorded.declare(name, public.ir, None if required else self._constant(name, default, public.ir))
        return Expr(make("param", value=(name, public.ir), name=name, loc=self._loc))

    def _constant(self, name: str, value: object, type_: t.DataType) -> Attribute:
        try:
            return literal_attribute(constant(cast("Literal", value), type_), type_)
        except UnfitError as error:
            raise self._unfit(
                f"takes a {t.text(type_)} as '{name}': {error}", f"give a {t.text(type_)}"
            ) from None

    def _unfit(self, what: str, help: str) -> DlcError:
        return DlcError("DLC110", f"program '{self._name}' {what}", loc=self._loc, help=help)


def _parsed(value: object, type_: t.DataType) -> object:
    """A value that came as text, as the number or boolean that the text spells."""
    if not isinstance(value, str):
        return value
    if t.is_bool(type_):
        return _BOOLEANS.get(value.lower(), value)
    try:
        return int(value) if t.is_integer(type_) else float(value) if t.is_float(type_) else value
    except ValueError:
        return value

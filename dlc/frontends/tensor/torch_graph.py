"""Runs the graph of ATen operations that torch exported, as a function of JAX."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, cast

import numpy as np

from dlc.diagnostics import DlcError, SourceLoc
from dlc.frontends.libraries import is_library
from dlc.frontends.location import shown

from .aten import FUNCTIONS, UnsupportedError
from .aten_layers import LAYERS
from .untyped import errors

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


@dataclass(frozen=True)
class TorchFunction:
    """A module as a pure function of JAX: `function(params, *inputs)` gives what the module returns.

    `params` has the trainable parameters by their names in the module's state_dict; buffers and frozen
    parameters are `constants` of the function. `nodes` are those of the exported graph, and `sources` names
    the array that a placeholder stands for, if it is none of the inputs.
    """

    params: dict[str, np.ndarray]
    constants: Mapping[str, np.ndarray]
    nodes: Sequence[Any]
    sources: Mapping[str, str]
    loc: SourceLoc

    def __call__(self, params: Mapping[str, Any], *inputs: Any) -> Any:
        """Run the graph, each operation at its line of the module; raises DLC114 to DLC116 there."""
        values: dict[str, Any] = {}
        remaining = iter(inputs)
        for node in self.nodes:
            if node.op == "placeholder":
                name = self.sources.get(node.name)
                if name is None:
                    values[node.name] = next(remaining)
                else:
                    values[node.name] = params[name] if name in self.params else self.constants[name]
            elif node.op == "output":
                outputs = _resolved(node.args[0], values)
                return outputs[0] if len(outputs) == 1 else tuple(outputs)
            else:
                args = _resolved(node.args, values)
                options = {key: _resolved(value, values) for key, value in node.kwargs.items()}
                values[node.name] = _call(node, args, options, self.loc)
        raise AssertionError("a graph ends in its output")


def user_frame(text: str) -> SourceLoc | None:
    """The innermost line of the user's in a stack trace of torch."""
    found = [(file, int(line)) for file, line in _FRAME.findall(text) if file.startswith("/")]
    mine = [place for place in found if not is_library(place[0])]
    return SourceLoc(shown(mine[-1][0], str(Path.cwd())), mine[-1][1]) if mine else None


def place_of(node: Any, default: SourceLoc) -> SourceLoc:
    """The user's line that an operation comes from."""
    return user_frame(node.meta.get("stack_trace") or "") or default


def _resolved(value: Any, values: Mapping[str, Any]) -> Any:
    """An argument of a node, with the values of the nodes in it."""
    if isinstance(value, tuple | list):
        return [_resolved(item, values) for item in cast("Sequence[Any]", value)]
    return values[value.name] if hasattr(value, "op") else value


def _call(node: Any, args: Sequence[Any], options: Mapping[str, Any], loc: SourceLoc) -> Any:
    name = _overload(node.target)
    place = place_of(node, loc)
    function = FUNCTIONS.get(name) or LAYERS.get(name)
    try:
        if function is None:
            raise UnsupportedError(f"the operation '{name.partition('.')[0]}' of torch; write it with others")
        return _at(place, function, *args, **options)
    except UnsupportedError as error:
        what, _, remedy = str(error).partition("; ")
        message = f"this line needs {what}, which is not supported"
        raise DlcError("DLC115", message, loc=place, help=remedy) from None
    except (errors.ConcretizationTypeError, errors.NonConcreteBooleanIndexError) as error:
        message = "this line needs the values of a tensor, which are known only when the plan runs"
        remedy = "choose between values with torch.where, and keep all rows"
        raise DlcError("DLC114", message, loc=place, help=remedy) from error
    except (TypeError, ValueError, IndexError) as error:
        raise DlcError(
            "DLC116",
            f"the tensors do not fit the operation '{name.partition('.')[0]}': {str(error).splitlines()[0]}",
            loc=place,
            help="compare the shapes and types of the inputs with those given to from_torch",
        ) from error


def _overload(target: Any) -> str:
    """The name of an operation without its namespace: `add.Tensor`, or `add` for one of Python's."""
    text = str(target)
    return text.removeprefix("aten.") if text.startswith("aten.") else target.__name__


def _apply(function: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    return function(*args, **options)


def _at(place: SourceLoc, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call a function from a stack frame at the user's line, which JAX then records with its operations."""
    return FunctionType(_code(place.file, place.line), _apply.__globals__)(function, args, options)


@cache
def _code(file: str, line: int) -> CodeType:
    code = _apply.__code__
    units = len(code.co_code) // 2
    # One entry for each eight units of code: no columns, and the line that the function begins at.
    entries = (bytes([0x80 | 13 << 3 | min(units - at, 8) - 1, 0]) for at in range(0, units, 8))
    return code.replace(co_filename=file, co_firstlineno=line, co_linetable=b"".join(entries))

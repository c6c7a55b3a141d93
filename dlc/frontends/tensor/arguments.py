"""Checks of what a program gives to training and to functions over tensors."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from xdsl.ir import SSAValue

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects.frame import frame_of
from dlc.frontends.table.errors import bad_argument, unknown_column
from dlc.frontends.table.frame import Frame

Columns = Sequence[str | Sequence[str]]

LARGEST = (1 << 63) - 1
"""The largest number of a plan."""


def require_frame(frame: object, loc: SourceLoc) -> None:
    """DLC106 unless it is a frame."""
    if not isinstance(frame, Frame):
        raise bad_argument(f"{type(frame).__name__} is no frame", loc, "give the frame with the rows")


def require_numbers(loc: SourceLoc, **numbers: object) -> None:
    """DLC106 unless all are whole numbers, `seed` from 0 on and the others from 1 on."""
    for name, value in numbers.items():
        least = 0 if name == "seed" else 1
        if type(value) is not int or not least <= value <= LARGEST:
            raise bad_argument(
                f"{name}={value!r} is not a whole number from {least} to 2^63 - 1", loc, f"as in {name}=4"
            )


def tensor_columns(columns: object, loc: SourceLoc) -> Columns:
    """The columns of each tensor. Raises DLC106 for what is no list of names and of lists of names."""
    given = _items(columns)
    for entry in given:
        names = [entry] if isinstance(entry, str) else _items(entry)
        if not names or not all(isinstance(name, str) for name in names):
            given = []
    if not given:
        raise bad_argument(
            f"{columns!r} makes no tensors", loc, "write a list with an entry a tensor: [['a', 'b'], 'y']"
        )
    return cast("Columns", given)


def key_columns(keys: object, frame: SSAValue, loc: SourceLoc) -> list[str]:
    """Columns that deal the rows. Raises DLC101 and DLC106."""
    names = _items(keys)
    if not names or not all(isinstance(name, str) for name in names):
        raise bad_argument(f"keys={keys!r} is no list of columns", loc, "as in keys=['customer']")
    for name in cast("list[str]", names):
        if name not in frame_of(frame).columns:
            raise unknown_column(name, frame, loc)
    return cast("list[str]", names)


def element_types(dtype: object, columns: Columns, loc: SourceLoc) -> list[str]:
    """The element type of each tensor, still to be checked. Raises DLC106 when there are too few or many."""
    dtypes = [dtype] * len(columns) if isinstance(dtype, str) else _items(dtype)
    if len(dtypes) != len(columns):
        raise bad_argument(
            f"dtype={dtype!r} is not one type, and not one for each of {len(columns)} tensors",
            loc,
            "as in dtype='f32'",
        )
    return cast("list[str]", dtypes)


def directory(path: object, loc: SourceLoc) -> str | None:
    """The path of a directory, if one is given. Raises DLC106."""
    if path is None:
        return None
    text = os.fspath(cast("str", path)) if isinstance(path, str | os.PathLike) else ""
    if not text or "\0" in text:
        raise bad_argument(f"checkpoint={path!r} is no path", loc, "name a directory, as in 'out/checkpoint'")
    return text


def require_labels(metrics: object, loc: SourceLoc, kind: type) -> None:
    """DLC117 unless metrics have names of their own, and are of that class."""
    if not isinstance(metrics, Mapping):
        raise _wrong(f"metrics={metrics!r} is no dict", loc)
    for label, metric in cast("Mapping[object, object]", metrics).items():
        if not isinstance(label, str) or not label or label == "loss":
            raise _wrong(f"{label!r} is no name of a metric beside 'loss'", loc)
        if not isinstance(metric, kind):
            raise _wrong(f"metric '{label}' is of type {type(metric).__name__}", loc)


def _wrong(message: str, loc: SourceLoc) -> DlcError:
    example = "as in metrics={'held out': dlc.Metric(loss, held_out, columns)}"
    return DlcError("DLC117", message, loc=loc, help=example)


def require_callable(
    function: Callable[..., Any], arguments: Sequence[Any], what: str, loc: SourceLoc
) -> None:
    """DLC117 unless a function takes these arguments."""
    try:
        inspect.signature(function).bind(*arguments)
    except ValueError:
        return  # written in C, it says nothing of its parameters
    except TypeError as error:
        reason = f"cannot be called with {len(arguments)} arguments: {error}"
        raise DlcError(
            "DLC117",
            f"{what} {reason if callable(function) else 'is no function'}",
            loc=loc,
            help="give a function that takes the parameters, then a tensor for each entry of the columns"
            if what != "the function"
            else "call it with as many tensors as it takes",
        ) from None


def _items(value: object) -> list[object]:
    return list(cast("Iterable[object]", value)) if isinstance(value, list | tuple) else []

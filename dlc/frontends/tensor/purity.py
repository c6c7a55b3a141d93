"""Refuses functions that do more than compute their results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from dlc.diagnostics import DlcError, SourceLoc
from dlc.frontends.libraries import is_library
from dlc.frontends.location import shown


def check_pure(closed: Any, arguments: int, loc: SourceLoc) -> None:
    """DLC113 at the line of a traced function (a closed jaxpr) that has an effect or calls Python back."""
    for equation in _equations(closed):
        if equation.effects or "callback" in equation.primitive.name:
            raise DlcError(
                "DLC113",
                f"this line has a side effect, '{equation.primitive.name}', which a plan cannot have",
                loc=_place(equation.source_info.traceback) or loc,
                help="return the values instead of using jax.debug.print, io_callback or pure_callback",
            )
    if len(closed.in_avals) != arguments:
        raise DlcError(
            "DLC113",
            "the function uses a tensor of another call, which had been kept in a variable",
            loc=loc,
            help="pass it as an argument and return it",
        )


def _equations(jaxpr: Any) -> Iterator[Any]:
    """Those of a jaxpr, and before each the ones that it holds."""
    for equation in jaxpr.eqns:
        for value in equation.params.values():
            listed = cast("list[Any]", value if isinstance(value, tuple | list) else [value])
            for inner in listed:
                if hasattr(inner, "eqns"):
                    yield from _equations(inner)
        yield equation


def _place(traceback: Any) -> SourceLoc | None:
    """The innermost line of the user's."""
    frames: list[Any] = [] if traceback is None else traceback.frames
    mine = [frame for frame in frames if not is_library(frame.file_name)]
    return SourceLoc(shown(mine[0].file_name, str(Path.cwd())), mine[0].line_num) if mine else None

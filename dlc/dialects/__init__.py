"""The dialects of dlc: one file a dialect, data types and schemas beside them."""

from __future__ import annotations

from functools import partial
from importlib import import_module

from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.ir import Dialect

NAMES = ("flow", "table", "expr", "dist", "hw", "plan")
"""Names of the dialects, in the order of the stages that use them."""


def load(name: str) -> Dialect:
    """The dialect of that name: `Table` of the module `table`."""
    return getattr(import_module(f".{name}", __package__), name.capitalize())


def dialects() -> list[Dialect]:
    """Every dialect of dlc."""
    return [load(name) for name in NAMES]


def context() -> Context:
    """A fresh context that knows the builtin dialect and those of dlc, each imported at its first use."""
    ctx = Context()
    ctx.load_dialect(Builtin)
    for name in NAMES:
        ctx.register_dialect(name, partial(load, name))
    return ctx

"""The dialects of dlc: one file a dialect, data types and schemas beside them."""

from __future__ import annotations

from functools import partial
from importlib import import_module

from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.ir import Dialect

NAMES = ("flow", "table", "expr", "nn", "dist", "hw", "plan")
"""Names of the dialects, in the order of the stages that use them."""


def load(name: str) -> Dialect:
    """The dialect of that name: `Table` of the module `table`."""
    return getattr(import_module(f".{name}", __package__), name.capitalize())


def dialects() -> list[Dialect]:
    """Every dialect of dlc."""
    return [load(name) for name in NAMES]


UPSTREAM = {
    "func": "xdsl.dialects.func:Func",
    "scf": "xdsl.dialects.scf:Scf",
    "arith": "xdsl.dialects.arith:Arith",
    "stablehlo": "dlc.dialects.stablehlo:Stablehlo",
    "chlo": "dlc.dialects.chlo:Chlo",
}
"""Dialects of others that programs use: functions, loops, numbers and what happens to tensors."""


def context() -> Context:
    """A fresh context: the builtin dialect, those of dlc and of others, each imported at its first use."""
    ctx = Context()
    ctx.load_dialect(Builtin)
    for name in NAMES:
        ctx.register_dialect(name, partial(load, name))
    for name, place in UPSTREAM.items():
        ctx.register_dialect(name, partial(_upstream, place))
    return ctx


def _upstream(place: str) -> Dialect:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)

"""The dialects of dlc: one file a dialect, data types and schemas beside them."""

from __future__ import annotations

from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.ir import Dialect


def dialects() -> list[Dialect]:
    """Every dialect of dlc, in the order of the stages that use them."""
    from .dist import Dist
    from .expr import Expr
    from .flow import Flow
    from .hw import Hw
    from .plan import Plan
    from .table import Table

    return [Flow, Table, Expr, Dist, Hw, Plan]


def context() -> Context:
    """A fresh context that knows the builtin dialect and those of dlc."""
    ctx = Context()
    for dialect in (Builtin, *dialects()):
        ctx.load_dialect(dialect)
    return ctx

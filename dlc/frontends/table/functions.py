"""The functions with which expressions begin: `col`, `lit`, `when`, `len` and what takes several columns."""

from __future__ import annotations

from typing import Any

from xdsl.ir import Attribute

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import datatypes as t
from dlc.dialects.expr import literal_attribute
from dlc.frontends import recording
from dlc.frontends.location import caller

from .errors import bad_argument, require_name
from .expression import Expr, literal_of, node_of
from .literals import Literal, UnfitError, constant
from .node import Node, make
from .types import data_type


def col(name: str) -> Expr:
    """A column of the frame that the expression is used with."""
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise bad_argument(f"{name!r} is not a column name", caller(), "a column is named by a string")
    return Expr(make("col", value=name, name=name))


def lit(value: object) -> Expr:
    """A Python value; beside a column it takes the column's type where it fits."""
    return value if isinstance(value, Expr) else Expr(make("lit", value=literal_of(value)))


def len() -> Expr:  # noqa: A001 - named as in Polars
    """Number of rows."""
    return Expr(make("agg", value="len", name="len"))


def coalesce(*values: object) -> Expr:
    """The first of some expressions that is not null."""
    return _several("coalesce", values)


def min_horizontal(*values: object) -> Expr:
    """The least of some expressions in each row; nulls are skipped."""
    return _several("call", values, "min_horizontal")


def max_horizontal(*values: object) -> Expr:
    """The greatest of some expressions in each row; nulls are skipped."""
    return _several("call", values, "max_horizontal")


def _several(kind: str, values: tuple[object, ...], function: str = "") -> Expr:
    if not values:
        raise bad_argument("at least one expression is needed", caller(), "name the columns with col('…')")
    options = dict[str, Any]()
    return Expr(make(kind, *(_column(given) for given in values), value=(function, options)))


def _column(given: object) -> Node:
    return col(given).node if isinstance(given, str) else node_of(given)


class When:
    """A condition that waits for its value; see `when`."""

    def __init__(self, branches: tuple[Node, ...], condition: object):
        self._branches = (*branches, node_of(condition))

    def then(self, value: object) -> Then:
        """The value where the condition is true."""
        return Then((*self._branches, node_of(value)))


class Then(Expr):
    """The choice so far, null where no condition is true; `when` and `otherwise` extend it."""

    def __init__(self, branches: tuple[Node, ...]):
        self._branches = branches
        super().__init__(_case((*branches, make("lit"))))

    def when(self, condition: object) -> When:
        """A further condition, asked where those before it are not true."""
        return When(self._branches, condition)

    def otherwise(self, value: object) -> Expr:
        """The value where no condition is true."""
        return Expr(_case((*self._branches, node_of(value))))


def _case(arguments: tuple[Node, ...]) -> Node:
    # Named after its values; a condition lends its name only to a choice between constants.
    named = (*arguments[1::2], arguments[-1], *arguments[:-1:2])
    return make("case", *arguments, name=next((arg.name for arg in named if arg.name is not None), None))


def when(condition: object) -> When:
    """A choice by row: `when(a).then(x).when(b).then(y).otherwise(z)`."""
    return When((), condition)


def param(name: str, type_: object, default: object = None) -> Expr:
    """A scalar parameter of the program that is being traced, for one that its signature does not have.

    Without a default the caller must give it. DLC110 outside of a program or for an unfit default.
    """
    loc = caller()
    recorded = recording.current.get()
    if recorded is None:
        raise DlcError(
            "DLC110", "no program is being traced", loc=loc, help="use dlc.param in a @dlc.program"
        )
    require_name(name, loc)
    kind = data_type(type_)
    known = recorded.parameters.get(name)
    if known is not None and known.type != kind:
        raise DlcError(
            "DLC110",
            f"parameter '{name}' is {t.text(known.type)} already",
            loc=loc,
            help="give it the same type everywhere",
        )
    if known is None:
        recorded.declare(name, kind, None if default is None else _default(literal_of(default), kind, loc))
    return Expr(make("param", value=(name, kind), name=name))


def _default(value: Literal, type_: t.DataType, loc: SourceLoc) -> Attribute:
    try:
        return literal_attribute(constant(value, type_), type_)
    except UnfitError as error:
        raise DlcError("DLC110", str(error), loc=loc, help=f"give a {t.text(type_)}") from None

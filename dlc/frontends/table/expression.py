"""Expressions over the columns of a frame, recorded as trees."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, cast

from dlc.diagnostics import DlcError
from dlc.frontends.location import caller

from . import literals
from . import node as tree
from .errors import bad_argument
from .node import Node, make
from .traced import Traced
from .types import data_type

if TYPE_CHECKING:
    from .namespaces import DateMethods, StringMethods


_CLOSED = {"both": ("ge", "le"), "left": ("ge", "lt"), "right": ("gt", "le"), "none": ("gt", "lt")}


def node_of(value: object) -> Node:
    """The tree of an expression, or of a Python value as a literal; DLC106 for anything else."""
    if isinstance(value, Expr):
        return value.node
    return make("lit", value=literal_of(value))


def literal_of(value: object) -> literals.Literal:
    """A Python value that can stand in an expression, numpy's scalars included; DLC106 for anything else."""
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        value = cast("Any", value).item()
    if not isinstance(value, literals.LITERAL_TYPES):
        raise bad_argument(
            f"a value of type {type(value).__name__} cannot stand in an expression",
            caller(),
            "expressions hold columns, numbers, strings, booleans, dates, times and None",
        )
    return value


class Expr(Traced):
    """A value computed for each row, or by an aggregate from many rows."""

    traced_as = "an expression"
    __array_ufunc__ = None  # numpy's scalars leave `np.float64(2) * col("x")` to the expression
    __hash__ = object.__hash__

    def __init__(self, node: Node):
        self.node = node

    def __repr__(self) -> builtins.str:
        return f"<expression {self.node.name or self.node.kind}>"

    def _with(self, kind: builtins.str, *others: object, value: object = None) -> Expr:
        return Expr(make(kind, self.node, *map(node_of, others), value=value))

    def _after(self, kind: builtins.str, other: object) -> Expr:
        return Expr(make(kind, node_of(other), self.node))

    def call(self, function: builtins.str, **options: float | builtins.str) -> Expr:
        """Call of a scalar function of the IR with constant options."""
        return self._with("call", value=(function, options))

    def __add__(self, other: object) -> Expr:
        return self._with("add", other)

    def __radd__(self, other: object) -> Expr:
        return self._after("add", other)

    def __sub__(self, other: object) -> Expr:
        return self._with("sub", other)

    def __rsub__(self, other: object) -> Expr:
        return self._after("sub", other)

    def __mul__(self, other: object) -> Expr:
        return self._with("mul", other)

    def __rmul__(self, other: object) -> Expr:
        return self._after("mul", other)

    def __truediv__(self, other: object) -> Expr:
        return self._with("div", other)

    def __rtruediv__(self, other: object) -> Expr:
        return self._after("div", other)

    def __floordiv__(self, other: object) -> Expr:
        return self._with("floordiv", other)

    def __rfloordiv__(self, other: object) -> Expr:
        return self._after("floordiv", other)

    def __mod__(self, other: object) -> Expr:
        return self._with("mod", other)

    def __rmod__(self, other: object) -> Expr:
        return self._after("mod", other)

    def __pow__(self, other: object) -> Expr:
        return self._with("pow", other)

    def __rpow__(self, other: object) -> Expr:
        return self._after("pow", other)

    def __neg__(self) -> Expr:
        return self._with("neg")

    def __pos__(self) -> Expr:
        return self

    def __abs__(self) -> Expr:
        return self._with("abs")

    def __invert__(self) -> Expr:
        return self._with("not")

    def __and__(self, other: object) -> Expr:
        return self._with("and", other)

    def __rand__(self, other: object) -> Expr:
        return self._after("and", other)

    def __or__(self, other: object) -> Expr:
        return self._with("or", other)

    def __ror__(self, other: object) -> Expr:
        return self._after("or", other)

    def __eq__(self, other: object) -> Expr:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._with("eq", other)

    def __ne__(self, other: object) -> Expr:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._with("ne", other)

    def __lt__(self, other: object) -> Expr:
        return self._with("lt", other)

    def __le__(self, other: object) -> Expr:
        return self._with("le", other)

    def __gt__(self, other: object) -> Expr:
        return self._with("gt", other)

    def __ge__(self, other: object) -> Expr:
        return self._with("ge", other)

    def alias(self, name: builtins.str) -> Expr:
        """The same values under another column name."""
        return Expr(tree.alias(self.node, name))

    def is_null(self) -> Expr:
        """Whether the value is null."""
        return self._with("is_null")

    def is_not_null(self) -> Expr:
        """Whether the value is not null."""
        return self._with("is_null")._with("not")

    def is_nan(self) -> Expr:
        """Whether a float is not a number."""
        return self.call("is_nan")

    def is_finite(self) -> Expr:
        """Whether a float is neither infinite nor NaN."""
        return self.call("is_finite")

    def is_in(self, values: Iterable[object]) -> Expr:
        """Whether the value equals one of some Python values; null for null."""
        if isinstance(values, builtins.str | Traced) or not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise bad_argument(
                ".is_in takes a list of Python values",
                caller(),
                "to look a column up in a frame, use a semi join",
            )
        members = [literal_of(value) for value in values]
        if None in members:
            raise bad_argument("nothing equals None", caller(), "add | expression.is_null()")
        return self._with("is_in", value=members)

    def is_between(
        self, low: object, high: object, closed: Literal["both", "left", "right", "none"] = "both"
    ) -> Expr:
        """Whether the value lies between two bounds; `closed` says which of them belong to the range."""
        if closed not in _CLOSED:
            raise bad_argument(f"closed={closed!r} is unknown", caller(), f"use one of {', '.join(_CLOSED)}")
        above, below = _CLOSED[closed]
        return self._with(above, low)._with("and", self._with(below, high))

    def cast(self, type_: object, *, strict: bool = True) -> Expr:
        """The value in another type; one that does not fit fails the run, or is null unless `strict`."""
        return self._with("cast", value=(data_type(type_), strict))

    def fill_null(self, value: object) -> Expr:
        """The value, or another one where it is null."""
        return self._with("coalesce", value)

    def coalesce(self, *others: object) -> Expr:
        """The first that is not null of this and other expressions."""
        return self._with("coalesce", *others)

    def abs(self) -> Expr:
        """Magnitude."""
        return self._with("abs")

    def round(self, digits: int = 0) -> Expr:
        """Rounded to digits after the point, halves away from zero."""
        if not isinstance(digits, int) or not 0 <= digits <= 100:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise bad_argument(f"cannot round to {digits!r} digits", caller(), "digits is an integer from 0")
        return self.call("round", digits=digits)

    def floor(self) -> Expr:
        """The next whole number below."""
        return self.call("floor")

    def ceil(self) -> Expr:
        """The next whole number above."""
        return self.call("ceil")

    def sqrt(self) -> Expr:
        """Square root."""
        return self.call("sqrt")

    def exp(self) -> Expr:
        """Natural exponential."""
        return self.call("exp")

    def log(self) -> Expr:
        """Natural logarithm."""
        return self.call("log")

    def sin(self) -> Expr:
        """Sine of an angle in radians."""
        return self.call("sin")

    def cos(self) -> Expr:
        """Cosine of an angle in radians."""
        return self.call("cos")

    def _aggregate(self, function: builtins.str) -> Expr:
        if self.node.aggregates:
            raise DlcError(
                "DLC107",
                "an aggregate cannot stand inside another",
                loc=caller(),
                help="aggregate twice: compute the inner one with agg first",
            )
        return self._with("agg", value=function)

    def sum(self) -> Expr:
        """Sum of the values that are not null; null when there are none."""
        return self._aggregate("sum")

    def mean(self) -> Expr:
        """Arithmetic mean of the values that are not null."""
        return self._aggregate("mean")

    def min(self) -> Expr:
        """Least value."""
        return self._aggregate("min")

    def max(self) -> Expr:
        """Greatest value."""
        return self._aggregate("max")

    def count(self) -> Expr:
        """Number of values that are not null."""
        return self._aggregate("count")

    def n_unique(self) -> Expr:
        """Number of distinct values."""
        return self._aggregate("n_unique")

    def var(self) -> Expr:
        """Sample variance."""
        return self._aggregate("var")

    def std(self) -> Expr:
        """Sample standard deviation."""
        return self._aggregate("std")

    def median(self) -> Expr:
        """The value in the middle."""
        return self._aggregate("median")

    def quantile(self, q: float) -> Expr:
        """The value below which a share `q` (0 to 1) of the values lies."""
        if not isinstance(q, int | float) or not 0 <= q <= 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise bad_argument(f"there is no quantile {q!r}", caller(), "a quantile is a number from 0 to 1")
        return self._aggregate(f"quantile:{float(q)!r}")

    @property
    def str(self) -> StringMethods:
        """What can be done with strings."""
        from .namespaces import StringMethods

        return StringMethods(self)

    @property
    def dt(self) -> DateMethods:
        """What can be done with dates and times."""
        from .namespaces import DateMethods

        return DateMethods(self)

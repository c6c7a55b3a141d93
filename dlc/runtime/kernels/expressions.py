"""Compiles the expression trees of a plan to Polars expressions."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.kernels import arithmetic, functions
from dlc.runtime.kernels.arithmetic import convert
from dlc.runtime.kernels.call import Call, Json, Locate, Value, walk
from dlc.runtime.kernels.casts import cast
from dlc.runtime.kernels.checks import Failures
from dlc.runtime.types import ColumnType, parse_type

_DATES = range(-719_162, 2_932_897)  # days that Python's date can hold


@dataclass(frozen=True)
class Bindings:
    """What is known only when a fragment runs: parameters, and the frames whose one row gives scalars."""

    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    scalars: Mapping[int, pl.DataFrame] = field(default_factory=dict[int, pl.DataFrame])


_NOTHING = Bindings()


class Expression:
    """An expression tree, built once, or anew for each run when it takes parameters or scalars.

    `columns` maps names to expressions that stand for these columns. `may_fail` tells whether it checks rows.
    """

    def __init__(
        self, tree: Json, locate: Locate, failures: Failures, columns: Mapping[str, pl.Expr] | None = None
    ) -> None:
        self.type = parse_type(tree["type"])
        self.scalar_inputs = {node["input"] for node in walk(tree) if node["f"] == "scalar"}
        self.reads_columns = not arithmetic.is_constant(tree)
        self._tree = tree
        self._builder = _Builder(locate, failures, columns or {})
        varies = any(node["f"] in ("param", "scalar") for node in walk(tree))
        self._fixed = None if varies else self._builder.bound(tree, _NOTHING)
        self.may_fail = varies or self._builder.checks > 0

    def bind(self, bindings: Bindings) -> pl.Expr:
        """The Polars expression, with these parameters and scalars as literals."""
        return self._builder.bound(self._tree, bindings) if self._fixed is None else self._fixed

    @property
    def checks(self) -> int:
        """How many row checks it has built so far."""
        return self._builder.checks


def columns_read(tree: Json) -> list[tuple[str, ColumnType]]:
    """Names and types of the columns that an expression reads."""
    found = {node["name"]: parse_type(node["type"]) for node in walk(tree) if node["f"] == "col"}
    return list(found.items())


class _Builder:
    def __init__(self, locate: Locate, failures: Failures, columns: Mapping[str, pl.Expr]) -> None:
        self.checks = 0
        self._locate = locate
        self._failures = failures
        self._columns = columns
        self._bindings = _NOTHING

    def bound(self, tree: Json, bindings: Bindings) -> pl.Expr:
        self._bindings = bindings
        return self.build(tree, None).expr

    def build(self, tree: Json, guard: pl.Expr | None) -> Value:
        name, kind = tree["f"], parse_type(tree["type"])
        if name == "col":
            return Value(self._columns.get(tree["name"], pl.col(tree["name"])), kind)
        if name in ("lit", "param", "scalar"):
            return Value(literal(self._value(tree), kind), kind)
        function = _FUNCTIONS.get(name)
        call = Call(self, tree, guard)
        if function is None:
            raise functions.unsupported(call, f"the function {name!r}")
        return Value(function(call), kind)

    def number(self, tree: Json) -> float | int | None:
        if tree["f"] not in ("lit", "param", "scalar"):
            raise functions.unsupported(Call(self, tree, None), "a bound that differs between rows")
        value = self._value(tree)
        return float(value) if isinstance(value, str) else value

    def _value(self, tree: Json) -> Any:
        """The plan's form of a value: dates and timestamps as integers, decimals scaled."""
        if tree["f"] == "lit":
            return tree["value"]
        if tree["f"] == "param":
            return self._bindings.parameters[tree["name"]]
        column = self._bindings.scalars[tree["input"]][tree["name"]].to_physical()
        return column.item() if len(column) else None

    def verify(
        self, value: pl.Expr, bad: pl.Expr, kind: pl.DataType, error: Callable[[], DlcError]
    ) -> pl.Expr:
        self.checks += 1
        return self._failures.verify(value, bad, kind, error)

    def locate(self, index: int) -> SourceLoc | None:
        return self._locate(index)


def literal(value: Any, kind: ColumnType) -> pl.Expr:
    """A literal of the physical type from the plan's form of its value."""
    physical = kind.physical
    if value is None:
        return pl.lit(None, dtype=physical)
    if kind.is_float:
        return pl.lit(float(value), dtype=physical)
    if kind.is_decimal:
        return pl.lit(int(value), dtype=physical)
    if kind.kind == "date" and value in _DATES:
        # Polars prunes row groups of a file by date literals, but not by casts.
        return pl.lit(datetime.date.fromordinal(value + 719_163), dtype=physical)
    if kind.kind in ("date", "timestamp", "duration"):
        return pl.lit(value, dtype=pl.Int64).cast(physical)
    return pl.lit(value, dtype=physical)


def _case(call: Call) -> pl.Expr:
    """The value of the first condition that is true, else the last one; only the chosen value may fail."""
    *pairs, default = call.trees
    remaining = call.guard
    conditions: list[pl.Expr] = []
    values: list[pl.Expr] = []
    for condition_tree, value_tree in zip(pairs[::2], pairs[1::2], strict=True):
        condition = call.builder.build(condition_tree, remaining).expr.fill_null(False)
        conditions.append(condition)
        values.append(convert(call.builder.build(value_tree, _both(remaining, condition)), call.type))
        remaining = _both(remaining, ~condition)
    result = convert(call.builder.build(default, remaining), call.type)
    for condition, value in zip(reversed(conditions), reversed(values), strict=True):
        result = pl.when(condition).then(value).otherwise(result)
    return result


def _coalesce(call: Call) -> pl.Expr:
    """The first value that is not null; later ones are not computed for these rows."""
    remaining = call.guard
    values: list[pl.Expr] = []
    for tree in call.trees:
        values.append(convert(call.builder.build(tree, remaining), call.type))
        remaining = _both(remaining, values[-1].is_null())
    return pl.coalesce(values)


def _both(a: pl.Expr | None, b: pl.Expr) -> pl.Expr:
    return b if a is None else a & b


def _is_in(call: Call) -> pl.Expr:
    """SQL's IN: null for a null, and for a value that is not found beside a null."""
    source = call.args[0]
    given: list[Any] = [value for value in call.tree["values"] if value is not None]
    if source.type.is_float or source.type.is_decimal:
        given = [float(value) if source.type.is_float else int(value) for value in given]
    dated = source.type.kind in ("date", "timestamp", "duration")
    values = pl.Series(given, dtype=pl.Int64 if dated else source.type.physical).cast(source.type.physical)
    found = source.expr.is_in(values.implode())
    return found | pl.lit(None, dtype=pl.Boolean) if None in call.tree["values"] else found


_FUNCTIONS: dict[str, Callable[[Call], pl.Expr]] = {
    **arithmetic.FUNCTIONS,
    **functions.FUNCTIONS,
    "case": _case,
    "coalesce": _coalesce,
    "cast": cast,
    "is_in": _is_in,
}

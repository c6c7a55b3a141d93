"""Whatever is built of columns, values and verbs gives verified IR or an error with a line, nothing else."""

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dlc
from dlc import col
from dlc.diagnostics import DlcError, render
from tests.frontends.specs import operations

quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

COLUMNS = [
    "flag",
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "u64",
    "f32",
    "f64",
    "price",
    "rate",
    "wide",
    "s",
    "d",
    "t",
    "tz",
    "dur",
    "n",
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-300, 300),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=3),
    st.sampled_from(["1995-01-01", "1995-13-01", "1995-01-01T00:00:00", "1995-01-01T00:00:00+02:00"]),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.timedeltas(),
    st.sampled_from(
        [10**400, Decimal("1e-50"), datetime(1, 1, 1), datetime(9999, 12, 31), date.max, timedelta.max]
    ),
)
LEAVES = st.one_of(st.sampled_from(COLUMNS).map(col), VALUES.map(dlc.lit), st.just(dlc.len()))

BINARY: list[Callable[[Any, Any], Any]] = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
    operator.eq, operator.ne, operator.lt, operator.ge, operator.and_, operator.or_,
    dlc.Expr.fill_null, dlc.min_horizontal, dlc.coalesce,
    lambda a, b: dlc.when(a).then(b), lambda a, b: dlc.when(b).then(a).otherwise(b),
    lambda a, b: a.is_between(b, a),
]  # fmt: skip
UNARY: list[Callable[[Any], Any]] = [
    operator.neg, operator.invert, abs,
    *(operator.methodcaller(name) for name in (
        "is_null", "is_not_null", "is_nan", "is_finite", "sqrt", "exp", "log", "floor", "ceil", "round",
        "sum", "mean", "min", "max", "count", "n_unique", "var", "std", "median",
    )),
    *(operator.methodcaller("cast", type_, strict=strict) for strict in (True, False) for type_ in (
        dlc.Boolean, dlc.Int8, dlc.UInt64, dlc.Float32, dlc.Float64, dlc.Decimal(5, 2), dlc.String,
        dlc.Date, dlc.Datetime("ms"), dlc.Datetime("us", "UTC"), dlc.Duration("ns"),
    )),
    lambda e: e.str.len_chars(), lambda e: e.str.slice(-1, 2), lambda e: e.str.like("%"),
    lambda e: e.dt.year(), lambda e: e.dt.hour(), lambda e: e.dt.truncate("1mo"), lambda e: e.dt.date(),
    lambda e: e.quantile(0.5),
]  # fmt: skip


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result, or the first argument where the call is refused with a code and a line."""
    try:
        return function(*arguments)
    except DlcError as error:
        assert error.loc is not None
        assert error.help
        assert error.code in render(error)
        return arguments[0]


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(attempt, st.sampled_from(UNARY), inner),
            st.builds(attempt, st.sampled_from(BINARY), inner, inner),
            st.builds(attempt, st.sampled_from(BINARY), inner, VALUES),
            st.builds(attempt, st.just(dlc.Expr.is_in), inner, st.lists(VALUES, max_size=3)),
        ),
        max_leaves=6,
    )


VERBS: list[Callable[[dlc.Frame, dlc.Expr], Any]] = [
    lambda f, e: f.select(e),
    lambda f, e: f.select(e.alias("a"), col("i8").sum()),
    lambda f, e: f.with_columns(e),
    lambda f, e: f.filter(e),
    lambda f, e: f.sort(e, "i8"),
    lambda f, e: f.group_by("flag").agg(e.alias("out")),
    lambda f, e: f.group_by(e.alias("key")).agg(dlc.len(), e.max().alias("out")),
    lambda f, e: f.join(f, left_on=[e], right_on=["i64"]),
]


@quick
@given(expression=trees(LEAVES), verb=st.sampled_from(VERBS))
def test_expressions_are_typed_or_refused(
    types: dlc.Frame, expression: dlc.Expr, verb: Callable[..., Any]
) -> None:
    frame = attempt(verb, types, expression)
    for op in operations(frame):
        op.verify()


NAMES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["id", "amount", "new"]),
    st.text(max_size=4),
    st.sampled_from([None, 3, "\ud800", '"', "\\"]),
)


@quick
@given(first=NAMES, second=NAMES, count=st.one_of(st.integers(), VALUES))
def test_verbs_are_recorded_or_refused(orders: dlc.Frame, first: Any, second: Any, count: Any) -> None:
    for verb in (
        lambda f: f.select(first, second),
        lambda f: f.drop(first),
        lambda f: f.rename({first: second}),
        lambda f: f.rename({"id": second}),
        lambda f: f.with_columns(col("id").alias(first)),
        lambda f: f.head(count),
        lambda f: f.unique(first, second),
        lambda f: f.sort(first, descending=count),
        lambda f: f.join(f, on=first, how=second),
        lambda f: f.join(f, on="id", suffix=first),
        lambda f: dlc.concat([f, f.select("id")]),
    ):
        frame = attempt(verb, orders)
        assert list(operations(frame))

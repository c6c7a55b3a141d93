"""How operands are brought together, and the types that come out."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

import dlc
from dlc import col
from tests.frontends.specs import computed

CASES: list[tuple[object, str, str]] = [
    # A literal takes the type of the column beside it.
    (col("i8") + 1, "add(i8, 1:i8)", "i8"),
    (1 - col("u16"), "sub(1:ui16, u16)", "ui16"),
    (col("f32") * 2, "mul(f32, 2.0:f32)", "f32"),
    (col("f32") * 0.5, "mul(f32, 0.5:f32)", "f32"),
    (col("f64") + 1, "add(f64, 1.0:f64)", "f64"),
    (col("price") * 2, "mul(price, 2:decimal(1,0))", "decimal(16,2)"),
    # … unless it does not fit there.
    (col("i8") + 1000, "add(cast(i8, i64), 1000:i64)", "i64"),
    (col("i32") + 0.5, "add(cast(i32, f64), 0.5:f64)", "f64"),
    (col("u8") > -1, "gt(cast(u8, i64), -1:i64)", "bool"),
    # A float beside a decimal is the decimal that it prints as.
    (col("price") >= 0.05, "ge(price, 5:decimal(2,2))", "bool"),
    (col("price") + Decimal("1.5"), "add(price, 15:decimal(2,1))", "decimal(16,2)"),
    (col("price") < 1e300, "lt(cast(price, f64), 1e+300:f64)", "bool"),
    # Columns meet in the common type.
    (col("i8") + col("i64"), "add(cast(i8, i64), i64)", "i64"),
    (col("i32") + col("u32"), "add(cast(i32, i64), cast(u32, i64))", "i64"),
    (col("i64") + col("u64"), "add(cast(i64, decimal(19,0)), cast(u64, decimal(20,0)))", "decimal(21,0)"),
    (col("i64") * col("f32"), "mul(cast(i64, f64), cast(f32, f64))", "f64"),
    (col("price") * col("rate"), "mul(price, rate)", "decimal(19,6)"),
    (col("price") + col("rate"), "add(price, rate)", "decimal(18,4)"),
    (col("i32") * col("price"), "mul(cast(i32, decimal(10,0)), price)", "decimal(25,2)"),
    (col("price") * col("f64"), "mul(cast(price, f64), f64)", "f64"),
    (col("i32") < col("price"), "lt(cast(i32, decimal(15,2)), price)", "bool"),
    # Division gives floats; the operands stay exact, so that a zero is noticed.
    (col("i64") / col("i64"), "div(i64, i64)", "f64"),
    (col("i32") / 2, "div(i32, 2:i32)", "f64"),
    (col("price") / col("rate"), "div(price, rate)", "f64"),
    (col("i64") // 2, "floordiv(i64, 2:i64)", "i64"),
    (col("i64") % 2, "mod(i64, 2:i64)", "i64"),
    (col("i64") ** 2, "pow(cast(i64, f64), 2.0:f64)", "f64"),
    # Dates and times.
    (col("d") >= date(1970, 1, 2), "ge(d, 1:date)", "bool"),
    (col("d") == "1970-01-11", "eq(d, 10:date)", "bool"),
    (col("t") > datetime(1970, 1, 1, 0, 0, 1), "gt(t, 1000000:timestamp[us])", "bool"),
    (col("t") > "1970-01-01T00:00:01", "gt(t, 1000000:timestamp[us])", "bool"),
    (col("t") > date(1970, 1, 2), "gt(t, 86400000000:timestamp[us])", "bool"),
    (col("tz") > datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "gt(tz, 1000:timestamp[ms,UTC])", "bool"),
    (col("d") < col("t"), "lt(cast(d, timestamp[us]), t)", "bool"),
    (col("d") - col("d"), "sub(d, d)", "duration[us]"),
    (col("d") + timedelta(days=1), "add(d, 86400000000:duration[us])", "date"),
    (col("tz") + timedelta(seconds=1), "add(tz, 1000:duration[ms])", "timestamp[ms,UTC]"),
    (col("tz") + col("dur"), "add(cast(tz, timestamp[us,UTC]), dur)", "timestamp[us,UTC]"),
    (col("d").dt.truncate("1mo"), "date_trunc(d, unit=1mo)", "date"),
    (col("t").dt.hour(), "hour(t)", "i64"),
    (col("t").dt.date(), "to_date(t)", "date"),
    (col("d").dt.offset_months(-1), "add_months(d, months=-1)", "date"),
    # Null propagates; tests for null and defaults end it.
    (col("n") + 1, "add(n, 1:i64)", "i64?"),
    (col("n") > col("i8"), "gt(n, cast(i8, i64))", "bool?"),
    (col("n").is_null(), "is_null(n)", "bool"),
    (col("n").is_not_null(), "not(is_null(n))", "bool"),
    (col("n").fill_null(0), "coalesce(n, 0:i64)", "i64"),
    (col("n").fill_null(0.5), "coalesce(cast(n, f64?), 0.5:f64)", "f64"),
    (dlc.coalesce("n", "i8", None), "coalesce(n, cast(i8, i64), null:i64?)", "i64"),
    # Choices take the common type of their values.
    (dlc.when(col("flag")).then(1).otherwise(0), "case(flag, 1:i64, 0:i64)", "i64"),
    (dlc.when(col("flag")).then(col("i8")), "case(flag, i8, null:i8?)", "i8?"),
    (
        dlc.when(col("flag")).then(col("price")).otherwise(0),
        "case(flag, price, 0:decimal(15,2))",
        "decimal(15,2)",
    ),
    (dlc.when(col("flag")).then(1).otherwise(0.5), "case(flag, 1.0:f64, 0.5:f64)", "f64"),
    (
        dlc.when(col("flag")).then("a").when(col("n") > 0).then("b").otherwise("c"),
        "case(flag, a:string, gt(n, 0:i64), b:string, c:string)",
        "string",
    ),
    # Membership and ranges.
    (col("i8").is_in([1, 2]), "is_in(i8, [1, 2])", "bool"),
    (col("i8").is_in([1, 300]), "is_in(cast(i8, i64), [1, 300])", "bool"),
    (col("price").is_in([1, 0.5]), "is_in(price, [100, 50])", "bool"),
    (col("d").is_in([date(1970, 1, 2)]), "is_in(d, [1])", "bool"),
    (col("n").is_in([]), "is_in(n, [])", "bool?"),
    (col("i8").is_between(1, 2), "and(ge(i8, 1:i8), le(i8, 2:i8))", "bool"),
    (col("i8").is_between(1, 2, closed="none"), "and(gt(i8, 1:i8), lt(i8, 2:i8))", "bool"),
    # Strings.
    (col("s") + "x", "str_concat(s, x:string)", "string"),
    (col("s").str.starts_with("x"), "str_starts_with(s, pattern=x)", "bool"),
    (col("s").str.like("a%_"), "like(s, pattern=a%_)", "bool"),
    (col("s").str.slice(0, 2), "str_slice(s, offset=0, length=2)", "string"),
    (col("s").str.len_chars(), "str_len(s)", "i64"),
    # Mathematics.
    (col("i8").sqrt(), "sqrt(cast(i8, f64))", "f64"),
    (col("f32").exp(), "exp(f32)", "f32"),
    (col("price").round(1), "round(price, digits=1)", "decimal(15,2)"),
    (-col("price"), "neg(price)", "decimal(15,2)"),
    (abs(col("i8")), "abs(i8)", "i8"),
    (dlc.max_horizontal("i8", "i32", 5), "max_horizontal(cast(i8, i32), i32, 5:i32)", "i32"),
    # Casts.
    (col("i8").cast(dlc.Float64), "cast(i8, f64)", "f64"),
    (col("i8").cast("i8"), "i8", "i8"),
    (col("s").cast(int, strict=False), "cast?(s, i64?)", "i64?"),
    (col("n").cast(dlc.Decimal(10, 2)), "cast(n, decimal(10,2)?)", "decimal(10,2)?"),
    (dlc.lit(None).cast(dlc.String), "null:string?", "string?"),
    (dlc.lit(1).cast(dlc.Float32), "1.0:f32", "f32"),
    # Logic takes Python booleans.
    (col("flag") & True, "and(flag, True:bool)", "bool"),
    (~col("flag") | (col("n") > 1), "or(not(flag), gt(n, 1:i64))", "bool?"),
]


@pytest.mark.parametrize(("expression", "text", "type_"), CASES, ids=[text for _, text, _ in CASES])
def test_operands_are_brought_together(types: dlc.Frame, expression: object, text: str, type_: str) -> None:
    assert computed(types, expression) == (text, type_)


AGGREGATES: list[tuple[str, Callable[[dlc.Expr], dlc.Expr], str]] = [
    ("i8", dlc.Expr.sum, "i64?"),
    ("u8", dlc.Expr.sum, "ui64?"),
    ("flag", dlc.Expr.sum, "i64?"),
    ("price", dlc.Expr.sum, "decimal(38,2)?"),
    ("f32", dlc.Expr.sum, "f32?"),
    ("price", dlc.Expr.mean, "f64?"),
    ("i64", dlc.Expr.var, "f64?"),
    ("i64", dlc.Expr.std, "f64?"),
    ("i64", dlc.Expr.median, "f64?"),
    ("i64", lambda e: e.quantile(0.9), "f64?"),
    ("s", dlc.Expr.min, "string?"),
    ("d", dlc.Expr.max, "date?"),
    ("n", dlc.Expr.count, "i64"),
    ("s", dlc.Expr.n_unique, "i64"),
]


@pytest.mark.parametrize(("column", "aggregate", "type_"), AGGREGATES)
def test_aggregates_have_the_types_of_sql(
    types: dlc.Frame, column: str, aggregate: Callable[[dlc.Expr], dlc.Expr], type_: str
) -> None:
    assert str(types.select(aggregate(col(column))).schema[column]) == type_


NAMES: list[tuple[dlc.Expr, str]] = [
    (col("i8") + col("i16"), "i8"),
    (1 - col("i16"), "i16"),
    (dlc.lit(1), "literal"),
    (col("s").str.len_chars(), "s"),
    (col("i8").alias("a") + 1, "a"),
    (dlc.when(col("flag")).then(col("i8")).otherwise(col("i16")), "i8"),
    (dlc.when(col("flag")).then(1).otherwise(0), "flag"),
    (col("i8").sum() / dlc.len(), "i8"),
    (dlc.len(), "len"),
]


@pytest.mark.parametrize(("expression", "name"), NAMES, ids=[name for _, name in NAMES])
def test_results_are_named_after_the_leftmost_column(
    types: dlc.Frame, expression: dlc.Expr, name: str
) -> None:
    assert types.select(expression).columns == [name]


def test_a_type_prints_as_in_messages_and_reads_back() -> None:
    for type_ in (dlc.Int8, dlc.UInt64, dlc.Decimal(15, 2), dlc.Datetime("ns", "UTC"), dlc.Duration("ms")):
        assert dlc.DataType(str(type_)) == type_
    assert str(dlc.Datetime("us", "UTC")) == "timestamp[us,UTC]"

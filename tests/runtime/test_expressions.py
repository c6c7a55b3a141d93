"""Expressions give what a row-by-row reading of SQL's rules gives, errors included."""

import decimal
import math
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.kernels import collect, compile_fragment
from dlc.runtime.kernels.decimals import to_logical, to_physical
from dlc.runtime.types import parse_type
from tests.runtime import oracle
from tests.runtime.trees import Json, call, col, fragment, lit, project

decimal.getcontext().prec = 100
COLUMNS = {
    "a": "i64?",
    "b": "i32?",
    "u": "ui64",
    "p": "bool?",
    "d": "decimal(9,2)?",
    "e": "decimal(38,4)?",
}


def evaluate(
    tree: Json, rows: list[dict[str, Any]], columns: dict[str, str] = COLUMNS, **parameters: Any
) -> list[Any]:
    """The values of an expression for these rows."""
    logical = pl.DataFrame(rows, schema={name: parse_type(kind).logical for name, kind in columns.items()})
    kernel = compile_fragment(fragment(project(x=tree)), lambda index: SourceLoc("prog.py", index + 1))
    result = collect(kernel([to_physical(logical)], parameters)[0])
    assert result.schema["x"] == parse_type(tree["type"]).physical
    return to_logical(result, [("x", parse_type(tree["type"]))])["x"].to_list()


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    largest = 10**precision - 1
    near = st.sampled_from([-largest, largest, 0, 1, -1, 10**scale])
    return st.one_of(near, st.integers(-largest, largest)).map(lambda value: Decimal(value).scaleb(-scale))


def integers(least: int, largest: int) -> st.SearchStrategy[int]:
    return st.one_of(
        st.sampled_from([least, largest]), st.integers(max(least, -3), 3), st.integers(least, largest)
    )


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "a": st.none() | integers(-(2**63), 2**63 - 1),
            "b": st.none() | integers(-(2**31), 2**31 - 1),
            "u": integers(0, 2**64 - 1),
            "p": st.none() | st.booleans(),
            "d": st.none() | decimals(9, 2),
            "e": st.none() | decimals(38, 4),
        }
    ),
    min_size=1,
    max_size=4,
)


def numbers(kind: str, leaves: list[str]) -> st.SearchStrategy[Json]:
    """Trees of integer arithmetic in `kind`."""
    base = st.one_of(
        st.sampled_from(leaves).map(lambda name: col(name, COLUMNS[name])),
        st.integers(0, 5).map(lambda value: lit(value, kind.removesuffix("?"))),
    )

    def grow(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
        binary = st.sampled_from(["add", "sub", "mul", "floordiv", "mod"])
        return st.one_of(
            st.builds(lambda f, x, y: call(f, kind, x, y, checked=True), binary, inner, inner),
            st.builds(lambda f, x: call(f, kind, x, checked=True), st.sampled_from(["neg", "abs"]), inner),
            st.builds(lambda c, x, y: call("case", kind, c, x, y), conditions(inner), inner, inner),
            st.builds(lambda x, y: call("coalesce", kind, x, y), inner, inner),
            inner.map(lambda x: call("cast", kind, x, strict=True)),
        )

    return st.recursive(base, grow, max_leaves=5)


def conditions(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Trees of three-valued logic over comparisons of `inner`."""
    compare = st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge", "eq_missing"])
    base = st.one_of(
        st.just(col("p", "bool?")),
        st.sampled_from([True, False, None]).map(lambda value: lit(value, "bool?")),
        st.builds(lambda f, x, y: call(f, "bool?", x, y), compare, inner, inner),
        inner.map(lambda x: call("is_null", "bool", x)),
    )
    return st.recursive(
        base,
        lambda c: st.one_of(
            st.builds(lambda f, x, y: call(f, "bool?", x, y), st.sampled_from(["and", "or"]), c, c),
            c.map(lambda x: call("not", "bool?", x)),
        ),
        max_leaves=4,
    )


def agrees(tree: Json, rows: list[dict[str, Any]]) -> None:
    """The kernel gives the oracle's values, or fails with the code of one of the oracle's errors."""
    expected: list[Any] = []
    codes: set[str] = set()
    for row in rows:
        try:
            expected.append(oracle.evaluate(tree, row))
        except oracle.Overflow:
            codes.add("DLC602")
        except oracle.DivisionByZero:
            codes.add("DLC601")
        except oracle.CannotCast:
            codes.add("DLC607")
    if codes:
        with pytest.raises(DlcError) as caught:
            evaluate(tree, rows)
        # Polars evaluates arguments of one row in any order, so that a row may fail in another of its parts.
        assert caught.value.code in {"DLC601", "DLC602", "DLC607"}
        assert caught.value.loc == SourceLoc("prog.py", 1)
    else:
        assert evaluate(tree, rows) == expected


thorough = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@thorough
@given(numbers("i64?", ["a", "b"]), ROWS)
def test_signed_integers(tree: Json, rows: list[dict[str, Any]]) -> None:
    agrees(tree, rows)


@thorough
@given(numbers("ui64?", ["u"]), ROWS)
def test_unsigned_integers(tree: Json, rows: list[dict[str, Any]]) -> None:
    agrees(tree, rows)


@thorough
@given(numbers("i32?", ["b"]), ROWS)
def test_narrow_integers(tree: Json, rows: list[dict[str, Any]]) -> None:
    agrees(tree, rows)


@thorough
@given(conditions(numbers("i64?", ["a", "b"])), ROWS)
def test_three_valued_logic(tree: Json, rows: list[dict[str, Any]]) -> None:
    agrees(tree, rows)


@thorough
@given(
    st.sampled_from(
        [
            call("add", "decimal(10,2)?", col("d", "decimal(9,2)?"), col("d", "decimal(9,2)?"), checked=True),
            call(
                "sub", "decimal(38,4)?", col("e", "decimal(38,4)?"), col("d", "decimal(9,2)?"), checked=True
            ),
            call(
                "add", "decimal(38,4)?", col("e", "decimal(38,4)?"), col("e", "decimal(38,4)?"), checked=True
            ),
            call("mul", "decimal(18,4)?", col("d", "decimal(9,2)?"), col("d", "decimal(9,2)?"), checked=True),
            call(
                "mul", "decimal(38,6)?", col("e", "decimal(38,4)?"), col("d", "decimal(9,2)?"), checked=True
            ),
            call(
                "mul", "decimal(38,8)?", col("e", "decimal(38,4)?"), col("e", "decimal(38,4)?"), checked=True
            ),
            call("add", "decimal(22,2)?", col("d", "decimal(9,2)?"), col("a", "i64?"), checked=True),
            call("lt", "bool?", col("d", "decimal(9,2)?"), col("e", "decimal(38,4)?")),
            call("eq", "bool?", col("d", "decimal(9,2)?"), col("b", "i32?")),
            call("mod", "decimal(9,2)?", col("d", "decimal(9,2)?"), lit(7, "i64"), checked=True),
            call(
                "floordiv",
                "decimal(9,0)?",
                col("d", "decimal(9,2)?"),
                col("d", "decimal(9,2)?"),
                checked=True,
            ),
            call("cast", "decimal(9,2)?", col("b", "i32?"), strict=True),
            call("cast", "decimal(38,10)?", col("a", "i64?"), strict=True),
            call("cast", "i32?", col("d", "decimal(9,2)?"), strict=True),
            call("cast", "i32?", col("e", "decimal(38,4)?"), strict=True),
            call("neg", "decimal(38,4)?", col("e", "decimal(38,4)?"), checked=True),
        ]
    ),
    ROWS,
)
def test_decimals(tree: Json, rows: list[dict[str, Any]]) -> None:
    agrees(tree, rows)


def test_comparison_of_signed_and_unsigned_is_exact() -> None:
    rows = [{"a": -1, "u": 2**64 - 1}, {"a": 2**63 - 1, "u": 2**63}]
    tree = call("lt", "bool?", col("a", "i64?"), col("u", "ui64"))
    assert evaluate(tree, rows, {"a": "i64?", "u": "ui64"}) == [True, True]


@pytest.mark.parametrize("compare", ["eq", "lt", "ge", "eq_missing"])
def test_a_constant_beside_a_column_that_turns_out_constant_keeps_all_rows(compare: str) -> None:
    zero = call("coalesce", "i64", col("a", "i64?"), lit(0, "i64"))
    rows = [{"a": None}] * 3
    assert len(evaluate(call(compare, "bool?", lit(0, "i64"), zero), rows, {"a": "i64?"})) == 3


def test_floats_follow_ieee_754() -> None:
    rows = [{"x": 1.0, "y": 0.0}, {"x": 0.0, "y": 0.0}, {"x": None, "y": 0.0}]
    kinds = {"x": "f64?", "y": "f64"}
    quotients = evaluate(call("div", "f64?", col("x", "f64?"), col("y", "f64")), rows, kinds)
    assert quotients[0] == math.inf
    assert math.isnan(quotients[1])
    assert quotients[2] is None


def test_nan_equals_itself_and_is_above_all_numbers() -> None:
    rows = [{"x": math.nan, "y": math.nan}, {"x": math.nan, "y": math.inf}]
    kinds = {"x": "f64", "y": "f64"}
    assert evaluate(call("eq", "bool", col("x", "f64"), col("y", "f64")), rows, kinds) == [True, False]
    assert evaluate(call("gt", "bool", col("x", "f64"), col("y", "f64")), rows, kinds) == [False, True]


def test_the_quotient_of_integers_is_a_float() -> None:
    tree = call("div", "f64?", col("a", "i64?"), lit(2, "i64"))
    assert evaluate(tree, [{"a": 3}, {"a": None}], {"a": "i64?"}) == [1.5, None]


@pytest.mark.parametrize("divisor", [lit(0, "i64"), lit(None, "i64?")])
def test_a_null_operand_divides_by_nothing(divisor: Json) -> None:
    tree = call("floordiv", "i64?", col("a", "i64?"), divisor)
    assert evaluate(tree, [{"a": None}], {"a": "i64?"}) == [None]


def test_a_filter_guards_the_filters_after_it() -> None:
    nonzero = call("ne", "bool", col("a", "i64"), lit(0, "i64"))
    large = call("gt", "bool", call("div", "f64", lit(10, "i64"), col("a", "i64")), lit(3, "i64"))
    kernel = compile_fragment(
        fragment(
            {"op": "filter", "in": 0, "predicate": nonzero}, {"op": "filter", "in": 1, "predicate": large}
        ),
        lambda _: None,
    )
    assert collect(kernel([pl.DataFrame({"a": [0, 1, 5]})], {})[0])["a"].to_list() == [1]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("12", "i64", 12),
        ("1.5", "i64", None),
        (" 7 ", "i8", 7),
        ("300", "i8", None),
        ("1.25", "decimal(5,2)", Decimal("1.25")),
        ("99999", "decimal(5,2)", None),
        ("true", "bool", True),
        ("yes", "bool", None),
        ("2.5", "f64", 2.5),
        ("x", "f64", None),
    ],
)
def test_casts_from_text(text: str, kind: str, value: Any) -> None:
    lenient = call("cast", f"{kind}?", col("s", "string"), strict=False)
    assert evaluate(lenient, [{"s": text}], {"s": "string"}) == [value]
    strict = call("cast", kind, col("s", "string"), strict=True)
    if value is None:
        with pytest.raises(DlcError) as caught:
            evaluate(strict, [{"s": text}], {"s": "string"})
        assert caught.value.code == "DLC607"
    else:
        assert evaluate(strict, [{"s": text}], {"s": "string"}) == [value]


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("a%", ["abc", "a.c"]),
        ("%c", ["abc", "a.c"]),
        ("%b%", ["abc"]),
        ("a_c", ["abc", "a.c"]),
        ("a.c", ["a.c"]),
        ("%", ["abc", "a.c", "x\ny", ""]),
        ("x%y", ["x\ny"]),
        ("", [""]),
    ],
)
def test_like(pattern: str, matches: list[str]) -> None:
    words = ["abc", "a.c", "x\ny", ""]
    found = evaluate(
        call("like", "bool", col("s", "string"), pattern=pattern), [{"s": w} for w in words], {"s": "string"}
    )
    assert [word for word, match in zip(words, found, strict=True) if match] == matches


def test_is_in_beside_a_null_is_never_false() -> None:
    tree = call("is_in", "bool?", col("a", "i64?"), values=[1, None])
    assert evaluate(tree, [{"a": 1}, {"a": 2}, {"a": None}], {"a": "i64?"}) == [True, None, None]


def test_is_in_of_dates_and_decimals() -> None:
    dates = call("is_in", "bool", col("d", "date"), values=[19_000])
    assert evaluate(dates, [{"d": 19_000}, {"d": 1}], {"d": "date"}) == [True, False]
    amounts = call("is_in", "bool", col("m", "decimal(9,2)"), values=["125"])
    rows = [{"m": Decimal("1.25")}, {"m": Decimal(125)}]
    assert evaluate(amounts, rows, {"m": "decimal(9,2)"}) == [True, False]


def test_parameters_are_bound_for_each_run() -> None:
    tree = call("add", "i64", col("a", "i64"), {"f": "param", "name": "more", "type": "i64"})
    kernel = compile_fragment(fragment(project(x=tree)), lambda _: None)
    frame = pl.DataFrame({"a": [1, 2]})
    for more in (10, 20):
        assert collect(kernel([frame], {"more": more})[0])["x"].to_list() == [1 + more, 2 + more]


def test_scalars_come_from_the_one_row_of_another_input() -> None:
    tree = call("mul", "f64", col("x", "f64"), {"f": "scalar", "input": 1, "name": "m", "type": "f64?"})
    kernel = compile_fragment(fragment(project(y=tree), inputs=2), lambda _: None)
    frame = pl.DataFrame({"x": [1.0, 2.0]})
    assert collect(kernel([frame, pl.DataFrame({"m": [3.0]})], {})[0])["y"].to_list() == [3.0, 6.0]
    nothing = pl.DataFrame({"m": []}, schema={"m": pl.Float64})
    assert collect(kernel([frame, nothing], {})[0])["y"].to_list() == [None, None]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=200), st.randoms())
def test_exact_parts_sum_to_the_same_bits_in_any_order(values: list[float], random: Any) -> None:
    finite = [abs(value) for value in values if math.isfinite(value)]
    largest = max(finite, default=0.0)
    if largest > 1e290:
        return
    bounds = [lit(largest, "f64"), lit(len(values), "i64")]
    kernel = compile_fragment(
        fragment(
            project(
                **{f"p{i}": call("exact_part", "f64", col("x", "f64"), *bounds, index=i) for i in range(3)}
            )
        ),
        lambda _: None,
    )

    def total(order: list[float]) -> float:
        parts = collect(kernel([pl.DataFrame({"x": order}, schema={"x": pl.Float64})], {})[0])
        sums = [sum(parts[name].to_list()) for name in parts.columns]
        return sums[2] + sums[1] + sums[0]

    shuffled = random.sample(values, len(values))
    assert total(values).hex() == total(shuffled).hex()
    exact = math.fsum(value for value in values if math.isfinite(value))
    assert math.isclose(total(values), exact, rel_tol=1e-12, abs_tol=largest * 1e-20)


def test_dates() -> None:
    rows = [{"d": 19_782}, {"d": None}]  # 2024-02-29, a Thursday
    kinds = {"d": "date?"}
    parts = {"year": 2024, "month": 2, "day": 29, "weekday": 4, "quarter": 1, "hour": 0}
    for part, value in parts.items():
        assert evaluate(call(part, "i64?", col("d", "date?")), rows, kinds) == [value, None]
    months = call("add_months", "date?", col("d", "date?"), lit(-12, "i64"))
    truncated = call("date_trunc", "date?", col("d", "date?"), unit="1mo")
    assert [str(day) for day in evaluate(months, rows, kinds)] == ["2023-02-28", "None"]
    assert [str(day) for day in evaluate(truncated, rows, kinds)] == ["2024-02-01", "None"]


@pytest.mark.parametrize(
    ("digits", "rounded"), [(2, ["1.25", "-1.25"]), (1, ["1.3", "-1.3"]), (0, ["1", "-1"])]
)
def test_decimals_round_half_away_from_zero(digits: int, rounded: list[str]) -> None:
    rows = [{"m": Decimal("1.25")}, {"m": Decimal("-1.25")}]
    tree = call("round", f"decimal(9,{digits})", col("m", "decimal(9,2)"), digits=digits)
    assert evaluate(tree, rows, {"m": "decimal(9,2)"}) == [Decimal(value) for value in rounded]


def test_an_unknown_function_is_refused() -> None:
    with pytest.raises(DlcError) as caught:
        evaluate(call("frobnicate", "i64"), [{"a": 1}], {"a": "i64"})
    assert caught.value.code == "DLC501"

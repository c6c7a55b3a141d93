"""Table operators give what the rules of tables say, whatever the order of the rows."""

import math
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.kernels import collect, compile_fragment
from tests.runtime.trees import Json, call, col, fragment, lit, project


def run(tree: Json, *frames: pl.DataFrame, **parameters: Any) -> pl.DataFrame:
    """The first output of a fragment."""
    kernel = compile_fragment(tree, lambda index: SourceLoc("prog.py", index + 1))
    return collect(kernel(list(frames), parameters)[0])


def aggregate(keys: list[str], *aggs: list[Any], source: int = 0) -> Json:
    return {"op": "aggregate", "in": source, "keys": keys, "aggs": list(aggs)}


ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(0, 3),
        st.none() | st.integers(-1000, 1000),
        st.none() | st.sampled_from(["a", "b", "ü"]),
    ),
    max_size=12,
)


def table(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"k": pl.Int64, "v": pl.Int64, "s": pl.String}, orient="row")


def by_duckdb(query: str, **tables: pl.DataFrame) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        for name, frame in tables.items():
            connection.register(name, frame.to_arrow())
        return connection.execute(query).fetchall()


def as_set(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_aggregates_agree_with_duckdb(rows: list[tuple[Any, ...]]) -> None:
    frame = table(rows)
    for keys in (["k"], []):
        found = run(
            fragment(
                aggregate(
                    keys,
                    ["total", "sum", "v", "i64?", "checked"],
                    ["least", "min", "v", "i64?"],
                    ["most", "max", "s", "string?"],
                    ["n", "count", "v", "i64"],
                    ["rows", "len", None, "i64"],
                    ["kinds", "n_unique", "s", "i64"],
                    ["middle", "median", "v", "f64?"],
                    ["low", "quantile:0.25", "v", "f64?"],
                )
            ),
            frame,
        )
        columns = "sum(v)::bigint, min(v), max(s), count(v), count(*), count(distinct s), "
        columns += "median(v), quantile_cont(v, 0.25)"
        query = f"select k, {columns} from t group by k" if keys else f"select {columns} from t"
        assert as_set(found.rows()) == as_set(by_duckdb(query, t=frame))


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS, st.sampled_from(["inner", "left", "semi", "anti"]))
def test_joins_agree_with_duckdb(left: list[tuple[Any, ...]], right: list[tuple[Any, ...]], how: str) -> None:
    a, b = table(left), table(right).select(x="k", y="v")
    tree = fragment(
        {"op": "join", "left": 0, "right": 1, "how": how, "left_on": ["k"], "right_on": ["x"]}, inputs=2
    )
    columns = "k, v, s" if how in ("semi", "anti") else "k, v, s, y"
    query = f"select {columns} from a {how} join b on a.k = b.x"
    assert as_set(run(tree, a, b).rows()) == as_set(by_duckdb(query, a=a, b=b))


@settings(max_examples=60, deadline=None)
@given(ROWS, st.booleans(), st.booleans(), st.none() | st.integers(0, 5))
def test_sorts_agree_with_duckdb(
    rows: list[tuple[Any, ...]], descending: bool, nulls_last: bool, limit: int | None
) -> None:
    by = [["v", descending, nulls_last], ["k", False, False], ["s", False, False]]
    found = run(fragment({"op": "sort", "in": 0, "by": by, "limit": limit}), table(rows))
    order = f"v {'desc' if descending else 'asc'} nulls {'last' if nulls_last else 'first'}"
    query = f"select * from t order by {order}, k nulls first, s nulls first"
    if limit is not None:
        query += f" limit {limit}"
    assert found.rows() == by_duckdb(query, t=table(rows))


@settings(max_examples=60, deadline=None)
@given(ROWS, st.randoms())
def test_unique_keeps_the_smallest_row_of_each_key(rows: list[tuple[Any, ...]], random: Any) -> None:
    tree = fragment({"op": "unique", "in": 0, "on": ["k"]})
    shuffled = random.sample(rows, len(rows))
    found = run(tree, table(shuffled)).rows()
    least: dict[Any, Any] = {}
    for row in rows:
        order = tuple((value is not None, value) for value in row)
        if row[0] not in least or order < least[row[0]][0]:
            least[row[0]] = (order, row)
    assert as_set(found) == as_set([row for _, row in least.values()])


def test_unique_rows() -> None:
    frame = pl.DataFrame({"x": [0.0, -0.0, math.nan, math.nan, None, None]})
    found = run(fragment({"op": "unique", "in": 0, "on": None}), frame)
    assert sorted(map(str, found["x"].to_list())) == ["0.0", "None", "nan"]


def test_groups_of_zeros_and_nans() -> None:
    frame = pl.DataFrame({"x": [-0.0, 0.0, math.nan, -math.nan, None, None]})
    found = run(fragment(aggregate(["x"], ["n", "len", None, "i64"])), frame)
    assert sorted(map(str, found.rows())) == ["(0.0, 2)", "(None, 2)", "(nan, 2)"]


def test_least_and_greatest_with_nan_which_is_above_all_numbers() -> None:
    frame = pl.DataFrame({"x": [1.0, math.nan, None, -1.0]})
    least_most = aggregate([], ["a", "min", "x", "f64?"], ["b", "max", "x", "f64?"])
    least, most = run(fragment(least_most), frame).row(0)
    assert least == -1.0
    assert math.isnan(most)
    assert run(fragment(least_most), frame.clear()).rows() == [(None, None)]


@pytest.mark.parametrize("keys", [[], ["k"]])
def test_a_sum_that_overflows_ends_the_run(keys: list[str]) -> None:
    frame = pl.DataFrame({"k": [1, 1], "v": [2**63 - 1, 1]})
    with pytest.raises(DlcError) as caught:
        run(fragment(aggregate(keys, ["total", "sum", "v", "i64?", "checked"])), frame)
    assert caught.value.code == "DLC602"


def test_a_sum_that_only_passes_through_large_values_is_fine() -> None:
    frame = pl.DataFrame({"v": [2**63 - 1, 1, -5]})
    tree = fragment(aggregate([], ["total", "sum", "v", "i64?", "checked"]))
    assert run(tree, frame).item() == 2**63 - 5


@pytest.mark.parametrize("rows", [2, 5])
def test_a_decimal_sum_beyond_38_digits_ends_the_run(rows: int) -> None:
    frame = pl.DataFrame({"v": pl.Series([10**38 - 1] * rows, dtype=pl.Int128)})
    with pytest.raises(DlcError) as caught:
        run(fragment(aggregate([], ["total", "sum", "v", "decimal(38,2)?", "checked"])), frame)
    assert caught.value.code == "DLC602"


def test_sums_of_narrow_integers_are_wide() -> None:
    frame = pl.DataFrame({"v": pl.Series([127, 127], dtype=pl.Int8), "b": [True, True]})
    sums = aggregate([], ["v", "sum", "v", "i64?", "proven"], ["b", "sum", "b", "i64?", "proven"])
    found = run(fragment(sums), frame)
    assert found.rows() == [(254, 2)]
    assert set(found.dtypes) == {pl.Int64}


def test_the_counts_of_parts_merge_to_zero_over_nothing() -> None:
    frame = pl.DataFrame({"n": []}, schema={"n": pl.Int64})
    assert run(fragment(aggregate([], ["n", "merge_count", "n", "i64"])), frame).rows() == [(0,)]


@pytest.mark.parametrize(("rows", "taken", "expected"), [(10, 3, [1, 5, 8]), (2, 5, [0, 1]), (0, 5, [])])
def test_a_sample_is_evenly_spaced(rows: int, taken: int, expected: list[int]) -> None:
    frame = pl.DataFrame({"x": list(range(rows)), "y": [0] * rows}, schema={"x": pl.Int64, "y": pl.Int64})
    found = run(fragment({"op": "sample", "in": 0, "columns": ["x"], "n": taken}), frame)
    assert found.columns == ["x"]
    assert found["x"].to_list() == expected


def test_the_median_of_decimals_is_a_float_of_their_size() -> None:
    frame = pl.DataFrame({"d": [100, 250, None]})
    middle = ["m", "median", "d", "f64?", "checked", "decimal(9,2)?"]
    low = ["q", "quantile:0.5", "d", "f64?", "checked", "decimal(9,2)?"]
    assert run(fragment(aggregate([], middle, low)), frame).row(0) == (1.75, 1.75)


def test_concat_and_head() -> None:
    frame = pl.DataFrame({"x": [1, 2, 3]})
    tree = fragment({"op": "concat", "ins": [0, 0]}, {"op": "head", "in": 1, "n": 4})
    assert run(tree, frame)["x"].to_list() == [1, 2, 3, 1]


def test_columns_of_constants_have_all_rows() -> None:
    tree = fragment(project(one=lit(1, "i64"), text=lit("x", "string")))
    assert run(tree, pl.DataFrame({"x": [5, 6]})).rows() == [(1, "x"), (1, "x")]
    assert run(tree, pl.DataFrame({"x": []})).rows() == []


def test_a_projection_may_swap_names() -> None:
    tree = fragment(project(a=col("b", "i64"), b=col("a", "i64"), c=lit(0, "i64")))
    assert run(tree, pl.DataFrame({"a": [1], "b": [2]})).rows() == [(2, 1, 0)]


def test_several_outputs_come_from_one_query() -> None:
    tree = fragment(
        aggregate([], ["n", "len", None, "i64"]),
        {"op": "filter", "in": 0, "predicate": call("gt", "bool", col("x", "i64"), lit(1, "i64"))},
        outputs=[2, 1, 0],
    )
    kernel = compile_fragment(tree, lambda _: None)
    frame = pl.DataFrame({"x": [1, 2]})
    filtered, counted, passed = kernel([frame], {})
    assert collect(filtered).rows() == [(2,)]
    assert collect(counted).rows() == [(2,)]
    assert passed is frame


def test_decimal_sums_are_exact() -> None:
    frame = pl.DataFrame({"v": [10**17, 1, -(10**17)]})
    tree = fragment(aggregate([], ["t", "sum", "v", "decimal(38,2)?", "checked"]))
    assert Decimal(run(tree, frame).item()) == 1

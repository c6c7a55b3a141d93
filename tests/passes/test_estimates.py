"""Estimates of rows: textbook rules, on examples whose answer is plain, and bounds that always hold."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dlc
from dlc import col
from dlc.passes.optimize import estimates
from dlc.passes.optimize.estimates import Column, Frame
from tests.passes.running import collect, scan

KEY = Column(25, 25, 1, 25, known=True)


def table(rows: float, **columns: Column) -> Frame:
    return Frame(rows, columns)


def test_a_column_with_few_possible_values_holds_them_all() -> None:
    column = estimates.discrete(rows=1e6, low=1, high=7, step=1, nulls=0, width=8)
    assert column.distinct == pytest.approx(7)
    assert column.known


def test_a_column_with_more_possible_values_than_rows_has_hardly_any_twice() -> None:
    column = estimates.discrete(rows=1000, low=1, high=10**9, step=1, nulls=0, width=8)
    assert column.distinct == pytest.approx(1000, rel=1e-3)
    assert not column.known


def test_flags_of_one_letter_are_counted() -> None:
    assert estimates.textual(6e6, "A", "R", 0, 24).distinct == 18
    assert estimates.textual(6e6, "Alice", "Zoe", 0, 24).distinct == math.sqrt(6e6)


def test_names_join_one_to_one_and_repeat_in_predicates() -> None:
    name = estimates.textual(1e6, "Alice", "Zoe", 0, 24)
    frame = table(1e6, name=name)
    assert estimates.joined("inner", frame, table(1e6, other=name), ["name"], ["other"]).rows == 1e6
    assert estimates.equal_fraction(name) == estimates.EQUAL_FRACTION


def test_rows_find_the_group_that_they_were_counted_in() -> None:
    frame = table(1e6, name=estimates.textual(1e6, "Alice", "Zoe", 0, 24))
    groups = estimates.grouped(frame, ["name"], {})
    assert groups.rows == math.sqrt(1e6)
    assert estimates.joined("inner", frame, groups, ["name"], ["name"]).rows == pytest.approx(1e6)


def test_a_range_keeps_its_share_of_the_values_that_are_not_null() -> None:
    column = Column(100, 100, 0, 100, nulls=0.2, known=True)
    assert estimates.range_fraction(column, 25, 75) == pytest.approx(0.4)
    assert estimates.range_fraction(column, None, 0) == pytest.approx(0.8 / 100)
    assert estimates.range_fraction(column, 101, None) == 0


def test_a_value_outside_the_bounds_is_not_found() -> None:
    assert estimates.equal_fraction(KEY, 26) == 0
    assert estimates.equal_fraction(KEY, 3) == pytest.approx(1 / 25)


def test_every_row_of_a_fact_table_finds_its_dimension() -> None:
    facts, dimension = table(6000, k=KEY), table(25, j=KEY)
    assert estimates.joined("inner", facts, dimension, ["k"], ["j"]).rows == pytest.approx(6000)
    assert estimates.joined("semi", facts, dimension, ["k"], ["j"]).rows == pytest.approx(6000)
    assert estimates.joined("anti", facts, dimension, ["k"], ["j"]).rows == pytest.approx(0)


def test_a_filtered_dimension_keeps_as_many_facts() -> None:
    facts, dimension = table(6000, k=KEY), table(25, j=KEY).of(5)
    assert estimates.joined("inner", facts, dimension, ["k"], ["j"]).rows == pytest.approx(1200)
    assert estimates.joined("semi", facts, dimension, ["k"], ["j"]).rows == pytest.approx(1200)
    assert estimates.joined("left", facts, dimension, ["k"], ["j"]).rows == pytest.approx(6000)


def test_more_keys_than_partners_have_no_domain_of_their_own() -> None:
    """Order keys with gaps: every line has its order, though the lines' keys look four times as many."""
    lines = table(6e6, k=estimates.discrete(6e6, 1, 6e6, 1, 0, 8))
    orders = table(1.5e6, j=estimates.discrete(1.5e6, 1, 6e6, 1, 0, 8))
    rows = estimates.joined("inner", lines, orders, ["k"], ["j"]).rows
    assert rows == pytest.approx(6e6, rel=0.2)


def test_groups_are_the_combinations_of_keys_that_the_rows_draw() -> None:
    frame = table(1e6, a=KEY, b=Column(2, 2, nulls=0.5, known=True))
    assert estimates.grouped(frame, ["a", "b"], {}).rows == pytest.approx(75)
    drawn = 75 * (1 - math.exp(-100 / 75))
    assert estimates.grouped(frame.of(100), ["a", "b"], {}).rows == pytest.approx(drawn, rel=0.02)
    assert estimates.grouped(frame, [], {}).rows == 1


def test_a_key_that_another_one_tells_makes_no_more_groups() -> None:
    scanned = estimates.keyed({"id": Column(500, 500, known=True), "day": Column(90, 90, known=True)}, 500)
    orders = table(500, **scanned)
    assert estimates.groups(orders, ["id", "day"]) == 500
    lines = table(2000, order=Column(500, 500, known=True))
    joined = estimates.joined("inner", lines, orders, ["order"], ["id"])
    assert estimates.groups(joined, ["order", "day"]) == pytest.approx(500)
    assert estimates.groups(joined, ["day"]) == pytest.approx(90)


def test_a_column_is_told_by_what_told_the_one_that_told_it() -> None:
    chain = {
        "a": Column(9, 9),
        "b": Column(9, 9, by="a"),
        "c": Column(9, 9, by="b"),
        "d": Column(9, 9, by="c"),
    }
    left = estimates.renamed({"x": chain["a"], "d": chain["d"]}, {"a": "x", "d": "d"}, chain)
    assert (left["x"].by, left["d"].by) == (None, "x")
    assert estimates.renamed({"d": chain["d"]}, {"d": "d"}, chain)["d"].by is None


def test_a_value_is_left_while_one_of_its_rows_is() -> None:
    """A share of the rows: of keys as large a share, of values with many rows nearly all."""
    frame = table(1000, key=Column(1000, 1000), few=Column(10, 10), pairs=Column(500, 500)).of(100)
    assert frame.columns["key"].distinct == pytest.approx(100)
    assert frame.columns["few"].distinct == pytest.approx(10, rel=1e-3)
    assert frame.columns["pairs"].distinct == pytest.approx(500 * 0.19)


@given(st.integers(1, 200), st.integers(1, 50), st.floats(0, 1))
@settings(max_examples=30)
def test_values_left_by_a_random_choice_of_rows(values: int, each: int, share: float) -> None:
    """Against a hundred choices, within four standard errors and what chooses a fixed number of rows."""
    random = np.random.default_rng(values * 50 + each)
    column = np.repeat(np.arange(values), each)
    left = [len(np.unique(column[random.random(len(column)) < share])) for _ in range(100)]
    told = table(len(column), x=Column(values, values)).of(share * len(column)).columns["x"].distinct
    assert told == pytest.approx(np.mean(left), abs=1 + 4 * np.std(left) / 10)


@pytest.mark.parametrize(("least", "factor"), [(50, 1.1), (100, 1.2), (150, 1.3), (200, 1.5), (300, 10)])
def test_sums_of_groups_have_a_normal_tail(least: int, factor: float) -> None:
    """Orders of four lines on average, of 1 to 50 pieces each: against sums of random orders."""
    random = np.random.default_rng(0)
    sums = np.array([random.integers(1, 51, lines).sum() for lines in random.poisson(4, 50_000)])
    true = float((sums > least).mean())
    total = estimates.aggregated("sum", Column(50, 50, 1, 50), 25_000, 4, 8)
    assert true / factor < estimates.range_fraction(total, least, None) < true * factor


def test_counts_means_and_extremes_of_groups() -> None:
    column = Column(50, 50, 0, 100)
    count = estimates.aggregated("len", None, 1000, 100, 8)
    assert estimates.range_fraction(count, None, 100) == pytest.approx(0.5)
    assert estimates.range_fraction(count, 120, None) == pytest.approx(0.023, abs=0.001)
    mean = estimates.aggregated("mean", column, 1000, 100, 8)
    assert estimates.range_fraction(mean, 50, 60) == pytest.approx(0.5, abs=0.001)
    least = estimates.aggregated("min", column, 1000, 100, 8)
    assert (least.low, least.high) == (0, 100)
    assert estimates.aggregated("sum", Column(5, 5), 1000, 100, 8).deviation is None


def test_stacked_frames_span_the_bounds_of_all() -> None:
    frame = estimates.stacked([table(10, a=KEY), table(30, a=Column(5, 5, -4, 0, nulls=0.4))])
    assert frame.rows == 40
    assert (frame.columns["a"].low, frame.columns["a"].high) == (-4, 25)
    assert frame.columns["a"].nulls == pytest.approx(0.3)


@pytest.mark.parametrize("largest", [1.0, 1e200, 1.7e308, math.inf])
@pytest.mark.parametrize("aggregate", ["sum", "mean", "min", "len"])
def test_filters_on_groups_of_extreme_floats_and_of_no_rows_have_estimates(
    largest: float, aggregate: str, tmp_path: Path
) -> None:
    rows = scan(tmp_path, pl.DataFrame({"k": [1, 1, 2], "x": [-largest, 0.0, largest]}))
    for frame in (rows, rows.filter(col("k") > 2)):  # no row group has such keys
        total = dlc.len() if aggregate == "len" else getattr(col("x"), aggregate)()
        assert collect(frame.group_by("k").agg(y=total).filter(col("y") > 5)).height == 0 or largest > 5


numbers = st.floats(-1e9, 1e9)
columns = st.builds(
    lambda rows, a, b, nulls: estimates.discrete(rows, min(a, b), max(a, b), 1, nulls, 8),
    st.integers(1, 10**9),
    numbers,
    numbers,
    st.floats(0, 1),
)


@given(columns, numbers, numbers)
def test_fractions_are_fractions(column: Column, low: float, high: float) -> None:
    assert 0 <= estimates.range_fraction(column, low, high) <= 1
    assert 0 <= estimates.equal_fraction(column, low) <= 1


@given(columns, numbers, numbers)
def test_a_narrower_range_keeps_no_more(column: Column, low: float, high: float) -> None:
    both = estimates.range_fraction(column, low, high)
    assert both <= estimates.range_fraction(column, low, None) + 1e-12
    assert both <= estimates.range_fraction(column, None, high) + 1e-12


@given(columns, columns, st.integers(0, 10**9), st.integers(0, 10**9))
def test_joins_leave_no_more_than_all_pairs(a: Column, b: Column, left: int, right: int) -> None:
    frames = table(left, k=a).of(left), table(right, j=b).of(right)
    for kind in ("inner", "left", "semi", "anti"):
        rows = estimates.joined(kind, *frames, ["k"], ["j"]).rows
        most = {"inner": left * right, "left": max(left, left * right)}.get(kind, left)
        assert 0 <= rows <= most * (1 + 1e-9)

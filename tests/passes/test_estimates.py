"""Estimates of rows: textbook rules, on examples whose answer is plain, and bounds that always hold."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.passes.optimize import estimates
from dlc.passes.optimize.estimates import Column, Frame

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


def test_groups_are_the_combinations_of_keys_but_no_more_than_rows() -> None:
    frame = table(100, a=KEY, b=Column(2, 2, nulls=0.5, known=True))
    assert estimates.grouped(frame, ["a", "b"], {}).rows == 75
    assert estimates.grouped(frame.of(30), ["a", "b"], {}).rows == 30
    assert estimates.grouped(frame, [], {}).rows == 1


def test_stacked_frames_span_the_bounds_of_all() -> None:
    frame = estimates.stacked([table(10, a=KEY), table(30, a=Column(5, 5, -4, 0, nulls=0.4))])
    assert frame.rows == 40
    assert (frame.columns["a"].low, frame.columns["a"].high) == (-4, 25)
    assert frame.columns["a"].nulls == pytest.approx(0.3)


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

"""Distinct values of columns in parts, against the columns themselves: even, sorted, clustered, skewed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dlc.passes.optimize import coupons
from dlc.passes.optimize.coupons import Part

Column = NDArray[np.int64]
SEEDS = range(25)


def parts(column: Column, count: int) -> list[Part]:
    """What dictionaries and bounds tell of a column in so many row groups."""
    return [
        Part(len(rows), len(np.unique(rows)), float(rows.min()), float(rows.max()) + 1)
        for rows in np.array_split(column, count)
    ]


def draw(seed: int) -> tuple[np.random.Generator, int, int, int]:
    """A generator, and random numbers of rows, of possible values and of parts."""
    random = np.random.default_rng(seed)
    rows, count = random.integers(2_000, 40_000), random.integers(1, 33)
    return random, int(rows), int(10 ** random.uniform(0, 5)), int(count)


def off(column: Column, count: int) -> float:
    """By what factor the union of parts is off."""
    told, true = coupons.union(parts(column, count), step=1), len(np.unique(column))
    return max(told / true, true / told)


@pytest.mark.parametrize("seed", SEEDS)
def test_even_draws_are_told_within_a_tenth(seed: int) -> None:
    random, rows, values, count = draw(seed)
    assert off(random.integers(0, values, rows), count) < 1.1


@pytest.mark.parametrize("seed", SEEDS)
def test_sorted_columns_are_told_within_a_hundredth(seed: int) -> None:
    random, rows, values, count = draw(seed)
    assert off(np.sort(random.integers(0, values, rows)), count) < 1.01


@pytest.mark.parametrize("seed", SEEDS)
def test_columns_that_grow_with_some_jitter_are_told_within_a_quarter(seed: int) -> None:
    random, rows, values, count = draw(seed)
    jitter = random.integers(0, max(1, values // random.integers(2, 50)), rows)
    assert off(np.linspace(0, values, rows).astype(np.int64) + jitter, count) < 1.25


@pytest.mark.parametrize("seed", SEEDS)
def test_skewed_draws_are_told_too_few_values_but_most_of_what_is_common(seed: int) -> None:
    """The rare values of other parts cannot be told; a factor of six holds for eight parts of Zipf's law."""
    random, rows, values, _ = draw(seed)
    weights = 1 / np.arange(1, values + 1) ** random.uniform(0.5, 1.5)
    column = random.permutation(values)[random.choice(values, rows, p=weights / weights.sum())]
    told, true = coupons.union(parts(column, 8), step=1), len(np.unique(column))
    assert true / 6 < told < 1.1 * true


def test_dense_keys_in_one_part_are_counted_not_drawn() -> None:
    assert coupons.union([Part(150_000, 150_000, 1, 150_001)], step=1) == 150_000


def test_unique_values_in_ranges_that_overlap_add_up_while_there_is_room() -> None:
    part = Part(1000, 1000, 0, 10_000)
    assert coupons.union([part] * 3, step=1) == pytest.approx(3000)
    assert coupons.union([part] * 30, step=1) == pytest.approx(10_000)


def test_no_rows_hold_no_values() -> None:
    assert coupons.union([]) == 0
    assert coupons.union([Part(0, 0, 1, 2)]) == 0


def test_a_sample_of_a_sorted_column_stands_for_its_like() -> None:
    """One row group of ten that follow one another; of ten that hold the same values."""
    group = Part(1000, 250, 0, 250)
    assert coupons.stretched(group, 10_000, 0, 2500).distinct == pytest.approx(2500, rel=1e-6)
    assert coupons.stretched(group, 10_000, 0, 250).distinct == pytest.approx(255, rel=1e-2)
    assert coupons.stretched(group, 10_000, 0, 250, step=1).distinct == 250


counts = st.floats(1, 1e12)


@given(counts, counts)
def test_the_domain_is_the_one_that_gives_what_was_found(values: float, draws: float) -> None:
    found = coupons.found(values, draws)
    assert 0 < found <= min(values, draws) * (1 + 1e-9)
    domain = coupons.domain(found, draws)
    assert math.isinf(domain) or coupons.found(domain, draws) == pytest.approx(found, rel=1e-6)


@given(
    st.lists(
        st.tuples(st.floats(1, 1e9), st.floats(0, 1), st.floats(-1e300, 1e300), st.floats(1e-9, 1e300)),
        min_size=1,
        max_size=32,
    )
)
def test_the_union_is_no_less_than_a_part_and_no_more_than_all(
    given_parts: list[tuple[float, float, float, float]],
) -> None:
    found = [
        Part(rows, max(1.0, rows * share), low, max(low + length, math.nextafter(low, math.inf)))
        for rows, share, low, length in given_parts
    ]
    told = coupons.union(found)
    assert max(part.distinct for part in found) <= told * (1 + 1e-9)
    assert told <= sum(part.distinct for part in found) * (1 + 1e-9)

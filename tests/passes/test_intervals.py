"""Interval arithmetic holds every result: checked against all values of small intervals."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.passes.optimize import intervals
from dlc.passes.optimize.intervals import EMPTY, Interval

small = st.integers(-30, 30)
ranges = st.builds(lambda a, b: Interval(min(a, b), max(a, b)), small, small)
scales = st.integers(0, 2)


def values(interval: Interval) -> range:
    return range(interval.low, interval.high + 1)


BINARY: dict[str, tuple[Callable[[Interval, Interval], Interval], Callable[[int, int], int]]] = {
    "add": (intervals.add, lambda a, b: a + b),
    "sub": (intervals.sub, lambda a, b: a - b),
    "mul": (intervals.mul, lambda a, b: a * b),
    "floordiv": (intervals.floordiv, lambda a, b: a // b),
    "mod": (intervals.mod, lambda a, b: a % b),
}


@pytest.mark.parametrize("name", BINARY)
@given(a=ranges, b=ranges)
def test_binary_operations_hold_every_result(name: str, a: Interval, b: Interval) -> None:
    bound, apply = BINARY[name]
    results = {apply(x, y) for x in values(a) for y in values(b) if y or name not in ("floordiv", "mod")}
    found = bound(a, b)
    assert all(result in found for result in results)
    if name != "mod":  # the others are as tight as an interval can be
        assert found == (Interval(min(results), max(results)) if results else EMPTY)


@given(a=ranges)
def test_unary_operations_are_tight(a: Interval) -> None:
    for bound, apply in ((intervals.neg, lambda x: -x), (intervals.magnitude, abs)):
        results = [apply(x) for x in values(a)]
        assert bound(a) == Interval(min(results), max(results))


@given(a=ranges, digits=st.integers(-2, 2))
def test_scaling_rounds_as_decimals_do(a: Interval, digits: int) -> None:
    def scale(x: int) -> int:
        unit = 10 ** abs(digits)
        if digits >= 0:
            return x * unit
        return (abs(x) + unit // 2) // unit * (1 if x >= 0 else -1)

    results = [scale(x) for x in values(a)]
    assert intervals.scaled(a, digits) == Interval(min(results), max(results))


@given(a=ranges, digits=scales)
def test_truncation_cuts_towards_zero(a: Interval, digits: int) -> None:
    results = [int(x / 10**digits) for x in values(a)]
    assert intervals.truncated(a, digits) == Interval(min(results), max(results))


@given(a=ranges, rows=st.integers(1, 5), data=st.data())
def test_totals_hold_the_sum_of_any_rows(a: Interval, rows: int, data: st.DataObject) -> None:
    column = data.draw(st.lists(st.integers(a.low, a.high), min_size=1, max_size=rows))
    assert sum(column) in intervals.total(a, rows)


@given(a=ranges, b=ranges, scale_a=scales, scale_b=scales, strict=st.booleans())
def test_comparisons_keep_the_values_that_pass(
    a: Interval, b: Interval, scale_a: int, scale_b: int, strict: bool
) -> None:
    def less(x: int, scale_x: int, y: int, scale_y: int) -> bool:
        left, right = x * 10**scale_y, y * 10**scale_x
        return left < right or (not strict and left == right)

    passing = [x for x in values(a) if less(x, scale_a, b.high, scale_b)]
    found = intervals.below(a, scale_a, b, scale_b, strict)
    assert found.empty if not passing else found == Interval(min(passing), max(passing))
    passing = [x for x in values(a) if less(b.low, scale_b, x, scale_a)]
    found = intervals.above(a, scale_a, b, scale_b, strict)
    assert found.empty if not passing else found == Interval(min(passing), max(passing))


@given(a=ranges, b=ranges)
def test_hull_and_intersection(a: Interval, b: Interval) -> None:
    both = intervals.hull([a, b, EMPTY])
    assert a.within(both)
    assert b.within(both)
    assert {x for x in values(a) if x in b} == set(values(a & b))


@pytest.mark.parametrize(
    ("interval", "digits"), [(Interval(0, 9), 1), (Interval(-10, 9), 2), (Interval(0, 0), 1), (EMPTY, 1)]
)
def test_digits(interval: Interval, digits: int) -> None:
    assert interval.digits == digits

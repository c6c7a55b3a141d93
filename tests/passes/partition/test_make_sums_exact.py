"""Sums of floats: the parts sum up without rounding, and the totals do not depend on order or ranks."""

import math
import random
import struct
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dlc
from dlc import col
from dlc.passes.partition.make_sums_exact import HUGE, PARTS, SCALE
from dlc.runtime.kernels.table import TableFragment
from tests.passes.running import collect, scan

SMALLEST = 5e-324
LARGEST = 1.7976931348623157e308

# Values of all magnitudes, the ends of the range among them, and their opposites, so that sums cancel.
magnitudes = st.one_of(
    st.floats(0, LARGEST),
    st.sampled_from([0.0, SMALLEST, 2.2250738585072014e-308, 0.1, 1.0, 2.0**53, 1e16, HUGE, LARGEST]),
    st.builds(lambda m, e: m * 10.0**e, st.floats(1, 10), st.integers(-16, 16)),
    st.builds(math.ldexp, st.floats(0.5, 1, exclude_max=True), st.integers(-1073, 1024)),
)
values = st.builds(math.copysign, magnitudes, st.sampled_from([1.0, -1.0]))
columns = st.lists(values, min_size=1, max_size=40)


def split(column: list[float], rows: int) -> tuple[list[list[float]], float]:
    """The parts and the remainder of each value, as the rewritten program computes them, and the scale."""
    largest = max(map(abs, column))
    scale = SCALE if largest >= HUGE else 1.0
    arguments = [
        {"f": "col", "name": "v", "type": "f64"},
        {"f": "scalar", "input": 1, "name": "largest", "type": "f64"},
        {"f": "scalar", "input": 1, "name": "rows", "type": "i64"},
    ]
    parts = [
        [f"part{index}", {"f": "exact_part", "index": index, "args": arguments, "type": "f64", "loc": -1}]
        for index in range(PARTS)
    ]
    project = {"op": "project", "in": 0, "loc": -1, "columns": parts}
    fragment = TableFragment({"version": 1, "inputs": 2, "ops": [project], "outputs": [2]}, lambda _: None)
    frame = pl.DataFrame({"v": [value * scale for value in column]})
    sizes = pl.DataFrame({"largest": [largest * scale], "rows": [rows]})
    found = fragment([frame, sizes], {})[0].lazy().collect()
    rest = frame["v"]
    for part in found.get_columns():
        rest = rest - part
    return [*(part.to_list() for part in found.get_columns()), rest.to_list()], scale


@settings(max_examples=150, deadline=None)
@given(columns, st.sampled_from([1, 1000, 10**6, 10**9]), st.randoms())
def test_parts_sum_up_without_rounding_in_any_order(
    column: list[float], spare: int, rng: random.Random
) -> None:
    parts, _ = split(column, len(column) * spare)
    for part in parts[:PARTS]:
        rng.shuffle(part)
        assert Fraction(plain_sum(part)) == sum(map(Fraction, part))


@settings(max_examples=150, deadline=None)
@given(columns, st.sampled_from([1, 1000, 10**6, 10**9]))
def test_parts_and_remainder_are_the_value(column: list[float], spare: int) -> None:
    parts, scale = split(column, len(column) * spare)
    for value, *pieces in zip(column, *parts, strict=True):
        assert sum(map(Fraction, pieces)) == Fraction(value * scale)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.builds(math.copysign, st.floats(1e-8, 1e8), values), min_size=1, max_size=40))
def test_sixteen_decades_leave_no_remainder(column: list[float]) -> None:
    assert set(split(column, len(column))[0][-1]) == {0.0}


def plain_sum(column: list[float]) -> float:
    total = 0.0
    for value in column:
        total += value
    return total


def bits(value: float | None) -> bytes | None:
    return None if value is None else b"nan" if math.isnan(value) else struct.pack("d", value)


inf, nan = math.inf, math.nan
normal = [random.Random(1).gauss(0, 1) * 10.0 ** random.Random(i).randint(-8, 8) for i in range(200)]
COLUMNS: dict[str, list[float | None]] = {
    "sixteen decades": [*normal],
    "cancellation": [*normal, *(-value for value in normal[:-1])],
    "one that hides the rest": [1e16, *[1.0] * 100, -1e16],
    "tenths": [0.1] * 1000,
    "subnormal": [SMALLEST, 3e-320, -1e-321, 7e-310] * 20,
    "overflow on the way": [LARGEST, LARGEST, -LARGEST, -LARGEST, 1e300] * 8,
    "overflow": [LARGEST, LARGEST] * 8,
    "infinite": [inf, 1.0, -3.0] * 8,
    "infinities that cancel": [inf, 1.0, -inf] * 8,
    "not a number": [nan, 1.0, inf] * 8,
    "nulls": [None, 0.5, None, 0.25] * 8,
    "only nulls": [None] * 8,
    "zeros": [0.0, -0.0] * 8,
    "nothing": [],
}


def expected(column: list[float | None]) -> float | None:
    """The correctly rounded sum; infinities and NaN as IEEE 754 adds them."""
    given = [value for value in column if value is not None]
    if not given:
        return None
    if not all(map(math.isfinite, given)):
        return plain_sum([value for value in given if not math.isfinite(value)])
    total = sum(map(Fraction, given))
    if abs(total) > Fraction(LARGEST):
        return inf if total > 0 else -inf
    return float(total)


@pytest.mark.parametrize("name", COLUMNS)
def test_the_sum_is_the_same_on_any_ranks_in_any_order(name: str, tmp_path: Path) -> None:
    column = list(COLUMNS[name])
    for ranks in (1, 2, 3):
        rows = pl.DataFrame(
            {"k": [i % 2 for i in range(len(column))], "x": column}, schema={"k": pl.Int64, "x": pl.Float64}
        )
        frame = scan(tmp_path, rows)
        total = collect(frame.select(col("x").sum().alias("s")), ranks)["s"].item()
        assert bits(total) == bits(expected(column))
        groups = collect(frame.group_by("k").agg(col("x").sum().alias("s"), dlc.len().alias("n")), ranks)
        for key, found, _ in groups.iter_rows():
            assert bits(found) == bits(expected(rows.filter(k=key)["x"].to_list()))
        random.Random(ranks).shuffle(column)


def test_f32_is_summed_in_f64(tmp_path: Path) -> None:
    rows = pl.DataFrame({"x": [16777216.0, 1.0, 1.0]}, schema={"x": pl.Float32})
    assert collect(scan(tmp_path, rows, 1).select(col("x").sum().alias("s")), 2)["s"].to_list() == [
        16777218.0
    ]


def test_a_group_far_below_the_others_is_not_lost(tmp_path: Path) -> None:
    rows = pl.DataFrame({"k": ["fill", "data", "data"], "x": [1e300, 0.5, 0.25]})
    sums = collect(scan(tmp_path, rows, 1).group_by("k").agg(col("x").sum().alias("s")), 2)
    assert dict(sums.iter_rows()) == {"fill": 1e300, "data": 0.75}

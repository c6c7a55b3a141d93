"""Quotients are correctly rounded, and the same for one row as for many."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.runtime.kernels.division import divide

floats = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)


@pytest.mark.parametrize("divisor", [100.0, 3.0, 7.0, 0.1])
@given(values=st.lists(st.none() | floats, min_size=1, max_size=20))
def test_a_constant_divides_as_python_divides(divisor: float, values: list[float | None]) -> None:
    frame = pl.DataFrame({"x": values}, schema={"x": pl.Float64})
    found = frame.select(divide(pl.col("x"), pl.lit(divisor))).to_series().to_list()
    assert found == [None if value is None else value / divisor for value in values]


@given(a=floats, b=floats.filter(bool))
def test_one_row_divides_as_many_do(a: float, b: float) -> None:
    one = pl.DataFrame({"a": [a], "b": [b]}).select(divide(pl.col("a"), pl.col("b"))).item()
    many = pl.DataFrame({"a": [a] * 3, "b": [b] * 3}).select(divide(pl.col("a"), pl.col("b"))).to_series()
    assert many.to_list() == [one] * 3


@pytest.mark.parametrize("kind", [pl.Float32, pl.Float64])
def test_the_type_of_the_dividend_stays(kind: type[pl.DataType]) -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0]}, schema={"x": kind})
    assert frame.select(divide(pl.col("x"), pl.lit(7.0, dtype=kind))).to_series().dtype == kind

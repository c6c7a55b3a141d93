"""Programs of hundreds of steps: expressions stay shallow enough for every later walk."""

from pathlib import Path

import polars as pl
import pytest

import dlc
from dlc import col

STEPS = 200


@pytest.fixture
def frame(tmp_path: Path) -> dlc.Frame:
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"a": [1, 2, 3]}).write_parquet(path)
    return dlc.scan_parquet(str(path))


def test_a_column_computed_again_and_again(frame: dlc.Frame) -> None:
    for _ in range(STEPS):
        frame = frame.with_columns((col("a") + 1).alias("a"))
    assert frame.collect()["a"].to_list() == [1 + STEPS, 2 + STEPS, 3 + STEPS]


def test_filter_after_filter(frame: dlc.Frame) -> None:
    for bound in range(STEPS):
        frame = frame.filter(col("a") != -bound)
    assert frame.filter(col("a") > 1).collect()["a"].to_list() == [2, 3]


def test_filters_between_computations(frame: dlc.Frame) -> None:
    for _ in range(STEPS // 4):
        frame = frame.with_columns(b=-col("a")).filter(col("b") < 0).with_columns(a=-col("b"))
    assert frame.select("a").collect()["a"].to_list() == [1, 2, 3]

"""Means and variances: as exact as two passes over each group, on any ranks."""

import math
import random
import statistics
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import dlc
from dlc import col
from tests.passes.running import collect, scan


def spread(values: Sequence[Any]) -> float | None:
    """The sample variance of the values as floats, without further rounding."""
    given = [Fraction(float(value)) for value in values]
    return float(statistics.variance(given)) if len(given) > 1 else None


def close(found: float | None, expected: float | None, rel: float, abs_: float = 0.0) -> bool:
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=rel, abs_tol=abs_)


def rng() -> random.Random:
    return random.Random(7)


COLUMNS: dict[str, pl.Series] = {
    "around zero": pl.Series([rng().gauss(0, 1) + i / 100 for i in range(90)]),
    "far from zero": pl.Series([1e9 + i % 13 for i in range(90)], dtype=pl.Float64),
    "groups far apart": pl.Series([(i % 3) * 1e10 + (i * 37) % 101 for i in range(90)], dtype=pl.Float64),
    "tiny": pl.Series([1e-200 * (i % 7) for i in range(90)]),
    "constant": pl.Series([0.1] * 90),
    "with nulls": pl.Series([None if i % 4 else float(i) for i in range(90)], dtype=pl.Float64),
    "small floats": pl.Series([i / 8 for i in range(90)], dtype=pl.Float32),
    "integers": pl.Series([i * i for i in range(90)], dtype=pl.Int16),
    "large integers": pl.Series([2**62 + i for i in range(90)], dtype=pl.Int64),
    "unsigned": pl.Series([2**64 - 1 - i for i in range(90)], dtype=pl.UInt64),
    "decimals": pl.Series([Decimal(i * 7919 % 1009) / 100 for i in range(90)], dtype=pl.Decimal(15, 2)),
    "booleans": pl.Series([i % 5 == 0 for i in range(90)]),
    "nothing": pl.Series([], dtype=pl.Float64),
    "one": pl.Series([3.5]),
}
KEYS = ["a", None, "b"]


@pytest.mark.parametrize("name", COLUMNS)
def test_mean_and_variance_of_groups(name: str, tmp_path: Path) -> None:
    column = COLUMNS[name]
    keys = pl.Series([KEYS[i % 3] for i in range(len(column))], dtype=pl.String)
    rows = pl.DataFrame({"k": keys, "x": column})
    found = [
        collect(
            scan(tmp_path, rows)
            .group_by("k")
            .agg(
                col("x").mean().alias("mean"),
                *(
                    []
                    if column.dtype == pl.Boolean
                    else [col("x").var().alias("var"), col("x").std().alias("std")]
                ),
                col("x").count().alias("n"),
            )
            .sort("k"),
            ranks,
        )
        for ranks in (1, 2, 3)
    ]
    assert all(other.equals(found[0]) for other in found)
    assert found[0]["k"].to_list() == sorted(set(keys), key=lambda key: key or "")
    for row in found[0].iter_rows(named=True):
        values = (
            rows.filter(pl.col("k").eq_missing(pl.lit(row["k"], dtype=pl.String)))["x"].drop_nulls().to_list()
        )
        assert row["n"] == len(values)
        mean = float(sum(map(Fraction, values)) / len(values)) if values else None
        assert close(row["mean"], mean, 1e-15)
        if "var" in row:
            variance = spread(values)
            assert close(row["var"], variance, 1e-12, 1e-29)
            assert close(row["std"], None if variance is None else math.sqrt(variance), 1e-12, 1e-14)


def test_mean_and_variance_of_all_rows(tmp_path: Path) -> None:
    rows = pl.DataFrame({"x": [1e9 + i % 13 for i in range(90)]})
    frame = scan(tmp_path, rows).select(
        col("x").mean().alias("mean"), col("x").var().alias("var"), dlc.len().alias("n")
    )
    found = [collect(frame, ranks) for ranks in (1, 2, 3)]
    assert all(other.equals(found[0]) for other in found)
    mean, var, count = found[0].row(0)
    assert count == 90
    assert mean == pytest.approx(float(rows["x"].mean()), rel=1e-15)  # type: ignore[arg-type]
    assert var == pytest.approx(spread(rows["x"].to_list()), rel=1e-12)


def test_infinite_values_have_no_variance(tmp_path: Path) -> None:
    rows = pl.DataFrame({"x": [1.0, math.inf, 2.0]})
    mean, var = collect(
        scan(tmp_path, rows, 1).select(col("x").mean().alias("m"), col("x").var().alias("v")), 2
    ).row(0)
    assert mean == math.inf
    assert math.isnan(var)

"""Random programs give DuckDB's rows, and the same bits on 1, 2, 3 and 4 ranks."""

from __future__ import annotations

import math
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import dlc
from dlc import driver
from dlc.diagnostics import SourceLoc
from dlc.frontends.recording import Recording
from dlc.runtime.executor import execute
from dlc.runtime.transport import run_local

from .random_programs import DIMENSION, ROWS, SCHEMA, pipelines

RANKS = (1, 2, 3, 4)


def rows_on(ranks: int, frame: dlc.Frame) -> list[tuple[Any, ...]]:
    """The rows that a frame has when run on so many ranks, in an order of their own."""
    module = Recording().module("main", {"result": frame.value}, SourceLoc("test.py", 1))
    plan = driver.build_plan(driver.compile_module(module, None, ranks))
    results = run_local(ranks, lambda transport: execute(plan, transport))
    return ordered(results[0]["result"].rows())


def ordered(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows sorted by what they show, floats coarsely, so that the last bits do not reorder them."""
    return sorted(
        rows, key=lambda row: [f"{value:.6g}" if isinstance(value, float) else repr(value) for value in row]
    )


def alike(ours: Any, theirs: Any) -> bool:
    """Whether two engines mean the same value; floats may differ in the last bits."""
    if isinstance(ours, float) or isinstance(theirs, float):
        if ours is None or theirs is None:
            return ours is theirs
        return math.isclose(float(ours), float(theirs), rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(ours, Decimal) or isinstance(theirs, Decimal):
        return ours is not None and theirs is not None and Decimal(ours) == Decimal(theirs)
    return ours == theirs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


@settings(
    max_examples=int(os.environ.get("DLC_EXAMPLES", "40")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data(), table=ROWS, dimension=DIMENSION, files=st.integers(1, 3), group=st.integers(1, 20))
def test_a_random_program_gives_the_same_rows_everywhere(
    folder: Path, data: Any, table: Any, dimension: Any, files: int, group: int
) -> None:
    frame = pl.DataFrame(table, schema=SCHEMA)
    dim = pl.DataFrame(dimension, schema={"dk": pl.Int32, "w": pl.Int64}, orient="row")
    paths = [folder / f"t{part}.parquet" for part in range(files)]
    for part, path in enumerate(paths):
        size = -(-max(frame.height, 1) // files)
        frame.slice(part * size, size).write_parquet(path, row_group_size=group)
    dim.write_parquet(folder / "dim.parquet")

    program = data.draw(
        pipelines(
            dlc.scan_parquet([str(path) for path in paths]), dlc.scan_parquet(str(folder / "dim.parquet"))
        )
    )
    note("\n".join(program.steps))
    answers = [rows_on(ranks, program.frame) for ranks in RANKS]

    with duckdb.connect() as connection:
        connection.register("t", frame.to_arrow())
        connection.register("dim", dim.to_arrow())
        expected = ordered(connection.execute(program.sql).fetchall())
    assert len(answers[0]) == len(expected)
    for ours, theirs in zip(answers[0], expected, strict=True):
        assert all(alike(a, b) for a, b in zip(ours, theirs, strict=True)), (ours, theirs)
    for other in answers[1:]:
        assert repr(other) == repr(answers[0])

"""Random programs give DuckDB's rows, and the same bits on 1, 2, 3 and 4 ranks."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

import dlc
from dlc import driver
from dlc.diagnostics import SourceLoc
from dlc.frontends.recording import Recording
from dlc.passes.partition import costs, partition
from dlc.runtime.executor import execute
from dlc.runtime.plan import Plan
from dlc.runtime.transport import run_local

from .random_programs import DIMENSION, ROWS, SCHEMA, pipelines

RANKS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Regime:
    """What is cheap on a machine, which decides how even tiny tables are spread: rates in bytes a second."""

    read: float
    work: float
    network: float

    def compile(self, module: ModuleOp, ranks: int) -> Plan:
        """The plan of a traced module on such a machine."""
        network = partition.DefaultNetwork(latency=0.0, bandwidth=self.network)
        with (
            patch.object(costs, "READ_RATE", self.read),
            patch.object(costs, "WORK_RATE", self.work),
            patch.object(costs, "COLLECTIVE_SECONDS", 0.0),
            patch.object(partition, "DefaultNetwork", lambda: network),
        ):
            return driver.build_plan(driver.compile_module(module.clone(), None, ranks))

    def plan(self, frame: dlc.Frame, ranks: int) -> Plan:
        """The plan of a frame on such a machine."""
        module = Recording().module("main", {"result": frame.value}, SourceLoc("test.py", 1))
        return self.compile(module, ranks)


REGIMES = (
    Regime(read=5e8, work=1e9, network=5e9),  # as it is: tiny files are read by every rank
    Regime(read=1.0, work=1e9, network=1e12),  # rows are spread, and gathering them is cheap
    Regime(read=1.0, work=1e2, network=1e12),  # work must be shared, so rows are shuffled
)


def rows_on(ranks: int, frame: dlc.Frame, regime: Regime) -> list[tuple[Any, ...]]:
    """The rows that a frame has when run on so many ranks, in an order of their own."""
    plan = regime.plan(frame, ranks)
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
    regime = data.draw(st.sampled_from(REGIMES))
    answers = [rows_on(ranks, program.frame, regime) for ranks in RANKS]

    with duckdb.connect() as connection:
        connection.register("t", frame.to_arrow())
        connection.register("dim", dim.to_arrow())
        expected = ordered(connection.execute(program.sql).fetchall())
    assert len(answers[0]) == len(expected)
    for ours, theirs in zip(answers[0], expected, strict=True):
        assert all(alike(a, b) for a, b in zip(ours, theirs, strict=True)), (ours, theirs)
    for other in answers[1:]:
        assert repr(other) == repr(answers[0])


def test_the_regimes_use_all_collectives(folder: Path) -> None:
    """The property above is worth nothing if every plan of a tiny table does without collectives."""
    path = folder / "many.parquet"
    pl.DataFrame({"k": [i % 40 for i in range(200)], "v": range(200)}).write_parquet(path, row_group_size=20)
    frame = dlc.scan_parquet(str(path))
    programs = [
        frame.group_by("k").agg(dlc.col("v").sum()),
        frame.select(dlc.col("v").sum()),
        frame.join(frame.rename({"v": "w"}), on="k"),
        frame.group_by("k").agg(dlc.col("v").n_unique()),
        frame.sort("v").head(3),
        frame.sort("v").group_by("v").agg(dlc.len()),
    ]
    used = {
        step["op"]
        for regime in REGIMES
        for program in programs
        for ranks in RANKS
        for step in regime.plan(program, ranks).gangs[0].instructions
    }
    assert {"shuffle", "all_gather", "gather", "all_reduce"} <= used


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("ranks", RANKS)
def test_the_order_of_a_concat_survives_another_use_of_it(folder: Path, regime: Regime, ranks: int) -> None:
    path = folder / "ordered.parquet"
    pl.DataFrame({"v": [3, 1, 2, 5, 4] * 8}).write_parquet(path, row_group_size=7)
    frame = dlc.scan_parquet(str(path)).sort("v")
    both = dlc.concat([frame, frame.filter(dlc.col("v") > 2)])
    counts = both.group_by("v").agg(n=dlc.len())
    joined = both.join(counts, on="v").select(total=dlc.col("n").sum())
    module = Recording().module("main", {"all": both.value, "sum": joined.value}, SourceLoc("test.py", 1))
    plan = regime.compile(module, ranks)
    results = run_local(ranks, lambda transport: execute(plan, transport))
    assert results[0] is not None
    first = sorted([3, 1, 2, 5, 4] * 8)
    assert results[0]["all"]["v"].to_list() == first + [v for v in first if v > 2]

"""The flight example gives DuckDB's answer, and the same bytes on any number of ranks."""

import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dlc import driver, hwspec
from dlc.runtime.executor import execute
from dlc.runtime.plan import Plan
from dlc.runtime.transport import run_local

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "examples" / "flight_delays.py"
sys.path.append(str(PROGRAM.parent))

import flight_check  # noqa: E402
import flight_data  # noqa: E402

TABLES = ("carriers", "hours", "routes")


@pytest.fixture(scope="module", autouse=True)
def data() -> Path:
    return flight_data.make()


@pytest.fixture(autouse=True)
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program, which runs in an empty directory, writes its tables."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def compiled(ranks: int) -> Plan:
    return driver.build_plan(driver.compile_module(driver.trace_file(PROGRAM), hwspec.load("host"), ranks))


def run(ranks: int, **parameters: int) -> dict[str, pl.DataFrame]:
    plan = compiled(ranks)
    return run_local(ranks, lambda transport: execute(plan, transport, parameters))[0]


def test_the_tables_are_those_of_duckdb(out: Path) -> None:
    results = run(2)
    for name, wanted in flight_check.expected().items():
        written = pl.read_parquet(out / f"{name}.parquet")
        assert flight_check.difference(written, wanted) <= 1e-9, name
        if name in results:
            assert_frame_equal(results[name], written)


def test_a_parameter_is_given_when_the_plan_runs(out: Path) -> None:
    run(2, late=60, fewest=1000)
    for name, wanted in flight_check.expected(late=60, fewest=1000).items():
        assert flight_check.difference(pl.read_parquet(out / f"{name}.parquet"), wanted) <= 1e-9, name


def test_every_number_of_ranks_writes_the_same_bytes(out: Path) -> None:
    digests: set[tuple[str, ...]] = set()
    for ranks in (1, 2, 3, 4):
        run(ranks)
        digests.add(tuple(sha256((out / f"{name}.parquet").read_bytes()).hexdigest() for name in TABLES))
    assert len(digests) == 1


def test_the_check_sees_a_wrong_table() -> None:
    right = flight_check.expected()["routes"]
    assert flight_check.difference(right, right) == 0
    assert flight_check.difference(right.head(3), right) == float("inf")
    assert flight_check.difference(right.with_columns(pl.col("flights") + 1), right) == float("inf")
    assert flight_check.difference(right.with_columns(pl.col("mean_delay") * 1.001), right) > 1e-9


@pytest.mark.mpi
@pytest.mark.slow
def test_processes_write_what_threads_write(out: Path, run_dlc: Any) -> None:
    run(2)
    threads = [(out / f"{name}.parquet").read_bytes() for name in TABLES]
    done = run_dlc("run", "-n", "2", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert [(out / f"{name}.parquet").read_bytes() for name in TABLES] == threads

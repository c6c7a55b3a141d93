"""The TPC-H programs of `benchmarks/tpch` give DuckDB's answers, on any number of ranks."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dlc import driver, hwspec
from dlc.runtime.executor import execute
from dlc.runtime.plan import Plan, save
from dlc.runtime.transport import run_local

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "benchmarks" / "tpch"
sys.path.append(str(PROGRAMS))

import reference  # noqa: E402
from data import generate  # noqa: E402

RANKS = (1, 2, 3, 4)


@pytest.fixture(scope="module")
def tpch() -> Iterator[Path]:
    """The directory of the tables, which the programs find too."""
    directory = generate(0.01)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TPCH_DATA", str(directory))
        yield directory


def compiled(query: str, ranks: int) -> Plan:
    module = driver.trace_file(PROGRAMS / f"{query}.py")
    return driver.build_plan(driver.compile_module(module, hwspec.load("host"), ranks))


def answer(results: list[Any]) -> pl.DataFrame:
    """The one frame that rank 0 holds."""
    (frame,) = results[0].values()
    return frame


@pytest.mark.parametrize("query", reference.QUERIES)
def test_every_number_of_ranks_gives_the_answer_of_duckdb_in_the_same_bits(query: str, tpch: Path) -> None:
    expected = reference.answer(query, tpch)
    answers = []
    for ranks in RANKS:
        plan = compiled(query, ranks)
        answers.append(answer(run_local(ranks, lambda transport, plan=plan: execute(plan, transport, {}))))
    reference.check(query, answers[0], expected)
    # What DuckDB computes as a decimal must be one: the comparison would forgive floats.
    for name, dtype in expected.schema.items():
        assert answers[0].schema[name].is_float() == dtype.is_float(), name
    for other in answers[1:]:
        assert other.equals(answers[0])


@pytest.mark.mpi
@pytest.mark.parametrize(("query", "ranks"), [("q01", 2), ("q05", 3), ("q18", 4)])
def test_processes_give_what_threads_give(
    query: str, ranks: int, tpch: Path, tmp_path: Path, run_dlc: Any
) -> None:
    plan = compiled(query, ranks)
    save(plan, tmp_path / "query.dlc")
    run = run_dlc("run", "-n", str(ranks), "-o", "answer.parquet", "query.dlc")
    assert run.returncode == 0, run.stderr
    threads = answer(run_local(ranks, lambda transport: execute(plan, transport, {})))
    assert pl.read_parquet(tmp_path / "answer.parquet").equals(threads)

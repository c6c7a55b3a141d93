"""The driver: a program and a machine in, a plan and its results out."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import dlc
from dlc import driver, hwspec
from dlc.diagnostics import DlcError
from dlc.passes import pipelines
from dlc.runtime.executor import execute
from dlc.runtime.plan import from_bytes, to_bytes
from dlc.runtime.transport import run_local

PROGRAM = """
import dlc
from dlc import col

@dlc.program
def totals(least: int = 2):
    big = dlc.scan_parquet("rows.parquet").filter(col("v") >= least)
    return big.group_by("k").agg(col("v").sum().alias("total")).sort("k")
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"k": ["a", "b", "a", "b"], "v": [1, 2, 3, 4]}).write_parquet("rows.parquet")
    path = tmp_path / "prog.py"
    path.write_text(PROGRAM)
    return path


@pytest.mark.parametrize("stage", driver.STAGES)
def test_every_stage_can_be_reached_and_prints_its_machine(program: Path, stage: str) -> None:
    module = driver.compile_module(driver.trace_file(program), hwspec.load("hal"), 2, stage)
    assert "hw.machine @HAL" in str(module)
    assert ("plan.program" if stage == "plan" else "flow.program") in str(module)


def test_an_observer_hears_of_every_pass_in_order(program: Path) -> None:
    names = list[str]()
    driver.compile_module(driver.trace_file(program), observe=lambda name, *_: names.append(name))
    assert names == list(pipelines.passes_until("plan"))


def test_verification_follows_every_stage() -> None:
    assert tuple(pipelines.STAGES) == driver.STAGES
    for stage, passes in pipelines.STAGES.items():
        assert passes[-1] == f"verify-{stage}"


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_a_plan_survives_its_file_and_takes_parameters(program: Path, ranks: int) -> None:
    module = driver.compile_module(driver.trace_file(program), hwspec.load("host"), ranks)
    plan = from_bytes(to_bytes(driver.build_plan(module)))
    results = run_local(ranks, lambda transport: execute(plan, transport, {"least": "3"}))
    assert results[0] is not None
    assert results[0]["totals"].rows() == [("a", 3), ("b", 4)]
    assert results[1:] == [None] * (ranks - 1)


def test_equal_programs_give_equal_plans(program: Path) -> None:
    plans = [
        to_bytes(driver.build_plan(driver.compile_module(driver.trace_file(program), hwspec.load("hal"), 3)))
        for _ in range(2)
    ]
    assert plans[0] == plans[1]


def test_a_module_before_the_plan_stage_has_no_plan(program: Path) -> None:
    module = driver.compile_module(driver.trace_file(program), until="opt")
    with pytest.raises(DlcError) as caught:
        driver.build_plan(module)
    assert caught.value.code == "DLC306"


def test_a_frame_collects_on_the_spot(program: Path) -> None:
    frame = dlc.scan_parquet("rows.parquet").filter(dlc.col("k") == "a").select("v")
    rows = frame.collect()
    assert rows is not None
    assert rows["v"].to_list() == [1, 3]


def test_a_program_that_needs_more_memory_than_the_machine_has_is_refused(program: Path) -> None:
    module = driver.trace_file(program)
    tiny = hwspec.loads(
        "machine tiny { node n { cpu c { cores = 2 } memory m { capacity = 100 MB; bandwidth = 1 GB/s } } }"
    )
    with pytest.raises(DlcError) as caught:
        driver.compile_module(module, tiny, 2)
    assert caught.value.code == "DLC505"
    assert caught.value.exit_code == 4
    assert caught.value.loc is not None


def test_explain_shows_layouts_sizes_and_the_users_lines(program: Path) -> None:
    plan = driver.build_plan(driver.compile_module(driver.trace_file(program), hwspec.load("hal"), 2))
    tree = driver.explain(plan)
    assert tree.startswith("totals: 2 ranks on HAL\n")
    assert "result totals  (prog.py:" in tree
    assert "read rows.parquet (k, v) where (v ≥ least)" in tree
    assert "aggregate by k: total = sum(v)  (prog.py:8)" in tree
    assert "→ replicated [" in tree

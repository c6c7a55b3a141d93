"""The way of a program through the command line: compile, explain, run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from conftest import Dlc

from dlc.runtime.launch import mpiexec_command

PROGRAM = """
import dlc
from dlc import col


@dlc.program
def total(least: int = 1) -> dlc.Frame:
    sales = dlc.scan_csv("sales.csv").filter(col("amount") >= least)
    return sales.group_by("city").agg(col("amount").sum().alias("total")).sort("city")


@dlc.program
def both() -> dict[str, dlc.Frame]:
    sales = dlc.scan_csv("sales.csv")
    return {"first": sales.head(1), "second": sales.select(col("amount").max())}
"""
SALES = "city,amount\nOslo,1\nRome,2\nOslo,4\n"
ROWS = {"total": [{"city": "Oslo", "total": 5}, {"city": "Rome", "total": 2}]}


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "sales.csv").write_text(SALES, encoding="utf-8")


@pytest.mark.parametrize("stage", ["flow", "opt", "dist", "placed", "plan"])
def test_every_stage_can_be_printed_and_read_back(run_dlc: Dlc, tmp_path: Path, stage: str) -> None:
    printed = run_dlc("compile", "prog.py:total", "--emit", stage, "-n", "2")
    assert printed.returncode == 0, printed.stderr
    assert "hw.machine" in printed.stdout
    (tmp_path / "module.mlir").write_text(printed.stdout, encoding="utf-8")
    assert run_dlc("opt", "module.mlir").stdout == printed.stdout


def test_a_plan_is_named_after_its_program_and_always_the_same(run_dlc: Dlc, tmp_path: Path) -> None:
    assert run_dlc("compile", "prog.py:total").stderr == ""
    first = (tmp_path / "prog.dlc").read_bytes()
    assert run_dlc("compile", "prog.py:total", "-o", "again.dlc").returncode == 0
    assert (tmp_path / "again.dlc").read_bytes() == first


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_a_plan_and_its_program_give_the_same(run_dlc: Dlc, ranks: int) -> None:
    assert run_dlc("compile", "prog.py:total", "-n", str(ranks), "-o", "plan.dlc").returncode == 0
    of_plan = run_dlc("run", "plan.dlc", "--json")
    of_program = run_dlc("run", "-n", str(ranks), "prog.py:total", "--json")
    assert of_plan.stderr == of_program.stderr  # at most that the ranks share cores
    assert json.loads(of_plan.stdout) == json.loads(of_program.stdout) == ROWS


def test_tables_are_shown_with_all_columns(run_dlc: Dlc) -> None:
    shown = run_dlc("run", "prog.py:total").stdout
    assert "│ Oslo ┆ 5     │" in shown


def test_several_results_are_shown_by_name(run_dlc: Dlc) -> None:
    lines = run_dlc("run", "prog.py:both").stdout.splitlines()
    assert lines[0] == "first"
    assert "second" in lines


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("out.parquet", lambda path: pl.read_parquet(path).to_dicts()),
        ("out.csv", lambda path: pl.read_csv(path).to_dicts()),
        ("out.json", lambda path: json.loads(path.read_text(encoding="utf-8"))["total"]),
    ],
)
def test_a_result_goes_to_a_file(run_dlc: Dlc, tmp_path: Path, name: str, read) -> None:
    result = run_dlc("run", "prog.py:total", "-o", name)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert read(tmp_path / name) == ROWS["total"]


@pytest.mark.parametrize(
    ("program", "name"), [("total", "out.xlsx"), ("both", "out.csv"), ("total", "no/out.csv")]
)
def test_a_result_that_cannot_go_there_is_refused(run_dlc: Dlc, program: str, name: str) -> None:
    result = run_dlc("run", f"prog.py:{program}", "-o", name)
    assert result.returncode == 4
    assert result.stderr.startswith("error[DLC605]: cannot write")


def test_a_program_that_only_writes_prints_nothing(run_dlc: Dlc, tmp_path: Path) -> None:
    body = 'dlc.scan_csv("sales.csv").sink_parquet("out.parquet")'
    (tmp_path / "writer.py").write_text(
        f"import dlc\n@dlc.program\ndef write():\n    {body}\n", encoding="utf-8"
    )
    result = run_dlc("run", "writer.py")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert pl.read_parquet(tmp_path / "out.parquet").height == 3


def test_parameters_are_given_to_a_program_and_to_a_plan(run_dlc: Dlc) -> None:
    expected = {"total": [{"city": "Oslo", "total": 4}, {"city": "Rome", "total": 2}]}
    of_program = run_dlc("run", "prog.py:total", "--param", "least=2", "--json")
    assert json.loads(of_program.stdout) == expected
    assert run_dlc("compile", "prog.py:total", "-o", "plan.dlc").returncode == 0
    assert json.loads(run_dlc("run", "plan.dlc", "--param", "least=2", "--json").stdout) == expected
    assert json.loads(run_dlc("run", "plan.dlc", "--json").stdout) == ROWS


@pytest.mark.parametrize("parameter", ["leest=1", "least=x"])
@pytest.mark.parametrize("target", ["prog.py:total", "plan.dlc"])
def test_a_wrong_parameter_is_the_users_mistake(run_dlc: Dlc, target: str, parameter: str) -> None:
    assert run_dlc("compile", "prog.py:total", "-o", "plan.dlc").returncode == 0
    result = run_dlc("run", target, "--param", parameter)
    assert result.returncode == 1
    assert result.stderr.startswith("error[DLC110]")


def test_a_file_with_several_programs_needs_a_name(run_dlc: Dlc) -> None:
    result = run_dlc("run", "prog.py")
    assert result.returncode == 1
    assert "prog.py:total" in result.stderr


@pytest.mark.mpi
def test_a_plan_for_more_ranks_than_given_is_refused(run_dlc: Dlc) -> None:
    assert run_dlc("compile", "prog.py:total", "-n", "3", "-o", "plan.dlc").returncode == 0
    result = run_dlc("run", "-n", "2", "plan.dlc")
    assert result.returncode == 4
    assert "error[DLC504]" in result.stderr


def test_a_plan_is_not_for_compiling_and_a_program_no_plan(run_dlc: Dlc, tmp_path: Path) -> None:
    assert "error[DLC109]" in run_dlc("compile", "sales.csv").stderr
    (tmp_path / "damaged.dlc").write_bytes(b"PK")
    assert "error[DLC501]" in run_dlc("run", "damaged.dlc").stderr


@pytest.mark.parametrize("target", ["prog.py:total", "plan.dlc"])
def test_explain_shows_operators_layouts_and_lines(run_dlc: Dlc, target: str) -> None:
    assert run_dlc("compile", "prog.py:total", "-o", "plan.dlc").returncode == 0
    tree = run_dlc("explain", target).stdout
    for part in ("total", "sales.csv", "prog.py:8", "rows", "city"):
        assert part in tree


def start_ranks(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command, environment = mpiexec_command(2, ["-m", "dlc", *arguments])
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.mpi
@pytest.mark.parametrize("target", ["prog.py:total", "plan.dlc"])
def test_ranks_that_mpiexec_started_work_together(run_dlc: Dlc, tmp_path: Path, target: str) -> None:
    assert run_dlc("compile", "prog.py:total", "-n", "2", "-o", "plan.dlc").returncode == 0
    result = start_ranks(tmp_path, "run", target, "--json")
    assert json.loads(result.stdout) == ROWS, result.stderr


@pytest.mark.mpi
def test_an_error_ends_all_ranks_with_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").unlink()
    result = start_ranks(tmp_path, "run", "prog.py:total")
    assert result.returncode == 1
    assert result.stderr.count("error[DLC201]") == 1


@pytest.mark.mpi
def test_a_rank_with_a_plan_imports_no_compiler(run_dlc: Dlc, tmp_path: Path) -> None:
    assert run_dlc("compile", "prog.py:total", "-o", "plan.dlc").returncode == 0
    script = (
        "import sys; from dlc.cli import main; main(['run', 'plan.dlc']); sys.exit('xdsl' in sys.modules)"
    )
    command, environment = mpiexec_command(1, ["-c", script])
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=True)


def test_stdout_may_be_closed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dlc", "compile", "prog.py:total", "--emit", "flow"]
    result = subprocess.run(
        ["bash", "-c", '"$@" | true; exit ${PIPESTATUS[0]}', "bash", *command],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    assert result.returncode in (0, 141)

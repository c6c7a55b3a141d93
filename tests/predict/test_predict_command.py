"""`dlc predict` on programs, plans and workloads."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import polars as pl
import pytest

from dlc.cli.predict import rank_list
from tests.conftest import Dlc

EXAMPLES = Path(__file__).parents[2] / "examples" / "workloads"
PROGRAM = """
import dlc
from dlc import col

@dlc.program
def total():
    return dlc.scan_parquet("sales.parquet").group_by("k").agg(col("v").sum().alias("t")).sort("k")
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    pl.DataFrame({"k": [i % 7 for i in range(1000)], "v": range(1000)}).write_parquet(
        tmp_path / "sales.parquet"
    )
    (tmp_path / "prog.py").write_text(PROGRAM)
    return tmp_path / "prog.py"


def test_a_program_is_predicted_before_it_runs(run_dlc: Dlc, program: Path) -> None:
    done = run_dlc("predict", program, "--machine", "hal", "-n", "40")
    assert done.returncode == 0, done.stderr
    first, *lines = done.stdout.splitlines()
    assert first == "total: 40 ranks on 1 node of HAL"
    assert any(line.strip().startswith("time ") for line in lines)
    assert any("(prog.py:7)" in line for line in lines)
    assert any(line.startswith("bottleneck: ") for line in lines)


def test_a_plan_is_predicted_on_another_machine_and_more_ranks(run_dlc: Dlc, program: Path) -> None:
    assert run_dlc("compile", program, "--machine", "laptop", "-o", "p.dlc").returncode == 0
    done = run_dlc("predict", "p.dlc", "--machine", "hal", "-n", "640", "--json")
    found = json.loads(done.stdout)
    assert (found["machine"], found["ranks"], found["nodes"]) == ("HAL", 640, 16)
    assert found["seconds"]["low"] < found["seconds"]["value"] < found["seconds"]["high"]
    assert found["steps"] and found["memory"]["host"] > 0


def test_several_numbers_of_ranks_give_a_curve(run_dlc: Dlc, program: Path, tmp_path: Path) -> None:
    done = run_dlc("predict", program, "--machine", "hal", "-n", "1,2,…,64", "--plot", "p.svg", "--json")
    assert [entry["ranks"] for entry in json.loads(done.stdout)] == [1, 2, 4, 8, 16, 32, 64]
    picture = ET.parse(tmp_path / "p.svg").getroot()
    assert picture.tag.endswith("svg")
    assert len(picture.findall("{*}circle")) == 7


@pytest.mark.parametrize(
    ("text", "counts"),
    [("4", [4]), ("1,2,…,16", [1, 2, 4, 8, 16]), ("3, 9, ..., 100", [3, 9, 27, 81, 100]), ("8,2", [8, 2])],
)
def test_lists_of_ranks(text: str, counts: list[int]) -> None:
    assert rank_list(text) == counts


@pytest.mark.parametrize("text", ["", "0", "…,4", "1,…,4", "2,1,…,4", "1,2,…", "x", "99999999999"])
def test_bad_lists_of_ranks_are_a_usage_error(run_dlc: Dlc, text: str) -> None:
    done = run_dlc("predict", "p.dlc", "-n", text)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_each_example_is_predicted(run_dlc: Dlc, path: Path) -> None:
    done = run_dlc("predict", path, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["title"]


def test_a_workload_can_be_tried_on_another_machine(run_dlc: Dlc) -> None:
    done = run_dlc("predict", EXAMPLES / "zero-memory.toml", "--machine", "hal", "--json")
    found = json.loads(done.stdout)
    assert found["machine"] == "HAL"
    assert [row["fits"] for row in found["rows"]] == [False, False, False, True]  # of 16 GB


def test_nothing_to_predict_is_said_so(run_dlc: Dlc) -> None:
    assert "error[DLC201]" in run_dlc("predict").stderr
    assert "error[DLC201]" in run_dlc("predict", "none.toml").stderr

"""Jobs of several processes: the same results as threads, and a prompt, clean end when a rank fails."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime import launch
from dlc.runtime import plan as plans
from dlc.runtime.launch import in_mpi_world, mpiexec_command, run_plan
from dlc.runtime.plan import Plan
from tests.runtime import programs

pytestmark = pytest.mark.mpi
ROWS = 1000


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    found = tmp_path / "sales.parquet"
    programs.sales(ROWS).write_parquet(found)
    return found


def good_plan(sales: Path, ranks: int) -> Plan:
    out = sales.parent
    return programs.make_plan(
        ranks,
        [
            *programs.totals_instructions(sales, ROWS),
            programs.write("totals", out / "parts", "directory"),
            programs.write("sorted", out / "totals.parquet", "file"),
            programs.result(),
        ],
    )


def bad_plan(sales: Path, ranks: int) -> Plan:
    """Every rank stages a part, then every rank divides by zero at once."""
    steps = [
        *programs.totals_instructions(sales, ROWS),
        programs.write("totals", sales.parent / "parts", "directory"),
        programs.read(sales, ROWS, out="again"),
        programs.run("again", "broken", programs.divide_by(0)),
    ]
    return programs.make_plan(ranks, steps)


def saved(plan: Plan, sales: Path) -> Path:
    path = sales.with_name("p.dlc")
    plans.save(plan, path)
    return path


def left(sales: Path) -> list[str]:
    return sorted(path.name for path in sales.parent.iterdir())


def by_hand(ranks: int, *args: str) -> subprocess.CompletedProcess[str]:
    """Workers started with mpiexec alone, as on a cluster."""
    command, environment = mpiexec_command(ranks, ["-m", "dlc.runtime.worker", *args])
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_a_job_brings_results_outputs_and_a_record(sales: Path, ranks: int) -> None:
    record = sales.with_name("record.json")
    found = run_plan(saved(good_plan(sales, ranks), sales), ranks, record=str(record))
    assert found["totals"].equals(programs.totals(programs.sales(ROWS)))
    assert left(sales) == ["p.dlc", "parts", "record.json", "sales.parquet", "totals.parquet"]
    assert [rank["rank"] for rank in json.loads(record.read_text())["ranks"]] == list(range(ranks))


def test_ranks_beyond_the_plans_world_are_idle(sales: Path) -> None:
    assert by_hand(3, str(saved(good_plan(sales, 2), sales))).returncode == 0
    assert left(sales) == ["p.dlc", "parts", "sales.parquet", "totals.parquet"]


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_a_job_that_fails_raises_the_error_of_its_rank(sales: Path, ranks: int) -> None:
    start = time.monotonic()
    with pytest.raises(DlcError) as caught:
        run_plan(saved(bad_plan(sales, ranks), sales), ranks)
    assert time.monotonic() - start < 10
    assert (caught.value.code, caught.value.loc) == ("DLC601", SourceLoc("prog.py", 1, 5, 9))
    assert left(sales) == ["p.dlc", "sales.parquet"]


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_one_rank_reports_and_all_end_with_its_code(sales: Path, ranks: int) -> None:
    done = by_hand(ranks, str(saved(bad_plan(sales, ranks), sales)))
    assert done.returncode == 5
    assert done.stderr.count("error[DLC601]") == 1
    assert "prog.py:1" in done.stderr
    assert "Traceback" not in done.stderr
    assert left(sales) == ["p.dlc", "sales.parquet"]


def test_an_unforeseen_error_comes_with_its_traceback(sales: Path) -> None:
    steps = [
        programs.read(sales, ROWS),
        programs.run("sales", "x", programs.group(["t", "sum", "nowhere", "f64?"])),
    ]
    done = by_hand(2, str(saved(programs.make_plan(2, steps), sales)))
    assert done.returncode == 5
    assert done.stderr.count("error[DLC603]") == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("args", "ranks", "code", "status"),
    [
        (["none.dlc"], 2, "DLC201", 1),
        (["p.dlc", "--param", "x=1"], 2, "DLC110", 1),
        (["p.dlc"], 1, "DLC504", 4),
    ],
)
def test_a_job_that_cannot_start(sales: Path, args: list[str], ranks: int, code: str, status: int) -> None:
    saved(good_plan(sales, 2), sales)
    done = by_hand(ranks, str(sales.with_name(args[0])), *args[1:])
    assert done.returncode == status
    assert done.stderr.count(f"error[{code}]") == 1


def waiting_plan(sales: Path) -> Plan:
    """Rank 0 waits for a message that nobody sends."""
    plan = programs.make_plan(2, [])
    steps = [{"op": "recv", "out": "x", "peer": 1, "tag": 0, "loc": 0}]
    plan.gangs = [plans.Gang("waiting", [0], steps)]
    plan.outputs = [str(sales.with_name("out.parquet"))]
    return plan


def test_a_rank_that_hears_nothing_ends_the_job(sales: Path) -> None:
    done = by_hand(2, str(saved(waiting_plan(sales), sales)), "--watchdog", "0.5")
    assert done.returncode == 6
    assert done.stderr.count("error[DLC604]") == 1
    assert left(sales) == ["p.dlc", "sales.parquet"]


def starter(path: Path) -> subprocess.Popen[str]:
    """A process that runs a plan on two ranks, waiting until its outputs are staged."""
    script = f"from dlc.runtime.launch import run_plan; run_plan({str(path)!r}, 2)"
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not any(".staged" in found.name for found in path.parent.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def ranks_of(plan: Path) -> list[int]:
    """The process numbers of the ranks that run a plan."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if Path(command[0].decode()).name.startswith("python") and str(plan).encode() in command:
            found.append(int(entry.name))
    return found


def test_a_signal_reaches_the_ranks(sales: Path) -> None:
    process = starter(saved(waiting_plan(sales), sales))
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in errors
    assert left(sales) == ["p.dlc", "sales.parquet"]


def test_a_rank_that_is_killed_ends_the_job(sales: Path) -> None:
    path = saved(waiting_plan(sales), sales)
    process = starter(path)
    os.kill(ranks_of(path)[-1], signal.SIGKILL)
    _, errors = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "DLC604" in errors
    assert left(sales) == ["p.dlc", "sales.parquet"]


def test_without_mpiexec_several_ranks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_find_mpiexec", lambda: None)
    with pytest.raises(DlcError) as caught:
        mpiexec_command(2, [])
    assert caught.value.code == "DLC701"


@pytest.mark.parametrize(
    ("environment", "inside"),
    [
        ({}, False),
        ({"PMI_RANK": "0"}, True),
        ({"OMPI_COMM_WORLD_RANK": "1"}, True),
        ({"SLURM_PROCID": "0"}, False),
        ({"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}, False),
        ({"SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4"}, True),
    ],
)
def test_an_mpi_world_is_known_by_its_environment(environment: dict[str, str], inside: bool) -> None:
    assert in_mpi_world(environment) is inside


def test_threads_are_shared_between_the_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
    monkeypatch.setattr(launch, "cores", lambda: 8)
    assert mpiexec_command(3, [])[1]["POLARS_MAX_THREADS"] == "2"
    assert mpiexec_command(16, [])[1]["POLARS_MAX_THREADS"] == "1"

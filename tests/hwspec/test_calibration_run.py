"""Calibration of the machine at hand, with MPI ranks."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Dlc

from dlc import calibrate, hwspec
from dlc.diagnostics import DlcError

pytestmark = pytest.mark.mpi


@pytest.mark.slow
def test_the_command_describes_the_machine_in_time(run_dlc: Dlc, tmp_path: Path) -> None:
    start = time.monotonic()
    result = run_dlc("hw", "calibrate", "--quick", "-n", "2", "-o", "me.hw", "--record", "me.json")
    assert result.returncode == 0, result.stderr
    assert time.monotonic() - start < calibrate.QUICK_LIMIT + 5
    assert "all-to-all" in result.stderr
    machine = hwspec.load(tmp_path / "me.hw")
    assert {rate.provenance.kind for rate in _rates(machine)} == {"measured"}
    # Wide bounds that hold on any machine, yet would show a wrong unit.
    assert 1e8 < machine.flops("f64") < 1e15
    assert 1e-8 < machine.fabric.local.latency + machine.fabric.local.overhead < 0.1
    assert 1e7 < machine.fabric.local.pair < 1e12
    record = json.loads((tmp_path / "me.json").read_text(encoding="utf-8"))
    assert record["local"]["fit"]["r2"] > 0.8
    operations = {entry["name"] for entry in record["collectives"]}
    assert operations == {"barrier", "all_to_all", "all_gather", "all_reduce"}


def _rates(machine: hwspec.Machine) -> list[hwspec.Quantity]:
    compute = machine.of_kind("cpu")[0].part.get("compute")
    assert isinstance(compute, hwspec.parts.Table)
    shared = next(entry.part for entry in machine.of_kind("interconnect"))
    found = [rate for _, rate in compute.entries if isinstance(rate, hwspec.Quantity)]
    values = (shared.get(name) for name in ("bandwidth", "latency", "overhead"))
    return found + [value for value in values if isinstance(value, hwspec.Quantity)]


def test_one_rank_measures_no_messages(tmp_path: Path) -> None:
    done = calibrate.calibrate(hwspec.load("host"), 1, tmp_path, limit=10)
    assert (done.record.ranks, done.record.local, done.record.collectives) == (1, None, ())
    assert done.record.core_gemm["f32"].value > done.record.core_gemm["f64"].value > 0
    assert done.record.write is not None
    assert not list(tmp_path.iterdir())


def test_more_ranks_than_cores_are_marked(tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    done = calibrate.calibrate(hwspec.load("host"), cores + 1, tmp_path, limit=15)
    assert done.record.oversubscribed
    assert "more ranks than cores" in dict(done.machine.meta)["calibration"]


def test_messages_between_nodes_fill_in_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = calibrate.mpiexec_command

    def on_two_nodes(ranks: int, args: list[str]) -> tuple[list[str], dict[str, str]]:
        """MPICH takes this machine for two when its processes are told so."""
        command, environment = usual(ranks, args)
        return [command[0], "-launcher", "fork", "-hosts", "a,b", "-ppn", "1", *command[1:]], environment

    version = subprocess.run([usual(1, [])[0][0], "--version"], capture_output=True, text=True, check=False)
    if "HYDRA" not in version.stdout:
        pytest.skip("needs the mpiexec of MPICH")
    monkeypatch.setattr(calibrate, "mpiexec_command", on_two_nodes)
    cores = hwspec.load("host").cores
    two = hwspec.loads(
        f"machine two {{ node n[0..1] {{ socket s {{ cpu c {{ cores = {cores} }} "
        "memory ram { capacity = 1 GB; bandwidth = 1 GB/s } } } "
        "network net : star { attach = n[*]; bandwidth = 1 GB/s; latency = 1 s } }"
    )
    done = calibrate.calibrate(two, 2, tmp_path, limit=15)
    assert (done.record.nodes, done.record.node_ranks, done.record.local) == (2, 1, None)
    assert done.record.remote is not None
    assert 1e-7 < done.machine.transfer_seconds(8, "n[0]", "n[1]") < 0.1


def test_what_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = tmp_path / "pid"
    script = f"import os, time; open({str(pids)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    _start_instead(monkeypatch, script)
    start = time.monotonic()
    with pytest.raises(DlcError) as caught:
        calibrate.calibrate(hwspec.load("host"), 2, tmp_path, limit=1)
    assert caught.value.code == "DLC410"
    assert time.monotonic() - start < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int(pids.read_text()), 0)


def test_a_rank_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _start_instead(monkeypatch, "raise SystemExit(7)")
    with pytest.raises(DlcError) as caught:
        calibrate.calibrate(hwspec.load("host"), 2, tmp_path, limit=10)
    assert caught.value.code == "DLC411"
    assert "code 7" in caught.value.message


def _start_instead(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    def command(ranks: int, args: list[str]) -> tuple[list[str], dict[str, str]]:
        return [sys.executable, "-c", script], dict(os.environ)

    monkeypatch.setattr(calibrate, "mpiexec_command", command)


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("--machine", "hal"), "DLC412", 1),
        (("--folder", "nowhere"), "DLC605", 4),
        (("--machine", "x"), "DLC406", 1),
    ],
)
def test_mistakes_are_found_before_anything_is_measured(
    run_dlc: Dlc, arguments: tuple[str, ...], code: str, exit_code: int
) -> None:
    result = run_dlc("hw", "calibrate", *arguments, timeout=15)
    assert result.returncode == exit_code
    assert f"error[{code}]" in result.stderr


@pytest.mark.parametrize("ranks", ["0", "-1", "two", "99999999"])
def test_a_number_of_ranks_that_is_none(run_dlc: Dlc, ranks: str) -> None:
    result = run_dlc("hw", "calibrate", f"-n={ranks}")
    assert result.returncode == 2
    assert "is not a number of ranks" in result.stderr

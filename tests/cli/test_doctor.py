"""The doctor tells a healthy machine from a sick one, and says what to do."""

import sys
from pathlib import Path

import pytest
from conftest import Dlc

from dlc.cli.doctor import Finding


@pytest.mark.mpi
def test_a_healthy_machine(run_dlc: Dlc) -> None:
    result = run_dlc("doctor", timeout=100)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "FAIL" not in result.stdout
    for part in ("Python", "xdsl", "polars", "MPI starts two processes", "cores", "memory"):
        assert part in result.stdout


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("exit 7", "cannot start two processes"),
        ("echo no such device >&2; exit 1", "no such device"),
        # Two processes that each think they are alone: the launcher of another MPI.
        ("echo 1 Other MPI; echo 1 Other MPI", "belongs to another MPI"),
    ],
)
def test_an_mpi_that_does_not_start_is_found(
    script: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dlc.cli import doctor

    launcher = tmp_path / "mpiexec"
    launcher.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    launcher.chmod(0o755)
    command = ([str(launcher), "-n", "2", sys.executable], {})
    monkeypatch.setattr("dlc.runtime.launch.mpiexec_command", lambda *_: command)
    finding = doctor._mpi()
    assert not finding.ok
    assert complaint in finding.text
    assert finding.fix


def test_a_failure_says_what_to_do() -> None:
    assert str(Finding(False, "no mpiexec", "pip install mpich")).splitlines() == [
        "FAIL no mpiexec",
        "     fix: pip install mpich",
    ]

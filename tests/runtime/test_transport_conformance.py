"""Every transport meets the same specs on 1 to 4 ranks."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dlc.diagnostics import DlcError
from dlc.runtime.launch import mpiexec_command
from dlc.runtime.transport import LocalTransport, PeerFailed, Transport, run_local
from tests.runtime.transport_specs import SPECS


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.__name__)
def test_threads(spec: Callable[[Transport], None], size: int) -> None:
    run_local(size, spec, patience=20)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_mpi(size: int) -> None:
    command, environment = mpiexec_command(size, [str(Path(__file__).with_name("transport_specs.py"))])
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("passed") == size


def test_a_rank_that_fails_releases_the_others_with_its_error() -> None:
    released: list[int] = []

    def work(t: Transport) -> None:
        if t.rank == 1:
            raise ValueError("rank 1 broke")
        try:
            t.barrier()
        except PeerFailed:
            released.append(t.rank)
            raise

    with pytest.raises(ValueError, match="rank 1 broke"):
        run_local(3, work)
    assert sorted(released) == [0, 2]


def test_a_rank_that_hears_nothing_gives_up() -> None:
    def work(t: Transport) -> None:
        if t.rank == 0:
            t.recv(1, 5)

    with pytest.raises(DlcError) as caught:
        run_local(2, work, patience=0.2)
    assert caught.value.code == "DLC604"


def test_one_rank_needs_no_group() -> None:
    assert LocalTransport().size == 1


def test_the_interpreter_of_the_job_is_this_one() -> None:
    command, _ = mpiexec_command(2, ["script.py"])
    assert sys.executable in command

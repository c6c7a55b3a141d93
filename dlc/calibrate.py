"""Measures the machine at hand with MPI ranks and gives its description with the figures measured.

What is measured and how it is fitted lies in `dlc.hwspec.calibration`; here ranks are started.
"""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from dlc.diagnostics import DlcError
from dlc.hwspec import Machine, load
from dlc.hwspec.calibration.apply import apply, matching
from dlc.hwspec.calibration.record import Record
from dlc.hwspec.detection.devices import disk_of
from dlc.hwspec.model import cores_below
from dlc.runtime.launch import mpiexec_command

LIMIT, QUICK_LIMIT = 60.0, 15.0
"""Seconds that a calibration takes at most."""

_WORK = 0.7  # share of the limit in which measurements are planned; the rest is for starting and for slips
_STOP = 5.0  # seconds that ranks get to end when they are told to
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS")


@dataclass(frozen=True)
class Calibration:
    """The description with measured figures, and all that was measured."""

    machine: Machine
    record: Record


def calibrate(
    machine: Machine, ranks: int | None = None, folder: Path = Path(), limit: float = LIMIT
) -> Calibration:
    """Measure on `ranks` ranks, by default one for each core, two at least; `folder` tells the disk.

    Raises DLC410 when it takes longer than `limit` seconds, DLC411 when a rank fails, DLC412 when `machine`
    has no node such as the one at hand, DLC605 when nothing can be written to `folder`, and DLC701 without a
    usable MPI.
    """
    host = load("host")
    cores = cores_below(host.of_kind("node")[0].part)
    matching(machine, cores)  # to fail before it takes time
    disk = disk_of(Path("/"), _writable(folder))
    record = _measure(ranks or max(2, host.cores), folder, limit)
    return Calibration(apply(machine, record, cores, disk), record)


def _writable(folder: Path) -> int:
    """The device of a folder in which files can be made."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return os.fstat(file.fileno()).st_dev
    except OSError as error:
        message = f"cannot write to '{folder}': {error.strerror or error}"
        raise DlcError("DLC605", message, help="choose another directory with --folder") from None


def _measure(ranks: int, folder: Path, limit: float) -> Record:
    deadline = time.monotonic() + limit
    with tempfile.TemporaryDirectory(prefix="dlc-") as staging:
        file = Path(staging) / "record.json"
        args = ["-m", "mpi4py", "-m", "dlc.hwspec.calibration.worker"]
        args += [f"--seconds={limit * _WORK}", f"--record={file}", f"--folder={folder.absolute()}"]
        command, environment = mpiexec_command(ranks, args)
        environment |= dict.fromkeys(_ONE_THREAD, "1")
        code = _run(command, environment, deadline)
        if code is None:
            raise DlcError(
                "DLC410",
                f"calibration did not end in {limit:.0f} s",
                help="leave the machine to it, or take fewer ranks with -n",
            )
        if code or not file.exists():
            raise DlcError(
                "DLC411",
                f"a rank failed while measuring (mpiexec ended with code {code})",
                help="what it said stands above; `dlc doctor` checks that MPI starts",
            )
        return Record.from_json(file.read_text(encoding="utf-8"))


def _run(command: list[str], environment: dict[str, str], deadline: float) -> int | None:
    """The exit code, None when time was up; no process is left behind in any case."""
    # Ranks tell of mistakes on stderr; what mpiexec says besides, on stdout, the error says better.
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdin=nothing, stdout=nothing)
    try:
        return process.wait(timeout=deadline - time.monotonic())
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

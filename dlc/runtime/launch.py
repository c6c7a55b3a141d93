"""Starts the workers of a run with mpiexec, forwards signals to them and maps their exit codes."""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING

from dlc.diagnostics import DlcError
from dlc.runtime.handover import read_error, read_results
from dlc.runtime.plan import load
from dlc.runtime.staging import discard

if TYPE_CHECKING:
    import polars as pl

_OWN_CODES = frozenset({0, 1, 2, 3, 4, 5, 6, 70, 75})
_RANK_VARIABLES = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")


def in_mpi_world(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process was started as a rank of an MPI job, by mpiexec or by Slurm's srun."""
    if any(name in environment for name in _RANK_VARIABLES):
        return True
    # A batch script carries SLURM_PROCID too; only a step of several tasks is an MPI world.
    return "SLURM_PROCID" in environment and int(environment.get("SLURM_STEP_NUM_TASKS", "1")) > 1


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def run_plan(
    path: str | os.PathLike[str],
    ranks: int,
    parameters: Mapping[str, str] = MappingProxyType({}),
    record: str | None = None,
) -> "dict[str, pl.DataFrame]":
    """Run a plan file on `ranks` new processes; the results by name. Raises the error that ended the run.

    Parameters are text, as on the command line; `record` names the file for the run record.
    """
    plan = load(path)
    run = secrets.token_hex(6)
    with tempfile.TemporaryDirectory(prefix="dlc-") as name:
        args = ["-m", "dlc.runtime.worker", os.fspath(path), "--results", name]
        args += [f"--param={key}={value}" for key, value in parameters.items()]
        args += ["--record", record] if record else []
        try:
            code = mpirun(ranks, args, {"DLC_RUN": run})
        finally:
            discard(plan.outputs, run)  # ranks that were killed could not
        error = read_error(Path(name))
        if error is not None:
            raise error
        if code:
            raise SystemExit(code)
        return read_results(Path(name))


def mpirun(ranks: int, args: Sequence[str], variables: Mapping[str, str] = MappingProxyType({})) -> int:
    """Run `python args…` on `ranks` processes and return the exit code of the job.

    SIGINT and SIGTERM go on to the ranks, and the code is then 128 and the signal's number. Raises DLC701
    without a usable MPI, and DLC604 when a rank dies of a signal.
    """
    command, environment = mpiexec_command(ranks, args)
    environment.update(variables)
    # Results never travel on standard output, but what mpiexec says about a lost rank does.
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    asked: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        del frame
        asked.append(number)
        process.send_signal(number)

    previous = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = process.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if asked:
        return 128 + asked[0]
    if code in _OWN_CODES:
        return code
    raise DlcError(
        "DLC604",
        f"a rank was lost (mpiexec ended with code {code})",
        help="it crashed or was killed; the kernel kills the largest process when memory runs out",
    )


def mpiexec_command(ranks: int, args: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment that start `python args…` on `ranks` processes. Raises DLC701."""
    mpiexec = _find_mpiexec()
    if mpiexec is None or importlib.util.find_spec("mpi4py") is None:
        raise DlcError(
            "DLC701",
            "cannot start several ranks: "
            + ("mpi4py is not installed" if mpiexec else "there is no mpiexec"),
            help="install an MPI, for instance with `pip install mpi4py mpich`, or run on one rank",
        )
    return [mpiexec, "-n", str(ranks), sys.executable, *args], {**os.environ, **_environment(ranks)}


def _find_mpiexec() -> str | None:
    """The mpiexec beside this interpreter, which belongs to its mpi4py, else the one on the path."""
    beside = Path(sysconfig.get_path("scripts")) / "mpiexec"
    return str(beside) if beside.exists() else shutil.which("mpiexec")


def _environment(ranks: int) -> dict[str, str]:
    threads = max(1, cores() // ranks)
    variables = {"POLARS_MAX_THREADS": os.environ.get("POLARS_MAX_THREADS", str(threads))}
    # Open MPI refuses more ranks than cores unless told; other MPIs ignore these.
    variables["OMPI_MCA_rmaps_base_oversubscribe"] = "1"
    variables["PRTE_MCA_rmaps_default_mapping_policy"] = ":oversubscribe"
    if os.geteuid() == 0:
        variables["OMPI_ALLOW_RUN_AS_ROOT"] = variables["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    return variables

"""A rank's place in a job: how it joins the world, and how its failure ends the job for all ranks."""

import os
import signal
import sys
import time
import traceback
from functools import cache
from pathlib import Path
from typing import NoReturn

from dlc.diagnostics import DlcError, render
from dlc.runtime.handover import write_error
from dlc.runtime.launch import cores, in_mpi_world
from dlc.runtime.transport import LocalTransport, PeerFailed, Transport

PATIENCE = float(os.environ.get("DLC_WATCHDOG", "1800"))
"""Seconds that a rank may compute before the others take it for lost; 0 waits for ever."""
_GRACE = 30.0  # seconds for the rank that reports the error to do so, and to end the others
_TASK_FAILED = 5
# Freed memory is kept for the next fragment, in huge pages: page faults cost up to a third of a query.
_ALLOCATOR = "dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always"
_LAST_WORDS = 0.2  # seconds that the launcher gets to pass on what this rank has printed


def connect(watchdog: float = PATIENCE) -> Transport:
    """The world of this rank; to be called before Polars is imported, whose threads and memory it sets up."""
    os.environ.setdefault("_RJEM_MALLOC_CONF", _ALLOCATOR)
    return _join(watchdog) if in_mpi_world() else LocalTransport()


@cache
def _join(watchdog: float) -> Transport:
    """The MPI world, joined once a process: a script under mpiexec may run many programs."""
    from mpi4py import MPI

    from dlc.runtime.transport.mpi import MpiTransport

    transport = MpiTransport(MPI.COMM_WORLD, watchdog or None)
    os.environ.setdefault("POLARS_MAX_THREADS", str(max(1, cores() // transport.neighbours)))
    os.environ.setdefault("DLC_DEVICE", str(transport.place))  # of the accelerators here, one each
    _take_cores(transport.place, transport.neighbours)
    return transport


def _take_cores(place: int, neighbours: int) -> None:
    """Keep ranks that fill a node off one another's cores, unless the launcher has placed them already."""
    usable = sorted(os.sched_getaffinity(0))
    share, left = divmod(len(usable), neighbours)
    if share and not left:
        os.sched_setaffinity(0, usable[place * share : (place + 1) * share])


def end_job(error: BaseException, transport: Transport | None, results: str | None = None) -> NoReturn:
    """Report the error unless another rank of this node does, and take all ranks down with its exit code.

    The error is left in the directory `results` for whoever started the job, or printed when there is none.
    """
    if isinstance(error, SystemExit | KeyboardInterrupt):
        code = 128 + signal.SIGINT if isinstance(error, KeyboardInterrupt) else int(error.code or 0)
    elif isinstance(error, PeerFailed):
        code = _TASK_FAILED
        time.sleep(_GRACE)
    else:
        failure = _as_failure(error)
        code = failure.exit_code
        if transport is None or transport.claim():
            _report(failure, error, results)
        else:
            time.sleep(_GRACE)
    if transport is None or transport.size == 1:
        sys.exit(code)
    time.sleep(_LAST_WORDS)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # MPI's own words on the abort would only repeat it
    transport.abort(code)


def _report(failure: DlcError, error: BaseException, results: str | None = None) -> None:
    if failure.code in ("DLC603", "DLC901"):
        traceback.print_exception(error.__cause__ or error)
    if results is None or not write_error(failure, Path(results)):
        print(render(failure, color=sys.stderr.isatty()), file=sys.stderr)
    sys.stderr.flush()


def _as_failure(error: BaseException) -> DlcError:
    if isinstance(error, DlcError):
        return error
    if isinstance(error, ImportError):
        return DlcError(
            "DLC702", f"cannot import {error.name}: {error}", help="install dlc's dependencies again"
        )
    return DlcError(
        "DLC901", f"the executor failed: {type(error).__name__}: {error}", help="please report this"
    )

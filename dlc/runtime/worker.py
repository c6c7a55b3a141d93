"""One rank of a run: `python -m dlc.runtime.worker plan.dlc`, started by mpiexec or srun, or alone."""

import argparse
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from dlc.diagnostics import DlcError, render
from dlc.runtime.handover import write_error, write_results
from dlc.runtime.launch import cores, in_mpi_world
from dlc.runtime.plan import load
from dlc.runtime.transport import LocalTransport, PeerFailed

if TYPE_CHECKING:
    from dlc.runtime.transport import Transport

_PATIENCE = 1800.0  # seconds; a rank may compute that long before the others take it for lost
_GRACE = 30.0  # seconds for the rank that reports the error to do so, and to end the others
_TASK_FAILED = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Run a plan on this rank and return its exit code; an error ends the whole job with the error's code."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _terminate)
    transport = None
    try:
        transport = _connect(options.watchdog)
        _run(options, transport)
    except BaseException as error:
        _end_job(error, transport, options.results)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dlc.runtime.worker", description=__doc__)
    parser.add_argument("plan", help="the plan to run")
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the program"
    )
    parser.add_argument("--record", metavar="FILE", help="write what each instruction took, as JSON")
    parser.add_argument(
        "--results", metavar="DIR", help="write the results, or the error, into this directory"
    )
    parser.add_argument(
        "--watchdog",
        type=float,
        default=float(os.environ.get("DLC_WATCHDOG", _PATIENCE)),
        metavar="SECONDS",
        help="give up when other ranks are silent for so long; 0 waits for ever",
    )
    return parser


def _connect(watchdog: float) -> "Transport":
    """The world of this rank; Polars must not be imported before, as its threads are counted here."""
    if not in_mpi_world():
        return LocalTransport()
    from mpi4py import MPI

    from dlc.runtime.transport.mpi import MpiTransport

    transport = MpiTransport(MPI.COMM_WORLD, watchdog or None)
    os.environ.setdefault("POLARS_MAX_THREADS", str(max(1, cores() // transport.neighbours)))
    return transport


def _run(options: argparse.Namespace, transport: "Transport") -> None:
    plan = load(options.plan)
    parameters = dict(_parameter(text) for text in options.param)
    from dlc.runtime.executor import execute
    from dlc.runtime.trace import Recorder, write_record

    if transport.rank == 0 and transport.neighbours > cores():
        print(f"warning: {transport.neighbours} ranks share {cores()} cores", file=sys.stderr)
    recorder = Recorder() if options.record else None
    results = execute(plan, transport, parameters, recorder)
    if recorder is not None:
        record = recorder.merge(plan.program, transport)
        if record is not None:
            write_record(record, options.record)
    if results is not None and options.results:
        write_results(results, Path(options.results))


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise DlcError("DLC110", f"--param {text!r} has no value", help="write --param name=value")
    return name, value


def _end_job(error: BaseException, transport: "Transport | None", results: str | None) -> NoReturn:
    """Report the error unless another rank of this node does, and take all ranks down with its exit code."""
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
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # MPI's own words on the abort would only repeat it
    transport.abort(code)


def _report(failure: DlcError, error: BaseException, results: str | None) -> None:
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


def _terminate(number: int, frame: object) -> NoReturn:
    del frame
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())

"""One rank of a run: `python -m dlc.runtime.worker plan.dlc`, started by mpiexec or srun, or alone."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from dlc.diagnostics import DlcError
from dlc.runtime.handover import write_results
from dlc.runtime.job import PATIENCE, connect, end_job
from dlc.runtime.plan import load

if TYPE_CHECKING:
    from dlc.runtime.transport import Transport


def main(argv: Sequence[str] | None = None) -> int:
    """Run a plan on this rank and return its exit code; an error ends the whole job with the error's code."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _terminate)
    transport = None
    try:
        transport = connect(options.watchdog)
        _run(options, transport)
    except BaseException as error:
        end_job(error, transport, options.results)
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
        default=PATIENCE,
        metavar="SECONDS",
        help="give up when other ranks are silent for so long; 0 waits for ever",
    )
    return parser


def _run(options: argparse.Namespace, transport: "Transport") -> None:
    plan = load(options.plan)
    parameters = dict(_parameter(text) for text in options.param)
    from dlc.runtime.executor import execute
    from dlc.runtime.trace import Recorder, write_record

    present = os.cpu_count() or 1
    if transport.rank == 0 and transport.neighbours > present:
        print(f"warning: {transport.neighbours} ranks share {present} cores", file=sys.stderr)
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


def _terminate(number: int, frame: object) -> NoReturn:
    del frame
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())

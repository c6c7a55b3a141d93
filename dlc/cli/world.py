"""`dlc run` as one rank of a job that mpiexec or srun has started."""

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from dlc.cli.failure import report
from dlc.cli.target import Target, load_plan, parse_target, run_parameters
from dlc.runtime.launch import cores
from dlc.runtime.plan import Plan, from_bytes, to_bytes

if TYPE_CHECKING:
    import polars

    from dlc.runtime.transport import Transport

_PATIENCE = 1800.0  # seconds; a rank may compute that long before the others take it for lost
_FORWARDING = 0.2  # seconds for the launcher to pass on the message before the job ends
_GRACE = 30.0  # seconds for the rank that reports the error to end the others


def run_as_rank(args: argparse.Namespace) -> "dict[str, polars.DataFrame] | None":
    """Run what `args` name together with the other ranks; the results on the first rank, None on the others.

    An error on any rank ends the whole job, since the others would wait for it.
    """
    from mpi4py import MPI

    from dlc.runtime.transport.mpi import MpiTransport

    transport = MpiTransport(MPI.COMM_WORLD, float(os.environ.get("DLC_WATCHDOG", _PATIENCE)) or None)
    # Polars counts its threads when it is imported, which is only now.
    os.environ.setdefault("POLARS_MAX_THREADS", str(max(1, cores() // transport.neighbours)))
    try:
        target = parse_target(args.target)
        if args.ranks is None:
            args.ranks = transport.size
        plan = _share_plan(target, args, transport)
        from dlc.runtime.executor import execute

        return execute(plan, transport, run_parameters(target, args))
    except Exception as error:
        _end_job(error, transport)


def _share_plan(target: Target, args: argparse.Namespace, transport: "Transport") -> Plan:
    """Only the first rank reads the plan or runs the compiler; the others get the result from it."""
    data = to_bytes(load_plan(target, args)) if transport.rank == 0 else b""
    received = transport.broadcast(memoryview(data), 0)
    return from_bytes(bytes(received), str(target.path))


def _end_job(error: Exception, transport: "Transport") -> NoReturn:
    """Report the error on one rank of this node and take all ranks down with its exit code."""
    if not transport.claim():
        time.sleep(_GRACE)
    code = report(error, sys.argv[1:])
    sys.stderr.flush()
    time.sleep(_FORWARDING)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # MPI's own words on the abort would only repeat it
    transport.abort(code)

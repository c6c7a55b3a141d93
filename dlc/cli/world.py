"""`dlc run` as one rank of a job that mpiexec or srun has started."""

import argparse
import sys
from typing import TYPE_CHECKING

from dlc.cli.failure import report
from dlc.cli.target import Target, load_plan, run_parameters
from dlc.runtime.plan import Plan, from_bytes, to_bytes

if TYPE_CHECKING:
    import polars

    from dlc.runtime.transport import Transport


def run_as_rank(target: Target, args: argparse.Namespace) -> "dict[str, polars.DataFrame] | None":
    """Run the target together with the other ranks; the results on the first rank, None on the others.

    An error on any rank is reported there and ends the whole job, since the others would wait for it.
    """
    from mpi4py import MPI

    from dlc.runtime.transport.mpi import MpiTransport

    transport = MpiTransport(MPI.COMM_WORLD)
    try:
        if args.ranks is None:
            args.ranks = transport.size
        plan = _share_plan(target, args, transport)
        from dlc.runtime.executor import execute

        return execute(plan, transport, run_parameters(target, args))
    except Exception as error:
        code = report(error, sys.argv[1:])
        sys.stderr.flush()
        transport.abort(code)


def _share_plan(target: Target, args: argparse.Namespace, transport: "Transport") -> Plan:
    """Only the first rank reads the plan or runs the compiler; the others get the result from it."""
    data = to_bytes(load_plan(target, args)) if transport.rank == 0 else b""
    received = transport.broadcast(memoryview(data), 0)
    return from_bytes(bytes(received), str(target.path))

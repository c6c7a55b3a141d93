"""`dlc run` as one rank of a job that mpiexec or srun has started."""

import argparse
from typing import TYPE_CHECKING

from dlc.cli.target import Target, load_plan, parse_target, run_parameters
from dlc.runtime.job import connect, end_job
from dlc.runtime.plan import Plan, from_bytes, to_bytes

if TYPE_CHECKING:
    import polars

    from dlc.runtime.transport import Transport


def run_as_rank(args: argparse.Namespace) -> "dict[str, polars.DataFrame] | None":
    """Run what `args` name together with the other ranks; the results on the first rank, None on the others.

    An error on any rank ends the whole job, since the others would wait for it.
    """
    transport = connect()
    try:
        target = parse_target(args.target)
        if args.ranks is None:
            args.ranks = transport.size
        plan = _share_plan(target, args, transport)
        from dlc.cli.accounting import account, wanted
        from dlc.runtime.executor import execute
        from dlc.runtime.trace import Recorder

        recorder = Recorder() if wanted(args) else None
        results = execute(plan, transport, run_parameters(target, args), recorder)
        record = recorder.merge(plan.program, transport) if recorder else None
        if record is not None:
            account(plan, record, args)
        return results
    except BaseException as error:
        end_job(error, transport)


def _share_plan(target: Target, args: argparse.Namespace, transport: "Transport") -> Plan:
    """Only the first rank reads the plan or runs the compiler; the others get the result from it."""
    data = to_bytes(load_plan(target, args)) if transport.rank == 0 else b""
    received = transport.broadcast(memoryview(data), 0)
    return from_bytes(bytes(received), str(target.path))

"""What the executor costs beside the work: seconds per instruction that does nothing, and a shuffle of rows.

Run it as `python benchmarks/executor_overhead.py [RANKS]`; it starts the ranks itself.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import polars as pl

from dlc.runtime import exchange
from dlc.runtime.executor import execute
from dlc.runtime.launch import in_mpi_world, mpirun
from dlc.runtime.plan import Gang, Plan
from dlc.runtime.trace import Recorder, peak_bytes
from dlc.runtime.transport import Transport

STEPS = 10_000
ROWS = 3_000_000  # of 16 bytes, over all ranks


def empty_plan(ranks: int, steps: int) -> Plan:
    """A frame that passes through so many empty fragments."""
    constant = {"op": "constant", "out": "v", "name": "c", "loc": -1}
    fragment = {"version": 1, "inputs": 1, "ops": [], "outputs": [0]}
    empty = {"op": "run", "ins": ["v"], "outs": ["v"], "fragment": fragment, "loc": -1}
    gang = Gang("main", list(range(ranks)), [constant] + [empty] * steps)
    return Plan("empty", ranks, [gang], constants={"c.arrow": _table()})


def _table() -> bytes:
    import io

    buffer = io.BytesIO()
    pl.DataFrame({"x": [1]}).write_ipc_stream(buffer)
    return buffer.getvalue()


def seconds(transport: Transport, work: Callable[[], object], times: int) -> list[float]:
    """The time of each call, from the moment at which all ranks are ready."""
    found: list[float] = []
    for _ in range(times):
        transport.barrier()
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return found


def measure(transport: Transport) -> None:
    def run(steps: int, recorder: Recorder | None = None) -> float:
        plan = empty_plan(transport.size, steps)
        return min(seconds(transport, lambda: execute(plan, transport, recorder=recorder), 5))

    base, full, recorded = run(0), run(STEPS), run(STEPS, Recorder())
    loop = Recorder()
    execute(empty_plan(transport.size, STEPS), transport, recorder=loop)
    alone = statistics.median(entry["seconds"] for entry in loop.entries[1:])
    barrier = statistics.median(seconds(transport, transport.barrier, 2000))
    random = np.random.default_rng(transport.rank)
    rows = ROWS // transport.size
    frame = pl.DataFrame({"k": random.integers(0, 1 << 40, rows), "v": random.random(rows)})
    shuffles = seconds(transport, lambda: exchange.shuffle(frame, ["k"], transport), 30)
    if transport.rank == 0:
        print(f"ranks                            {transport.size}")
        print(f"run with no instruction          {base * 1e6:9.1f} us")
        print(f"empty fragment, run              {alone * 1e6:9.2f} us")
        print(f"empty fragment, compiled and run {(full - base) / STEPS * 1e6:9.2f} us")
        print(f"the same, with a record          {(recorded - base) / STEPS * 1e6:9.2f} us")
        print(f"barrier                          {barrier * 1e6:9.1f} us")
        print(
            f"shuffle of {ROWS} x 16 bytes  {min(shuffles) * 1e3:9.1f} ms best, "
            f"{statistics.median(shuffles) * 1e3:.1f} ms median"
        )
        print(f"peak memory of rank 0            {peak_bytes() / 1e6:9.1f} MB")


def main() -> int:
    ranks = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    if not in_mpi_world():
        return mpirun(ranks, [__file__])
    from mpi4py import MPI

    from dlc.runtime.transport.mpi import MpiTransport

    measure(MpiTransport(MPI.COMM_WORLD))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A warm process (or gang of MPI ranks) that answers TPC-H queries, one at a time, on request.

``worker.py polars|dask DATA`` or ``mpiexec -n 2 python worker.py dlc PLANS``: one JSON request a line on
standard input, ``{"query": "q01", "answer": PATH or null}``; one reply a line on standard output,
``{"seconds": …, "peak_bytes": [one for each process that holds data]}``. Between requests a worker only
sleeps, so that it does not disturb the others on the same cores.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


def reset_peak() -> None:
    """Let the kernel count this process's peak of resident memory anew."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """This process's peak of resident memory since `reset_peak`."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def requests() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)


def reply(request: dict[str, Any], answer: pl.DataFrame, seconds: float, peaks: list[int]) -> None:
    if request["answer"]:
        answer.write_parquet(request["answer"])
    print(json.dumps({"seconds": seconds, "peak_bytes": peaks}), flush=True)


def timed(answer: Callable[[str, Path], pl.DataFrame], query: str, data: Path) -> tuple[pl.DataFrame, float]:
    start = time.perf_counter()
    result = answer(query, data)
    return result, time.perf_counter() - start


def serve_polars(data: Path) -> None:
    import polars_peer

    for request in requests():
        reset_peak()
        answer, seconds = timed(polars_peer.answer, request["query"], data)
        reply(request, answer, seconds, [peak_bytes()])


def serve_dask(data: Path) -> None:
    import dask_peer
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster,
        Client(cluster) as client,
    ):
        for request in requests():
            client.run(reset_peak)
            answer, seconds = timed(dask_peer.answer, request["query"], data)
            reply(request, answer, seconds, list(client.run(peak_bytes).values()))


def serve_dlc(plans: Path) -> None:
    from dlc.runtime.job import connect

    transport = connect()
    from mpi4py import MPI

    from dlc.runtime.executor import execute
    from dlc.runtime.plan import load

    world = MPI.COMM_WORLD
    loaded = {path.stem: load(path) for path in sorted(plans.glob("*.dlc"))}
    for request in _on_every_rank(world):
        reset_peak()
        world.Barrier()
        start = time.perf_counter()
        results = execute(loaded[request["query"]], transport, {})
        world.Barrier()
        seconds = time.perf_counter() - start
        peaks = world.gather(peak_bytes())
        if world.rank == 0:
            reply(request, next(iter(results.values())), seconds, peaks)


def _on_every_rank(world: Any) -> Iterator[dict[str, Any]]:
    """The requests that rank 0 reads, on all ranks; the others wait asleep, for a collective would spin."""
    if world.rank == 0:
        for request in requests():
            for rank in range(1, world.size):
                world.send(request, dest=rank)
            yield request
        for rank in range(1, world.size):
            world.send(None, dest=rank)
        return
    while True:
        while not world.iprobe(source=0):
            time.sleep(0.002)
        if (request := world.recv(source=0)) is None:
            return
        yield request


if __name__ == "__main__":
    system, directory = sys.argv[1:]
    {"polars": serve_polars, "dask": serve_dask, "dlc": serve_dlc}[system](Path(directory))

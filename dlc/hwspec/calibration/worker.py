"""One rank of a calibration: `python -m dlc.hwspec.calibration.worker`, started by mpiexec.

Rank 0 writes the record. Each rank keeps to one core and one thread, as the ranks of a run do.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import cast

import numpy as np
from mpi4py import MPI

from dlc.hwspec.calibration import kernels, messages
from dlc.hwspec.calibration.record import Record
from dlc.hwspec.calibration.samples import Figure, repeat, until
from dlc.hwspec.detection.limits import memory, memory_limit
from dlc.hwspec.detection.processors import cores

# Shares of the time; what is left over is for starting, and for what takes longer than asked.
_STREAM, _COPY, _GEMM, _DISK, _MESSAGES, _COLLECTIVES = 0.08, 0.04, 0.06, 0.16, 0.1, 0.12
_ARRAY_BYTES = 64 << 20  # several arrays of this size are beyond most caches
_FILE_BYTES = 256 << 20
_MAX_CPUS = 1 << 16  # more than Linux numbers
_DTYPES = {"f64": "float64", "f32": "float32"}

Measure = Callable[[], float]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure together with all other ranks; rank 0 writes the record."""
    parser = argparse.ArgumentParser(prog="python -m dlc.hwspec.calibration.worker", description=__doc__)
    parser.add_argument("--seconds", type=float, required=True, help="how long to measure, about")
    parser.add_argument(
        "--folder", type=Path, help="where to write a file, unless the disk is to be left out"
    )
    parser.add_argument("--record", type=Path, required=True, help="the file for the record")
    options = parser.parse_args(argv)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a stack from every rank tells nothing
    record = calibrate(MPI.COMM_WORLD, options.seconds, options.folder)
    if record is not None:
        options.record.write_text(record.to_json(), encoding="utf-8")
    return 0


def calibrate(comm: MPI.Intracomm, seconds: float, folder: Path | None) -> Record | None:
    """The record on rank 0, None elsewhere."""
    start = MPI.Wtime()
    node = cast("MPI.Intracomm", comm.Split_type(MPI.COMM_TYPE_SHARED, comm.rank))
    leaders = _leaders(comm, node)
    _unlink_segments()
    cores_here = _bind(node)
    record = _compute(node, seconds, folder) if leaders[comm.rank] == 0 else None
    messages.rest(comm)
    near = next((rank for rank in range(1, comm.size) if leaders[rank] == 0), None)
    far = next((rank for rank in range(comm.size) if leaders[rank] != 0), None)
    local, remote = (
        None if peer is None else messages.ping_pong(comm, peer, seconds * _MESSAGES) for peer in (near, far)
    )
    collectives = messages.collectives(comm, seconds * _COLLECTIVES)
    if record is None or comm.rank:
        return None
    return replace(
        record,
        ranks=comm.size,
        nodes=len(set(leaders)),
        oversubscribed=node.size > cores_here,
        local=local,
        remote=remote,
        collectives=collectives,
        seconds=MPI.Wtime() - start,
    )


def _leaders(comm: MPI.Intracomm, node: MPI.Intracomm) -> list[int]:
    """For each rank the lowest rank on its node."""
    own, all_ = np.array(comm.rank), np.empty(comm.size, int)
    node.Bcast(own, 0)
    comm.Allgather(own, all_)
    return [int(rank) for rank in all_]


def _bind(node: MPI.Intracomm) -> int:
    """Keep this rank to a core of its own, first threads first; returns how many cores the ranks may use.

    Where a launcher has given ranks cores of their own, its choice stands.
    """
    own = frozenset(os.sched_getaffinity(0))
    mask = np.zeros(_MAX_CPUS, np.uint8)
    mask[sorted(own)] = 1
    node.Allreduce(MPI.IN_PLACE, mask, MPI.MAX)
    usable = frozenset(int(cpu) for cpu in np.flatnonzero(mask))
    threads = list(cores(Path("/"), usable).values())
    if usable == own:
        levels = zip_longest(*threads)
        order = [cpu for level in levels for cpu in level if cpu is not None]
        os.sched_setaffinity(0, {order[node.rank % len(order)]})
    return len(threads)


def _compute(node: MPI.Intracomm, seconds: float, folder: Path | None) -> Record:
    """What the ranks of one node do without messages; the figures are right on its first rank."""
    size = _array_bytes(node.size)
    stream, copying = partial(kernels.triad, size, MPI.Wtime), partial(kernels.copy, size, MPI.Wtime)
    gemms = {name: partial(kernels.gemm, dtype, MPI.Wtime) for name, dtype in _DTYPES.items()}
    record = Record(
        node_ranks=node.size,
        core_stream=_alone(node, stream, seconds * _STREAM),
        node_stream=_together(node, stream, seconds * _STREAM),
        core_copy=_alone(node, copying, seconds * _COPY),
        core_gemm={name: _alone(node, make, seconds * _GEMM) for name, make in gemms.items()},
        node_gemm={name: _together(node, make, seconds * _GEMM) for name, make in gemms.items()},
    )
    if node.rank == 0 and folder is not None and shutil.disk_usage(folder).free > 4 * _FILE_BYTES:
        writes, reads = kernels.disk(folder, _FILE_BYTES, seconds * _DISK, MPI.Wtime)
        record = replace(record, write=Figure.of(writes), read=Figure.of(reads))
    messages.rest(node)
    return record


def _array_bytes(ranks: int) -> int:
    """Bytes of an array so that three of each rank take a quarter of the memory at most."""
    limits = [size for size in (memory(Path("/")), memory_limit(Path("/"))) if size]
    return min(_ARRAY_BYTES, min(limits, default=1 << 30) // (12 * ranks))


def _alone(node: MPI.Intracomm, make: Callable[[], Measure], seconds: float) -> Figure:
    """What one rank reaches while the others rest."""
    figure = Figure.of(repeat(make(), seconds, MPI.Wtime)) if node.rank == 0 else Figure(0.0, 0.0, 0)
    messages.rest(node)
    return figure


def _together(node: MPI.Intracomm, make: Callable[[], Measure], seconds: float) -> Figure:
    """What all ranks of the node reach at the same time, added up."""
    measure, totals = make(), list[float]()
    measure()
    samples = until(seconds, MPI.Wtime)
    while messages.agree(node, next(samples, None) is not None):
        node.Barrier()
        total = np.array(measure())
        node.Allreduce(MPI.IN_PLACE, total)
        totals.append(float(total))
    return Figure.of(totals)


def _unlink_segments() -> None:
    """Take the names from the shared memory of this job, so that nothing stays however its ranks end."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        _, slash, name = line.partition("/dev/shm/mpich")
        if slash and not name.endswith("(deleted)"):
            Path(slash + name).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())

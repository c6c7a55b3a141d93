"""Times of messages and collective operations, measured by the ranks of an MPI communicator together.

Calls that several ranks make have the same arguments on all of them; only rank 0 has results.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import cast

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from dlc.hwspec.calibration.fit import fit
from dlc.hwspec.calibration.record import Collective, Messages
from dlc.hwspec.calibration.samples import Figure

SIZES = tuple(dict.fromkeys(int(8 * 2 ** (step / 2)) for step in range(41)))
"""Bytes of the messages from which a fit is made: two an octave, 8 B to 8 MiB."""

_COLLECTIVE_SIZES = (8, 64 << 10, 1 << 20)
_MOST_BYTES = 64 << 20  # of all ranks together that one of them holds
_BURST = 64
_SAMPLES = 15
_SHORTEST = 50e-6  # seconds of one sample: the clock and the call of it take a tenth of a microsecond


def rest(comm: MPI.Intracomm) -> None:
    """A barrier that leaves the processor to the others while it waits."""
    request = comm.Ibarrier()
    while not request.Test():
        time.sleep(1e-3)


def agree(comm: MPI.Intracomm, wish: bool) -> bool:
    """What rank 0 wishes, on all ranks."""
    answer = np.array(wish)
    comm.Bcast(answer, 0)
    return bool(answer)


def ping_pong(comm: MPI.Intracomm, peer: int, seconds: float) -> Messages | None:
    """Messages between ranks 0 and `peer`, about `seconds` long; the others rest."""
    result: Messages | None = None
    if comm.rank in (0, peer):
        other = peer if comm.rank == 0 else 0
        each = seconds / (len(SIZES) + 2)
        times = [_one_way(comm, other, size, each) for size in SIZES]
        overhead = _burst(comm, other, each)
        if comm.rank == 0:
            spread = Figure.of([figure.spread for figure in times]).value
            result = Messages(fit(SIZES, [figure.value for figure in times]), spread, overhead)
    rest(comm)
    return result


def _one_way(comm: MPI.Intracomm, other: int, size: int, seconds: float) -> Figure:
    """Half the time of a round trip."""
    out, back = np.zeros(size, np.uint8), np.empty(size, np.uint8)
    leads = comm.rank == 0

    def trips(count: int) -> float:
        start = MPI.Wtime()
        for _ in range(count):
            if leads:
                comm.Send(out, other)
                comm.Recv(back, other)
            else:
                comm.Recv(back, other)
                comm.Send(out, other)
        return (MPI.Wtime() - start) / count / 2

    return _sampled(comm, other, trips, seconds)


def _burst(comm: MPI.Intracomm, other: int, seconds: float) -> Figure:
    """What the sender spends on one short message of many to a rank that waits for them."""
    buffers = np.zeros((_BURST, 8), np.uint8)
    leads, token = comm.rank == 0, np.zeros(1, np.uint8)

    def bursts(count: int) -> float:
        spent = 0.0
        for _ in range(count):
            if leads:
                comm.Recv(token, other)
                start = MPI.Wtime()
                requests = [comm.Isend(buffer, other) for buffer in buffers]
                MPI.Request.Waitall(requests)
                spent += MPI.Wtime() - start
            else:
                requests = [comm.Irecv(buffer, other) for buffer in buffers]
                comm.Send(token, other)
                MPI.Request.Waitall(requests)
        return spent / count / _BURST

    return _sampled(comm, other, bursts, seconds)


def _sampled(comm: MPI.Intracomm, other: int, measure: Callable[[int], float], seconds: float) -> Figure:
    """Samples of `measure(count)`; rank 0 chooses how many from a first try and tells the other rank."""
    measure(1)
    once = max(measure(2), 1e-8)
    plan = np.array(_plan(2 * once, seconds), np.int64)
    if comm.rank == 0:
        comm.Send(plan, other)
    else:
        comm.Recv(plan, other)
    samples, count = plan.tolist()
    return Figure.of([measure(count) for _ in range(samples)])


def _plan(once: float, seconds: float) -> tuple[int, int]:
    """How many samples, and repetitions in each, when one takes `once`."""
    samples = int(min(max(seconds / max(once, _SHORTEST), 3), _SAMPLES))
    return samples, max(1, int(min(_SHORTEST / once * 4, seconds / samples / once)))


def collectives(comm: MPI.Intracomm, seconds: float) -> tuple[Collective, ...]:
    """Times of collective operations among 2, 4, … and all ranks, as many as the time allows."""
    end = MPI.Wtime() + 1.5 * seconds  # ranks that share cores may take much longer than planned
    counts = sorted({2**power for power in range(1, 20) if 2**power < comm.size} | {comm.size} - {1})
    found: list[Collective] = []
    for count in counts:
        group = cast("MPI.Intracomm", comm.Split(0 if comm.rank < count else MPI.UNDEFINED, comm.rank))
        if group != MPI.COMM_NULL:
            operations = list(_operations(group))
            each = seconds / len(counts) / len(operations)
            for name, size, run in operations:
                if agree(group, MPI.Wtime() < end):
                    found.append(Collective(name, count, size, _together(group, run, each)))
            group.Free()
        rest(comm)
    return tuple(found)


def _operations(comm: MPI.Intracomm) -> list[tuple[str, int, Callable[[], None]]]:
    """Name, bytes of each rank, and the operation itself."""
    found: list[tuple[str, int, Callable[[], None]]] = [("barrier", 0, comm.Barrier)]
    for wanted in _COLLECTIVE_SIZES:
        size = max(8, min(wanted, _MOST_BYTES // comm.size) // 8 * 8)
        shares = max(1, size // comm.size) * comm.size
        found += [
            ("all_to_all", shares, partial(comm.Alltoall, _bytes(shares), _bytes(shares))),
            ("all_gather", size, partial(comm.Allgather, _bytes(size), _bytes(size * comm.size))),
            ("all_reduce", size, partial(comm.Allreduce, np.zeros(size // 8), np.zeros(size // 8))),
        ]
    return found


def _bytes(size: int) -> npt.NDArray[np.uint8]:
    return np.zeros(size, np.uint8)


def _together(comm: MPI.Intracomm, run: Callable[[], None], seconds: float) -> Figure:
    """Seconds from a common start until the slowest rank is done."""

    def measure(count: int) -> float:
        comm.Barrier()
        start = MPI.Wtime()
        for _ in range(count):
            run()
        spent = np.array((MPI.Wtime() - start) / count)
        comm.Allreduce(MPI.IN_PLACE, spent, MPI.MAX)
        return float(spent)

    measure(1)
    # All ranks see the same slowest time, so they agree without asking.
    samples, count = _plan(max(measure(2), 1e-8), seconds)
    return Figure.of([measure(count) for _ in range(samples)])

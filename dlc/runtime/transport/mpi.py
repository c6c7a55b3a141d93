"""Ranks as MPI processes: upper-case mpi4py calls on buffers only, all of them non-blocking."""

import os
import secrets
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
from mpi4py import MPI

from dlc.runtime.transport.base import Transport, silence, split

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK = 1 << 30  # bytes of one MPI message; counts are 32 bits in MPI 3
_LARGE = 1 << 20  # bytes of a rank's part that it gives to the others itself, rather than in a ring
_SPIN = 100e-6  # seconds of tight polling before the first sleep
_SLOWEST = 1e9  # bytes/s; a transfer that moves at least this fast is polled without sleeping
_LONGEST_SLEEP = 1e-3  # seconds


class MpiTransport:
    """One rank of an MPI communicator, of which it keeps a duplicate for itself.

    `patience` is the number of seconds after which a wait for other ranks ends with DLC604; None waits for
    ever. `place` is this rank's number among the `neighbours` on its node.
    """

    def __init__(
        self, comm: MPI.Intracomm, patience: float | None = None, parent: "MpiTransport | None" = None
    ) -> None:
        self._comm = comm if parent else comm.Dup()
        self._claims = parent._claims if parent else _Claims(comm)
        self.neighbours, self.place = self._claims.size, self._claims.place
        self._patience = patience
        self._sent: list[tuple[MPI.Request, memoryview]] = []
        self.rank = comm.Get_rank()
        self.size = comm.Get_size()

    def all_to_all(self, parts: Sequence[memoryview]) -> list[memoryview]:
        sizes_out = np.array([part.nbytes for part in parts], np.int64)
        sizes_in = np.empty(self.size, np.int64)
        self.wait([self._comm.Ialltoall(sizes_out, sizes_in)])
        # The own part stays where it is; peers start at different ranks so that no rank is everybody's first.
        received = [
            _allocate(size if peer != self.rank else 0) for peer, size in enumerate(sizes_in.tolist())
        ]
        others = [(self.rank + step) % self.size for step in range(1, self.size)]
        requests = [request for peer in others for request in self._receive(received[peer], peer, 0)]
        requests += [request for peer in others for request in self._start(parts[peer], peer, 0)]
        self.wait(requests, int(sizes_in.sum() + sizes_out.sum()))
        received[self.rank] = parts[self.rank]
        return received

    def all_gather(self, part: memoryview) -> list[memoryview]:
        sizes = np.empty(self.size, np.int64)
        self.wait([self._comm.Iallgather(np.array([part.nbytes], np.int64), sizes)])
        total = int(sizes.sum())
        if total >= 1 << 31:
            return self.all_to_all([part] * self.size)
        whole = _allocate(total)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        self.wait([self._comm.Iallgatherv(part, [whole, sizes, starts[:-1], MPI.BYTE])], total)
        return [whole[starts[peer] : starts[peer + 1]] for peer in range(self.size)]

    def gather(self, part: memoryview, root: int) -> list[memoryview]:
        nothing = memoryview(b"")
        received = self.all_to_all([part if peer == root else nothing for peer in range(self.size)])
        return received if self.rank == root else []

    def broadcast(self, part: memoryview, root: int) -> memoryview:
        size = np.array([part.nbytes], np.int64)
        self.wait([self._comm.Ibcast(size, root)])
        whole = part if self.rank == root else _allocate(int(size[0]))
        self.wait([self._comm.Ibcast([chunk, MPI.BYTE], root) for chunk in _chunks(whole)], whole.nbytes)
        return whole

    def send(self, part: memoryview, peer: int, tag: int) -> None:
        header = np.array([part.nbytes], np.int64).data.cast("B")
        # Requests do not keep their buffers alive.
        self._sent.append((self._comm.Isend([header, MPI.BYTE], peer, tag + 1), header))
        self._sent += [(request, part) for request in self._start(part, peer, tag + 1)]

    def recv(self, peer: int, tag: int) -> memoryview:
        header = np.empty(1, np.int64)
        self.wait([self._comm.Irecv([header.view(np.uint8), MPI.BYTE], peer, tag + 1)])
        whole = _allocate(int(header[0]))
        self.wait(self._receive(whole, peer, tag + 1), whole.nbytes)
        return whole

    def start_exchange(
        self, sends: Sequence[tuple[int, memoryview]], receives: Sequence[tuple[int, memoryview]]
    ) -> "_Pending":
        requests = [request for peer, part in receives for request in self._receive(part, peer, 0)]
        requests += [request for peer, part in sends for request in self._start(part, peer, 0)]
        return _Pending(
            self, requests, sum(part.nbytes for _, part in [*sends, *receives]), (sends, receives)
        )

    def start_all_gather(self, whole: memoryview, sizes: Sequence[int]) -> "_Pending":
        if whole.nbytes >= _LARGE * self.size:
            parts = split(whole, sizes)
            others = [peer for peer in range(self.size) if peer != self.rank]
            return self.start_exchange(
                [(peer, parts[self.rank]) for peer in others], [(peer, parts[peer]) for peer in others]
            )
        request = self._comm.Iallgatherv(MPI.IN_PLACE, [whole, list(sizes), None, MPI.BYTE])
        return _Pending(self, [request], whole.nbytes, whole)

    def start_all_reduce(self, values: "NDArray[Any]", combine: str) -> "_Pending":
        operation = MPI.SUM if combine == "sum" else MPI.PROD
        length = _CHUNK // values.itemsize
        requests = [
            self._comm.Iallreduce(MPI.IN_PLACE, values[start : start + length], operation)
            for start in range(0, len(values), length)
        ]
        return _Pending(self, requests, 2 * values.nbytes, values)

    def flush(self) -> None:
        self.wait([request for request, _ in self._sent], sum(part.nbytes for _, part in self._sent))
        self._sent.clear()

    def barrier(self) -> None:
        self.wait([self._comm.Ibarrier()])

    def split(self, ranks: Sequence[int]) -> Transport:
        if list(ranks) == list(range(self.size)):
            return self  # making a communicator takes a round of messages, and there are only so many
        group = self._comm.Get_group().Incl(list(ranks))
        return MpiTransport(self._comm.Create_group(group), self._patience, self)

    def claim(self) -> bool:
        return self._claims.take()

    def abort(self, code: int) -> NoReturn:
        _unlink_segments()
        MPI.COMM_WORLD.Abort(code)
        raise SystemExit(code)

    def _start(self, part: memoryview, peer: int, tag: int) -> list[MPI.Request]:
        return [self._comm.Isend([chunk, MPI.BYTE], peer, tag) for chunk in _chunks(part)]

    def _receive(self, part: memoryview, peer: int, tag: int) -> list[MPI.Request]:
        return [self._comm.Irecv([chunk, MPI.BYTE], peer, tag) for chunk in _chunks(part)]

    def wait(self, requests: list[MPI.Request], size: int = 0) -> None:
        """Poll until all requests are done; MPI moves bytes only then, so `size` lengthens the spin."""
        if MPI.Request.Testall(requests):
            return
        start = time.monotonic()
        spin_until = start + _SPIN + size / _SLOWEST
        sleep = 20e-6
        while not MPI.Request.Testall(requests):
            now = time.monotonic()
            if now < spin_until:
                os.sched_yield()
            elif self._patience is not None and now - start > self._patience:
                raise silence(self.rank, self.size, self._patience)
            else:
                time.sleep(sleep)
                sleep = min(sleep * 1.5, _LONGEST_SLEEP)


@dataclass(frozen=True)
class _Pending:
    """Requests under way; they do not keep their buffers alive."""

    transport: MpiTransport
    requests: list[MPI.Request]
    size: int
    buffers: object

    def wait(self) -> None:
        self.transport.wait(self.requests, self.size)


class _Claims:
    """What one rank of each node can take, once, even if it dies right after.

    A socket's name in the kernel keeps two ranks from taking it at the same time, but goes with its process;
    a flag in memory that the ranks of a node share stays. Neither needs the other ranks to answer, as MPI's
    own atomics may.
    """

    def __init__(self, comm: MPI.Intracomm) -> None:
        node = cast("MPI.Intracomm", comm.Split_type(MPI.COMM_TYPE_SHARED))
        self.size, self.place = node.Get_size(), node.Get_rank()
        first = self.place == 0
        self._window = MPI.Win.Allocate_shared(16 if first else 0, 8, comm=node)
        # The flag, and a name for the job.
        self._shared = np.asarray(self._window.Shared_query(0)[0]).view(np.int64)
        if first:
            self._shared[:] = 0, secrets.randbits(62)
        node.Barrier()

    def take(self) -> bool:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)  # held to the end of the process
        try:
            self._socket.bind(f"\0dlc-{self._shared[1]}")
        except OSError:
            return False
        taken, self._shared[0] = self._shared[0], 1
        return not taken


def _unlink_segments() -> None:
    """Unlink the shared memory of this job, which MPICH leaves behind for ever when it aborts."""
    maps = Path("/proc/self/maps")
    for line in maps.read_text().splitlines() if maps.exists() else ():
        _, slash, name = line.partition("/dev/shm/mpich")
        if slash and not name.endswith("(deleted)"):
            Path(slash + name).unlink(missing_ok=True)


def _allocate(size: int) -> memoryview:
    # NumPy leaves the memory unset, where bytearray would clear it first.
    return np.empty(size, np.uint8).data


def _chunks(part: memoryview) -> list[memoryview]:
    return [part[start : start + _CHUNK] for start in range(0, part.nbytes, _CHUNK)]

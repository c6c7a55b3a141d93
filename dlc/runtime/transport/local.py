"""Ranks as threads of one process: for tests, and for runs without MPI."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np

from dlc.runtime.transport.base import PeerFailed, Transport, silence, split

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")

_COLLECTIVE = -1  # the tag of messages that make up collectives


class _Hub:
    """The mailboxes that all ranks of a run share."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.boxes: defaultdict[tuple[object, ...], deque[memoryview]] = defaultdict(deque)
        self.error: BaseException | None = None
        self.claimed = threading.Lock()

    def fail(self, error: BaseException) -> None:
        """Remember the first error and wake every rank that waits."""
        with self.changed:
            self.error = self.error or error
            self.changed.notify_all()


class LocalTransport:
    """One rank of a group of threads; `LocalTransport()` is a world of one rank."""

    def __init__(
        self,
        rank: int = 0,
        ranks: Sequence[int] = (0,),
        hub: _Hub | None = None,
        group: tuple[object, ...] = (),
        patience: float | None = None,
    ) -> None:
        self.rank = rank
        self.size = self.neighbours = len(ranks)
        self._hub = hub or _Hub()
        self._group = group
        self._patience = patience
        self._started = 0
        self._splits: defaultdict[tuple[int, ...], int] = defaultdict(int)

    def all_to_all(self, parts: Sequence[memoryview]) -> list[memoryview]:
        for peer, part in enumerate(parts):
            self.send(part, peer, _COLLECTIVE)
        return [self.recv(peer, _COLLECTIVE) for peer in range(self.size)]

    def all_gather(self, part: memoryview) -> list[memoryview]:
        return self.all_to_all([part] * self.size)

    def gather(self, part: memoryview, root: int) -> list[memoryview]:
        self.send(part, root, _COLLECTIVE)
        return [self.recv(peer, _COLLECTIVE) for peer in range(self.size)] if self.rank == root else []

    def broadcast(self, part: memoryview, root: int) -> memoryview:
        if self.rank == root:
            for peer in range(self.size):
                self.send(part, peer, _COLLECTIVE)
        return self.recv(root, _COLLECTIVE)

    def send(self, part: memoryview, peer: int, tag: int) -> None:
        with self._hub.changed:
            self._hub.boxes[self._group, self.rank, peer, tag].append(part)
            self._hub.changed.notify_all()

    def recv(self, peer: int, tag: int) -> memoryview:
        hub = self._hub
        box = hub.boxes[self._group, peer, self.rank, tag]
        start = time.monotonic()
        with hub.changed:
            while not box:
                if hub.error is not None:
                    raise PeerFailed from hub.error
                if self._patience is not None and time.monotonic() - start > self._patience:
                    raise silence(self.rank, self.size, self._patience)
                hub.changed.wait(0.1)
            return box.popleft()

    def start_exchange(
        self, sends: Sequence[tuple[int, memoryview]], receives: Sequence[tuple[int, memoryview]]
    ) -> "_Pending":
        self._started += 1
        tag = _COLLECTIVE - self._started
        for peer, part in sends:
            self.send(
                memoryview(bytes(part)), peer, tag
            )  # the sender may change it once its own wait is over
        return _Pending(self, tag, receives)

    def start_all_gather(self, whole: memoryview, sizes: Sequence[int]) -> "_Pending":
        parts = split(whole, sizes)
        others = [peer for peer in range(self.size) if peer != self.rank]
        return self.start_exchange(
            [(peer, parts[self.rank]) for peer in others], [(peer, parts[peer]) for peer in others]
        )

    def start_all_reduce(self, values: "NDArray[Any]", combine: str) -> "_Reducing":
        parts = np.empty((self.size, len(values)), values.dtype)
        parts[self.rank] = values
        size = values.nbytes
        return _Reducing(
            self.start_all_gather(parts.view(np.uint8).reshape(-1).data, [size] * self.size),
            parts,
            values,
            np.add if combine == "sum" else np.multiply,
        )

    def flush(self) -> None:
        """Nothing to wait for: a message is in its box as soon as it is sent."""

    def barrier(self) -> None:
        self.all_gather(memoryview(b""))

    def split(self, ranks: Sequence[int]) -> Transport:
        members = tuple(ranks)
        self._splits[members] += 1  # every split has mailboxes of its own
        group = (*self._group, members, self._splits[members])
        return LocalTransport(members.index(self.rank), members, self._hub, group, self._patience)

    def claim(self) -> bool:
        return self._hub.claimed.acquire(blocking=False)

    def abort(self, code: int) -> NoReturn:
        error = SystemExit(code)
        self._hub.fail(error)
        raise error


class _Pending:
    """Messages that are still to come; what this rank sends has left at once."""

    def __init__(
        self, transport: LocalTransport, tag: int, receives: Sequence[tuple[int, memoryview]]
    ) -> None:
        self._transport, self._tag, self._receives = transport, tag, receives

    def wait(self) -> None:
        for peer, buffer in self._receives:
            buffer[:] = self._transport.recv(peer, self._tag)


@dataclass(frozen=True)
class _Reducing:
    gathering: _Pending
    parts: "NDArray[Any]"
    values: "NDArray[Any]"
    combine: np.ufunc

    def wait(self) -> None:
        self.gathering.wait()
        self.combine.reduce(self.parts, axis=0, out=self.values)


def run_local(size: int, work: Callable[[Transport], T], patience: float | None = None) -> list[T]:
    """Run `work` on `size` threads, one a rank, and return their results in rank order.

    When a rank raises, the others are released and the first error is raised here.
    """
    hub = _Hub()
    results: list[T | None] = [None] * size

    def run(rank: int) -> None:
        try:
            results[rank] = work(LocalTransport(rank, range(size), hub, patience=patience))
        except PeerFailed:
            pass  # the peer's own error is on its way
        except BaseException as error:
            hub.fail(error)

    threads = [threading.Thread(target=run, args=(rank,), name=f"rank-{rank}") for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if hub.error is not None:
        raise hub.error
    return results  # pyright: ignore[reportReturnType]  # every rank has set its own

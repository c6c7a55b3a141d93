"""A transport that counts what its rank sends to others, for the record of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from dlc.runtime.transport.base import Pending, Transport
from dlc.runtime.trees import sent_in_segments

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class Traffic:
    """Bytes that a rank has sent to others, without the headers of MPI."""

    sent: int = 0


class Counting:
    """Passes everything on to another transport, and adds what its rank sends to `traffic`.

    What an all-reduce in any order sends is up to the library: counted is the least it can, in segments.
    """

    def __init__(self, inner: Transport, traffic: Traffic) -> None:
        self._inner, self._traffic = inner, traffic
        self.rank, self.size, self.neighbours = inner.rank, inner.size, inner.neighbours

    def all_to_all(self, parts: Sequence[memoryview]) -> list[memoryview]:
        self._traffic.sent += sum(part.nbytes for peer, part in enumerate(parts) if peer != self.rank)
        return self._inner.all_to_all(parts)

    def all_gather(self, part: memoryview) -> list[memoryview]:
        self._traffic.sent += part.nbytes * (self.size - 1)
        return self._inner.all_gather(part)

    def gather(self, part: memoryview, root: int) -> list[memoryview]:
        self._traffic.sent += part.nbytes if self.rank != root else 0
        return self._inner.gather(part, root)

    def broadcast(self, part: memoryview, root: int) -> memoryview:
        self._traffic.sent += part.nbytes * (self.size - 1) if self.rank == root else 0
        return self._inner.broadcast(part, root)

    def send(self, part: memoryview, peer: int, tag: int) -> None:
        self._traffic.sent += part.nbytes if peer != self.rank else 0
        self._inner.send(part, peer, tag)

    def recv(self, peer: int, tag: int) -> memoryview:
        return self._inner.recv(peer, tag)

    def start_exchange(
        self, sends: Sequence[tuple[int, memoryview]], receives: Sequence[tuple[int, memoryview]]
    ) -> Pending:
        self._traffic.sent += sum(part.nbytes for _, part in sends)
        return self._inner.start_exchange(sends, receives)

    def start_all_gather(self, whole: memoryview, sizes: Sequence[int]) -> Pending:
        self._traffic.sent += sizes[self.rank] * (self.size - 1)
        return self._inner.start_all_gather(whole, sizes)

    def start_all_reduce(self, values: "NDArray[Any]", combine: str) -> Pending:
        self._traffic.sent += sent_in_segments(self.rank, self.size, len(values)) * values.itemsize
        return self._inner.start_all_reduce(values, combine)

    def flush(self) -> None:
        self._inner.flush()

    def barrier(self) -> None:
        self._inner.barrier()

    def split(self, ranks: Sequence[int]) -> Transport:
        return Counting(self._inner.split(ranks), self._traffic)

    def claim(self) -> bool:
        return self._inner.claim()

    def abort(self, code: int) -> NoReturn:
        self._inner.abort(code)

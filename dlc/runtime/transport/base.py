"""What the executor asks of the thing that carries bytes between ranks."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from dlc.diagnostics import DlcError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PeerFailed(Exception):
    """Another rank failed first, and its error is the one to report."""


class Pending(Protocol):
    """A transfer that was started."""

    def wait(self) -> None:
        """Return when it has ended."""
        ...


class Transport(Protocol):
    """Moves bytes between the `size` ranks of one group; ranks count from 0.

    Every rank of the group calls the collectives (`all_to_all`, `all_gather`, `gather`, `broadcast`,
    `barrier`, and those that start) in the same order. Buffers that come back may share memory with buffers
    that a peer gave: neither side may write to them. All calls poll, so that signals arrive, and raise DLC604
    when the others are silent for too long.
    """

    @property
    def rank(self) -> int: ...

    @property
    def size(self) -> int: ...

    @property
    def neighbours(self) -> int:
        """How many ranks of the job share this node, this one included."""
        ...

    def all_to_all(self, parts: Sequence[memoryview]) -> list[memoryview]:
        """Give `parts[r]` to rank r; the result holds what each rank gave to this one."""
        ...

    def all_gather(self, part: memoryview) -> list[memoryview]:
        """The parts of all ranks, in rank order."""
        ...

    def gather(self, part: memoryview, root: int) -> list[memoryview]:
        """The parts of all ranks on `root`, nothing elsewhere."""
        ...

    def broadcast(self, part: memoryview, root: int) -> memoryview:
        """The part of `root`; the others' are ignored."""
        ...

    def send(self, part: memoryview, peer: int, tag: int) -> None:
        """Start a message and return; `part` must stay unchanged until `flush`."""
        ...

    def recv(self, peer: int, tag: int) -> memoryview:
        """The next message from `peer` with this tag."""
        ...

    def start_exchange(
        self, sends: Sequence[tuple[int, memoryview]], receives: Sequence[tuple[int, memoryview]]
    ) -> Pending:
        """Start messages to peers, and fill buffers with those of peers; one pair of ranks keeps the order.

        Sizes are known on both sides. Like a collective, every rank starts it. No buffer may be touched
        before it has ended.
        """
        ...

    def start_all_gather(self, whole: memoryview, sizes: Sequence[int]) -> Pending:
        """Start to fill `whole`, which holds this rank's part at its place, with the parts of all ranks."""
        ...

    def start_all_reduce(self, values: "NDArray[Any]", combine: str) -> Pending:
        """Start to combine ("sum" or "prod") a vector of all ranks in place, in any order."""
        ...

    def flush(self) -> None:
        """Wait until the messages that this rank sent have left."""
        ...

    def barrier(self) -> None:
        """Wait until every rank has come here."""
        ...

    def split(self, ranks: Sequence[int]) -> "Transport":
        """A transport of its own for these ranks, of which this is one; all of them call it."""
        ...

    def claim(self) -> bool:
        """True for the first rank of each node that asks: it reports the error of the job."""
        ...

    def abort(self, code: int) -> NoReturn:
        """End every rank of the job at once; the job's exit code is `code`."""
        ...


def silence(rank: int, size: int, seconds: float) -> DlcError:
    """The error of a rank that waited for the others in vain."""
    return DlcError(
        "DLC604",
        f"rank {rank} of {size} heard nothing from the others for {seconds:g} s",
        help="another rank hangs or was lost; set DLC_WATCHDOG to more seconds if its work takes that long",
    )


def split(whole: memoryview, sizes: Sequence[int]) -> list[memoryview]:
    """The parts of a buffer of bytes, one after the other."""
    ends = list(accumulate(sizes, initial=0))
    return [whole[start:end] for start, end in pairwise(ends)]

"""What the executor asks of the thing that carries bytes between ranks."""

from collections.abc import Sequence
from typing import NoReturn, Protocol

from dlc.diagnostics import DlcError


class PeerFailed(Exception):
    """Another rank failed first, and its error is the one to report."""


class Transport(Protocol):
    """Moves bytes between the `size` ranks of one group; ranks count from 0.

    Every rank of the group calls the collectives (`all_to_all`, `all_gather`, `gather`, `broadcast`,
    `barrier`) in the same order. Buffers that come back may share memory with buffers that a peer gave:
    neither side may write to them. All calls poll, so that signals arrive, and raise DLC604 when the others
    are silent for too long.
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

"""Seconds of local work and of collectives, as far as layouts are chosen by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

WORK_RATE = 1.5e9
"""Bytes that one rank filters, joins or groups in a second (Polars on one core: 1.4 to 2.3 GB/s)."""
GROUP_FACTOR = 8.0
"""How much more a byte of groups costs than a byte of rows: a hash table that no cache holds."""
READ_RATE = 1.5e9
"""Bytes of columns that one rank decodes from a file in a second."""
COLLECTIVE_SECONDS = 0.5e-3
"""What a collective takes beside moving bytes: one more query, packing, and waiting for the slowest rank."""
CROWDED = 1e6
"""Seconds that stand for "only if there is no other way"."""


class Network(Protocol):
    """What the choice of layouts asks of a machine."""

    def exchange_seconds(self, bytes_per_rank: float, ranks: int) -> float:
        """Seconds for every rank to send `bytes_per_rank`, spread over all others."""
        ...

    def broadcast_seconds(self, size: float, ranks: int) -> float:
        """Seconds until every rank holds `size` bytes that lay spread over the ranks."""
        ...


@dataclass(frozen=True)
class DefaultNetwork:
    """A machine of which nothing is known: 10 µs a message, 5 GB/s a rank."""

    latency: float = 10e-6
    bandwidth: float = 5e9

    def exchange_seconds(self, bytes_per_rank: float, ranks: int) -> float:
        """Pairwise exchange."""
        return (ranks - 1) * self.latency + bytes_per_rank * (ranks - 1) / ranks / self.bandwidth

    def broadcast_seconds(self, size: float, ranks: int) -> float:
        """Ring all-gather."""
        return (ranks - 1) * self.latency + size * (ranks - 1) / ranks / self.bandwidth


@dataclass(frozen=True)
class Costs:
    """Costs on a gang of `ranks` over a network: seconds, for sizes in bytes of the whole frame.

    `memory` is what the nodes of the gang have together, in bytes.
    """

    ranks: int
    network: Network
    memory: float = 16e9

    def work(self, nbytes: float, *, replicated: bool) -> float:
        """One pass over a frame, spread over the ranks or repeated on each."""
        return nbytes / WORK_RATE / (1 if replicated else self.ranks)

    def read(self, nbytes: float, *, replicated: bool) -> float:
        """Decoding a scan, spread over the ranks or repeated on each."""
        return nbytes / READ_RATE / (1 if replicated else self.ranks)

    def shuffle(self, nbytes: float) -> float:
        """Hash shuffle: rows are split, sent and joined again."""
        moved = self.network.exchange_seconds(nbytes / self.ranks, self.ranks)
        return COLLECTIVE_SECONDS + moved + 2 * self.work(nbytes, replicated=False)

    def all_gather(self, nbytes: float) -> float:
        """Every rank gets all rows."""
        return self.gather(nbytes) + self.crowding(nbytes)

    def all_reduce(self, nbytes: float) -> float:
        """Every rank gets the sum of a tensor of this size."""
        return self.network.exchange_seconds(2 * nbytes, self.ranks)

    def crowding(self, nbytes: float) -> float:
        """A prohibitive time when copies of a frame on every rank would crowd the memory of a node."""
        return 0.0 if self.ranks == 1 or nbytes * self.ranks < self.memory / 4 else CROWDED

    def gather(self, nbytes: float) -> float:
        """Rank 0 gets all rows; it alone works on, which is why this is no cheaper than an all-gather."""
        moved = self.network.broadcast_seconds(nbytes, self.ranks)
        return COLLECTIVE_SECONDS + moved + self.work(nbytes, replicated=True)

"""Messages on the real ways of a machine: what they take when all of them share its links."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache

from dlc.hwspec.model import Machine
from dlc.predict.collectives import ALGORITHMS, Choice
from dlc.predict.flows import Flow, share_links
from dlc.predict.rounds import Round


class Ways:
    """The ways between parts of a machine; `hosts` is the path of one, with `{}` for its number.

    Messages share links equally, or `as_tcp` connections do, which get less the longer their way is.
    """

    def __init__(self, machine: Machine, hosts: str, *, as_tcp: bool = False) -> None:
        self._machine = machine
        self._as_tcp = as_tcp
        self._hosts = hosts
        self.capacity: dict[Hashable, float] = {}
        self._way = lru_cache(maxsize=1 << 20)(self._find)

    def flow(self, a: int, b: int, size: float) -> Flow:
        """A message of `size` bytes from one part to another."""
        links, delay, rate = self._way(a, b)
        return Flow(links, size, delay, rate=rate, weight=1 / delay if self._as_tcp and delay else 1.0)

    def _find(self, a: int, b: int) -> tuple[tuple[Hashable, ...], float, float]:
        """Shared links, delay, and the least rate of those that each message has to itself."""
        hops = self._machine.path(self._hosts.format(a), self._hosts.format(b))
        shared = [hop for hop in hops if hop.shared]
        self.capacity |= {hop.link: hop.bandwidth for hop in shared}
        own = min((hop.bandwidth for hop in hops if not hop.shared), default=float("inf"))
        return tuple(hop.link for hop in shared), sum(hop.latency + hop.overhead for hop in hops), own

    def seconds(self, pairs: Iterable[tuple[int, int]], size: float) -> float:
        """The time of one message for each pair, all at once."""
        flows = [self.flow(a, b, size) for a, b in pairs if a != b]
        return share_links(flows, self.capacity).seconds

    def rounds(self, rounds: Sequence[Round], ranks: int) -> float:
        """The time of the rounds of a collective, one after another."""
        return sum(
            entry.times * self.seconds(entry.pairs(ranks, distance), entry.size)
            for entry in rounds
            for distance in entry.distances
        )

    def choose(self, operation: str, ranks: int, size: float) -> Choice:
        """The fastest algorithm of a collective on these ways; see `collectives.ALGORITHMS` for the size."""
        found = [
            Choice(name, self.rounds(rounds, ranks), {}, tuple(rounds))
            for name, algorithm in ALGORITHMS[operation].items()
            if (rounds := algorithm(ranks, size))
        ]
        return min(found, key=lambda choice: choice.seconds)

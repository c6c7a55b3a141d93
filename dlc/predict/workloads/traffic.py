"""Messages between many hosts at once, over the links of a machine that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from dlc.hwspec.model import Machine
from dlc.predict.flows import share_links
from dlc.predict.ways import Ways
from dlc.predict.workloads.grammar import Bytes, Count, wrong
from dlc.predict.workloads.report import Report

Pairs = Iterator[tuple[int, int]]
_MOST_FLOWS = 2_000_000


@dataclass(frozen=True)
class Traffic:
    """`size` bytes from host to host for each pair of a pattern, all at the same time.

    `hosts` is the path of one host with `{}` for its number, and `count` how many there are.
    """

    name: str
    hosts: str
    count: Count
    pattern: str
    size: Bytes

    def predict(self, machine: Machine | None) -> Report:
        """The time until the last byte has arrived, and the links that were used most."""
        if machine is None:
            raise wrong("traffic needs a machine", None, "add `machine = …`")
        if self.pattern not in PATTERNS:
            raise wrong(f"there is no pattern `{self.pattern}`", None, f"write one of {', '.join(PATTERNS)}")
        if self.hosts.count("{}") != 1 or set("{}") & set(self.hosts.replace("{}", "")):
            fix = "write `{}` for the number, as in `n[{}].nic`"
            raise wrong(f"`{self.hosts}` names no hosts", None, fix)
        pairs = list(islice(PATTERNS[self.pattern](self.count), _MOST_FLOWS + 1))
        if len(pairs) > _MOST_FLOWS:
            raise wrong(f"the pattern has more than {_MOST_FLOWS:,} messages", None, "describe fewer hosts")
        ways = Ways(machine, self.hosts)
        flows = [ways.flow(a, b, self.size) for a, b in pairs]
        outcome = share_links(flows, ways.capacity)
        busiest = max(outcome.carried.values(), default=0.0)
        figures = {"time": outcome.seconds, "messages": len(flows), "bytes over the busiest link": busiest}
        units = {"time": "s", "bytes over the busiest link": "B"}
        return Report(self.name, machine.name, [], figures=figures, units=units)


def _all_to_all(count: int) -> Pairs:
    return ((a, b) for a in range(count) for b in range(count) if a != b)


def _ring(count: int) -> Pairs:
    return ((a, (a + 1) % count) for a in range(count))


def _halves(count: int) -> Pairs:
    return ((a, (a + count // 2) % count) for a in range(count))


def _incast(count: int) -> Pairs:
    return ((a, 0) for a in range(1, count))


def _reverse(count: int) -> Pairs:
    return ((a, count - 1 - a) for a in range(count) if a != count - 1 - a)


PATTERNS: dict[str, Callable[[int], Pairs]] = {
    "all-to-all": _all_to_all,
    "ring": _ring,
    "halves": _halves,
    "incast": _incast,
    "reverse": _reverse,
}
"""Who sends to whom: all to all, to the next, to the one half-way round, to the first, to the mirror."""

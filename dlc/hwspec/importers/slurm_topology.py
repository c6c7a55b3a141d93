"""The switches of Slurm's topology.conf: a fat tree where they are even, otherwise as parts and links."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Protocol, TypeVar

from dlc.diagnostics import DlcError, SourceLoc, suggest
from dlc.hwspec.importers.building import NIC_BANDWIDTH, NIC_LATENCY, assumed, configured, link, part
from dlc.hwspec.parts import Counts, Part, Table, Value

_SOURCE = "topology.conf"
_TAPER = 2
"""Nodes below a switch for each wire upwards, which Slurm does not tell."""

_MAX_SWITCHES, _MAX_LEVELS = 10_000, 16
_T = TypeVar("_T")


class Described(Protocol):
    """A line of topology.conf."""

    @property
    def loc(self) -> SourceLoc: ...

    def names(self, key: str) -> tuple[str, ...]:
        """The names that the host list of an entry stands for."""
        ...


@dataclass(frozen=True)
class Switch:
    """A switch, and the line that describes it."""

    name: str
    line: Described

    def each(self) -> Iterator[Switch]:
        """One for each name, since a line may describe several switches."""
        yield from (Switch(name, self.line) for name in self.line.names("switchname"))


@dataclass(frozen=True)
class _Below:
    """What is at a switch: numbers of switches, and hosts as their part and their number there."""

    switches: tuple[int, ...]
    hosts: tuple[tuple[str, int], ...]


def network(
    nodes: Sequence[Part], places: Mapping[str, tuple[str, int]], switches: list[Switch]
) -> list[Part]:
    """What joins the nodes. Raises DLC417."""
    if len(switches) > _MAX_SWITCHES:
        raise DlcError("DLC417", f"there are more than {_MAX_SWITCHES} switches", loc=switches[0].line.loc)
    numbers = {switch.name: index for index, switch in enumerate(switches)}
    if len(numbers) < len(switches):
        raise DlcError("DLC417", "a switch is described twice", loc=switches[-1].line.loc)
    below = [
        _Below(
            tuple(_known(name, numbers, switch) for name in switch.line.names("switches")),
            tuple(_known(name, places, switch) for name in switch.line.names("nodes")),
        )
        for switch in switches
    ]
    if len(switches) < 2:
        several = sum(node.copies for node in nodes) > 1
        attach = tuple(f"{node.name}[*].nic" for node in nodes)
        star = {"topology": "star", "attach": attach}
        return [part("network", "net", nodes[0].loc, star)] if several else []
    if tree := _fat_tree(below, switches[0].line.loc):
        return [tree]
    sizes = _sizes(below)
    links = [
        each
        for number, switch in enumerate(switches)
        for each in _links(number, switch, below[number], sizes)
    ]
    return [part("switch", "switch", switches[0].line.loc, count=len(switches)), *links]


def _known(name: str, known: Mapping[str, _T], switch: Switch) -> _T:
    if name not in known:
        guess = suggest(name, known)
        fix = f"did you mean {guess}?" if guess else None
        raise DlcError("DLC417", f"nothing describes `{name}`", loc=switch.line.loc, help=fix)
    return known[name]


def _fat_tree(below: Sequence[_Below], loc: SourceLoc) -> Part | None:
    """The network of one tree in which all switches of a level but the last have equally many hosts."""
    children = {child for entry in below for child in entry.switches}
    roots = [number for number in range(len(below)) if number not in children]
    if len(roots) != 1 or sum(len(entry.switches) for entry in below) != len(below) - 1:
        return None
    sizes = _sizes(below)
    level, down = roots, list[int]()
    while all(below[number].switches and not below[number].hosts for number in level):
        inner = [sorted(below[number].switches, key=lambda n: -sizes[n]) for number in level]
        down.insert(0, max(map(len, inner)))
        level = [number for numbers in inner for number in numbers]
        if any(sizes[number] != sizes[level[0]] for number in level[:-1]):
            return None
    if any(below[number].switches for number in level):
        return None
    hosts = [host for number in level for host in below[number].hosts]
    if len(set(hosts)) < len(hosts):
        return None
    down.insert(0, sizes[level[0]])
    # Every level above the leaves has as many wires upwards as downwards.
    up = [math.ceil(down[0] / _TAPER), *down[1:-1]]
    arguments = Table(
        (
            ("down", Counts(tuple(configured(count, "1", _SOURCE) for count in down))),
            ("up", Counts(tuple(assumed(count, "1") for count in up))),
        )
    )
    attach = tuple(
        f"{name}[{span}].nic"
        for name, run in groupby(hosts, key=lambda host: host[0])
        for span in _spans([index for _, index in run])
    )
    properties: dict[str, Value | None] = {"topology": "fat_tree", "arguments": arguments, "attach": attach}
    return part("network", "net", loc, properties)


def _sizes(below: Sequence[_Below]) -> list[int]:
    """Hosts at and below each switch; of a ring of switches, which is no tree, as far as it is followed."""
    sizes = [0] * len(below)
    for _ in range(_MAX_LEVELS):
        sizes = [len(entry.hosts) + sum(sizes[child] for child in entry.switches) for entry in below]
    return sizes


def _links(number: int, switch: Switch, entry: _Below, sizes: Sequence[int]) -> Iterator[Part]:
    """The links from a switch to what is below it."""
    for name in dict.fromkeys(name for name, _ in entry.hosts):
        for span in _spans(sorted({index for other, index in entry.hosts if other == name})):
            yield _link(f"{name}[{span}].nic", number, switch, 1)
    for size in sorted({sizes[child] for child in entry.switches}):
        for span in _spans(sorted({child for child in entry.switches if sizes[child] == size})):
            yield _link(f"switch[{span}]", number, switch, math.ceil(size / _TAPER))


def _link(path: str, number: int, switch: Switch, wires: int) -> Part:
    """A link of so many wires; the two at the ends of a way have the delay of an interface together."""
    delay = assumed(NIC_LATENCY / 2, "s") if path.endswith(".nic") else None
    bandwidth = assumed(NIC_BANDWIDTH * max(1, wires), "B/s")
    properties: dict[str, Value | None] = {"bandwidth": bandwidth, "latency": delay, "duplex": "full"}
    return link(path, f"switch[{number}]", switch.line.loc, properties)


def _spans(numbers: list[int]) -> Iterator[str]:
    """Runs of numbers, in their order, as selectors write them: `0..3` and `7`."""
    ends = [index for index, (a, b) in enumerate(pairwise(numbers)) if b != a + 1]
    first = 0
    for last in (*ends, len(numbers) - 1) if numbers else ():
        yield str(numbers[first]) if first == last else f"{numbers[first]}..{numbers[last]}"
        first = last + 1

"""The switches of Slurm's topology.conf as parts and links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypeVar

from dlc.diagnostics import DlcError, SourceLoc, suggest
from dlc.hwspec.importers.building import NIC_BANDWIDTH, assumed, link, part
from dlc.hwspec.parts import Part, Value

_WIRE: dict[str, Value | None] = {"bandwidth": assumed(NIC_BANDWIDTH, "B/s"), "duplex": "full"}
_MAX_SWITCHES = 10_000
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
    """A switch, the line that describes it, and with `children` the switches and nodes below it."""

    name: str
    line: Described

    def each(self) -> Iterator[Switch]:
        """One for each name, since a line may describe several switches."""
        yield from (Switch(name, self.line) for name in self.line.names("switchname"))


def network(
    nodes: Sequence[Part], places: Mapping[str, tuple[str, int]], switches: list[Switch]
) -> list[Part]:
    """What joins the nodes: the switches and their links, or a star where there is but one. Raises DLC417."""
    if len(switches) > _MAX_SWITCHES:
        raise DlcError("DLC417", f"there are more than {_MAX_SWITCHES} switches", loc=switches[0].line.loc)
    numbers = {switch.name: index for index, switch in enumerate(switches)}
    if len(numbers) < len(switches):
        raise DlcError("DLC417", "a switch is described twice", loc=switches[-1].line.loc)
    links = [each for switch in switches for each in _links(switch, numbers, places)]
    if len(switches) < 2:
        attach = tuple(f"{node.name}[*].nic" for node in nodes)
        star = {"topology": "star", "attach": attach, "bandwidth": assumed(NIC_BANDWIDTH, "B/s")}
        several = sum(node.copies for node in nodes) > 1
        return [part("network", "net", nodes[0].loc, star)] if several else []
    return [part("switch", "switch", switches[0].line.loc, count=len(switches)), *links]


def _links(
    switch: Switch, numbers: Mapping[str, int], places: Mapping[str, tuple[str, int]]
) -> Iterator[Part]:
    """The links from a switch to what is below it."""
    below = [_known(name, numbers, switch) for name in switch.line.names("switches")]
    hosts = [_known(name, places, switch) for name in switch.line.names("nodes")]
    paths = [f"switch[{span}]" for span in _spans(below)]
    for name in dict.fromkeys(name for name, _ in hosts):
        paths += [
            f"{name}[{span}].nic" for span in _spans([index for other, index in hosts if other == name])
        ]
    for path in paths:
        yield link(path, f"switch[{numbers[switch.name]}]", switch.line.loc, _WIRE)


def _known(name: str, known: Mapping[str, _T], switch: Switch) -> _T:
    if name not in known:
        guess = suggest(name, known)
        fix = f"did you mean {guess}?" if guess else None
        raise DlcError("DLC417", f"nothing describes `{name}`", loc=switch.line.loc, help=fix)
    return known[name]


def _spans(numbers: list[int]) -> Iterator[str]:
    """Runs of numbers as selectors write them: `0..3` and `7`."""
    ordered = sorted(set(numbers))
    if not ordered:
        return
    ends = [index for index, (a, b) in enumerate(pairwise(ordered)) if b != a + 1]
    first = 0
    for last in (*ends, len(ordered) - 1):
        yield str(ordered[first]) if first == last else f"{ordered[first]}..{ordered[last]}"
        first = last + 1

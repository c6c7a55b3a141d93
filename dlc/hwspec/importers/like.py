"""Fills in what an imported description has to assume, with the figures of a machine that is like it.

Counts and sizes that a file tells stay. What is filled in stays @assumed, with the machine as its source, for
what is published of one machine says nothing certain of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from dlc.hwspec.check import check
from dlc.hwspec.importers.building import NIC_BANDWIDTH, NIC_LATENCY
from dlc.hwspec.model import Machine, cores_below
from dlc.hwspec.parts import Part, Placed, Provenance, Quantity, Table, Value, quantities, select, walk

_CHANNEL = ("bandwidth", "sustained", "latency", "overhead", "hop", "duplex", "sharing")
_PROCESSOR = ("compute", "clock", "isa", "launch", "power", "idle")
_TAKEN: Mapping[str, tuple[str, ...]] = {
    "node": ("price", "power", "idle"),
    "cpu": _PROCESSOR,
    "gpu": _PROCESSOR,
    "accel": _PROCESSOR,
    "memory": ("bandwidth", "sustained", "latency"),
    "disk": ("read", "write", "latency", "read_operations", "write_operations"),
    "nic": (*_CHANNEL, "power", "idle"),
    "link": _CHANNEL,
}
"""What may be taken from a part of the same kind."""

_DEVICES = ("gpu", "accel")
_SHARED = ("memory", "disk", "nic")
"""Kinds of which nodes have different numbers of copies: all together get the rates of all there."""


@dataclass(frozen=True)
class Filled:
    """The machine, and which device there stands for which one here where their names differ."""

    machine: Machine
    instead: tuple[tuple[str, str], ...]


def fill(machine: Machine, like: Machine) -> Filled:
    """The imported machine with the figures of `like`."""
    filling = _Filling(like, Provenance("assumed", f"as in {like.name}"))
    parts = [filling.node(part) if part.kind == "node" else part for part in machine.parts]
    nic = next((nic.part for part in parts for nic in _inside(part, "nic")), None)
    parts = [filling.wire(part, nic) if part.kind == "link" and nic else part for part in parts]
    return Filled(check(replace(machine, parts=tuple(parts))), tuple(sorted(filling.instead)))


def assumptions(machine: Machine) -> tuple[int, int]:
    """How many figures are those of another machine, and how many are guesses."""
    marks = [each.provenance for placed in walk(machine.parts) for each in quantities(placed.part.properties)]
    sources = [mark.source for mark in marks if mark.kind == "assumed"]
    return len(sources) - sources.count(""), sources.count("")


class _Filling:
    def __init__(self, like: Machine, mark: Provenance) -> None:
        self._donors = [placed.part for placed in like.of_kind("node")]
        self._mark = mark
        self.instead: set[tuple[str, str]] = set()

    def node(self, node: Part) -> Part:
        """A node with the figures of one that has the same devices and the nearest number of cores."""

        def distance(other: Part) -> tuple[int, int]:
            unlike = sum(bool(_inside(node, kind)) != bool(_inside(other, kind)) for kind in _DEVICES)
            return unlike, abs(cores_below(other) - cores_below(node))

        donor = min(self._donors, key=distance)
        filled = self._inner(self._figures(node, donor, 1.0), donor, 1)
        media = [] if _inside(node, "interconnect") else _inside(donor, "interconnect")[:1]
        return replace(filled, parts=(*filled.parts, *(self._copy(medium.part) for medium in media)))

    def wire(self, link: Part, nic: Part) -> Part:
        """A link to a switch, which was assumed in proportion to an interface."""
        rate = (nic.number("bandwidth") or NIC_BANDWIDTH) / NIC_BANDWIDTH
        delay = (nic.number("latency") or NIC_LATENCY) / NIC_LATENCY
        factors = {"bandwidth": rate, "latency": delay}
        scaled = ((key, self._marked(value, factors.get(key, 1.0))) for key, value in link.properties)
        return replace(link, properties=tuple(scaled))

    def _inner(self, holder: Part, donor: Part, copies: int) -> Part:
        """The parts within, `copies` times in a node; `donor` is the whole node that figures come from."""
        return replace(
            holder,
            parts=tuple(self._part(part, holder, donor, copies * part.copies) for part in holder.parts),
        )

    def _part(self, part: Part, holder: Part, donor: Part, copies: int) -> Part:
        if part.kind == "link":
            kinds = _kinds(part, holder.parts)
            found = (other for other, ends in _links(donor) if ends == kinds)
            return self._figures(part, next(found, None), 1.0)
        others = _inside(donor, part.kind)
        if not others:
            return self._inner(part, donor, copies)
        other, factor = others[0].part, 1.0
        if part.kind in _SHARED:
            factor = others[0].copies / copies
        elif part.kind == "cpu":
            factor = (part.number("cores") or 1) / (other.number("cores") or 1)
        elif part.kind in _DEVICES:
            other = self._device(part, [placed.part for placed in others])
        filled = self._figures(part, other, factor)
        if part.kind in _DEVICES:
            inside = {inner.kind: inner for inner in other.parts}
            own = {inner.kind for inner in part.parts}
            kept = [self._figures(inner, inside.get(inner.kind), 1.0) for inner in part.parts]
            return replace(filled, parts=(*kept, *(self._copy(p) for p in other.parts if p.kind not in own)))
        filled = self._inner(filled, donor, copies)
        if part.kind != "cpu" or any(inner.kind == "cache" for inner in (*part.parts, *holder.parts)):
            return filled
        caches = (self._copy(cache.part) for cache in _inside(donor, "cache"))
        return replace(filled, parts=(*filled.parts, *caches))

    def _device(self, part: Part, others: list[Part]) -> Part:
        """The device of a like name, or the first of the kind."""
        for other in others:
            for name in (other.name, other.type):
                if len(name) > 2 and (name.lower() in part.name.lower() or part.name.lower() in name.lower()):
                    return other
        self.instead.add((part.name, others[0].type or others[0].name))
        return others[0]

    def _figures(self, part: Part, other: Part | None, factor: float) -> Part:
        """The part with what it lacks or has assumed; rates times `factor`."""
        if other is None:
            return part
        properties = dict(part.properties)
        for key in _TAKEN.get(part.kind, ()):
            value, own = other.get(key), properties.get(key)
            # What a channel sustains goes with its bandwidth.
            known = key == "sustained" and properties.get("bandwidth") == part.get("bandwidth")
            if value is not None and not known and (own is None or _is_assumed(own)):
                scaled = key not in ("clock", "launch", "latency", "overhead", "hop", "power", "idle")
                properties[key] = self._marked(value, factor if scaled else 1.0)
        return replace(part, properties=tuple(sorted(properties.items())))

    def _copy(self, part: Part) -> Part:
        """A part of the other machine that this one lacks."""
        properties = tuple((key, self._marked(value, 1.0)) for key, value in part.properties)
        return replace(part, type="", properties=properties, parts=tuple(map(self._copy, part.parts)))

    def _marked(self, value: Value, factor: float) -> Value:
        if isinstance(value, Quantity):
            return Quantity(value.value * factor, value.unit, self._mark)
        if isinstance(value, Table):
            entries = ((name, self._marked(entry, factor)) for name, entry in value.entries)
            return Table(tuple((name, entry) for name, entry in entries if isinstance(entry, Quantity)))
        return value


def _is_assumed(value: Value) -> bool:
    figures = list(quantities((("", value),)))
    return bool(figures) and all(figure.provenance.kind == "assumed" for figure in figures)


def _inside(node: Part, kind: str) -> list[Placed]:
    """The parts of a kind in a node; memory and caches of a device are its own."""
    return [
        placed
        for placed in walk(node.parts)
        if placed.part.kind == kind and not any(parent.kind in _DEVICES for parent in placed.parents)
    ]


def _links(node: Part) -> Iterator[tuple[Part, frozenset[str]]]:
    """The links within a node with the kinds of their ends."""
    for holder in (node, *(placed.part for placed in walk(node.parts))):
        for link in holder.parts:
            if link.kind == "link":
                yield link, _kinds(link, holder.parts)


def _kinds(link: Part, siblings: Iterable[Part]) -> frozenset[str]:
    return frozenset(select(tuple(siblings), path, link.loc).part.kind for path in link.texts("ends"))

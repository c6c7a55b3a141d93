"""The wires that a message takes through one network, and the hop that a wire is."""

import math
from dataclasses import dataclass
from functools import cached_property

from dlc.hwspec.parts import Part, Step, Table, steps
from dlc.hwspec.topologies import Topology, make

Vertex = tuple[tuple[str, int], ...]
"""One instance of a part: name and index of each step that leads to it."""

Link = tuple[str | bool, ...]
"""What identifies a channel that messages share; of a full-duplex one each direction has its own."""


@dataclass(frozen=True)
class Hop:
    """One channel on the way of a message, from the part `source` to the part `target` (paths of instances).

    `bandwidth` (B/s) is what all messages on the channel have together, infinite where the description gives
    no limit; when not `shared`, each message has it to itself. `latency` (s) passes until the first byte
    arrives, `overhead` (s) keeps the sending processor busy once a message. Hops with the same `link` are the
    same channel: a simulator of flows divides the bandwidth of a link among all messages whose ways hold it.
    """

    via: str
    source: str
    target: str
    bandwidth: float
    latency: float
    overhead: float = 0.0
    link: Link = ()
    shared: bool = True


@dataclass(frozen=True)
class Member:
    """A part that a network joins: its number there, and its path."""

    number: int
    path: str
    part: Part


@dataclass(frozen=True)
class Network:
    """A network with the parts beside it, from which its attached parts are found."""

    part: Part
    siblings: tuple[Part, ...]
    joins_nodes: bool = True

    @cached_property
    def _attached(self) -> tuple[tuple[int, tuple[tuple[Step, int], ...]], ...]:
        """For each path that is attached: the number of its first part, and its steps with their extents."""
        found: list[tuple[int, tuple[tuple[Step, int], ...]]] = []
        base = 0
        for path in self.part.texts("attach"):
            ranges: list[tuple[Step, int]] = []
            parts = self.siblings
            for step in steps(path):
                part = next(part for part in parts if part.name == step.name)
                last = part.copies - 1 if step.last is None else step.last
                ranges.append((step, last - step.first + 1))
                parts = part.parts
            found.append((base, tuple(ranges)))
            base += math.prod(extent for _, extent in ranges)
        return tuple(found)

    @cached_property
    def size(self) -> int:
        """How many parts it joins."""
        return sum(math.prod(extent for _, extent in ranges) for _, ranges in self._attached)

    @cached_property
    def topology(self) -> Topology:
        """Its shape; ValueError says what is wrong with the arguments."""
        arguments = self.part.get("arguments")
        table = arguments if isinstance(arguments, Table) else Table(())
        return make(self.part.text("topology"), table, self.size)

    @cached_property
    def rate(self) -> float:
        """B/s in one direction of one wire: its own rate, else that of the slowest nic that it joins."""
        return self.part.rate or min((member.rate or math.inf for member in self.ends), default=math.inf)

    @cached_property
    def ends(self) -> tuple[Part, ...]:
        """The kinds of parts that it joins, each once."""
        found: list[Part] = []
        for path in self.part.texts("attach"):
            parts, part = self.siblings, None
            for step in steps(path):
                part = next(part for part in parts if part.name == step.name)
                parts = part.parts
            found += [part] if part else []
        return tuple(found)

    def bisection(self) -> float:
        """B/s in one direction between the halves of its parts: as stated, else that of the wires."""
        return self.part.number("bisection") or self.derived_bisection

    @cached_property
    def derived_bisection(self) -> float:
        """B/s in one direction that the wires of the worst even cut carry, and the nics on one side of it."""
        nics = min((part.rate or math.inf for part in self.ends if part.kind == "nic"), default=math.inf)
        return min(self.topology.bisection(self.size) * self.rate, self.size / 2 * nics)

    def number(self, vertex: Vertex) -> int | None:
        """The number of a part, its steps seen from beside the network; None when it is not attached."""
        for base, ranges in self._attached:
            if len(ranges) != len(vertex):
                continue
            position = 0
            for (step, extent), (name, index) in zip(ranges, vertex, strict=True):
                if name != step.name or not step.first <= index < step.first + extent:
                    break
                position = position * extent + index - step.first
            else:
                return base + position
        return None

    def hops(self, path: str, a: Member, b: Member) -> tuple[Hop, ...]:
        """The hops between two parts of the network at `path`.

        The first wire bears the latency and the overhead, wires from switch to switch the delay `hop` each.
        """
        first, last = self._wires(a.part), self._wires(b.part)
        via, alone = self.part.label, self.part.text("topology") == "star"
        made: list[Hop] = []
        source, latency, overhead = a.path, first.latency, first.overhead
        for wire in self.topology.way(a.number, b.number):
            target = b.path if not wire.switch else path if alone else f"{path}[{wire.switch}]"
            rate = first.rate if not made else self.rate
            rate = rate if wire.switch else min(rate, last.rate)
            if made:
                latency, overhead = first.hop if wire.inner else 0.0, 0.0
            link = (path, wire.cable) if first.half else (path, wire.cable, wire.forward)
            made.append(Hop(via, source, target, rate, latency, overhead, link, first.shared))
            source = target
        return tuple(made)

    def spoke(self, path: str, member: Member, *, inward: bool) -> Hop:
        """The wire between a part and the middle of the network, where what the network leads to hangs."""
        wires = self._wires(member.part)
        source, target = (member.path, path) if inward else (path, member.path)
        latency, overhead = (wires.latency, wires.overhead) if inward else (0.0, 0.0)
        cable = f"host {member.number}"
        link = (path, cable) if wires.half else (path, cable, inward)
        return Hop(self.part.label, source, target, wires.rate, latency, overhead, link, wires.shared)

    def _wires(self, part: Part) -> "_Wires":
        """How the wires of an attached part behave, as the network says, or else its nic."""
        found = self._known.get(id(part))
        if found is None:
            says = self.part if self.part.rate else part
            own = (part.rate if part.kind == "nic" else None) or math.inf
            latency, overhead, hop = (says.number(name) or 0.0 for name in ("latency", "overhead", "hop"))
            half, shared = says.text("duplex") == "half", says.text("sharing") != "fatpipe"
            rate = min(self.rate, own)
            found = self._known[id(part)] = _Wires(rate, latency, overhead, hop, half, shared)
        return found

    @cached_property
    def _known(self) -> "dict[int, _Wires]":
        return {}


@dataclass(frozen=True)
class _Wires:
    """What all wires of a kind of attached part have in common: B/s and s."""

    rate: float
    latency: float
    overhead: float
    hop: float
    half: bool
    shared: bool

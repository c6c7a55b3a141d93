"""The wires that a message takes through one network, and the hop that a wire is."""

import math
from dataclasses import dataclass, replace
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
    """A part that a network joins: its number there, its path, and its own rate in B/s if it is a nic."""

    number: int
    path: str
    part: Part

    @property
    def rate(self) -> float:
        """What the part itself carries in one direction, B/s."""
        return (self.part.rate if self.part.kind == "nic" else None) or math.inf


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
        """B/s in one direction that the wires of the worst even cut carry."""
        return self.topology.bisection(self.size) * self.rate

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
        made: list[Hop] = []
        source, step = a.path, (self._delays(a.part).number("hop", 0.0) or 0.0)
        for wire in self.topology.way(a.number, b.number):
            target = self._switch(path, wire.switch) if wire.switch else b.path
            rate = min(self.rate, a.rate if not made else math.inf, math.inf if wire.switch else b.rate)
            hop = self._hop(path, (source, target), wire.cable, wire.forward, rate, a)
            if made:
                hop = replace(hop, latency=step if wire.inner else 0.0, overhead=0.0)
            made.append(hop)
            source = target
        return tuple(made)

    def spoke(self, path: str, member: Member, *, inward: bool) -> Hop:
        """The wire between a part and the middle of the network, where what the network leads to hangs."""
        ends = (member.path, path) if inward else (path, member.path)
        rate = min(self.rate, member.rate)
        hop = self._hop(path, ends, f"host {member.number}", inward, rate, member)
        return hop if inward else replace(hop, latency=0.0, overhead=0.0)

    def _hop(
        self, path: str, ends: tuple[str, str], cable: str, forward: bool, rate: float, member: Member
    ) -> Hop:
        delays = self._delays(member.part)
        link: Link = (path, cable) if delays.text("duplex") == "half" else (path, cable, forward)
        return Hop(
            self.part.label,
            *ends,
            rate,
            delays.number("latency", 0.0) or 0.0,
            delays.number("overhead", 0.0) or 0.0,
            link,
            delays.text("sharing") != "fatpipe",
        )

    def _delays(self, part: Part) -> Part:
        """What says how wires behave: the network, or the nic where the network says nothing."""
        return self.part if self.part.rate else part

    def _switch(self, path: str, switch: str) -> str:
        return path if self.part.text("topology") == "star" else f"{path}[{switch}]"

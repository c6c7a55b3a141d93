"""The instances of parts around two ends, the channels between them, and the fastest way through.

Only what can lie on the way is looked at: the nodes at both ends, and what joins them.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count

from dlc.hwspec.networks import Hop, Member, Network, Vertex
from dlc.hwspec.parts import Part, steps

# The size for which the way is chosen: real routes do not depend on the message.
_USUAL_BYTES = 1 << 20
_MAX_COPIES = 256
_HOLDERS = ("cluster", "group", "socket", "node")
_PROCESSORS = ("cpu", "gpu", "accel")
_PASSABLE = ("cpu", "nic", "switch", "interconnect")


@dataclass(frozen=True)
class Channel:
    """A hop of which the ends are instances; `link` says what it shares with others: instances and words.

    `beside` marks what joins a nic and a processor without saying; data does not go in and out by it.
    """

    via: str
    source: Vertex
    target: Vertex
    bandwidth: float = math.inf
    latency: float = 0.0
    overhead: float = 0.0
    link: tuple[Vertex | str, ...] = ()
    shared: bool = True
    beside: bool = False


@dataclass(frozen=True)
class Crossing:
    """The way through a network between two parts that it joins, or between one of them and its middle."""

    network: Network
    place: Vertex
    source: Vertex
    target: Vertex


Step = Channel | Crossing


def _is_beside(step: Step) -> bool:
    return isinstance(step, Channel) and step.beside


Way = tuple[Step, ...]


Names = tuple[str, ...]


def names_of(vertex: Vertex) -> Names:
    """The steps of a path without their indices."""
    return tuple(name for name, _ in vertex)


def holds_nodes(part: Part) -> bool:
    """Whether there are nodes at or below a part."""
    return part.kind == "node" or any(holds_nodes(child) for child in part.parts)


class Graph:
    """The instances around two ends, and the channels between them."""

    def __init__(
        self, tree: tuple[Part, ...], ends: tuple[Vertex, ...], networks: Mapping[Names, Network]
    ) -> None:
        self._ends = ends
        self._networks = networks
        self.parts: dict[Vertex, Part] = {}
        self._children: dict[Vertex, list[Vertex]] = defaultdict(list)
        self._edges: dict[Vertex, list[tuple[Vertex, Way]]] = defaultdict(list)
        self._linked: set[Vertex] = set()
        self._members: dict[Vertex, list[Vertex]] = {}
        self._expand((), tree)
        self._join((), tree)
        for vertex, part in list(self.parts.items()):
            self._join(vertex, part.parts)
        for vertex, part in list(self.parts.items()):
            self._attach(vertex, part)

    def text(self, vertex: Vertex) -> str:
        """The path of an instance."""
        names = (
            name if self.parts[vertex[: depth + 1]].count is None else f"{name}[{index}]"
            for depth, (name, index) in enumerate(vertex)
        )
        return ".".join(names)

    def _expand(self, prefix: Vertex, parts: tuple[Part, ...]) -> None:
        for part in parts:
            if not part.name:
                continue
            for index in self._indices(prefix, part):
                vertex = (*prefix, (part.name, index))
                self.parts[vertex] = part
                self._children[prefix].append(vertex)
                self._expand(vertex, part.parts)

    def _indices(self, prefix: Vertex, part: Part) -> Iterable[int]:
        """All copies of a part within a node; of nodes and what holds them only those that lead to an end."""
        depth = len(prefix)
        if part.copies <= _MAX_COPIES and not holds_nodes(part):
            return range(part.copies)
        chosen = {
            end[depth][1]
            for end in self._ends
            if end[:depth] == prefix and len(end) > depth and end[depth][0] == part.name
        }
        return sorted(chosen)

    def _join(self, prefix: Vertex, parts: tuple[Part, ...]) -> None:
        """The channels that links, networks and interconnects among `parts` make."""
        for part in parts:
            hub = (*prefix, (part.name, 0))
            if part.kind == "link":
                first, second = part.texts("ends")
                for a in self._select(prefix, first):
                    for b in self._select(prefix, second):
                        if a != b:
                            self._wire(a, b, part)
                            # A cable from the node to a switch does not say what the nic serves in the node.
                            self._linked |= {a, b} if self._in_node(prefix) else set()
            elif part.kind == "network":
                self._cross(prefix, hub, self._networks[names_of(hub)])
            elif part.kind == "interconnect":
                for vertex in self._processors(prefix):
                    self._medium(vertex, hub, part)

    def _wire(self, a: Vertex, b: Vertex, part: Part) -> None:
        """Both directions of a link, or the one that it has."""
        full = part.text("duplex") != "half"
        self._channel(a, b, part, link=(part.label, a, b))
        if not part.get("directed"):
            self._channel(b, a, part, link=(part.label, b, a) if full else (part.label, a, b))

    def _medium(self, vertex: Vertex, hub: Vertex, part: Part) -> None:
        """A processor's share of a medium; the delay counts on the way in, so that a way bears it once."""
        half = part.text("duplex") == "half"
        self._channel(vertex, hub, part, link=(part.label, vertex, *([] if half else ["in"])))
        rate, shared = part.rate or math.inf, part.text("sharing") != "fatpipe"
        link = (part.label, vertex, *([] if half else ["out"]))
        self._edge(Channel(part.label, hub, vertex, rate, link=link, shared=shared))

    def _cross(self, prefix: Vertex, hub: Vertex, network: Network) -> None:
        """One way between each two of the parts that a network joins, and between each and its middle."""
        members = [v for path in network.part.texts("attach") for v in self._matches(prefix, path)]
        self._members[hub] = members
        doors = [(vertex, door) for vertex in members for door in self.doors(vertex)]
        for vertex, door in doors:
            self._edges[door].append((hub, (Crossing(network, hub, vertex, hub),)))
            self._edges[hub].append((door, (Crossing(network, hub, hub, vertex),)))
            for other, goal in doors:
                if other != vertex and goal != door:
                    self._edges[door].append((goal, (Crossing(network, hub, vertex, other),)))

    def _attach(self, vertex: Vertex, part: Part) -> None:
        """Channels that go without saying: memory, storage and nics serve the processors beside them."""
        near = self._near(vertex)
        if part.kind == "memory":
            for processor in near:
                self._channel(processor, vertex, part, link=(vertex,))
                self._channel(vertex, processor, part, link=(vertex,))
        elif part.kind in ("disk", "store"):
            self._storage(vertex, part, near)
        elif part.kind == "nic" and vertex not in self._linked:
            for processor in self._beside(vertex, part) or near:
                for ends in ((processor, vertex), (vertex, processor)):
                    self._edge(Channel(part.label, *ends, link=(part.label, *ends), beside=True))
        elif part.kind == "node":
            self._share_memory(vertex)

    def _beside(self, nic: Vertex, part: Part) -> list[Vertex]:
        """The processors beside a nic: those of its affinity are dealt out to its copies in order."""
        paths = part.texts("affinity")
        places = [vertex for path in paths for vertex in self._matches(nic[:-1], path)]
        copy, copies = nic[-1][1], part.copies
        mine = [
            place
            for number, place in enumerate(places)
            if number * copies // len(places) == copy or copy * len(places) // copies == number
        ]
        found = [door for place in mine for door in self.doors(place)]
        if found and not any(self.parts[vertex].kind == "cpu" for vertex in found):
            # An accelerator beside the nic does not pass on what the host sends.
            found += [v for v in self._processors(nic[:-1]) if self.parts[v].kind == "cpu"]
        return found

    def _storage(self, vertex: Vertex, part: Part, near: list[Vertex]) -> None:
        """A way in at the rate of writing, one out at that of reading; each client may have a lower one."""
        read = part.number("read") or part.number("write") or math.inf
        write = part.number("write") or read
        client, latency = part.number("client"), part.number("latency", 0.0) or 0.0
        hubs = [found for path in part.texts("attach") for found in self._matches(vertex[:-1], path)]
        ways: list[tuple[Vertex, Vertex, Way, Way]] = []
        for hub in hubs:
            if self.parts[hub].kind == "network":
                network = self._networks[names_of(hub)]
                for member in self._members[hub]:
                    inward: Way = (Crossing(network, hub, member, hub),)
                    outward: Way = (Crossing(network, hub, hub, member),)
                    ways += [(door, hub, inward, outward) for door in self.doors(member)]
            else:
                ways += [(door, door, (), ()) for door in self.doors(hub)]
        for door, hub, inward, outward in ways or [(other, other, (), ()) for other in near]:
            into = Channel(part.label, hub, vertex, write, latency, link=(vertex, "write"))
            out = Channel(part.label, vertex, hub, read, latency, link=(vertex, "read"))
            if client:
                own = f"{part.label} client"
                limit = Channel(own, hub, hub, client, link=(vertex, "client", door, "write"))
                other = Channel(own, hub, hub, client, link=(vertex, "client", door, "read"))
                self._edges[door].append((vertex, (*inward, limit, into)))
                self._edges[vertex].append((door, (out, other, *outward)))
            else:
                self._edges[door].append((vertex, (*inward, into)))
                self._edges[vertex].append((door, (out, *outward)))

    def _share_memory(self, node: Vertex) -> None:
        """Processors of a node that nothing else joins meet in its slowest memory."""
        processors = [vertex for vertex in self._processors(node) if self.parts[vertex].kind == "cpu"]
        if len(processors) < 2 or any(
            self.parts[other].kind in ("cpu", "interconnect", "switch")
            for vertex in processors
            for other, _ in self._edges[vertex]
        ):
            return
        memories = [
            part
            for vertex, part in self.parts.items()
            if vertex[: len(node)] == node and part.kind == "memory"
        ]
        rate = min((memory.rate or math.inf for memory in memories), default=math.inf)
        for first in processors:
            for second in processors:
                if first != second:
                    link = ("shared memory", node)
                    self._edge(Channel("shared memory", first, second, rate, link=link))

    def _near(self, vertex: Vertex) -> list[Vertex]:
        """The processor that a part is in, else hosts beside or below it, else devices, else further out.

        Hosts come first, since a gpu beside a nic or a disk does not pass on what the host sends.
        """
        holder = vertex[:-1]
        if holder in self.parts and self.parts[holder].kind not in _HOLDERS:
            return [holder]
        beside = [v for v in self._children[holder] if self.parts[v].kind in _PROCESSORS]
        below = self._processors(holder)
        hosts = [[v for v in found if self.parts[v].kind == "cpu"] for found in (beside, below)]
        found = hosts[0] or hosts[1] or beside or below
        return found if found or not self._in_node(holder[:-1]) else self._near(holder)

    def _in_node(self, place: Vertex) -> bool:
        """Whether a place is a node or lies in one."""
        return any(self.parts[place[:depth]].kind == "node" for depth in range(1, len(place) + 1))

    def _processors(self, prefix: Vertex) -> list[Vertex]:
        """The host processors below a part, or all processors where there is no host."""
        below = [vertex for vertex in self.parts if vertex[: len(prefix)] == prefix]
        hosts = [vertex for vertex in below if self.parts[vertex].kind == "cpu"]
        return hosts or [vertex for vertex in below if self.parts[vertex].kind in ("gpu", "accel")]

    def doors(self, vertex: Vertex) -> list[Vertex]:
        """Where channels of a part end: at itself, or at the processors of a part that holds others."""
        return self._processors(vertex) if self.parts[vertex].kind in _HOLDERS else [vertex]

    def _matches(self, prefix: Vertex, path: str) -> list[Vertex]:
        found = [prefix]
        for step in steps(path):
            found = [
                child
                for vertex in found
                for child in self._children[vertex]
                if child[-1][0] == step.name
                and step.first <= child[-1][1] <= (math.inf if step.last is None else step.last)
            ]
        return found

    def _select(self, prefix: Vertex, path: str) -> list[Vertex]:
        return [door for vertex in self._matches(prefix, path) for door in self.doors(vertex)]

    def _channel(self, a: Vertex, b: Vertex, part: Part, link: tuple[Vertex | str, ...]) -> None:
        latency, overhead = part.number("latency", 0.0) or 0.0, part.number("overhead", 0.0) or 0.0
        if (start := self.parts[a]).kind == "switch":
            # Passing through a switch keeps no processor busy.
            latency += sum(start.number(name, 0.0) or 0.0 for name in ("latency", "overhead"))
        shared = part.text("sharing") != "fatpipe"
        self._edge(Channel(part.label, a, b, part.rate or math.inf, latency, overhead, link, shared))

    def _edge(self, channel: Channel) -> None:
        self._edges[channel.source].append((channel.target, (channel,)))

    def hops(self, step: Step) -> tuple[Hop, ...]:
        """The hops of one step as this graph has it."""
        if isinstance(step, Channel):
            link = tuple(word if isinstance(word, str) else self.text(word) for word in step.link)
            ends = self.text(step.source), self.text(step.target)
            return (Hop(step.via, *ends, step.bandwidth, step.latency, step.overhead, link, step.shared),)
        a, b = self._member(step, step.source), self._member(step, step.target)
        path = self.text(step.place)
        if a is None or b is None:
            end = a or b
            assert end is not None, "a crossing has a member at one end"
            return (step.network.spoke(path, end, inward=a is not None),)
        return step.network.hops(path, a, b)

    def _member(self, crossing: Crossing, vertex: Vertex) -> Member | None:
        number = crossing.network.number(vertex[len(crossing.place) - 1 :])
        if vertex == crossing.place or number is None:
            return None
        return Member(number, self.text(vertex), self.parts[vertex])

    def shortest(self, start: Vertex, goal: Vertex) -> Way | None:
        """Dijkstra; only processors of the host and what is made for passing data on may lie between."""
        order = count()  # of equal ways the first found wins; ways themselves have no order
        queue: list[tuple[float, int, Vertex, Way]] = [(0.0, next(order), start, ())]
        done: set[tuple[Vertex, bool]] = set()
        while queue:
            cost, _, vertex, way = heapq.heappop(queue)
            if vertex == goal:
                return way
            beside = bool(way) and _is_beside(way[-1])
            if (vertex, beside) in done or (way and not self._passes(vertex)):
                continue
            done.add((vertex, beside))
            for other, steps_ in self._edges[vertex]:
                if (other, _is_beside(steps_[-1])) not in done and not (beside and _is_beside(steps_[0])):
                    hops = [hop for step in steps_ for hop in self.hops(step)]
                    delay = sum(hop.latency + hop.overhead for hop in hops)
                    slowest = min(hop.bandwidth for hop in hops)
                    further = cost + delay + _USUAL_BYTES / slowest
                    heapq.heappush(queue, (further, next(order), other, (*way, *steps_)))
        return None

    def _passes(self, vertex: Vertex) -> bool:
        """Whether data may go through: a gpu passes on only what its own memory sends or gets."""
        return self.parts[vertex].kind in _PASSABLE or any(end[: len(vertex)] == vertex for end in self._ends)

"""The way of a message through a machine.

Only the instances that can lie on the way are looked at: the nodes at both ends, and what joins them.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from dlc.diagnostics import DlcError, SourceLoc
from dlc.hwspec.parts import Part, select, steps

# The size for which the way is chosen: real routes do not depend on the message.
_USUAL_BYTES = 1 << 20
_MAX_COPIES = 256
_HOLDERS = ("cluster", "group", "socket", "node")
_PASSABLE = ("cpu", "nic", "switch", "network", "interconnect")

Vertex = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Hop:
    """One channel on the way; `bandwidth` is infinite where the description gives no limit."""

    via: str
    source: str
    target: str
    bandwidth: float
    latency: float
    overhead: float = 0.0


def seconds(hops: Iterable[Hop], size: float) -> float:
    """Time of one message that flows through all hops at once: all delays, and the slowest channel."""
    hops = tuple(hops)
    slowest = min((hop.bandwidth for hop in hops), default=math.inf)
    return sum(hop.latency + hop.overhead for hop in hops) + size / slowest


def route(tree: tuple[Part, ...], a: str, b: str, loc: SourceLoc) -> tuple[Hop, ...]:
    """The fastest way from `a` to `b`, each one instance; a node or socket stands for a processor in it."""
    ends = (_instance(tree, a, loc), _instance(tree, b, loc))
    if ends[0] == ends[1]:
        return ()
    graph = _Graph(tree, ends)
    hops = graph.shortest(graph.doors(ends[0])[:1], graph.doors(ends[1])[:1])
    if hops is None:
        raise DlcError(
            "DLC405", f"nothing joins `{a}` and `{b}`", loc=loc, help="add a `link` or a `network`"
        )
    return hops


def _instance(tree: tuple[Part, ...], path: str, loc: SourceLoc) -> Vertex:
    selected = select(tree, path, loc)
    if selected.count != 1:
        raise DlcError(
            "DLC405", f"`{path}` selects {selected.count} parts", loc=loc, help="select one, `[0]`"
        )
    return tuple((step.name, step.first) for step in steps(path))


def _text(vertex: Vertex, parts: dict[Vertex, Part]) -> str:
    names = (
        name if parts[vertex[: depth + 1]].count is None else f"{name}[{index}]"
        for depth, (name, index) in enumerate(vertex)
    )
    return ".".join(names)


class _Graph:
    """The instances around two ends, and the channels between them."""

    def __init__(self, tree: tuple[Part, ...], ends: tuple[Vertex, ...]) -> None:
        self._ends = ends
        self._parts: dict[Vertex, Part] = {}
        self._children: dict[Vertex, list[Vertex]] = defaultdict(list)
        self._edges: dict[Vertex, list[tuple[Vertex, Hop]]] = defaultdict(list)
        self._linked: set[Vertex] = set()
        self._expand((), tree)
        self._join((), tree)
        for vertex, part in list(self._parts.items()):
            self._join(vertex, part.parts)
        for vertex, part in list(self._parts.items()):
            self._attach(vertex, part)

    def _expand(self, prefix: Vertex, parts: tuple[Part, ...]) -> None:
        for part in parts:
            if not part.name:
                continue
            for index in self._indices(prefix, part):
                vertex = (*prefix, (part.name, index))
                self._parts[vertex] = part
                self._children[prefix].append(vertex)
                self._expand(vertex, part.parts)

    def _indices(self, prefix: Vertex, part: Part) -> Iterable[int]:
        """All copies of a part within a node; of nodes and what holds them only those that lead to an end."""
        depth = len(prefix)
        if part.copies <= _MAX_COPIES and not _holds_nodes(part):
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
                            self._channel(a, b, part)
                            if not part.get("directed"):
                                self._channel(b, a, part)
                            self._linked |= {a, b}
            elif part.kind == "network":
                for path in part.texts("attach"):
                    self._spokes(hub, self._select(prefix, path), part)
            elif part.kind == "interconnect":
                self._spokes(hub, self._processors(prefix), part)

    def _spokes(self, hub: Vertex, rim: Iterable[Vertex], part: Part) -> None:
        """Channels of a hub: the delay counts on the way in, so that a way through it bears it once."""
        for vertex in rim:
            own = self._parts[vertex].rate if self._parts[vertex].kind == "nic" else None
            rate = min(part.rate or math.inf, own or math.inf)
            delays = part if part.rate else self._parts[vertex]
            self._channel(vertex, hub, delays, rate)
            self._edge(hub, vertex, part.label, rate)

    def _attach(self, vertex: Vertex, part: Part) -> None:
        """Channels that go without saying: memory, storage and nics serve the processors beside them."""
        near = self._near(vertex)
        if part.kind == "memory":
            for processor in near:
                self._channel(processor, vertex, part)
                self._channel(vertex, processor, part)
        elif part.kind in ("disk", "store"):
            hubs = [door for path in part.texts("attach") for door in self._select(vertex[:-1], path)]
            read = part.number("read") or part.number("write")
            write = part.number("write") or read
            for other in hubs or near:
                self._channel(other, vertex, part, write)
                self._channel(vertex, other, part, read)
        elif part.kind == "nic" and vertex not in self._linked:
            for processor in near:
                self._edge(processor, vertex, part.label)
                self._edge(vertex, processor, part.label)
        elif part.kind == "node":
            self._share_memory(vertex)

    def _share_memory(self, node: Vertex) -> None:
        """Processors of a node that nothing else joins meet in its slowest memory."""
        processors = [vertex for vertex in self._processors(node) if self._parts[vertex].kind == "cpu"]
        if len(processors) < 2 or any(
            self._parts[other].kind in ("cpu", "interconnect", "switch")
            for vertex in processors
            for other, _ in self._edges[vertex]
        ):
            return
        memories = [
            part
            for vertex, part in self._parts.items()
            if vertex[: len(node)] == node and part.kind == "memory"
        ]
        rate = min((memory.rate or math.inf for memory in memories), default=math.inf)
        for first in processors:
            for second in processors:
                if first != second:
                    self._edge(first, second, "shared memory", rate)

    def _near(self, vertex: Vertex) -> list[Vertex]:
        """The processor that a part is in, else those beside it, else those further down."""
        holder = vertex[:-1]
        if holder in self._parts and self._parts[holder].kind not in _HOLDERS:
            return [holder]
        beside = [v for v in self._children[holder] if self._parts[v].kind in ("cpu", "gpu", "accel")]
        hosts = [v for v in beside if self._parts[v].kind == "cpu"]
        return hosts or beside or self._processors(holder)

    def _processors(self, prefix: Vertex) -> list[Vertex]:
        """The host processors below a part, or all processors where there is no host."""
        below = [vertex for vertex in self._parts if vertex[: len(prefix)] == prefix]
        hosts = [vertex for vertex in below if self._parts[vertex].kind == "cpu"]
        return hosts or [vertex for vertex in below if self._parts[vertex].kind in ("gpu", "accel")]

    def doors(self, vertex: Vertex) -> list[Vertex]:
        """Where channels of a part end: at itself, or at the processors of a part that holds others."""
        return self._processors(vertex) if self._parts[vertex].kind in _HOLDERS else [vertex]

    def _select(self, prefix: Vertex, path: str) -> list[Vertex]:
        found = [prefix]
        for step in steps(path):
            found = [
                child
                for vertex in found
                for child in self._children[vertex]
                if child[-1][0] == step.name
                and step.first <= child[-1][1] <= (math.inf if step.last is None else step.last)
            ]
        return [door for vertex in found for door in self.doors(vertex)]

    def _channel(self, a: Vertex, b: Vertex, part: Part, rate: float | None = None) -> None:
        latency, overhead = part.number("latency", 0.0) or 0.0, part.number("overhead", 0.0) or 0.0
        self._edge(a, b, part.label, rate or part.rate or math.inf, latency, overhead)

    def _edge(
        self,
        a: Vertex,
        b: Vertex,
        via: str,
        rate: float = math.inf,
        latency: float = 0.0,
        overhead: float = 0.0,
    ) -> None:
        hop = Hop(via, _text(a, self._parts), _text(b, self._parts), rate, latency, overhead)
        self._edges[a].append((b, hop))

    def shortest(self, starts: list[Vertex], goals: list[Vertex]) -> tuple[Hop, ...] | None:
        """Dijkstra; only processors of the host and what is made for passing data on may lie between."""
        order = count()  # of equal ways the first found wins; ways themselves have no order
        queue: list[tuple[float, int, Vertex, tuple[Hop, ...]]]
        queue = [(0.0, next(order), start, ()) for start in starts]
        done: set[Vertex] = set()
        while queue:
            cost, _, vertex, hops = heapq.heappop(queue)
            if vertex in goals:
                return hops
            if vertex in done or (hops and not self._passes(vertex)):
                continue
            done.add(vertex)
            for other, hop in self._edges[vertex]:
                if other not in done:
                    step = hop.latency + hop.overhead + _USUAL_BYTES / hop.bandwidth
                    heapq.heappush(queue, (cost + step, next(order), other, (*hops, hop)))
        return None

    def _passes(self, vertex: Vertex) -> bool:
        """Whether data may go through: a gpu passes on only what its own memory sends or gets."""
        return self._parts[vertex].kind in _PASSABLE or any(
            end[: len(vertex)] == vertex for end in self._ends
        )


def _holds_nodes(part: Part) -> bool:
    return part.kind == "node" or any(_holds_nodes(child) for child in part.parts)

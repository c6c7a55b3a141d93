"""The way of a message through a machine.

A way is looked for once for each kind of pair: ways between other nodes differ in the instances that they
name and in the wires of networks, which are computed. So asking for all pairs of a large machine stays cheap.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dlc.diagnostics import DlcError, SourceLoc
from dlc.hwspec.graph import Channel, Graph, Names, Step, holds_nodes
from dlc.hwspec.networks import Hop, Member, Network, Vertex
from dlc.hwspec.parts import Part, Placed, select, steps


def seconds(hops: Iterable[Hop], size: float) -> float:
    """Time of one message that flows through all hops at once: all delays, and the slowest channel."""
    hops = tuple(hops)
    slowest = min((hop.bandwidth for hop in hops), default=math.inf)
    return sum(hop.latency + hop.overhead for hop in hops) + size / slowest


@dataclass(frozen=True)
class _End:
    """One instance: its steps, the paths of all that lead to it, and how many of those lead to a node."""

    vertex: Vertex
    paths: tuple[str, ...]
    depth: int


@dataclass(frozen=True)
class _Place:
    """An instance of a way that was found for other nodes: `rest` below the first `depth` steps of an end."""

    end: int
    depth: int
    rest: Vertex
    text: str
    part: Part | None

    def path(self, ends: tuple[_End, _End]) -> str:
        return (ends[self.end].paths[self.depth - 1] if self.depth else "") + self.text

    def vertex(self, ends: tuple[_End, _End]) -> Vertex:
        return ends[self.end].vertex[: self.depth] + self.rest


@dataclass(frozen=True)
class _Channel:
    """A channel of such a way."""

    channel: Channel
    source: _Place
    target: _Place
    link: tuple[_Place | str, ...]

    def hops(self, ends: tuple[_End, _End]) -> tuple[Hop, ...]:
        channel = self.channel
        link = tuple(word if isinstance(word, str) else word.path(ends) for word in self.link)
        source, target = self.source.path(ends), self.target.path(ends)
        rate, latency = channel.bandwidth, channel.latency
        return (Hop(channel.via, source, target, rate, latency, channel.overhead, link, channel.shared),)


@dataclass(frozen=True)
class _Crossing:
    """A crossing of such a way; a place without a part is the middle of the network."""

    network: Network
    place: _Place
    source: _Place
    target: _Place

    def hops(self, ends: tuple[_End, _End]) -> tuple[Hop, ...]:
        path, above = self.place.path(ends), len(self.place.vertex(ends)) - 1
        a, b = self._member(self.source, ends, above), self._member(self.target, ends, above)
        if a is not None and b is not None:
            return self.network.hops(path, a, b)
        end = a or b
        assert end is not None, "a crossing has a member at one end at least"
        return (self.network.spoke(path, end, inward=b is None),)

    def _member(self, place: _Place, ends: tuple[_End, _End], above: int) -> Member | None:
        if place.part is None:
            return None
        number = self.network.number(place.vertex(ends)[above:])
        assert number is not None, "the network attaches equal parts of all nodes alike"
        return Member(number, place.path(ends), place.part)


class Router:
    """Finds ways through the machine of a resolved `tree`."""

    def __init__(self, tree: tuple[Part, ...], placed: tuple[Placed, ...], loc: SourceLoc) -> None:
        self._tree = tree
        self._loc = loc
        self.networks: dict[Names, Network] = {
            tuple(part.name for part in (*entry.parents, entry.part)): Network(
                entry.part,
                entry.parents[-1].parts if entry.parents else tree,
                not any(parent.kind == "node" for parent in entry.parents),
            )
            for entry in placed
            if entry.part.kind == "network"
        }
        self._alike = _is_regular(placed, self.networks.values())
        self._found: dict[tuple[Vertex, Vertex], tuple[_Channel | _Crossing, ...] | None] = {}

    def route(self, a: str, b: str) -> tuple[Hop, ...]:
        """The fastest way between two instances; a node or socket stands for a processor in it."""
        ends = (self._end(a), self._end(b))
        if ends[0].vertex == ends[1].vertex:
            return ()
        pair = _canonical(*ends) if self._alike else (ends[0].vertex, ends[1].vertex)
        if pair not in self._found:
            self._found[pair] = self._find(pair, (ends[0].depth, ends[1].depth))
        way = self._found[pair]
        if way is None:
            fix = "add a `link` or a `network`"
            raise DlcError("DLC405", f"nothing joins `{a}` and `{b}`", loc=self._loc, help=fix)
        return tuple(hop for step in way for hop in step.hops(ends))

    def _end(self, path: str) -> _End:
        selected = select(self._tree, path, self._loc)
        if selected.count != 1:
            message = f"`{path}` selects {selected.count} parts"
            raise DlcError("DLC405", message, loc=self._loc, help="select one, `[0]`")
        parts = (*selected.parents, selected.part)
        vertex = tuple((step.name, step.first) for step in steps(path))
        texts: list[str] = []
        for part, (name, index) in zip(parts, vertex, strict=True):
            step = name if part.count is None else f"{name}[{index}]"
            texts.append(f"{texts[-1]}.{step}" if texts else step)
        return _End(vertex, tuple(texts), sum(1 for _ in _leading(parts)))

    def _find(
        self, pair: tuple[Vertex, Vertex], depths: tuple[int, int]
    ) -> tuple[_Channel | _Crossing, ...] | None:
        graph = Graph(self._tree, pair, self.networks)
        starts, goals = graph.doors(pair[0]), graph.doors(pair[1])
        way = graph.shortest(starts[0], goals[0]) if starts and goals else None
        return None if way is None else tuple(_general(step, graph, pair, depths) for step in way)


def _leading(parts: tuple[Part, ...]) -> Iterator[Part]:
    """The parts of a path up to its node."""
    for part in parts:
        if not holds_nodes(part):
            return
        yield part


def _canonical(a: _End, b: _End) -> tuple[Vertex, Vertex]:
    """The first pair of the same kind: other nodes, but the same parts in them, and as much in common."""
    first: list[tuple[str, int]] = [(name, 0) for name, _ in a.vertex[: a.depth]]
    second: list[tuple[str, int]] = []
    for depth, (name, index) in enumerate(b.vertex[: b.depth]):
        beside = a.vertex[:depth] == b.vertex[:depth] and a.vertex[depth : depth + 1]
        rival = bool(beside) and beside[0][0] == name and beside[0][1] != index
        second.append((name, int(rival)))
    return (*first, *a.vertex[a.depth :]), (*second, *b.vertex[b.depth :])


def _general(
    step: Step, graph: Graph, pair: tuple[Vertex, Vertex], depths: tuple[int, int]
) -> _Channel | _Crossing:
    """A step of a way between the `pair`, with its instances relative to the nodes of the pair."""

    def place(vertex: Vertex, *, middle: bool = False) -> _Place:
        shared = [
            max(depth for depth in range(most + 1) if vertex[:depth] == end[:depth])
            for end, most in zip(pair, depths, strict=True)
        ]
        end = 0 if shared[0] >= shared[1] else 1
        depth = shared[end]
        text = graph.text(vertex)
        above = graph.text(vertex[:depth]) if depth else ""
        part = None if middle else graph.parts[vertex]
        return _Place(end, depth, vertex[depth:], text[len(above) :], part)

    if isinstance(step, Channel):
        link = tuple(word if isinstance(word, str) else place(word) for word in step.link)
        return _Channel(step, place(step.source), place(step.target), link)
    hub = step.place
    source, target = (place(vertex, middle=vertex == hub) for vertex in (step.source, step.target))
    return _Crossing(step.network, place(hub), source, target)


def _is_regular(placed: tuple[Placed, ...], networks: Iterable[Network]) -> bool:
    """Whether what joins nodes joins all of them alike, so that equal pairs of nodes have equal ways."""
    chosen = (
        entry.part.texts("ends") + entry.part.texts("attach")
        for entry in placed
        if not any(parent.kind == "node" for parent in entry.parents)
    )
    explicit = any(step.last is not None for paths in chosen for path in paths for step in steps(path))
    shaped = [
        network for network in networks if network.part.text("topology") not in ("star", "rail_optimised")
    ]
    return not explicit and len(shaped) <= 1

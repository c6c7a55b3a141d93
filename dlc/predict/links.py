"""The network of a machine as the rounds of a collective load it: its shape, its wires, the ports of nodes.

Loads do not depend on the size of messages, so they are found once for each kind of round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from dlc.hwspec.model import Machine
from dlc.hwspec.networks import Hop, Network
from dlc.hwspec.parts import Placed, select
from dlc.hwspec.topologies import Dragonfly, FatTree, Rails, Star, Topology, Torus
from dlc.predict.rounds import GOLDEN, Round

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

_EACH = 4096  # up to so many ranks every message is looked at, beyond so many from port to port
_PAIRS = 1 << 18  # up to so many pairs of ports likewise when all send to all; beyond, so many stand for all
_FEWEST = 8  # but at least so many for each port


@dataclass(frozen=True)
class Shape:
    """A network of nodes that have so many ports each, in a row; ranks of a node share them evenly."""

    topology: Topology
    ports: int = 1
    half: bool = False


@dataclass(frozen=True)
class Links:
    """A network with its name and figures: B/s of a port and of an inner wire, in one direction.

    In a torus, where parts are routers, ports are what leads to them in their nodes, and may have no limit.
    `hop` is the delay of an inner wire in seconds; `usual` of them are in the latency of the wire that ranks
    see.
    """

    shape: Shape
    name: str
    port: float
    inner: float
    hop: float = 0.0
    usual: int = 0

    def scaled(self, rate: float = 1.0, delay: float = 1.0) -> Links:
        """The network with all rates and all delays multiplied."""
        return replace(self, port=self.port * rate, inner=self.inner * rate, hop=self.hop * delay)


@dataclass(frozen=True)
class Load:
    """What the messages of a round load: the fullest port and inner wire, in messages.

    `wires` is the most inner wires on a way and `mean` their mean, `local` counts messages within nodes, and
    `reach` the others by the farthest kind of wire that they use.
    """

    port: float
    inner: float
    wires: int
    mean: float
    local: float
    reach: tuple[tuple[str, float], ...]


KNOWN = (Star, FatTree, Rails, Torus, Dragonfly)


@lru_cache(maxsize=1 << 14)
def load(shape: Shape, width: int, ranks: int, entry: Round, distance: int) -> Load:
    """What one round over one distance loads, with `width` ranks on each node, whatever the size is."""
    if entry.block:
        return Load(0.0, 0.0, 0, 0.0, entry.senders(distance, ranks), ())
    from dlc.predict.spread import spread

    everybody = entry.pattern == "all"
    if everybody:
        source, target, messages, total = _everybody(shape, width, ranks)
    else:
        source, target, messages, total = _some(shape, width, ranks, entry, distance)
    away = source // shape.ports != target // shape.ports
    local = total - float(messages[away].sum())
    every = 1.0
    if everybody:
        full, rest = divmod(ranks, width)
        local = full * width * (width - 1.0) + rest * (rest - 1.0)
        every = (total - local) / float(messages[away].sum())
    if not away.any():
        return Load(0.0, 0.0, 0, 0.0, local, ())
    found = spread(shape.topology, source[away], target[away], messages[away])
    # Some messages do not fill wires as evenly as all do; only a torus with ends is fullest in its middle.
    uneven = isinstance(shape.topology, Torus) and _has_ends(shape.topology, ranks // width * shape.ports)
    mean = every > 1 and not uneven
    inner = max((wires.fullest(half=shape.half, mean=mean) for wires in found.inner), default=0.0)
    ports = found.ports.fullest(half=shape.half, mean=every > 1)
    reach = tuple((name, every * count) for name, count in found.reach.items())
    passed = found.passed / float(messages[away].sum())
    return Load(every * ports, every * inner, found.most, passed, local, reach)


def _has_ends(torus: Torus, parts: int) -> bool:
    return not torus.wrap or parts < torus.places


def _some(
    shape: Shape, width: int, ranks: int, entry: Round, distance: int
) -> tuple[Ints, Ints, Floats, float]:
    """Ports that send, those that receive, messages from one to the other, and how many there are in all."""
    starts, messages = _starts(shape, width, ranks, entry, distance)
    ends = entry.targets(starts, ranks, distance)
    starts, ends, messages = starts[ends >= 0], ends[ends >= 0], messages[ends >= 0]
    alone = entry.pattern == "tree" or entry.every > 1
    total = entry.senders(distance, ranks) if alone else float(messages.sum())
    source, target = _port(shape, width, starts), _port(shape, width, ends)
    return (target, source, messages, total) if entry.upward else (source, target, messages, total)


def _port(shape: Shape, width: int, ranks: Ints) -> Ints:
    return ranks // width * shape.ports + ranks % width * shape.ports // width


def _lanes(shape: Shape, width: int) -> list[int]:
    """The first rank of a node at each port that is in use."""
    ports = min(shape.ports, width)
    return [-(-port * width // ports) for port in range(ports)]


def _starts(shape: Shape, width: int, ranks: int, entry: Round, distance: int) -> tuple[Ints, Floats]:
    """Ranks that stand for those after them up to the next: all that leave a node by one port for another.

    Ranks that send within their node may be left out.
    """
    import numpy as np

    if ranks <= _EACH:
        return np.arange(ranks), np.ones(ranks)
    nodes = np.arange(0, ranks, width)
    bounds = (nodes[:, None] + np.array(_lanes(shape, width))).reshape(-1)
    bounds = bounds[bounds < ranks]
    if entry.leaders:
        return nodes, np.ones(len(nodes))
    if entry.stride > 1:
        return bounds, np.diff(bounds, append=ranks).astype(np.float64)
    if entry.pattern == "tree" or entry.every > 1:
        period = 2 * distance if entry.pattern == "tree" else entry.every
        if distance >= width:
            alone = np.arange(0, ranks, period)
        else:  # only one message can pass the border between two nodes
            alone = np.unique(np.append(nodes[1:] - 1, ranks - 1) // period * period)
        return alone, np.ones(len(alone))
    power = np.array([1 << (ranks.bit_length() - 1)])
    if entry.pattern == "shift":
        cuts = [bounds, (bounds - distance) % ranks, np.array([ranks - distance])]
    elif width % (2 * distance) == 0:
        cuts = [bounds[:1], power]
    elif distance % width == 0:
        cuts = [bounds, power]
    else:
        blocks = np.arange(0, ranks, distance) if distance >= width else bounds // distance * distance
        cuts = [bounds, bounds - distance, bounds + distance, blocks, blocks + distance, power]
    places = np.sort(np.concatenate(cuts), kind="stable")  # of sorted pieces
    places = places[(places >= 0) & (places < ranks) & np.append(places[1:] != places[:-1], True)]
    return places, np.diff(places, append=ranks).astype(np.float64)


def _everybody(shape: Shape, width: int, ranks: int) -> tuple[Ints, Ints, Floats, float]:
    """The same when all send to all; beyond so many pairs of ports, for some distances between nodes."""
    import numpy as np

    nodes, lanes = -(-ranks // width), np.array(_lanes(shape, width))
    first = (np.arange(nodes)[:, None] * width + lanes).reshape(-1)
    first = first[first < ranks]
    share = np.diff(first, append=ranks).astype(np.float64)
    number = np.arange(len(first))
    if len(first) ** 2 <= _PAIRS:
        a, b = np.repeat(number, len(first)), np.tile(number, len(first))
    else:
        # Each node looks at other distances, spread evenly, so that together they look at all.
        few = max(_FEWEST, _PAIRS // (len(first) * len(lanes)))
        node = np.repeat(np.arange(nodes), few)
        place = np.tile(np.arange(few), nodes) + node * GOLDEN % 1
        other = (node + 1 + (place * (nodes - 1) / few).astype(np.int64)) % nodes
        pairs = np.arange(len(lanes) ** 2)
        a = (node[:, None] * len(lanes) + pairs // len(lanes)).reshape(-1)
        b = (other[:, None] * len(lanes) + pairs % len(lanes)).reshape(-1)
        known = (a < len(first)) & (b < len(first))
        a, b = a[known], b[known]
    source, target = _port(shape, width, first[a]), _port(shape, width, first[b])
    return source, target, share[a] * share[b], ranks * (ranks - 1.0)


def links_of(machine: Machine) -> Links | None:
    """The one network that joins the nodes of a machine, if it joins the same ports of each, node by node."""
    nodes = machine.of_kind("node")
    count = sum(node.copies for node in nodes)
    ways = _ways(machine, nodes)
    used = {hop.link[0] for way in ways for hop in way if hop.link} & machine.networks().keys()
    if len(used) != 1:
        return None
    name = str(used.pop())
    network = machine.networks()[name]
    ports = network.size // count
    crossings = [[hop for hop in way if hop.link[:1] == (name,)] for way in ways]
    if not _is_regular(machine, network, nodes, ports) or not all(hop.shared for hop in crossings[0]):
        return None
    # In a torus the parts are the routers, elsewhere the first and the last wire lead to a part.
    ends = 0 if isinstance(network.topology, Torus) else 1
    inner = [hop for crossing in crossings for hop in crossing[1 : len(crossing) - ends]]
    outer = [hop.bandwidth for way in ways for hop in way if ends or hop.link[:1] != (name,)]
    stated = network.bisection() / network.derived_bisection
    return Links(
        Shape(network.topology, ports, half=len(crossings[0][0].link) == 2),
        network.part.label,
        port=min(outer) if outer else math.inf,
        inner=network.rate * min(1.0, stated),
        hop=max((hop.latency for hop in inner), default=0.0),
        usual=max(len(crossing) - 1 - ends for crossing in crossings),
    )


def _ways(machine: Machine, nodes: list[Placed]) -> list[tuple[Hop, ...]]:
    """The ways from the first node on which the latency between nodes stands."""
    first = _instance(nodes[0].path, 0)
    return [
        machine.path(first, _instance(node.path, other))
        for node in nodes
        if node.copies > 1 or node is not nodes[0]
        for other in sorted({node.part.copies // 2, node.part.copies - 1})
    ]


def _instance(path: str, last: int) -> str:
    """The first instance of every level, and of the innermost the one with index `last`."""
    head, star, tail = path.rpartition("[*]")
    return head.replace("[*]", "[0]") + (f"[{last}]" if star else "") + tail


def _is_regular(machine: Machine, network: Network, nodes: list[Placed], ports: int) -> bool:
    """Whether the parts of a network are so many ports of each node in turn; a stated star is no wires."""
    topology, paths = network.topology, network.part.texts("attach")
    if not isinstance(topology, KNOWN) or len(paths) != len(nodes) or not ports:
        return False
    if isinstance(topology, Star) and network.bisection() < network.derived_bisection:
        return False
    return all(
        path.startswith(node.path) and select(machine.tree, path, machine.loc).count == node.copies * ports
        for path, node in zip(paths, nodes, strict=True)
    )

"""Times of collective operations among ranks that fill the host cores node by node.

Two levels, each a latency, an overhead per message and bandwidths: ranks of one node share its memory, nodes
share the network. Pure functions of a `Fabric`.
"""

import math
from dataclasses import dataclass

from dlc.hwspec.parts import Part, Placed, walk
from dlc.hwspec.routes import Router


@dataclass(frozen=True)
class Channel:
    """What ranks share, in B/s: `pair` bounds the rate of one rank, `total` that of all ranks of a node."""

    latency: float
    overhead: float
    pair: float
    total: float


@dataclass(frozen=True)
class Fabric:
    """A machine as ranks see it.

    `cores` is per node, `bisection` the rate in B/s between the halves of all nodes, in one direction.
    """

    nodes: int
    cores: int
    local: Channel
    remote: Channel
    bisection: float = math.inf

    def spread(self, ranks: int) -> tuple[int, float]:
        """Nodes in use and ranks on each when `ranks` fill the machine node by node."""
        nodes = min(self.nodes, -(-ranks // self.cores))
        return nodes, ranks / nodes


def host_memory(node: Part) -> int:
    """Bytes of memory in a node that is no processor's own."""
    return sum(placed.copies * int(placed.part.number("capacity", 0) or 0) for placed in _host_memories(node))


def _host_memories(node: Part) -> list[Placed]:
    return [
        placed
        for placed in walk(node.parts)
        if placed.part.kind == "memory"
        and not any(parent.kind in ("gpu", "accel") for parent in placed.parents)
    ]


def fabric(placed: tuple[Placed, ...], router: Router) -> Fabric:
    """The two channels; where nodes differ, the slowest of each."""
    nodes = [entry for entry in placed if entry.part.kind == "node"]
    cores = [
        sum(
            cpu.copies * int(cpu.part.number("cores", 0) or 0)
            for cpu in walk(node.part.parts)
            if cpu.part.kind == "cpu"
        )
        for node in nodes
    ]
    local = min((_local(node.part) for node in nodes), key=lambda channel: channel.total)
    count = sum(node.copies for node in nodes)
    remote, bisection = (local, math.inf) if count == 1 else _remote(nodes, router)
    return Fabric(count, max(1, min(cores)), local, remote, bisection)


def _local(node: Part) -> Channel:
    # A byte that passes from rank to rank through memory is read once and written once.
    memory = sum(entry.copies * (entry.part.rate or 0.0) for entry in _host_memories(node)) / 2 or math.inf
    medium = next((entry.part for entry in walk(node.parts) if entry.part.kind == "interconnect"), None)
    if medium is None:
        return Channel(0.0, 0.0, memory, memory)
    pair = min(medium.rate or math.inf, memory)
    return Channel(medium.number("latency", 0.0) or 0.0, medium.number("overhead", 0.0) or 0.0, pair, memory)


def _remote(nodes: list[Placed], router: Router) -> tuple[Channel, float]:
    """The channel between nodes, and the rate between halves of them."""
    first = _instance(nodes[0].path, 0)
    ways = [
        router.route(first, _instance(node.path, other))
        for node in nodes
        if node.copies > 1 or node is not nodes[0]
        # On a torus the last node is the neighbour of the first.
        for other in {node.part.copies // 2, node.part.copies - 1}
    ]
    used = {hop.via for way in ways for hop in way}
    networks = [entry for entry in router.networks.values() if entry.joins_nodes and entry.part.label in used]
    pair = min(hop.bandwidth for way in ways for hop in way)
    interfaces = max(1, sum(entry.size for entry in networks) // sum(node.copies for node in nodes))
    latency = max(sum(hop.latency for hop in way) for way in ways)
    overhead = max(sum(hop.overhead for hop in way) for way in ways)
    bisection = min((entry.bisection() for entry in networks), default=math.inf)
    return Channel(latency, overhead, pair, pair * interfaces), bisection


def _instance(path: str, last: int) -> str:
    """One instance of a pattern: the first of every level, and of the innermost the one with index `last`."""
    head, star, tail = path.rpartition("[*]")
    return head.replace("[*]", "[0]") + (f"[{last}]" if star else "") + tail


def exchange_seconds(fabric: Fabric, bytes_per_rank: float, ranks: int) -> float:
    """All-to-all: every rank sends an equal share to every rank; what stays in a node overlaps the rest."""
    if ranks <= 1:
        return 0.0
    nodes, width = fabric.spread(ranks)
    share = bytes_per_rank / ranks
    within = _flood(fabric.local, width - 1, width, share)
    if nodes == 1:
        return within
    # Nodes in use have their share of the bisection; half of the ranks send to the other half.
    crossing = (ranks / 2) ** 2 * share / (fabric.bisection * nodes / fabric.nodes)
    return max(within, _flood(fabric.remote, ranks - width, width, share), crossing)


def _flood(channel: Channel, peers: float, senders: float, share: float) -> float:
    """`senders` ranks of a node send `share` bytes to each of `peers` others."""
    if peers <= 0:
        return 0.0
    volume = peers * share
    return (
        channel.latency
        + peers * channel.overhead
        + max(volume / channel.pair, senders * volume / channel.total)
    )


def broadcast_seconds(fabric: Fabric, size: float, ranks: int) -> float:
    """One to all: first to one rank of every node, then within the nodes."""
    if ranks <= 1:
        return 0.0
    nodes, width = fabric.spread(ranks)
    return _broadcast(fabric.remote, size, nodes) + _broadcast(fabric.local, size, math.ceil(width))


def _broadcast(channel: Channel, size: float, ranks: int) -> float:
    """The better of a binomial tree and of a scatter followed by a ring all-gather."""
    if ranks <= 1:
        return 0.0
    delay, rounds = channel.latency + channel.overhead, math.ceil(math.log2(ranks))
    tree = rounds * (delay + size / channel.pair)
    ring = (rounds + ranks - 1) * delay + 2 * size * (ranks - 1) / ranks / channel.pair
    return min(tree, ring)

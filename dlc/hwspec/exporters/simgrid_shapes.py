"""The network of a machine as one of SimGrid's clusters: equal hosts, and one latency for all wires."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from dlc.diagnostics import DlcError
from dlc.hwspec import topologies
from dlc.hwspec.model import Machine
from dlc.hwspec.networks import Network
from dlc.hwspec.parts import Part, Placed, select, steps

_SAMPLE = 512
"""Ways that are looked at to find the longest; the shapes look alike from every part."""

_MAX_TORUS = 1 << 20
"""Places of a torus, which are numbered one by one."""


@dataclass(frozen=True)
class Wires:
    """The network of the platform: what joins how many hosts, each by `width` wires."""

    network: Network
    hosts: int
    width: int

    @cached_property
    def delays(self) -> Part:
        """What says how wires behave."""
        return self.network.part if self.network.part.rate else self.network.ends[0]

    @property
    def latency(self) -> float:
        """Seconds for each wire of the longest way."""
        total = sum(self.delays.number(name, 0.0) or 0.0 for name in ("latency", "overhead"))
        size = self.network.size
        others = range(1, size, -(-size // _SAMPLE))
        way = max((self.network.topology.way(0, other) for other in (*others, size - 1)), key=len)
        total += (self.delays.number("hop", 0.0) or 0.0) * sum(wire.inner for wire in way)
        return total / len(way)

    @property
    def policy(self) -> str:
        return "SHARED" if self.delays.text("duplex") == "half" else "SPLITDUPLEX"


def find_wires(machine: Machine, nodes: list[Placed]) -> Wires | None:
    """The fastest network that joins all nodes, None for a single node."""
    total = sum(node.copies for node in nodes)
    if total == 1:
        return None
    found: list[Wires] = []
    for placed in machine.of_kind("network"):
        siblings = placed.parents[-1].parts if placed.parents else machine.tree
        network = Network(placed.part, siblings)
        hosts = _joined(network)
        if hosts == total and network.size % hosts == 0:
            found.append(Wires(network, hosts, network.size // hosts))
    if not found:
        raise DlcError(
            "DLC418",
            f"no one network joins all nodes of {machine.name}",
            loc=machine.loc,
            help="SimGrid's clusters need one `network` that attaches every node",
        )
    # Accelerators may have a network of their own; messages between hosts take that of their interfaces.
    return max(found, key=lambda wires: (_joins_hosts(wires.network), wires.network.rate * wires.width))


def _joins_hosts(network: Network) -> bool:
    return all(part.kind in ("nic", "node") for part in network.ends)


def _joined(network: Network) -> int:
    """Nodes that a network joins; a node with several interfaces counts once."""
    nodes = 0
    seen: set[str] = set()
    for path in network.part.texts("attach"):
        selected = select(network.siblings, path, network.part.loc)
        holder = next((part for part in selected.parents if part.kind == "node"), selected.part)
        head = path.partition(f"{holder.name}[")[2].partition("]")[0]
        if (key := f"{holder.name}[{head}]") not in seen:
            seen.add(key)
            depth = selected.parents.index(holder) + 1 if holder in selected.parents else None
            spans = zip(steps(path)[:depth], (*selected.parents, selected.part), strict=False)
            nodes += math.prod((p.copies - 1 if s.last is None else s.last) - s.first + 1 for s, p in spans)
    return nodes


@dataclass(frozen=True)
class Shape:
    """SimGrid's name of a shape, its parameters, how many hosts it has places for, and their numbers."""

    topology: str
    parameters: str
    places: int
    numbered: str = ""

    @property
    def numbers(self) -> str:
        return self.numbered or f"0-{self.places - 1}"


def shape_of(machine: Machine, wires: Wires) -> Shape:
    """The shape as SimGrid has it. Raises DLC418."""
    shape, width = wires.network.topology, wires.width
    match shape:
        case topologies.Rails(rails, tree) if rails == width:
            # A host hangs on one leaf of each rail; SimGrid's spines then join the leaves of one rail.
            units = tree.down[1] // rails
            parameters = f"2;{tree.down[0]},{units};{rails},{tree.up[0]};1,1"
            return Shape("FAT_TREE", parameters, tree.down[0] * units)
        case topologies.FatTree(down, up) if down[0] % width == 0:
            levels = len(down)
            children = _needed((down[0] // width, *down[1:]), wires.hosts)
            below = ",".join(map(str, children))
            above = ",".join(map(str, (1, *up)))
            cables = ",".join(map(str, (width, *([1] * (levels - 1)))))
            return Shape("FAT_TREE", f"{levels};{below};{above};{cables}", math.prod(children))
        case topologies.Torus(dims, wrap) if width == 1 and math.prod(_rings(dims, wrap=wrap)) <= _MAX_TORUS:
            return _torus(dims, wrap=wrap)
        case topologies.Dragonfly(groups, routers, hosts, links) if hosts % width == 0:
            nodes = hosts // width
            places = groups * routers * nodes
            if groups <= routers:
                parameters = f"{groups},{max(1, shape.pair)};1,1;{routers},1;{nodes}"
                return Shape("DRAGONFLY", parameters, places)
            # There a router leads to one other group at most. A tree of groups has as many wires between.
            return Shape("FAT_TREE", f"2;{routers * nodes},{groups};1,{routers * links};1,1", places)
        case _:
            text = wires.network.part.text("topology")
            raise DlcError(
                "DLC418",
                f"SimGrid has no cluster for the {text} of {machine.name} with {width} wires a node",
                loc=wires.network.part.loc,
                help="it has stars, fat trees, dragonflies, and tori of one wire a node and 2^20 places",
            )


def _needed(down: tuple[int, ...], hosts: int) -> tuple[int, ...]:
    """The children of the switches of each level without those, from the top, below which no host is."""
    found = list(down)
    for level in reversed(range(len(down))):
        found[level] = -(-hosts // math.prod(down[:level]))
        if found[level] > 1:
            break
    return tuple(found)


def _rings(dims: tuple[int, ...], *, wrap: bool) -> tuple[int, ...]:
    return dims if wrap else tuple(2 * extent - 1 for extent in dims)


def _torus(dims: tuple[int, ...], *, wrap: bool) -> Shape:
    """A torus; one that does not close is a corner of one that does.

    Rings of 2 n - 1 parts never lead n neighbours round the back, so ways and wires are those of the open
    axis. SimGrid goes along that axis first which it numbers fastest, so its places get dlc's numbers one by
    one; those outside the corner get the numbers that follow.
    """
    rings = _rings(dims, wrap=wrap)
    strides = [math.prod(dims[axis + 1 :]) for axis in range(len(dims))]
    numbers: list[str] = []
    outside = math.prod(dims)
    for backward in product(*(range(extent) for extent in reversed(rings))):
        point = backward[::-1]
        if all(index < extent for index, extent in zip(point, dims, strict=True)):
            numbers.append(str(sum(index * stride for index, stride in zip(point, strides, strict=True))))
        else:
            numbers.append(str(outside))
            outside += 1
    return Shape("TORUS", ",".join(map(str, rings)), len(numbers), ",".join(numbers))

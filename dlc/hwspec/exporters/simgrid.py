"""A machine as a SimGrid platform (DTD version 4.1): a cluster of hosts for the nodes, one host a store.

SimGrid's hosts have equal cores and no accelerators or memory: those stand as properties. Its clusters know
one latency for all wires; it is chosen so that the longest way is right. Overheads become latency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from xml.sax.saxutils import quoteattr

from dlc.diagnostics import DlcError
from dlc.hwspec import topologies
from dlc.hwspec.collectives import host_memory
from dlc.hwspec.model import Machine, cores_below
from dlc.hwspec.networks import Network
from dlc.hwspec.parts import Part, Placed, Table, select, walk

_HEAD = '<?xml version="1.0"?>\n<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">\n'
_FREE = '<link id="joint" bandwidth="1e+18Bps" latency="0s" sharing_policy="FATPIPE"/>'
"""Joins zones whose own links bear all costs."""

_SAMPLE = 512
"""Ways that are looked at to find the longest; the shapes look alike from every part."""


@dataclass(frozen=True)
class _Wires:
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


def write(machine: Machine) -> dict[str, str]:
    """The platform. Raises DLC418 for nodes of unknown speed, and for networks that SimGrid does not have."""
    nodes = machine.of_kind("node")
    wires = _wires(machine, nodes)
    zones: list[tuple[str, list[str], str]] = []  # name, lines, gateway
    if wires is None:
        (node,) = nodes
        zones.append(("nodes", _host(node), f"{node.part.name}-0"))
    else:
        zones += _clusters(machine, nodes, wires)
    attached = wires.network.part.name if wires else ""
    for store in machine.of_kind("store"):
        if attached and any(path.partition("[")[0] == attached for path in store.part.texts("attach")):
            zones.append((f"{store.part.name}-zone", list(_store(store.part)), store.part.name))
    lines = [f"    {line}" for _, zone, _ in zones for line in zone]
    if len(zones) > 1:
        lines.append(f"    {_FREE}")
    for index, (name, _, gateway) in enumerate(zones):
        for other, _, entrance in zones[index + 1 :]:
            ends = f'src="{name}" dst="{other}" gw_src="{gateway}" gw_dst="{entrance}"'
            lines.append(f'    <zoneRoute {ends}><link_ctn id="joint"/></zoneRoute>')
    notes = "".join(f"<!-- {note} -->\n" for note in _notes(machine, wires))
    body = "\n".join(['  <zone id="world" routing="Full">', *lines, "  </zone>"])
    return {f"{machine.name}.xml": f'{_HEAD}{notes}<platform version="4.1">\n{body}\n</platform>\n'}


def _notes(machine: Machine, wires: _Wires | None) -> Iterator[str]:
    yield f"Machine {machine.name}, fingerprint {machine.fingerprint}"
    if wires and not isinstance(wires.network.topology, topologies.Star):
        spare = _topology(machine, wires)[2] - wires.hosts
        if spare:
            yield f"Places without a node, which are the last hosts: {spare}"
        if _topology(machine, wires)[0].lower() != wires.network.part.text("topology"):
            yield "SimGrid has no such network: a tree with as many wires between its leaves stands for it."
    for placed in machine.of_kind("cpu"):
        if not _stated_rate(placed.part):
            yield f"{placed.path} has no rate: two operations a cycle are taken"
    for network in machine.of_kind("network"):
        if wires and network.part is not wires.network.part and not network.parents:
            yield f"Left out: network {network.part.name}"


def _wires(machine: Machine, nodes: list[Placed]) -> _Wires | None:
    """The fastest network that joins all nodes, None for a single node."""
    total = sum(node.copies for node in nodes)
    if total == 1:
        return None
    found: list[_Wires] = []
    for placed in machine.of_kind("network"):
        siblings = placed.parents[-1].parts if placed.parents else machine.tree
        network = Network(placed.part, siblings)
        hosts = _joined(network)
        if hosts == total and network.size % hosts == 0:
            found.append(_Wires(network, hosts, network.size // hosts))
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
            inner = (
                selected.parents[selected.parents.index(holder) + 1 :] if holder in selected.parents else ()
            )
            below = 1
            for part in (*inner, selected.part) if holder is not selected.part else ():
                below *= part.copies
            nodes += selected.count // below
    return nodes


def _clusters(machine: Machine, nodes: list[Placed], wires: _Wires) -> list[tuple[str, list[str], str]]:
    """The zones of the nodes: one cluster a kind of node for a star, one for all otherwise."""
    shape = wires.network.topology
    bandwidth = wires.network.rate
    common = f'lat="{wires.latency!r}s" sharing_policy="{wires.policy}"'
    if isinstance(shape, topologies.Star):
        bandwidth *= wires.width
        zones: list[tuple[str, list[str], str]] = []
        for node in nodes:
            name = node.part.name
            head = f'<cluster id="{name}" prefix="{name}-" suffix="" radical="0-{node.copies - 1}"'
            lines = [f'{head} {_speed(node)} bw="{bandwidth!r}Bps" {common}>', *_properties(node)]
            zones.append((name, [*lines, "</cluster>"], f"{name}-{name}_router"))
        return zones
    topology, parameters, places = _topology(machine, wires)
    # SimGrid's structured clusters are of equal hosts, so the slowest node speaks for all.
    node = min(nodes, key=lambda node: _rate(node) / cores_below(node.part))
    name = node.part.name
    head = f'<cluster id="{name}" prefix="{name}-" suffix="" radical="0-{places - 1}" {_speed(node)}'
    wire = f'bw="{bandwidth!r}Bps" {common} topology="{topology}" topo_parameters="{parameters}"'
    return [(name, [f"{head} {wire}>", *_properties(node), "</cluster>"], f"{name}-0")]


def _topology(machine: Machine, wires: _Wires) -> tuple[str, str, int]:
    """SimGrid's name of the shape, its parameters, and the hosts that it has places for."""
    shape, width = wires.network.topology, wires.width
    match shape:
        case topologies.Rails(rails, tree) if rails == width:
            # A host hangs on one leaf of each rail; SimGrid's spines then join the leaves of one rail.
            units = tree.down[1] // rails
            return "FAT_TREE", f"2;{tree.down[0]},{units};{rails},{tree.up[0]};1,1", tree.down[0] * units
        case topologies.FatTree(down, up) if down[0] % width == 0:
            levels = len(down)
            below = ",".join(map(str, (down[0] // width, *down[1:])))
            above = ",".join(map(str, (1, *up)))
            cables = ",".join(map(str, (width, *([1] * (levels - 1)))))
            return "FAT_TREE", f"{levels};{below};{above};{cables}", shape.places // width
        case topologies.Torus(dims, True) if width == 1:
            # SimGrid numbers the first axis fastest.
            return "TORUS", ",".join(map(str, reversed(dims))), shape.places
        case topologies.Dragonfly(groups, routers, hosts, links) if hosts % width == 0:
            nodes = hosts // width
            if groups <= routers:
                parameters = f"{groups},{max(1, shape.pair)};1,1;{routers},1;{nodes}"
                return "DRAGONFLY", parameters, groups * routers * nodes
            # There a router leads to one other group at most. A tree of groups has as many wires between.
            uplinks = routers * links
            return "FAT_TREE", f"2;{routers * nodes},{groups};1,{uplinks};1,1", groups * routers * nodes
        case _:
            text = wires.network.part.text("topology")
            raise DlcError(
                "DLC418",
                f"SimGrid has no cluster for the {text} of {machine.name} with {width} wires a node",
                loc=wires.network.part.loc,
                help="it has stars, fat trees, closed tori with one wire a node, and dragonflies",
            )


def _rate(node: Placed) -> float:
    """FLOP/s of the host processors of one node, in f64."""
    total = 0.0
    for placed in walk(node.part.parts):
        if placed.part.kind == "cpu":
            rate = _stated_rate(placed.part) or _least_rate(placed.part)
            if not rate:
                raise DlcError(
                    "DLC418",
                    f"{placed.part.label} has neither a rate nor a clock, and SimGrid's hosts need a speed",
                    loc=placed.part.loc,
                    help="add `compute = { f64: … FLOP/s }` or `clock = …`",
                )
            total += placed.copies * rate
    return total


def _stated_rate(cpu: Part) -> float:
    compute = cpu.get("compute")
    rate = compute.get("f64") if isinstance(compute, Table) else None
    return rate.value if rate else 0.0


def _least_rate(cpu: Part) -> float:
    """One multiplication and one addition a cycle, which every core can do."""
    return 2 * (cpu.number("cores", 0) or 0) * (cpu.number("clock", 0) or 0)


def _speed(node: Placed) -> str:
    """SimGrid's speed is that of one core."""
    cores = cores_below(node.part)
    return f'speed="{_rate(node) / cores!r}f" core="{cores}"'


def _host(node: Placed) -> list[str]:
    host = f'<host id="{node.part.name}-0" {_speed(node)}>'
    return [
        '<zone id="nodes" routing="Full">',
        f"  {host}",
        *(f"  {p}" for p in _properties(node)),
        "  </host>",
        "</zone>",
    ]


def _properties(node: Placed) -> Iterator[str]:
    entries = {"memory_bytes": host_memory(node.part)}
    for kind in ("gpu", "accel"):
        count = sum(placed.copies for placed in walk(node.part.parts) if placed.part.kind == kind)
        entries |= {kind: count} if count else {}
    for name, value in entries.items():
        yield f'  <prop id={quoteattr(name)} value="{value}"/>'


def _store(store: Part) -> Iterator[str]:
    """A host that computes nothing, with a disk."""
    read = store.number("read") or store.number("write") or 0.0
    write_ = store.number("write") or read
    yield f'<zone id="{store.name}-zone" routing="Full">'
    yield f'  <host id="{store.name}" speed="1f">'
    yield f'    <disk id="{store.name}-disk" read_bw="{read!r}Bps" write_bw="{write_!r}Bps"/>'
    yield "  </host>"
    yield "</zone>"

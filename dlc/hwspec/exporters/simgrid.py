"""A machine as a SimGrid platform (DTD version 4.1): a cluster or a zone of hosts, and a host for each store.

SimGrid's hosts have equal cores and no accelerators or memory: those stand as properties. Its clusters know
one latency for all wires; it is chosen so that the longest way is right. Overheads become latency.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from dlc.diagnostics import DlcError
from dlc.hwspec import topologies
from dlc.hwspec.collectives import host_memory
from dlc.hwspec.exporters import simgrid_switches
from dlc.hwspec.exporters.simgrid_shapes import Wires, find_wires, shape_of
from dlc.hwspec.model import Machine, cores_below
from dlc.hwspec.parts import Part, Placed, Table, walk

_HEAD = '<?xml version="1.0"?>\n<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">\n'
_FREE = '<link id="joint" bandwidth="1e+18Bps" latency="0s" sharing_policy="FATPIPE"/>'
"""Joins zones whose own links bear all costs."""


def write(machine: Machine) -> dict[str, str]:
    """The platform. Raises DLC418 for nodes of unknown speed, and for networks that SimGrid does not have."""
    nodes = machine.of_kind("node")
    routers = [] if machine.networks() else simgrid_switches.routers(machine)
    wires = None if routers else find_wires(machine, nodes)
    zones: list[tuple[str, list[str], str]] = []  # name, lines, gateway
    if routers:
        zones.append(("nodes", list(_switched(machine, nodes, routers)), routers[0]))
    elif wires is None:
        (node,) = nodes
        zones.append(("nodes", _host(node), f"{node.part.name}-0"))
    else:
        zones += _clusters(machine, nodes, wires)
    attached = {wires.network.part.name} if wires else {name.rpartition("-")[0] for name in routers}
    for store in machine.of_kind("store"):
        if any(path.partition("[")[0] in attached for path in store.part.texts("attach")):
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


def _notes(machine: Machine, wires: Wires | None) -> Iterator[str]:
    yield f"Machine {machine.name}, fingerprint {machine.fingerprint}"
    if wires and not isinstance(wires.network.topology, topologies.Star):
        shape = shape_of(machine, wires)
        if spare := shape.places - wires.hosts:
            yield f"Places without a node, which have the highest numbers: {spare}"
        if shape.topology.lower() != wires.network.part.text("topology"):
            yield "SimGrid has no such network: a tree with as many wires between its leaves stands for it."
    for placed in machine.of_kind("cpu"):
        if not _stated_rate(placed.part):
            yield f"{placed.path} has no rate: two operations a cycle are taken"
    for network in machine.of_kind("network"):
        if wires and network.part is not wires.network.part and not network.parents:
            yield f"Left out: network {network.part.name}"


def _switched(machine: Machine, nodes: list[Placed], routers: list[str]) -> Iterator[str]:
    """The zone of nodes and switches that links join."""
    yield '<zone id="nodes" routing="Dijkstra">'
    for node in nodes:
        for index in range(node.copies):
            yield f'  <host id="{node.part.name}-{index}" {_speed(node)}>'
            yield from (f"  {line}" for line in _properties(node))
            yield "  </host>"
    yield from (f'  <router id="{name}"/>' for name in routers)
    yield from (f"  {line}" for line in sorted(simgrid_switches.links(machine)))
    yield "</zone>"


def _clusters(machine: Machine, nodes: list[Placed], wires: Wires) -> list[tuple[str, list[str], str]]:
    """The zones of the nodes: one cluster a kind of node for a star, one for all otherwise."""
    bandwidth = wires.network.rate
    common = f'lat="{wires.latency!r}s" sharing_policy="{wires.policy}"'
    if isinstance(wires.network.topology, topologies.Star):
        bandwidth *= wires.width
        zones: list[tuple[str, list[str], str]] = []
        for node in nodes:
            name = node.part.name
            head = f'<cluster id="{name}" prefix="{name}-" suffix="" radical="0-{node.copies - 1}"'
            lines = [f'{head} {_speed(node)} bw="{bandwidth!r}Bps" {common}>', *_properties(node)]
            zones.append((name, [*lines, "</cluster>"], f"{name}-{name}_router"))
        return zones
    shape = shape_of(machine, wires)
    # SimGrid's structured clusters are of equal hosts, so the slowest node speaks for all.
    node = min(nodes, key=lambda node: _rate(node) / cores_below(node.part))
    name = node.part.name
    head = f'<cluster id="{name}" prefix="{name}-" suffix="" radical="{shape.numbers}" {_speed(node)}'
    wire = f'bw="{bandwidth!r}Bps" {common} topology="{shape.topology}" topo_parameters="{shape.parameters}"'
    return [(name, [f"{head} {wire}>", *_properties(node), "</cluster>"], f"{name}-0")]


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

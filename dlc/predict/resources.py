"""What a gang of ranks has at hand on a machine: cores, memory, links, storage, and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Part, Placed, Quantity, Table, walk
from dlc.predict.links import Links, links_of
from dlc.predict.network import Network, Wire, wire

_CORE_FLOPS = 10e9  # of a core whose rate the description leaves out
_MEMORY_RATE = 20e9  # likewise, of a node's memory


@dataclass(frozen=True)
class Device:
    """A processor with a memory of its own: FLOP/s by element type, bytes and B/s of its memory."""

    kind: str
    count: int
    flops: dict[str, float]
    memory: float
    rate: float
    launch: float

    def peak(self, dtype: str) -> float:
        """FLOP/s for an element type, or for the nearest one that the description has."""
        if dtype in self.flops:
            return self.flops[dtype]
        return max(self.flops.values(), default=_CORE_FLOPS)


@dataclass(frozen=True)
class Resources:
    """A machine of equal nodes as a gang sees it, in base units; `device` is what tensors run on, per node.

    `read` and `write` are B/s of storage: of one node, and of all nodes together.
    """

    machine: str
    nodes: int
    cores: int
    clock: float
    core_flops: float
    memory: float
    memory_rate: float
    local: Wire
    remote: Wire
    read: tuple[float, float]
    write: tuple[float, float]
    device: Device | None = None
    watts: float | None = None
    hourly: float | None = None
    currency: str = ""
    bisection: float = math.inf
    links: Links | None = None

    @staticmethod
    def of(machine: Machine) -> Resources:
        """The resources of a machine; where nodes differ, those of the smallest."""
        fabric = machine.fabric
        nodes = machine.of_kind("node")
        node = min(nodes, key=lambda entry: _memory(entry.part)[0])
        cpus = [entry for entry in walk(node.part.parts) if entry.part.kind == "cpu"]
        flops = sum(entry.copies * _rates(entry.part).get("f64", 0.0) for entry in cpus)
        cores = sum(entry.copies * int(entry.part.number("cores", 0) or 0) for entry in cpus)
        capacity, rate = _memory(node.part)
        price = machine.price_per_node_hour
        links = links_of(machine) if fabric.nodes > 1 else None
        network = links.name if links else _first_label(machine, "network")
        return Resources(
            machine=machine.name,
            nodes=fabric.nodes,
            cores=fabric.cores,
            clock=max((entry.part.number("clock", 0.0) or 0.0 for entry in cpus), default=0.0),
            core_flops=flops / cores if flops and cores else _CORE_FLOPS,
            memory=capacity,
            memory_rate=rate or _MEMORY_RATE,
            local=wire(_label(node, "interconnect") or "memory", fabric.local),
            remote=wire(network or "network", fabric.remote),
            read=_storage(machine, node, "read", "write"),
            write=_storage(machine, node, "write", "read"),
            device=device_of(node),
            watts=machine.power.busy / fabric.nodes or None,
            hourly=price.value if price else None,
            currency=price.unit.partition("/")[0] if price else "",
            bisection=machine.bisection(),
            links=links,
        )

    def place(self, ranks: int) -> Placement:
        """Where so many ranks go that fill the machine node by node; beyond its cores they share them."""
        nodes = min(self.nodes, -(-ranks // self.cores))
        width = -(-ranks // nodes)
        remote, links = (self.remote, self.links) if nodes > 1 else (self.local, None)
        network = Network(self.local, remote, width, self.bisection, links)
        return Placement(ranks, nodes, width, self.cores / width, network)

    def scaled(self, resource: str, factor: float) -> Resources:
        """The machine with one resource so many times as fast; see `SCALABLE`."""
        match resource:
            case "processors":
                return replace(self, core_flops=self.core_flops * factor, clock=(self.clock or 1e9) * factor)
            case "memory":
                return replace(self, memory_rate=self.memory_rate * factor)
            case "storage":
                read, write = self.read, self.write
                return replace(
                    self,
                    read=(read[0] * factor, read[1] * factor),
                    write=(write[0] * factor, write[1] * factor),
                )
            case "latency":
                return replace(
                    self,
                    local=self.local.scaled(delay=1 / factor),
                    remote=self.remote.scaled(delay=1 / factor),
                    links=self.links and self.links.scaled(delay=1 / factor),
                )
            case _:
                return replace(
                    self,
                    local=self.local.scaled(factor),
                    remote=self.remote.scaled(factor),
                    bisection=self.bisection * factor,
                    links=self.links and self.links.scaled(factor),
                )


SCALABLE = ("processors", "memory", "network", "latency", "storage")
"""What `Resources.scaled` can change."""


@dataclass(frozen=True)
class Placement:
    """Ranks on nodes: `width` on each, with `threads` cores for every rank (less than 1 when they share)."""

    ranks: int
    nodes: int
    width: int
    threads: float
    network: Network


def _rates(part: Part) -> dict[str, float]:
    compute = part.get("compute")
    entries = compute.entries if isinstance(compute, Table) else ()
    return {name: rate.value for name, rate in entries if isinstance(rate, Quantity)}


def _memory(node: Part) -> tuple[float, float]:
    """Bytes and B/s of the host memories of a node."""
    capacity = rate = 0.0
    for entry in walk(node.parts):
        if entry.part.kind == "memory" and not any(p.kind in ("gpu", "accel") for p in entry.parents):
            capacity += entry.copies * (entry.part.number("capacity", 0.0) or 0.0)
            rate += entry.copies * (entry.part.rate or 0.0)
    return capacity, rate


def device_of(node: Placed) -> Device | None:
    """The first kind of device in a node."""
    for entry in walk(node.part.parts):
        if entry.part.kind in ("gpu", "accel"):
            memories = [below for below in walk(entry.part.parts) if below.part.kind == "memory"]
            return Device(
                entry.part.kind,
                entry.copies,
                _rates(entry.part),
                sum(below.copies * (below.part.number("capacity", 0.0) or 0.0) for below in memories),
                sum(below.copies * (below.part.rate or 0.0) for below in memories),
                entry.part.number("launch", 0.0) or 0.0,
            )
    return None


def _storage(machine: Machine, node: Placed, wanted: str, other: str) -> tuple[float, float]:
    """B/s of one node and of all: of the file system they share, else of the disks in the nodes."""
    for store in machine.of_kind("store"):
        if rate := store.part.number(wanted, store.part.number(other)):
            return rate, rate
    for disk in walk(node.part.parts):
        if disk.part.kind == "disk" and (rate := disk.part.number(wanted, disk.part.number(other))):
            return disk.copies * rate, math.inf
    return math.inf, math.inf


def _label(node: Placed, kind: str) -> str:
    return next((entry.part.label for entry in walk(node.part.parts) if entry.part.kind == kind), "")


def _first_label(machine: Machine, kind: str) -> str:
    return next((entry.part.label for entry in machine.of_kind(kind)), "")

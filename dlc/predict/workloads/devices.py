"""The devices of a machine as a parallel program sees them: how many, how fast, how they are joined."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Placed, walk
from dlc.predict.network import Network, Segment, Wire
from dlc.predict.resources import Device, device_of
from dlc.predict.workloads.grammar import wrong


@dataclass(frozen=True)
class Devices:
    """All gpus (or accelerators) of a machine, node by node, and what a node costs an hour and draws."""

    device: Device
    nodes: int
    network: Network
    hourly: float | None
    currency: str
    watts: float | None

    @property
    def count(self) -> int:
        """Devices of the whole machine."""
        return self.nodes * self.device.count

    def peak(self, dtype: str) -> float:
        """FLOP/s of a device for an element type. Raises DLC524 where the machine does not say."""
        if dtype not in self.device.flops:
            known = ", ".join(self.device.flops)
            raise wrong(f"the machine gives no FLOP/s for `{dtype}`", None, f"write one of {known}")
        return self.device.flops[dtype]

    def lacking(self, wanted: Iterable[int], machine: str) -> list[str]:
        """A warning for each number of devices that the machine does not have."""
        have = f"{machine} has {self.count:,}"
        return [f"{count:,} devices are asked for; {have}" for count in wanted if count > self.count]


def devices(machine: Machine) -> Devices:
    """The devices of the first kind of node that has any. Raises DLC524 for a machine without."""
    for node in machine.of_kind("node"):
        device = device_of(node)
        if device is not None:
            price = machine.price_per_node_hour
            return Devices(
                device,
                node.copies,
                _network(machine, node, device),
                price.value if price else None,
                price.unit.partition("/")[0] if price else "",
                machine.power.busy / machine.fabric.nodes or None,
            )
    raise wrong(
        f"machine {machine.name} has no gpu or accelerator", None, "name another machine with --machine"
    )


def _network(machine: Machine, node: Placed, device: Device) -> Network:
    """Wires from the ways between two devices of a node, and between those of two nodes."""
    first = next(
        entry.path for entry in walk(node.part.parts, f"{node.path}.") if entry.part.kind == device.kind
    )
    here = _instance(first, 0, 0)
    away = _interfaces(machine, node)
    remote = _wire(machine, here, _instance(first, 1, 0), away) if node.copies > 1 else None
    local = _wire(machine, here, _instance(first, 0, 1), device.count) if device.count > 1 else remote
    if local is None:
        local = Wire("device", (Segment(math.inf, 0.0, 0.0, 0.0, math.inf),))
    return Network(local, remote or local, device.count, machine.bisection())


def _wire(machine: Machine, a: str, b: str, lanes: int) -> Wire:
    hops = machine.path(a, b)
    slowest = min(hops, key=lambda hop: hop.bandwidth)
    latency, overhead = sum(hop.latency for hop in hops), sum(hop.overhead for hop in hops)
    figures = Segment(math.inf, latency, overhead, overhead, slowest.bandwidth)
    return Wire(slowest.via, (figures,), slowest.bandwidth * lanes)


def _interfaces(machine: Machine, node: Placed) -> int:
    """Ports by which a node hangs on the networks that join nodes."""
    ports = sum(network.size for network in machine.networks().values())
    return max(1, ports // max(1, node.copies))


def _instance(path: str, node: int, device: int) -> str:
    """One instance of a pattern: of its ranges the first counts nodes and the last one devices."""
    head, star, tail = path.partition("[*]")
    if not star:
        return path
    middle, last, end = tail.rpartition("[*]")
    if not last:
        return f"{head}[{node}]{tail}" if node else f"{head}[{device}]{tail}"
    return f"{head}[{node}]{middle.replace('[*]', '[0]')}[{device}]{end}"

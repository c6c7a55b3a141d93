"""Seconds of one step on the machine at hand: roofline and Amdahl's law for work, rounds for collectives.

A class of operators takes `t0 + max(flops / rate, bytes / bandwidth) · (φ + (1 − φ) / p)` on p cores, with
its own coefficients; a step adds what its collective and its files take.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from dlc.predict.coefficients import Coefficient, Coefficients
from dlc.predict.collectives import Choice, choose
from dlc.predict.fragments import Work
from dlc.predict.network import Wire
from dlc.predict.prediction import Demand
from dlc.predict.resources import Placement, Resources

PROCESSORS, MEMORY, STORAGE, OVERHEAD = "processors", "memory", "storage", "overhead"


@dataclass
class Cost:
    """What one instruction takes: seconds by resource, seconds by class, bytes by class of link."""

    parts: dict[str, float] = field(default_factory=dict[str, float])
    classes: dict[str, float] = field(default_factory=dict[str, float])
    traffic: dict[str, float] = field(default_factory=dict[str, float])
    demands: list[Demand] = field(default_factory=list[Demand])
    flops: float = 0.0
    algorithm: str = ""

    @property
    def seconds(self) -> float:
        return sum(self.parts.values())

    def send(self, total: float) -> None:
        """Bytes over all links as they are known to be, spread as they are predicted to."""
        predicted = sum(self.traffic.values())
        if predicted:
            self.traffic = {name: size * total / predicted for name, size in self.traffic.items()}

    def add(self, part: str, seconds: float, kind: str = "") -> None:
        """Count seconds under a resource, and under a class of operators."""
        if seconds:
            self.parts[part] = self.parts.get(part, 0.0) + seconds
            self.classes[kind or part] = self.classes.get(kind or part, 0.0) + seconds


class Pricer:
    """Prices work and collectives of a gang that lies on a machine in one way."""

    def __init__(self, resources: Resources, coefficients: Coefficients, placement: Placement) -> None:
        self.resources = resources
        self.coefficients = coefficients
        self.placement = placement

    def work(self, work: Sequence[Work], cost: Cost) -> None:
        """Add what operators take on the slowest rank."""
        place = self.placement
        for entry in work:
            cost.flops += entry.flops
            shared = Demand(entry.kind, entry.calls, entry.split, entry.flops, place.ranks * place.threads)
            copied = Demand(entry.kind, 0.0, entry.whole, 0.0, place.threads)
            # Cores of a node share its memory, which bounds them all together.
            self._demand(shared, shared.nbytes / place.nodes, cost)
            self._demand(copied, copied.nbytes * place.width, cost)

    def _demand(self, demand: Demand, through_memory: float, cost: Cost) -> None:
        """Add a demand, of which so many bytes go through the memory of each node."""
        if not (demand.calls or demand.nbytes or demand.flops):
            return
        figures = self._figures(demand.kind)
        rate = self.resources.core_flops * figures.efficiency
        at_cores = max(demand.flops / rate, demand.nbytes / figures.rate) * demand.share(figures.serial)
        at_memory = through_memory / self.resources.memory_rate
        cost.demands.append(demand)
        cost.add(OVERHEAD, demand.calls * figures.seconds, demand.kind)
        cost.add(PROCESSORS if at_cores >= at_memory else MEMORY, max(at_cores, at_memory), demand.kind)

    def _figures(self, kind: str) -> Coefficient:
        return self.coefficients.of(kind, self.resources.clock)

    def collective(self, operation: str, size: float, cost: Cost) -> None:
        """Add the best algorithm of a collective; see `collectives.ALGORITHMS` for what `size` means."""
        place = self.placement
        if place.ranks > 1:
            self.chosen(choose(operation, place.ranks, size, place.network), cost)

    def chosen(self, choice: Choice, cost: Cost) -> None:
        """Add a collective whose algorithm is known."""
        between = self.placement.nodes > 1
        link = self.placement.network.remote if between else self.placement.network.local
        cost.add(link.name, choice.seconds)
        cost.algorithm = choice.algorithm
        for name, size in choice.traffic.items():
            cost.traffic[name] = cost.traffic.get(name, 0.0) + size

    def message(self, size: float, wire: Wire, cost: Cost) -> None:
        """Add one message from a rank to another."""
        cost.add(wire.name, wire.seconds(size))
        cost.traffic[wire.name] = cost.traffic.get(wire.name, 0.0) + size

    def storage(self, size: float, rates: tuple[float, float], nodes: int, cost: Cost) -> None:
        """Add the transfer of `size` bytes between storage and so many nodes."""
        each, together = rates
        seconds = size / min(each * nodes, together)
        if size and not math.isinf(together if math.isinf(each) else each):
            cost.add(STORAGE, seconds)
            cost.traffic[STORAGE] = cost.traffic.get(STORAGE, 0.0) + size

    def tensor(self, flops: float, nbytes: float, dtype: str, cost: Cost, *, calls: int = 1) -> None:
        """Add `calls` of a tensor fragment on every rank; `flops` and `nbytes` are those of one call."""
        device = self.resources.device
        figures = self._figures("tensor")
        if device is None:
            place = self.placement
            rate = self.resources.core_flops * (2 if dtype == "f32" else 1) * place.threads
            bandwidth = min(self.resources.memory_rate / place.width, figures.rate)
            launch = figures.seconds
        else:
            rate, bandwidth, launch = device.peak(dtype), device.rate or math.inf, device.launch
        compute, memory = calls * flops / (rate * figures.efficiency), calls * nbytes / bandwidth
        cost.flops += calls * flops * self.placement.ranks
        cost.demands.append(Demand("tensor", calls, calls * nbytes, calls * flops, 1.0))
        cost.add(OVERHEAD, calls * launch, "tensor")
        cost.add(PROCESSORS if compute >= memory else MEMORY, max(compute, memory), "tensor")

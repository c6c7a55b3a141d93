"""Seconds of one step on the machine at hand: roofline and Amdahl's law for work, rounds for collectives.

Work of a class takes `t0 + max(amount / rate · (φ + (1 − φ) / p), bytes / bandwidth)` on a rank of p threads,
with coefficients of its own; a step adds what its collective and its files take.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dlc.predict.coefficients import HOLDS, IN_BYTES, PASSES, QUEUE, WAITS, WINDOW, Coefficients
from dlc.predict.collectives import Choice, choose
from dlc.predict.frames import Work
from dlc.predict.modules import ModuleCost
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


def working_memory(demands: Iterable[Demand]) -> float:
    """Bytes that a rank needs while it works, beside its inputs and outputs."""
    held = passing = waiting = 0.0
    threads = 1.0
    for demand in demands:
        held += HOLDS.get(demand.kind, 0.0) * demand.amount
        passing += PASSES.get(demand.kind, 0.0) * demand.amount
        waiting += WAITS.get(demand.kind, 0.0) * demand.amount
        threads = max(threads, demand.threads)
    return held + min(passing, WINDOW * threads) + min(waiting, QUEUE)


class Pricer:
    """Prices work and collectives of a gang that lies on a machine in one way."""

    def __init__(self, resources: Resources, coefficients: Coefficients, placement: Placement) -> None:
        self.resources = resources
        self.coefficients = coefficients
        self.placement = placement

    def work(self, work: Sequence[Work], cost: Cost) -> None:
        """Add what work takes on the slowest rank."""
        place = self.placement
        for entry in work:
            cost.flops += entry.flops
            amount = entry.split / place.ranks + entry.whole
            nbytes = amount if entry.kind in IN_BYTES else 0.0
            self._demand(Demand(entry.kind, entry.calls, amount, place.threads), nbytes, cost)

    def _demand(self, demand: Demand, nbytes: float, cost: Cost) -> None:
        """Add a demand that takes so many bytes through memory, which the cores of a node share."""
        if not (demand.calls or demand.amount):
            return
        figures = self.coefficients.of(demand.kind, self.resources.clock)
        calls, at_cores = demand.seconds(figures.seconds, figures.rate, figures.serial)
        at_memory = nbytes * self.placement.width / self.resources.memory_rate
        cost.demands.append(demand)
        cost.add(OVERHEAD, calls, demand.kind)
        cost.add(PROCESSORS if at_cores >= at_memory else MEMORY, max(at_cores, at_memory), demand.kind)

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

    def kernel(self, module: ModuleCost, cost: Cost, *, calls: int = 1) -> None:
        """Add `calls` of a tensor fragment on every rank."""
        device, place = self.resources.device, self.placement
        cost.flops += calls * module.flops * place.ranks
        if device is not None:
            figures = self.coefficients.of("product")
            compute = module.flops / (device.peak(module.dtype) * figures.rate)
            memory = module.nbytes / (device.rate or math.inf)
            cost.add(OVERHEAD, calls * device.launch, "kernel")
            cost.add(PROCESSORS if compute >= memory else MEMORY, calls * max(compute, memory), "product")
            return
        peak = self.resources.core_flops * (2 if module.dtype == "f32" else 1)
        threads = min(1.0, place.threads)  # each rank computes with one thread
        for kind, amount, nbytes in (
            ("kernel", 0.0, 0.0),
            ("product", module.products / peak, 0.0),
            ("convolution", module.convolutions / peak, 0.0),
            ("elements", module.elements, module.nbytes),
        ):
            demand = Demand(kind, calls if kind == "kernel" else 0, calls * amount, threads)
            self._demand(demand, calls * nbytes, cost)

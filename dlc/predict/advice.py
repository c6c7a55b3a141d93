"""What bounds a run, and what would help: the same plan on machines with one thing changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from dlc.hwspec.model import Machine
from dlc.predict.coefficients import Coefficients
from dlc.predict.prediction import Advice, Prediction
from dlc.predict.resources import SCALABLE, Resources
from dlc.predict.simulate import simulate

if TYPE_CHECKING:
    from dlc.runtime.plan import Plan

_WORTH = 0.02  # changes that save less than this share of the time are left out


def advise(
    plan: Plan,
    machine: Machine | Resources,
    coefficients: Coefficients | None = None,
    *,
    ranks: int | None = None,
    compiled: Collection[str] = (),
) -> Prediction:
    """As `simulate`, with `advice`: what doubling each resource, and other ranks, would bring; best first."""
    resources = machine if isinstance(machine, Resources) else Resources.of(machine)
    found = simulate(plan, resources, coefficients, ranks=ranks, compiled=compiled)
    known, resources = _of_one_clock(coefficients or Coefficients(), resources)
    count = ranks or plan.world_size
    options = [(_SENTENCES[name], resources.scaled(name, 2.0), count) for name in SCALABLE]
    options.append(("twice the ranks", resources, 2 * count))
    if count > 1:
        options.append(("half the ranks", resources, count // 2))
    advice = [
        Advice(change, simulate(plan, changed, known, ranks=number, compiled=compiled).seconds.value)
        for change, changed, number in options
    ]
    limit = found.seconds.value * (1 - _WORTH)
    useful = sorted((entry for entry in advice if entry.seconds < limit), key=lambda entry: entry.seconds)
    return replace(found, advice=tuple(useful))


def _of_one_clock(coefficients: Coefficients, resources: Resources) -> tuple[Coefficients, Resources]:
    """Where one does not tell its clock, it gets that of the other, so that faster processors count."""
    clock = resources.clock or coefficients.clock or 1e9
    return (
        replace(coefficients, clock=coefficients.clock or clock),
        replace(resources, clock=resources.clock or coefficients.clock or clock),
    )


_SENTENCES = {
    "processors": "processors of twice the speed",
    "memory": "memory of twice the bandwidth",
    "network": "links of twice the bandwidth",
    "latency": "links of half the latency",
    "storage": "storage of twice the bandwidth",
}

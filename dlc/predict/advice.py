"""What bounds a run, and what would help: the same plan on machines with one thing changed."""

from __future__ import annotations

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
) -> Prediction:
    """As `simulate`, with `advice`: what doubling each resource, and the ranks, would bring; best first."""
    resources = machine if isinstance(machine, Resources) else Resources.of(machine)
    found = simulate(plan, resources, coefficients, ranks=ranks)
    count = ranks or plan.world_size
    options = [(_SENTENCES[name], resources.scaled(name, 2.0), count) for name in SCALABLE] + [
        ("twice the ranks", resources, 2 * count)
    ]
    advice = [
        Advice(change, simulate(plan, changed, coefficients, ranks=number).seconds.value)
        for change, changed, number in options
    ]
    limit = found.seconds.value * (1 - _WORTH)
    useful = sorted((entry for entry in advice if entry.seconds < limit), key=lambda entry: entry.seconds)
    return replace(found, advice=tuple(useful))


_SENTENCES = {
    "processors": "processors of twice the speed",
    "memory": "memory of twice the bandwidth",
    "network": "links of twice the bandwidth",
    "latency": "links of half the latency",
    "storage": "storage of twice the bandwidth",
}

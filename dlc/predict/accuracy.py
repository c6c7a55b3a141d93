"""A run against its prediction: step by step, in total, and as an entry of the run history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlc.hwspec.model import Machine
from dlc.predict.coefficients import Coefficients
from dlc.predict.prediction import Prediction, Step
from dlc.predict.report import duration, seconds
from dlc.predict.simulate import simulate

if TYPE_CHECKING:
    from dlc.runtime.plan import Plan

Json = dict[str, Any]

_WAITING = ("shuffle", "range_shuffle", "all_gather", "gather", "broadcast", "all_reduce", "reduce", "recv")
"""Instructions in which a rank waits for others: the last one to arrive tells what they take by
themselves."""


@dataclass(frozen=True)
class Compared:
    """One instruction, predicted and measured; `step` is predicted from the measured rows."""

    step: Step
    predicted: float
    measured: float
    predicted_rows: float
    rows: float
    predicted_bytes: float
    nbytes: float


@dataclass(frozen=True)
class Comparison:
    """A run and its prediction. `machine` is the fingerprint of the machine's description."""

    prediction: Prediction
    measured: float
    memory: float
    steps: tuple[Compared, ...]
    machine: str
    clock: float

    @property
    def error(self) -> float:
        """Measured over predicted time, less 1."""
        return self.measured / self.prediction.seconds.value - 1 if self.prediction.seconds.value else 0.0

    def line(self) -> str:
        """One line for people."""
        inside = "" if self.measured in self.prediction.seconds else ", outside the interval"
        return (
            f"predicted {duration(self.prediction.seconds)}, took {seconds(self.measured)}: "
            f"{self.error:+.0%}{inside}"
        )

    def to_json(self) -> Json:
        """The comparison as JSON data: an entry of the run history."""
        found = self.prediction
        return {
            "program": found.program,
            "machine": {"name": found.machine, "fingerprint": self.machine, "clock": self.clock},
            "ranks": found.ranks,
            "predicted": found.seconds.value,
            "low": found.seconds.low,
            "high": found.seconds.high,
            "measured": self.measured,
            "predicted_memory": found.memory.get("host", 0.0) / max(1, found.ranks / found.nodes),
            "memory": self.memory,
            "steps": [_step_json(entry) for entry in self.steps],
        }


def _step_json(entry: Compared) -> Json:
    step = entry.step
    moving = sum(
        part for name, part in step.parts.items() if name not in ("processors", "memory", "overhead")
    )
    return {
        "gang": step.gang,
        "index": step.index,
        "op": step.op,
        "predicted": entry.predicted,
        "measured": entry.measured,
        "rows": [entry.predicted_rows, entry.rows],
        "bytes": [entry.predicted_bytes, entry.nbytes],
        "moving": moving,
        "demands": [[d.kind, d.calls, d.nbytes, d.flops, d.parallel] for d in step.demands],
    }


def compare(plan: Plan, machine: Machine, record: Json, coefficients: Coefficients) -> Comparison:
    """A run record (see `dlc.runtime.trace`) against what the plan was predicted to take on the machine."""
    ranks = [rank["instructions"] for rank in record["ranks"] if rank["instructions"]]
    prediction = simulate(plan, machine, coefficients)
    measured = {key: _measured(entries) for key, entries in _by_step(ranks).items()}
    steps = {(step.gang, step.index): step for step in prediction.steps}
    observed = {
        key: (_over_ranks(entries, "rows", steps[key].split), _over_ranks(entries, "bytes", steps[key].split))
        for key, entries in _by_step(ranks).items()
        if key in steps and steps[key].op != "read"
    }
    informed = simulate(plan, machine, coefficients, observed=observed)
    compared = [
        Compared(
            exact, step.seconds.value, measured[key], step.rows, observed.get(key, (0.0, 0.0))[0],
            step.bytes, observed.get(key, (0.0, 0.0))[1],
        )
        for step, exact in zip(prediction.steps, informed.steps, strict=True)
        if (key := (step.gang, step.index)) in measured
    ]  # fmt: skip
    begins = [entries[0]["start"] for entries in ranks]
    ends = [entries[-1]["start"] + entries[-1]["seconds"] for entries in ranks]
    return Comparison(
        prediction,
        max(ends, default=0.0) - min(begins, default=0.0),
        max((rank["peak_bytes"] for rank in record["ranks"]), default=0.0),
        tuple(compared),
        machine.fingerprint,
        max((cpu.part.number("clock", 0.0) or 0.0 for cpu in machine.of_kind("cpu")), default=0.0),
    )


def _by_step(ranks: Sequence[Sequence[Json]]) -> dict[tuple[str, int], list[Json]]:
    found: dict[tuple[str, int], list[Json]] = {}
    for entries in ranks:
        for entry in entries:
            found.setdefault((entry["gang"], entry["index"]), []).append(entry)
    return found


def _measured(entries: Sequence[Json]) -> float:
    times = [entry["seconds"] for entry in entries]
    return min(times) if entries[0]["op"] in _WAITING else max(times)


def _over_ranks(entries: Sequence[Json], name: str, split: bool) -> float:
    figures = [float(entry[name]) for entry in entries]
    return sum(figures) if split else max(figures)


def spread(errors: Sequence[float]) -> float:
    """Standard deviation of logarithms, some of which may be far off, about zero."""
    if not errors:
        return 0.0
    ordered = sorted(errors)
    middle = ordered[len(ordered) // 2]
    distances = sorted(abs(error - middle) for error in errors)
    return math.hypot(1.4826 * distances[len(distances) // 2], middle)

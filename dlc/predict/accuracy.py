"""A run against its prediction: step by step, in total, and as an entry of the run history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dlc.hwspec.model import Machine
from dlc.predict.coefficients import Coefficients
from dlc.predict.costs import MEMORY, OVERHEAD, PROCESSORS, STORAGE
from dlc.predict.prediction import START, Demand, Prediction, Step
from dlc.predict.report import duration, seconds
from dlc.predict.simulate import simulate

if TYPE_CHECKING:
    from dlc.runtime.plan import Plan

Json = dict[str, Any]

_WAITING = ("shuffle", "range_shuffle", "all_gather", "gather", "broadcast", "all_reduce", "reduce", "recv")
"""Instructions in which a rank waits for others: the last one to arrive tells what they take alone."""
_UNSEEN = ("read", "for")
"""Instructions whose rows the record does not tell: files are read later, and loops are lists."""
_RESOURCES = (PROCESSORS, MEMORY, OVERHEAD)
Key = tuple[str, int]


@dataclass(frozen=True)
class Compared:
    """One instruction of a gang, a loop with all that is in it: pairs are predicted and measured.

    `demands` and `moving` (seconds on links and storage) are worked out from the measured rows: calibration
    must not learn from wrong estimates.
    """

    gang: str
    index: int
    op: str
    seconds: tuple[float, float]
    rows: tuple[float, float]
    nbytes: tuple[float, float]
    sent: tuple[float, float]
    moving: float
    demands: tuple[Demand, ...]

    def to_json(self) -> Json:
        """The step as JSON data."""
        return {
            "gang": self.gang,
            "index": self.index,
            "op": self.op,
            "predicted": self.seconds[0],
            "measured": self.seconds[1],
            "rows": self.rows,
            "bytes": self.nbytes,
            "sent": self.sent,
            "moving": self.moving,
            "demands": [[d.kind, d.calls, d.amount, d.threads] for d in self.demands],
        }


@dataclass(frozen=True)
class Comparison:
    """A run and its prediction. `machine` is the fingerprint of the machine's description.

    `measured` counts from when the ranks know of each other to the end of the last instruction.
    """

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
            "predicted_memory": found.rank_memory,
            "memory": self.memory,
            "steps": [entry.to_json() for entry in self.steps],
        }


def compare(plan: Plan, machine: Machine, record: Json, coefficients: Coefficients) -> Comparison:
    """A run record (see `dlc.runtime.trace`) against what the plan was predicted to take on the machine.

    The prediction knows what could be known before the run: among it, which kernels XLA had compiled.
    """
    compiled = set(record["ranks"][0].get("loaded", ()))
    ranks = [rank["instructions"] for rank in record["ranks"] if rank["instructions"]]
    entries: dict[Key, list[Json]] = {}
    for entry in (entry for rank in ranks for entry in rank):
        entries.setdefault((entry["gang"], entry["index"]), []).append(entry)
    for rank in ranks:
        first = rank[0]
        start = {"op": "start", "seconds": first["start"], "rows": 0, "bytes": 0}
        entries.setdefault((first["gang"], START), []).append(start)
    prediction = simulate(plan, machine, coefficients, compiled=compiled)
    estimated = _by_instruction(prediction)
    observed = {
        key: (_over_ranks(found, "rows", steps[-1].split), _over_ranks(found, "bytes", steps[-1].split))
        for key, found in entries.items()
        if (steps := estimated.get(key)) and steps[-1].op not in _UNSEEN
    }
    known = {key: extent for key, extent in observed.items() if extent[0]}
    informed = _by_instruction(simulate(plan, machine, coefficients, observed=known, compiled=compiled))
    compared = [
        _compared(key, steps, informed[key], entries[key], observed.get(key, (0.0, 0.0)))
        for key, steps in estimated.items()
        if key in entries
    ]
    ends = [rank[-1]["start"] + rank[-1]["seconds"] for rank in ranks]
    return Comparison(
        prediction,
        max(ends, default=0.0),
        max((rank["peak_bytes"] for rank in record["ranks"]), default=0.0),
        tuple(compared),
        machine.fingerprint,
        max((cpu.part.number("clock", 0.0) or 0.0 for cpu in machine.of_kind("cpu")), default=0.0),
    )


def _by_instruction(prediction: Prediction) -> dict[Key, list[Step]]:
    """Steps of each instruction; those in the body of a loop count as the loop."""
    found: dict[Key, list[Step]] = {}
    for step in prediction.steps:
        found.setdefault((step.gang, step.index), []).append(step)
    return found


def _compared(
    key: Key,
    estimated: Sequence[Step],
    informed: Sequence[Step],
    entries: Sequence[Json],
    extent: tuple[float, float],
) -> Compared:
    moving = (seconds for step in informed for name, seconds in step.parts.items() if name not in _RESOURCES)
    return Compared(
        gang=key[0],
        index=key[1],
        op=entries[0]["op"],
        seconds=(sum(step.seconds.value for step in estimated), _measured(entries)),
        rows=(estimated[-1].rows, extent[0]),
        nbytes=(estimated[-1].bytes, extent[1]),
        sent=(
            sum(size for step in informed for name, size in step.traffic.items() if name != STORAGE),
            sum(float(entry.get("sent_bytes", 0)) for entry in entries),
        ),
        moving=sum(moving),
        demands=tuple(
            replace(demand, calls=demand.calls * step.times, amount=demand.amount * step.times)
            for step in informed
            for demand in step.demands
        ),
    )


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

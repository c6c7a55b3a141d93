"""How good predictions are: ``python benchmarks/predict_accuracy.py``.

TPC-H queries, single operators and training, at several sizes and numbers of ranks, are compiled, predicted
and run in processes of their own. Coefficients are fitted to some of the plans, and the others tell how far
off predictions of time, traffic and memory are: with estimated numbers of rows, as before a run, and with the
true ones. Every plan is held out once: as one of every second plan, and with all plans of its program; tables
of the middle size are held out all together. A full run writes ``benchmarks/results/prediction.md`` and
``.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "predict"))

from plans import Case, cases  # noqa: E402
from runs import measure, total, typical  # noqa: E402

from dlc import hwspec  # noqa: E402
from dlc.hwspec.model import Machine  # noqa: E402
from dlc.predict import Coefficients, Prediction, simulate  # noqa: E402
from dlc.predict.accuracy import Comparison, compare  # noqa: E402
from dlc.predict.calibration import fit  # noqa: E402
from dlc.runtime.plan import Plan, load  # noqa: E402

Json = dict[str, Any]

LARGE = 100_000  # bytes: of less, headers make up much
PROGRAM_FOLDS = 5


@dataclass
class Observed:
    """A plan, its typical run, and the median seconds of all of its runs."""

    case: Case
    plan: Plan
    comparison: Comparison
    seconds: float
    memory: float
    loaded: list[str]

    @property
    def entry(self) -> Json:
        return self.comparison.to_json()

    @property
    def rows(self) -> dict[tuple[str, int], tuple[float, float]]:
        """Rows and bytes that the instructions gave."""
        steps = self.comparison.steps
        return {(step.gang, step.index): (step.rows[1], step.nbytes[1]) for step in steps if step.rows[1]}


def observe(found: dict[Case, list[Json]], machine: Machine) -> list[Observed]:
    observed: list[Observed] = []
    for case, records in found.items():
        record, plan = typical(records), load(case.plan)
        observed.append(
            Observed(
                case,
                plan,
                compare(plan, machine, record, Coefficients()),
                median(total(entry) for entry in records),
                median(max(rank["peak_bytes"] for rank in entry["ranks"]) for entry in records),
                record["ranks"][0]["loaded"],
            )
        )
    return observed


@dataclass
class HeldOut:
    """A plan that its coefficients do not know, predicted with estimated and with true rows."""

    observed: Observed
    estimated: Prediction
    informed: Prediction


def by_plan(observed: Sequence[Observed]) -> Iterator[list[Observed]]:
    """Two halves of the plans, drawn at random."""
    shuffled = random.Random(1).sample(observed, len(observed))
    yield shuffled[::2]
    yield shuffled[1::2]


def by_program(observed: Sequence[Observed]) -> Iterator[list[Observed]]:
    """All sizes and numbers of ranks of some programs."""
    names = sorted({entry.case.program for entry in observed})
    shuffled = random.Random(1).sample(names, len(names))
    for fold in range(PROGRAM_FOLDS):
        yield [entry for entry in observed if entry.case.program in shuffled[fold::PROGRAM_FOLDS]]


def by_size(observed: Sequence[Observed]) -> Iterator[list[Observed]]:
    """The tables of the middle scale factor, if there are three or more."""
    sizes = sorted({float(entry.case.size[2:]) for entry in observed if entry.case.kind != "training"})
    if len(sizes) > 2:
        middle = f"sf{sizes[len(sizes) // 2]:g}"
        yield [entry for entry in observed if entry.case.size == middle]


def hold_out(
    observed: Sequence[Observed], folds: Iterator[list[Observed]], machine: Machine
) -> list[HeldOut]:
    found: list[HeldOut] = []
    for fold in folds:
        labels = {entry.case.label for entry in fold}
        known = fit([entry.entry for entry in observed if entry.case.label not in labels])
        for entry in fold:
            estimated = simulate(entry.plan, machine, known, compiled=entry.loaded)
            informed = simulate(entry.plan, machine, known, compiled=entry.loaded, observed=entry.rows)
            found.append(HeldOut(entry, estimated, informed))
    return found


def off(predicted: float, measured: float) -> float:
    """How far off, as a factor of at least 1, less 1."""
    low, high = sorted((max(predicted, 1e-9), max(measured, 1e-9)))
    return high / low - 1


def line(label: str, errors: Sequence[float]) -> str:
    ordered = sorted(errors)
    p90 = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    return f"| {label} | {len(ordered)} | {median(ordered):.1%} | {p90:.1%} |"


def report(observed: Sequence[Observed], machine: Machine, repeats: int) -> str:
    """The page of results."""
    halves = hold_out(observed, by_plan(observed), machine)
    programs = hold_out(observed, by_program(observed), machine)
    sizes = hold_out(observed, by_size(observed), machine)
    noise = [off(entry.comparison.measured, entry.seconds) for entry in observed]
    lines = [
        "# Predictions against runs",
        "",
        f"{len(observed)} plans, the median of {repeats} undisturbed runs each, on {os.cpu_count()} cores.",
        "Errors are factors less 1, of plans that did not calibrate the coefficients. Those that nothing has",
        "calibrated come, rounded, from a machine of this kind.",
        "",
        "| time | plans | median | 90 % |",
        "|---|---:|---:|---:|",
        line("half of the plans calibrate, rows estimated", [_time(h, h.estimated) for h in halves]),
        line("half of the plans calibrate, rows known", [_time(h, h.informed) for h in halves]),
        line("other programs calibrate, rows estimated", [_time(h, h.estimated) for h in programs]),
        line("other programs calibrate, rows known", [_time(h, h.informed) for h in programs]),
    ]
    if sizes:
        lines.append(line("other sizes calibrate, rows estimated", [_time(h, h.estimated) for h in sizes]))
    default = [off(entry.comparison.prediction.seconds.value, entry.seconds) for entry in observed]
    lines.append(line("nothing calibrates, rows estimated", default))
    for kind in sorted({entry.case.kind for entry in observed}):
        chosen = [_time(h, h.estimated) for h in halves if h.observed.case.kind == kind]
        lines.append(line(f"half, estimated: {kind}", chosen))
    for ranks in sorted({entry.case.ranks for entry in observed}):
        chosen = [_time(h, h.estimated) for h in halves if h.observed.case.ranks == ranks]
        lines.append(line(f"half, estimated: {ranks} ranks", chosen))
    lines.append(line("a typical run against the median of its plan", noise))
    inside = sum(h.observed.seconds in h.estimated.seconds for h in halves) / len(halves)
    return "\n".join([*lines, "", f"Within the interval of 10 to 90 %: {inside:.0%}.", "", *_sizes(halves)])


def _time(held: HeldOut, prediction: Prediction) -> float:
    return off(prediction.seconds.value, held.observed.seconds)


def _sizes(halves: Sequence[HeldOut]) -> Iterator[str]:
    """Bytes that were sent, and peak memory."""
    yield "| bytes sent | plans | median | 90 % |"
    yield "|---|---:|---:|---:|"
    sent = [
        (held, sum(step.sent[0] for step in steps), sum(step.sent[1] for step in steps))
        for held in halves
        if (steps := held.observed.comparison.steps)
    ]
    large = [(held, told, measured) for held, told, measured in sent if measured > LARGE]
    yield line(f"rows known, more than {LARGE:,} B", [off(told, measured) for _, told, measured in large])
    training = [
        off(told, measured) for held, told, measured in large if held.observed.case.kind == "training"
    ]
    if training:
        yield line("of them training", training)
    yield ""
    yield "| peak memory of a rank, rows estimated | plans | median | 90 % |"
    yield "|---|---:|---:|---:|"
    ratios = [
        held.estimated.memory["host"] / (held.observed.case.ranks * held.observed.memory) for held in halves
    ]
    yield line("excess of the prediction", [ratio - 1 for ratio in ratios])
    under = sum(ratio < 0.95 for ratio in ratios)
    yield ""
    yield f"Predicted more than 5 % too low: {under} of {len(ratios)}; the lowest is {min(ratios):.2f} times."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scales", nargs="+", type=float, default=[0.1, 0.3, 1.0])
    parser.add_argument("--ranks", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--repeats", type=int, default=5, help="undisturbed runs of each plan")
    parser.add_argument(
        "--keep", type=Path, help="a folder that keeps plans and records, and gives them again"
    )
    parser.add_argument("--quick", action="store_true", help="a smoke test that writes no results")
    options = parser.parse_args()
    if options.quick:
        options.scales, options.ranks, options.repeats = [0.01], [1, 2], 1
    machine = hwspec.load("host")
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        found = measure(cases(folder, options.scales, options.ranks), options.repeats, folder)
        observed = observe(found, machine)
    page = report(observed, machine, options.repeats)
    print(page)
    if not options.quick:
        results = HERE / "results"
        (results / "prediction.md").write_text(page + "\n")
        entries = [
            {"plan": entry.case.label, "seconds": entry.seconds, "memory": entry.memory} for entry in observed
        ]
        (results / "prediction.json").write_text(json.dumps(entries, indent=1) + "\n")


if __name__ == "__main__":
    main()

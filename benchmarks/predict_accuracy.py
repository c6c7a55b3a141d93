"""How good predictions are: ``python benchmarks/predict_accuracy.py``.

The TPC-H queries and single operators, at several scale factors and numbers of ranks, are compiled, predicted
and run in processes of their own. Every second plan calibrates the coefficients, the others tell how far off
predictions of time, traffic and memory are: with estimated numbers of rows, as before a run, and with the
true ones.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "tpch"))

from data import generate  # noqa: E402

from dlc import hwspec  # noqa: E402
from dlc.hwspec.model import Machine  # noqa: E402
from dlc.predict import Coefficients, Prediction, simulate  # noqa: E402
from dlc.predict.accuracy import Comparison, compare  # noqa: E402
from dlc.predict.calibration import fit  # noqa: E402
from dlc.runtime.launch import mpirun  # noqa: E402
from dlc.runtime.plan import Plan, load  # noqa: E402

QUERIES = ("q01", "q03", "q05", "q06", "q10", "q12", "q14", "q18")
OPERATORS = ("keep", "few_groups", "many_groups", "join", "order")


@dataclass
class Case:
    """A plan, its best run, and the bytes that the run sent between ranks."""

    label: str
    plan: Plan
    comparison: Comparison
    sent: float


class Counting:
    """A transport that counts the bytes a rank gives to others."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.sent = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def all_to_all(self, parts: Sequence[memoryview]) -> list[memoryview]:
        self.sent += sum(part.nbytes for rank, part in enumerate(parts) if rank != self._inner.rank)
        return self._inner.all_to_all(parts)

    def all_gather(self, part: memoryview) -> list[memoryview]:
        self.sent += part.nbytes * (self._inner.size - 1)
        return self._inner.all_gather(part)

    def gather(self, part: memoryview, root: int) -> list[memoryview]:
        self.sent += part.nbytes if self._inner.rank != root else 0
        return self._inner.gather(part, root)


def work(plan: str, target: str) -> None:
    """One rank of a measured run."""
    from dlc.runtime.job import connect

    transport = Counting(connect())
    from dlc.runtime.executor import execute
    from dlc.runtime.trace import Recorder

    recorder = Recorder()
    execute(load(plan), transport, None, recorder)  # type: ignore[arg-type]
    sent = transport._inner.gather(memoryview(json.dumps(transport.sent).encode()), 0)
    record = recorder.merge("benchmark", transport._inner)
    if record is not None:
        total = sum(json.loads(bytes(part)) for part in sent)
        Path(target).write_text(json.dumps({"record": record, "sent": total}))


def measure(plan: Path, ranks: int, repeats: int) -> tuple[dict[str, Any], float]:
    """The record of the fastest of some runs, and the bytes it sent."""
    best: tuple[float, dict[str, Any], float] | None = None
    for _ in range(repeats):
        target = plan.with_suffix(".json")
        code = mpirun(ranks, [__file__, "--worker", str(plan), str(target)])
        if code:
            raise SystemExit(f"{plan} ended with code {code}")
        found = json.loads(target.read_text())
        seconds = max(rank["instructions"][-1]["start"] for rank in found["record"]["ranks"])
        if best is None or seconds < best[0]:
            best = (seconds, found["record"], float(found["sent"]))
    assert best is not None
    return best[1], best[2]


def cases(scales: Sequence[float], counts: Sequence[int], repeats: int, machine: Machine) -> list[Case]:
    """Every program at every scale factor on every number of ranks."""
    programs = [(name, HERE / "tpch" / f"{name}.py") for name in QUERIES]
    programs += [(name, f"{HERE / 'predict' / 'operators.py'}:{name}") for name in OPERATORS]
    found: list[Case] = []
    with tempfile.TemporaryDirectory() as folder:
        for scale in scales:
            environment = os.environ | {"TPCH_DATA": str(generate(scale))}
            for name, program in programs:
                for ranks in counts:
                    plan = Path(folder) / f"{name}-{scale:g}-{ranks}.dlc"
                    command = [sys.executable, "-m", "dlc", "compile", program, "-n", str(ranks), "-o", plan]
                    subprocess.run(command, check=True, env=environment)
                    record, sent = measure(plan, ranks, repeats)
                    loaded = load(plan)
                    comparison = compare(loaded, machine, record, Coefficients())
                    found.append(Case(plan.stem, loaded, comparison, sent))
                    print(f"{plan.stem:<24}{comparison.line()}", file=sys.stderr, flush=True)
    return found


def informed(case: Case, machine: Machine, coefficients: Coefficients) -> Prediction:
    """The prediction if the numbers of rows had been known."""
    observed = {
        (step.gang, step.index): (step.rows[1], step.nbytes[1])
        for step in case.comparison.steps
        if step.rows[1]
    }
    return simulate(case.plan, machine, coefficients, observed=observed)


def off(predicted: float, measured: float) -> float:
    """How far off, as a factor of at least 1."""
    low, high = sorted((max(predicted, 1e-9), max(measured, 1e-9)))
    return high / low


def tell(label: str, factors: list[float]) -> None:
    ordered = sorted(factors)
    p90 = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    print(f"{label:<64}{len(ordered):>5}{median(ordered) - 1:>10.1%}{p90 - 1:>10.1%}")


def report(found: list[Case], machine: Machine) -> None:
    """Errors of the plans that were not used for the fit, with default and with fitted coefficients."""
    learned, held_out = found[::2], found[1::2]
    fitted = fit([case.comparison.to_json() for case in learned])
    print(f"{len(found)} plans, {len(learned)} of them for the calibration\n")
    print(f"{'':<64}{'plans':>5}{'median':>10}{'p90':>10}")
    for name, coefficients in (("default", Coefficients()), ("calibrated", fitted)):
        before = [simulate(case.plan, machine, coefficients) for case in held_out]
        known = [informed(case, machine, coefficients) for case in held_out]
        took = [case.comparison.measured for case in held_out]
        pairs = list(zip(before, took, strict=True))
        tell(f"time, {name}, rows estimated", [off(p.seconds.value, t) for p, t in pairs])
        exact = [off(p.seconds.value, t) for p, t in zip(known, took, strict=True)]
        tell(f"time, {name}, rows known", exact)
        inside = sum(t in p.seconds for p, t in pairs) / len(pairs)
        print(f"{f'  within the interval of 10 to 90 %, {name}':<64}{'':>5}{inside:>10.0%}")
    moved = [case for case in held_out if case.sent > 100_000]
    sent = [off(sum(informed(case, machine, fitted).traffic.values()), case.sent) for case in moved]
    if sent:
        tell("bytes sent (more than 100 kB), rows known", sent)
    held = [case.comparison.to_json() for case in held_out]
    tell("peak memory of a rank", [off(entry["predicted_memory"], entry["memory"]) for entry in held])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", nargs=2, metavar=("PLAN", "RECORD"), help=argparse.SUPPRESS)
    parser.add_argument("--scales", nargs="+", type=float, default=[0.01, 0.1])
    parser.add_argument("--ranks", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument(
        "--repeats", type=int, default=3, help="runs of each plan, of which the fastest counts"
    )
    options = parser.parse_args()
    if options.worker:
        work(*options.worker)
        return
    machine = hwspec.load("host")
    load, _, _ = os.getloadavg()
    print(f"load of the machine before: {load:.1f} (a quiet one has less than 0.5)")
    report(cases(options.scales, options.ranks, options.repeats, machine), machine)


if __name__ == "__main__":
    main()

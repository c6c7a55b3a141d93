"""Time steps of training on dlc, torch and JAX, side by side, and check dlc's numbers.

``python benchmarks/train_compare.py [--quick]``: three models, the same initial parameters, rows and
optimiser. All processes stay warm and take turns, so that drifts of the machine meet all alike. The losses of
dlc are held against those of JAX fed with the same batches, and must be the same bits on 1 to 4 ranks. A full
run writes ``benchmarks/results/training.md`` and ``.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from train_curve import curve_differences, same_bits, step_parts
from train_models import MODELS, write

HERE = Path(__file__).resolve().parent
DATA = HERE / "data" / "training"
SYSTEMS = {
    "dlc, 2 ranks": ("dlc", 2),
    "torch DDP, 2 processes": ("ddp", 2),
    "dlc, 1 rank": ("dlc", 1),
    "torch": ("torch", 1),
    "JAX": ("jax", 1),
}
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "NPROC": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
    "MASTER_PORT": "29511",
}
Results = dict[str, dict[str, Any]]


@contextmanager
def started(system: str, processes: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A warm worker, ended on leaving."""
    command: list[str | Path] = [sys.executable, HERE / "train_worker.py", system, folder]
    if system in ("dlc", "ddp"):
        command = [Path(sys.executable).with_name("mpiexec"), "-n", str(processes), *command]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=os.environ | ONE_THREAD, **pipes)
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(timeout=60)


def ask(process: subprocess.Popen[str], model: str, epochs: int) -> dict[str, Any]:
    """The reply to one request."""
    assert process.stdin and process.stdout
    print(json.dumps({"model": model, "epochs": epochs}), file=process.stdin, flush=True)
    for line in process.stdout:
        if line.startswith("{"):
            return json.loads(line)
    raise SystemExit(f"{process.args} ended during {model}")


def compile_plan(model: str, ranks: int, epochs: int, folder: Path, micro: int) -> Path:
    """The plan of a training, for this machine."""
    target = folder / f"{model}-{ranks}-{epochs}.dlc"
    settings = {"TRAIN_MODEL": model, "TRAIN_EPOCHS": str(epochs), "TRAIN_MICRO": str(micro)}
    command = [sys.executable, "-m", "dlc", "compile", HERE / "train_program.py", "--machine", "host"]
    subprocess.run(
        [*command, "-n", str(ranks), "-o", target],
        env=os.environ | settings | {"TRAIN_DATA": str(write(model, DATA)), "JAX_PLATFORMS": "cpu"},
        check=True,
    )
    return target


def measure(models: Sequence[str], epochs: int, repeats: int, plans: Path) -> Results:
    """Per model and system: all "seconds" of a batch, and the "loss" of the last epoch."""
    results: Results = {model: {name: {"seconds": []} for name in SYSTEMS} for model in models}
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(started(system, count, plans if system == "dlc" else DATA))
            for name, (system, count) in SYSTEMS.items()
        }
        for model in models:
            for worker in workers.values():
                ask(worker, model, epochs)
        for _ in range(repeats):
            for model in models:
                for name, worker in workers.items():
                    reply = ask(worker, model, epochs)
                    results[model][name]["seconds"].append(reply["seconds"])
                    results[model][name]["loss"] = reply["loss"]
    return results


def speed_table(results: Results) -> list[str]:
    """Steps a second, and dlc's against each peer on as many cores."""
    lines = [
        "| model | " + " | ".join(f"{name}, steps/s" for name in SYSTEMS) + " | 2 ranks / DDP |"
        " 1 rank / torch | 1 rank / JAX |",
        "|---|" + "---:|" * (len(SYSTEMS) + 3),
    ]
    for model, row in results.items():
        rate = {name: 1 / median(row[name]["seconds"]) for name in SYSTEMS}
        one, two = rate["dlc, 1 rank"], rate["dlc, 2 ranks"]
        ratios = [two / rate["torch DDP, 2 processes"], one / rate["torch"], one / rate["JAX"]]
        cells = [f"{value:.1f}" for value in rate.values()] + [f"{value:.2f}" for value in ratios]
        lines.append(f"| {model} | " + " | ".join(cells) + " |")
    lines += ["", "Mean loss of the last epoch, whose batches differ between the systems:", ""]
    lines += ["| model | " + " | ".join(SYSTEMS) + " |", "|---|" + "---:|" * len(SYSTEMS)]
    for model, row in results.items():
        lines.append(f"| {model} | " + " | ".join(f"{row[name]['loss']:.4f}" for name in SYSTEMS) + " |")
    return lines


def checks_table(checks: dict[str, Any]) -> list[str]:
    """What the numbers of dlc were held against, and what a step consists of."""
    columns = (
        "model",
        "steps",
        "dlc − JAX",
        "JAX − JAX",
        "1–4 ranks",
        "step, ms",
        "XLA",
        "reduction",
        "executor",
    )
    lines = [f"| {' | '.join(columns)} |", "|---|---:|---:|---:|---|---:|---:|---:|---:|"]
    for model, row in checks.items():
        parts = " | ".join(
            f"{1e3 * row['parts'][name]:.3f}" for name in ("step", "xla", "reduce", "executor")
        )
        same = "same bits" if row["same_bits"] else "UNEQUAL"
        lines.append(f"| {model} | {row['steps']} | {row['dlc']:.1e} | {row['jax']:.1e} | {same} | {parts} |")
    return lines


def report(results: Results, checks: dict[str, Any], options: argparse.Namespace, load: float) -> str:
    """The Markdown page."""
    return "\n".join(
        [
            "# Training",
            "",
            f"Medians of {options.repeats} runs of {options.epochs} epochs each, warm processes in turns,",
            f"one thread a process, on {os.cpu_count()} cores; load before: {load:.1f}.",
            f"torch {version('torch')}, JAX {version('jax')}; Adam.",
            f"{options.micro_batches} micro-batches a batch in dlc.",
            "",
            *speed_table(results),
            "",
            "The largest relative difference of losses on the same batches: of dlc to JAX in one process,",
            "and of JAX to itself with the rows of each batch the other way round. And a step on 2 ranks, of",
            "which reductions include waiting for the other rank:",
            "",
            *checks_table(checks),
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short run of each; writes no results")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--epochs", type=int, default=4, help="timed epochs of a run")
    parser.add_argument("--repeats", type=int, default=7, help="timed runs of each system and model")
    parser.add_argument("--micro-batches", type=int, default=4)
    options = parser.parse_args()
    if options.quick:
        options.epochs, options.repeats = 1, 1
    load, _, _ = os.getloadavg()
    with tempfile.TemporaryDirectory() as name:
        plans = Path(name)
        for model in options.models:
            for ranks in (1, 2):
                for epochs in (1, 1 + options.epochs):
                    compile_plan(model, ranks, epochs, plans, options.micro_batches)
        results = measure(options.models, options.epochs, options.repeats, plans)
        checks: dict[str, Any] = {}
        for model in options.models:
            more = [compile_plan(model, ranks, 1, plans, 4) for ranks in (1, 2, 3, 4)]
            differences = curve_differences(model, DATA, more[1])
            checks[model] = {**differences, "same_bits": same_bits(more), "parts": step_parts(more[1])}
    page = report(results, checks, options, load)
    print(page)
    if not options.quick:
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results" / "training.md").write_text(page)
        table = {"speed": results, "checks": checks}
        (HERE / "results" / "training.json").write_text(json.dumps(table, indent=1) + "\n")
    return 0 if all(row["same_bits"] for row in checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

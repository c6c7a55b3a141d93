"""Time a pipeline on dlc and on Polars with torch, two cores each: Parquet, join, group-by, training, files.

``python benchmarks/pipeline_compare.py [--quick]``: the systems take turns, each run is a process (or two
ranks) of its own. Three times of dlc: of the program, which is compiled first; of its plan; and of the plan
without start-up. The quality of the predictions is printed beside. A full run writes ``results/pipeline.md``
and ``.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pipeline_data
import polars as pl

HERE = Path(__file__).resolve().parent
CORES = 2
Run = Callable[[Path], float]


def environment(data: Path, out: Path) -> dict[str, str]:
    found = {"PIPELINE_DATA": str(data), "PIPELINE_OUT": str(out), "POLARS_MAX_THREADS": "2"}
    return os.environ | {**found, "OMP_NUM_THREADS": "2", "JAX_PLATFORMS": "cpu", "DLC_HISTORY": ""}


def dlc(arguments: list[str | Path], env: dict[str, str]) -> float:
    """Seconds of a run of dlc; POLARS_MAX_THREADS is for the peer."""
    mine = {key: value for key, value in env.items() if key != "POLARS_MAX_THREADS"}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "dlc", *arguments], env=mine, check=True, capture_output=True)
    return time.perf_counter() - start


def run_dlc(plan: Path, env: dict[str, str], record: Path) -> dict[str, float]:
    """Seconds of the program and of its plan, and of the instructions alone on the slowest rank."""
    program = dlc(["run", "-n", str(CORES), HERE / "pipeline_program.py"], env)
    compiled = dlc(["run", plan], env)
    dlc(["run", plan, "--record", record], env)
    ranks = json.loads(record.read_text())["record"]["ranks"]
    work = max(sum(entry["seconds"] for entry in rank["instructions"]) for rank in ranks)
    return {"dlc, program": program, "dlc, plan": compiled, "dlc, work": work}


def run_peer(env: dict[str, str]) -> dict[str, float]:
    """Seconds of the process, and of its work after the imports."""
    start = time.perf_counter()
    command = [sys.executable, HERE / "pipeline_peer.py"]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return {"peer, process": time.perf_counter() - start, "peer, work": float(done.stdout.split()[-1])}


def quality(path: Path) -> dict[str, float]:
    """Accuracy and log-loss of predictions on disk."""
    table = pl.read_parquet(path)
    p, bought = table["p"].to_numpy().astype(float), table["bought"].to_numpy()
    return {
        "accuracy": float(np.mean((p > 0.5) == bought)),
        "log-loss": float(-np.mean(np.log(np.where(bought, p, 1 - p)))),
    }


def report(times: dict[str, list[float]], found: dict[str, dict[str, float]], users: int, load: float) -> str:
    middle = {name: median(values) for name, values in times.items()}
    rows = [
        ("program, compiled first, and process", "dlc, program", "peer, process"),
        ("plan and process", "dlc, plan", "peer, process"),
        ("work alone, without start-up", "dlc, work", "peer, work"),
    ]
    lines = [
        "# A whole pipeline",
        "",
        f"{15 * users:,} events of {users:,} users, {pipeline_data.EPOCHS} epochs.",
        f"dlc: {CORES} ranks of one thread; Polars and torch: one process of {CORES} threads.",
        f"Medians of {len(times['dlc, plan'])} runs in turns; load before: {load:.1f}.",
        "",
        "| | dlc, s | Polars + torch, s | dlc / Polars + torch |",
        "|---|---:|---:|---:|",
        *(
            f"| {name} | {middle[a]:.2f} | {middle[b]:.2f} | {middle[a] / middle[b]:.2f} |"
            for name, a, b in rows
        ),
        "",
        "| | accuracy | log-loss |",
        "|---|---:|---:|",
        *(f"| {name} | {of['accuracy']:.4f} | {of['log-loss']:.4f} |" for name, of in found.items()),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small run of each; writes no results")
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if options.quick:
        options.users, options.repeats = 20_000, 1
    load, _, _ = os.getloadavg()
    data = pipeline_data.make(options.users)
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mine, theirs = environment(data, folder / "dlc"), environment(data, folder / "peer")
        (folder / "peer").mkdir()
        plan = folder / "pipeline.dlc"
        dlc(
            ["compile", HERE / "pipeline_program.py", "--machine", "host", "-n", str(CORES), "-o", plan], mine
        )
        run_peer(theirs)  # both find the files, and dlc its compiled kernels, where an earlier run left them
        dlc(["run", plan], mine)
        for _ in range(options.repeats):
            taken: dict[str, Any] = run_dlc(plan, mine, folder / "record.json") | run_peer(theirs)
            for key, seconds in taken.items():
                times.setdefault(key, []).append(seconds)
        names = {"dlc": "dlc", "Polars + torch": "peer"}
        found = {name: quality(folder / place / "predictions.parquet") for name, place in names.items()}
    page = report(times, found, options.users, load)
    print(page)
    if not options.quick:
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results" / "pipeline.md").write_text(page)
        table = {"seconds": times, "quality": found, "users": options.users}
        (HERE / "results" / "pipeline.json").write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()

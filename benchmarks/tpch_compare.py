"""Time the eight TPC-H queries on dlc, Polars and Dask with two cores each, side by side.

``python benchmarks/tpch_compare.py``: all processes stay warm; the systems take turns on every query, so that
drifts of the machine meet all alike; every first answer is checked against DuckDB. Writes
``benchmarks/results/tpch_sf1.md`` and ``.json``.
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
from statistics import geometric_mean, median
from typing import Any

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "tpch"
sys.path.insert(0, str(PROGRAMS))

import dask_peer  # noqa: E402
import polars as pl  # noqa: E402
import reference  # noqa: E402
from data import generate  # noqa: E402

CORES = 2
MIB = 1 << 20


class Worker:
    """One system's warm process, asked over pipes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, query: str, answer: Path | None = None) -> dict[str, Any]:
        """Run `query` once; the reply holds its "seconds" and its "peak_bytes" per process."""
        assert self.process.stdin and self.process.stdout
        request = {"query": query, "answer": answer and str(answer)}
        print(json.dumps(request), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise SystemExit(f"{self.process.args} ended during {query}")


@contextmanager
def started(system: str, data: Path, plans: Path) -> Iterator[Worker]:
    """The worker of `system`, ended on leaving."""
    command: list[str | Path] = [sys.executable, PROGRAMS / "worker.py", system]
    if system == "dlc":
        threads = 1
        command = [Path(sys.executable).with_name("mpiexec"), "-n", str(CORES), *command, plans]
    else:
        threads = CORES
        command = [*command, data]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"POLARS_MAX_THREADS": str(threads), "DASK_LOGGING__DISTRIBUTED": "error"},
    )
    try:
        yield Worker(process)
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait(timeout=60)


def compile_plans(queries: Sequence[str], data: Path, plans: Path) -> None:
    """Compile each program for this machine and as many ranks as cores."""
    for query in queries:
        command = [sys.executable, "-m", "dlc", "compile", PROGRAMS / f"{query}.py", "--machine", "host"]
        target = ["-n", str(CORES), "-o", plans / f"{query}.dlc"]
        subprocess.run([*command, *target], check=True, env=os.environ | {"TPCH_DATA": str(data)})


def measure(workers: dict[str, Worker], queries: Sequence[str], data: Path, repeats: int) -> dict[str, Any]:
    """Per query and system: all "seconds", and the highest "peak_bytes" of one process."""
    results: dict[str, Any] = {query: {} for query in queries}
    for query in queries:
        expected = reference.answer(query, data)
        for system, worker in workers.items():
            with tempfile.TemporaryDirectory() as scratch:
                worker.ask(query, answer := Path(scratch) / "answer.parquet")
                reference.check(query, pl.read_parquet(answer), expected)
            results[query][system] = {"seconds": [], "peak_bytes": 0}
    for _ in range(repeats):
        for query in queries:
            for system, worker in workers.items():
                reply = worker.ask(query)
                entry = results[query][system]
                entry["seconds"].append(reply["seconds"])
                entry["peak_bytes"] = max(entry["peak_bytes"], *reply["peak_bytes"])
    return results


def report(results: dict[str, Any], systems: Sequence[str], scale: float, repeats: int, load: float) -> str:
    """The Markdown page: medians, ratios to the first system and peaks of memory."""
    medians = {
        query: {name: median(row[name]["seconds"]) for name in systems} for query, row in results.items()
    }
    first, *others = systems
    header = [f"{name}, s" for name in systems] + [f"{name} / {first}" for name in others]
    header += [f"{name}, MiB" for name in systems]
    lines = [
        f"# TPC-H at scale factor {scale:g}",
        "",
        f"Medians of {repeats} runs of warm processes, in turns, on {os.cpu_count()} cores.",
        f"dlc: {CORES} ranks of one thread. Polars {version('polars')}: {CORES} threads.",
        f"Dask {version('dask')}: {CORES} processes of one thread.",
        f"Load of the machine before: {load:.1f} (a quiet one has less than 0.5).",
        "Memory: the highest peak of one process that holds data.",
        "",
        "| query | " + " | ".join(header) + " |",
        "|---|" + "---:|" * len(header),
    ]
    for query, row in medians.items():
        cells = [f"{row[name]:.3f}" for name in systems]
        cells += [f"{row[name] / row[first]:.2f}" for name in others]
        cells += [f"{results[query][name]['peak_bytes'] / MIB:.0f}" for name in systems]
        lines.append(f"| {query} | " + " | ".join(cells) + " |")
    means = {name: geometric_mean(row[name] for row in medians.values()) for name in systems}
    cells = [f"{means[name]:.3f}" for name in systems]
    cells += [f"{means[name] / means[first]:.2f}" for name in others]
    lines.append("| geometric mean | " + " | ".join(cells) + " |" + " |" * len(systems))
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="scale factor")
    parser.add_argument("--data", type=Path, help="directory of the tables, generated when missing")
    parser.add_argument("--repeats", type=int, default=7, help="timed runs of each query")
    parser.add_argument("--systems", nargs="+", default=["dlc", "polars", "dask"], help="in this order")
    parser.add_argument("--queries", nargs="+", default=list(reference.QUERIES))
    options = parser.parse_args()
    load, _, _ = os.getloadavg()
    data = generate(options.scale, options.data)
    if "dask" in options.systems:
        dask_peer.copy_tables(data)
    with ExitStack() as stack:
        plans = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if "dlc" in options.systems:
            compile_plans(options.queries, data, plans)
        workers = {name: stack.enter_context(started(name, data, plans)) for name in options.systems}
        results = measure(workers, options.queries, data, options.repeats)
    page = report(results, options.systems, options.scale, options.repeats, load)
    target = HERE / "results"
    target.mkdir(exist_ok=True)
    (target / f"tpch_sf{options.scale:g}.json").write_text(json.dumps(results, indent=1) + "\n")
    (target / f"tpch_sf{options.scale:g}.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()

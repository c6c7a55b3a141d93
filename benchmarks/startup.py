"""Time what a user waits for before anything runs: help, `dlc opt`, and the compilation of a program.

``python benchmarks/startup.py`` prints medians: of fresh processes for the commands; of one warm process
for compiling each TPC-H query. Exit code 1 when a median is over its limit.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "tpch"
sys.path.insert(0, str(PROGRAMS))

from data import generate  # noqa: E402

# Limits in seconds.
HELP, OPT, COMPILE = 0.060, 0.400, 0.300
QUERIES = ("q01", "q03", "q05", "q06", "q10", "q12", "q14", "q18")


def seconds(action: Callable[[], object], repeats: int) -> float:
    """The median duration of `action` after one run that does not count."""
    action()
    durations: list[float] = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        durations.append(time.perf_counter() - start)
    return median(durations)


def command(*arguments: str | Path) -> Callable[[], object]:
    """An action that runs ``dlc`` with `arguments` in a fresh process."""
    line = [Path(sys.executable).with_name("dlc"), *arguments]
    return lambda: subprocess.run(line, check=True, stdout=subprocess.DEVNULL)


def compilation(query: str) -> Callable[[], object]:
    """An action that compiles a TPC-H program for two ranks of this machine, from Python source to plan."""
    from dlc import driver, hwspec

    machine = hwspec.load("host")

    def compile_once() -> object:
        module = driver.trace_file(PROGRAMS / f"{query}.py")
        return driver.build_plan(driver.compile_module(module, machine, 2))

    return compile_once


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--data", type=Path, help="directory of the TPC-H tables (default: scale factor 0.1)")
    options = parser.parse_args()
    os.environ["TPCH_DATA"] = str(generate(0.1, options.data))

    with tempfile.TemporaryDirectory() as scratch:
        module = Path(scratch) / "q06.mlir"
        command("compile", PROGRAMS / "q06.py", "--emit", "flow", "-o", module)()
        measured = [
            ("dlc --help", seconds(command("--help"), options.repeats), HELP),
            ("dlc opt q06.mlir", seconds(command("opt", module), options.repeats), OPT),
        ]
    measured += [
        (f"compile {query}", seconds(compilation(query), options.repeats), COMPILE) for query in QUERIES
    ]

    print("| step | median, ms | limit, ms |\n|---|---:|---:|")
    for name, taken, limit in measured:
        print(f"| {name} | {1e3 * taken:.0f}{' (over)' if taken > limit else ''} | {1e3 * limit:.0f} |")
    return int(any(taken > limit for _, taken, limit in measured))


if __name__ == "__main__":
    sys.exit(main())

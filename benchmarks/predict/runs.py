"""Runs of plans in processes of their own, and only those that nothing else disturbed."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plans import Case

from dlc.runtime.launch import mpirun

Json = dict[str, Any]

_TRIES = 5
_OTHERS = (0.05, 0.1)  # seconds, and share of a run, for which other processes may have computed meanwhile
_TICKS = os.sysconf("SC_CLK_TCK")


def measure(cases: Sequence[Case], repeats: int, folder: Path) -> dict[Case, list[Json]]:
    """The records of `repeats` runs of each plan, one after the other; those in `folder` are not made again.

    A run before them is not counted: it compiles kernels, reads files into the page cache, and makes a
    hypervisor give back memory that it had taken from the machine, whose first use is many times slower.
    """
    found: dict[Case, list[Json]] = {}
    for number, case in enumerate(cases):
        files = [folder / f"{case.plan.stem}.{repeat}.json" for repeat in range(repeats)]
        if not all(file.exists() for file in files):
            _run(case, folder / "uncounted.json")
        for file in files:
            if not file.exists():
                _undisturbed(case, file)
        found[case] = [json.loads(file.read_text()) for file in files if file.exists()]
        print(f"{number + 1} of {len(cases)}: {case.label}", file=sys.stderr, flush=True)
    return {case: records for case, records in found.items() if records}


def total(record: Json) -> float:
    """Seconds from when all ranks are there to the end of the last instruction."""
    last = (rank["instructions"][-1] for rank in record["ranks"] if rank["instructions"])
    return max(entry["start"] + entry["seconds"] for entry in last)


def typical(records: Sequence[Json]) -> Json:
    """The run of the median time; of an even number the faster one in the middle."""
    return sorted(records, key=total)[(len(records) - 1) // 2]


def _undisturbed(case: Case, target: Path) -> None:
    """Leave a record in `target`, if a run succeeds in having the machine to itself."""
    for _ in range(_TRIES):
        busy, own, start = _busy(), _own(), time.perf_counter()
        _run(case, target)
        wall = time.perf_counter() - start
        others = (_busy() - busy) - (_own() - own)
        if others < _OTHERS[0] + _OTHERS[1] * wall:
            return
        target.unlink()
        time.sleep(1)
    print(f"{case.label}: other processes disturbed {_TRIES} runs", file=sys.stderr, flush=True)


def _run(case: Case, target: Path) -> None:
    code = mpirun(case.ranks, ["-m", "dlc.runtime.worker", str(case.plan), "--record", str(target)])
    if code:
        raise SystemExit(f"{case.label} ended with code {code}")


def _busy() -> float:
    """Seconds that all processes of this machine have computed."""
    user, nice, system, _, _, irq, soft, steal = Path("/proc/stat").read_text().split()[1:9]
    return sum(map(int, (user, nice, system, irq, soft, steal))) / _TICKS


def _own() -> float:
    """Seconds that processes which this one started have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

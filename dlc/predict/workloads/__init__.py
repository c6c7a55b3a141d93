"""Workloads that are no programs of dlc: published jobs, claims, campaigns. The machinery is the same.

A description is a TOML file with a `kind`, the `machine` it is for, and what the kind needs; see `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from dlc.diagnostics import SourceLoc, suggest
from dlc.hwspec.model import Machine
from dlc.predict.workloads import campaign, claims, memory, parallel, pipeline, traffic, training
from dlc.predict.workloads.grammar import build, parse, wrong
from dlc.predict.workloads.report import Report

__all__ = ["KINDS", "Report", "run"]


class Workload(Protocol):
    """What every kind of workload does."""

    def predict(self, machine: Machine | None) -> Report:
        """The workload on a machine, which kinds that ask nothing of one take as None."""
        ...


KINDS: dict[str, type[Any]] = {
    "training": training.Training,
    "data-parallel": parallel.DataParallel,
    "claims": claims.Claims,
    "traffic": traffic.Traffic,
    "campaign": campaign.Campaign,
    "pipeline": pipeline.Pipeline,
    "model-memory": memory.ModelMemory,
}
"""The kinds of workloads, by the name that descriptions give."""


def run(path: Path, machine: str | None, load: Callable[[str | Path], Machine]) -> Report:
    """Predict the workload in a file on the machine it names, or on another. Raises DLC524 and 4xx.

    `load` finds a machine by name or file; a file that the workload names stands beside it.
    """
    table = parse(path)
    loc = SourceLoc(str(path), 1)
    kind = table.pop("kind", None)
    if kind not in KINDS:
        guess = suggest(str(kind), list(KINDS))
        fix = f"did you mean `{guess}`?" if guess else f"write one of {', '.join(KINDS)}"
        raise wrong(f"there is no kind of workload `{kind}`", loc, fix)
    named = table.pop("machine", None)
    workload: Workload = build(KINDS[kind], table, loc)
    if machine is None and isinstance(named, str):
        beside = path.parent / named
        return workload.predict(load(beside if beside.is_file() else named))
    return workload.predict(load(machine) if machine else None)

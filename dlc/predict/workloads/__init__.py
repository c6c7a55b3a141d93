"""Workloads that are no programs of dlc: published jobs, claims, campaigns. The machinery is the same.

A description is a TOML file with a `kind`, the `machine` it is for, and what the kind needs; see `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from dlc.diagnostics import DlcError, SourceLoc, suggest
from dlc.hwspec.model import Machine
from dlc.predict.workloads import campaign, claims, memory, parallel, pipeline, traffic, training
from dlc.predict.workloads.grammar import build, line_of, parse, wrong
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
    kind, named = (_text(table, key, loc) for key in ("kind", "machine"))
    if kind not in KINDS:
        guess = suggest(kind or "", list(KINDS))
        fix = f"did you mean `{guess}`?" if guess else f"write one of {', '.join(KINDS)}"
        missing = "`kind` is missing" if kind is None else f"there is no kind of workload `{kind}`"
        raise wrong(missing, line_of(loc, "kind"), fix)
    workload: Workload = build(KINDS[kind], table, loc)
    beside = path.parent / (named or "")
    chosen = machine or (beside if beside.is_file() else named)
    try:
        return workload.predict(load(chosen) if chosen else None)
    except DlcError as error:
        error.loc = error.loc or loc
        raise


def _text(table: dict[str, Any], key: str, loc: SourceLoc) -> str | None:
    value = table.pop(key, None)
    if value is not None and not isinstance(value, str):
        raise wrong(f"`{key}` is no text", line_of(loc, key))
    return value

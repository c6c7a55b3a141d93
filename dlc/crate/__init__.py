"""The record of a run as an RO-Crate: what ran, on what, with what result, for `dlc rerun` to do it again.

A crate holds the program, its IR at every stage, the plan, the machine, the environment, what each
instruction took against what was predicted, and checksums of all that went in and came out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from dlc.crate.repeating import Outcome
    from dlc.runtime.plan import Plan

__all__ = ["Account", "Accounted", "Request", "record", "rerun"]

VERSION = 1
"""Of the layout of a crate and of its `run.json`."""

METADATA, RUN = "ro-crate-metadata.json", "run.json"


@dataclass(frozen=True)
class Accounted:
    """What a run was predicted to take, and how that compares with what it took, as plain data."""

    prediction: dict[str, Any]
    comparison: dict[str, Any]


Account = Callable[["Plan", dict[str, Any]], Accounted | None]
"""Holds the record of a run of a plan against its prediction; what it gives is kept in the crate."""


@dataclass(frozen=True)
class Request:
    """A run as asked for: a program (`.py`, and its name if there are several) or a plan, and how to run it.

    `ranks` None stands for one rank, or as many as a plan is for. `agent` says who runs it: a name, perhaps
    with an ORCID (`Ada Lovelace <https://orcid.org/…>`); the crate names nobody without it. `licence` is that
    of the crate: an identifier of SPDX, or a URL.
    """

    path: Path
    program: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    machine: str = "host"
    ranks: int | None = None
    fast_math: bool = False
    agent: str = ""
    licence: str = ""

    @property
    def is_plan(self) -> bool:
        """Whether the file is a compiled plan rather than Python source."""
        return self.path.suffix != ".py"


def record(request: Request, folder: Path, account: Account | None = None) -> dict[str, pl.DataFrame] | None:
    """Run what is asked for, write the crate `folder`, which must not exist yet, and return the results.

    The folder appears when it is complete. Inside an MPI world all ranks call this together, and all but the
    first get None; `account` is called on the first. Raises DLC605 where the crate cannot be written, and
    what the program and its run raise.
    """
    from dlc.crate.recording import record as run

    return run(request, folder, account)


def rerun(folder: Path, ranks: int | None = None, *, from_plan: bool = False) -> Outcome:
    """Do the run of a crate again and compare what comes out; the outputs go nowhere.

    The program is compiled again for `ranks` (by default as many as before), or with `from_plan` its plan is
    run. Raises DLC510 for what is no crate, DLC511 for other input files, DLC512 for other results and DLC514
    for a crate of another version.
    """
    from dlc.crate.repeating import rerun as run

    return run(folder, ranks, from_plan)

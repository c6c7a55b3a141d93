"""The run history: every run with its prediction, one JSON line each, and the coefficients learned from it.

The file is `dlc/history.jsonl` in the user's state directory (`XDG_STATE_HOME`), or what `DLC_HISTORY` names;
an empty `DLC_HISTORY` keeps none. The coefficients stand beside it.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, cast

from dlc.diagnostics import DlcError
from dlc.predict.coefficients import Coefficients, load
from dlc.predict.prediction import Demand

if TYPE_CHECKING:
    from dlc.predict.accuracy import Comparison

Json = dict[str, Any]

VERSION = 2
_MOST_BYTES = 32 << 20  # of the history; when it is longer, its older half goes
_RECENT = 400  # runs that a calibration looks at
_GROWN = 1.25  # growth of the history after which coefficients are fitted again


def path() -> Path | None:
    """The history file; None when the user keeps none."""
    named = os.environ.get("DLC_HISTORY")
    if named is not None:
        return Path(named) if named else None
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "dlc" / "history.jsonl"


def keep(comparison: Comparison) -> None:
    """Add a run. A history that cannot be written is no reason for a run to fail: a warning says so."""
    file = path()
    if file is None:
        return
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    line = json.dumps({"version": VERSION, "time": stamp, **comparison.to_json()}) + "\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and file.stat().st_size > _MOST_BYTES:
            _forget(file)
        # One write to a file opened for appending: runs that end together do not mix their lines.
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        print(f"warning: the run history {file} is not written: {error.strerror}", file=sys.stderr)


def _forget(file: Path) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    staged = file.with_suffix(f".{os.getpid()}")
    staged.write_bytes(b"".join(lines[len(lines) // 2 :]))
    staged.replace(file)


def read(file: Path | None = None) -> list[Json]:
    """The entries, oldest first; lines that are damaged or of another version are left out. Raises DLC523."""
    file = file or path()
    if file is None or not file.exists():
        return []
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DlcError(
            "DLC523",
            f"cannot read the run history {file}: {error.strerror}",
            help="name another file in DLC_HISTORY",
        ) from error
    found: list[Json] = []
    for line in text.splitlines():
        try:
            entry: Any = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if _is_entry(entry):
            found.append(entry)
    return found


def _is_entry(entry: Any) -> bool:
    """Whether it has what a summary and a calibration look at."""
    return (
        _has(entry, numbers=("ranks", "predicted", "measured", "low", "high"), texts=("program",))
        and entry.get("version") == VERSION
        and _has(entry.get("machine"), numbers=("clock",), texts=("name", "fingerprint"))
        and isinstance(entry.get("steps"), list)
        and all(_is_step(step) for step in entry["steps"])
    )


def _is_step(step: Any) -> bool:
    if not _has(step, numbers=("predicted", "measured", "moving"), texts=("op",)):
        return False
    demands: Any = step.get("demands")
    return isinstance(demands, list) and all(_is_demand(demand) for demand in cast("list[Any]", demands))


def _is_demand(demand: Any) -> bool:
    """A class and its figures, as many as a demand has today."""
    if not isinstance(demand, list) or len(cast("list[Any]", demand)) != len(fields(Demand)):
        return False
    kind, *figures = cast("list[Any]", demand)
    return isinstance(kind, str) and all(map(_is_number, figures))


def _has(value: Any, *, numbers: Sequence[str], texts: Sequence[str]) -> bool:
    if not isinstance(value, dict):
        return False
    table = cast("Json", value)
    return all(_is_number(table.get(name)) for name in numbers) and all(
        isinstance(table.get(name), str) for name in texts
    )


def _is_number(value: Any) -> bool:
    """A count or a duration."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def coefficients() -> Coefficients:
    """The calibrated coefficients, fitted again when the history has grown much; the defaults without one.

    They are fitted again, too, where their file cannot be used. Raises DLC521 where no run can tell.
    """
    file = path()
    if file is None or not file.exists():
        return Coefficients()
    try:
        known = load(_beside(file))
    except DlcError:
        if not read(file):
            raise
        return recalibrate()
    told: Any = known.provenance.get("history_bytes")
    seen: float = told if _is_number(told) else 0.0
    if file.stat().st_size > _GROWN * seen and read(file):
        return recalibrate()
    return known


def latest_coefficients() -> Coefficients:
    """The coefficients as they stand, without a new fit, which would take time in the middle of a run.

    The defaults where their file cannot be used: the run is to be remembered all the same.
    """
    file = path()
    try:
        return load(_beside(file)) if file is not None else Coefficients()
    except DlcError:
        return Coefficients()


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.stem}.coefficients.json")


def recalibrate() -> Coefficients:
    """Fit the coefficients to the last runs on the machine of the very last one, and keep them.

    Raises DLC523 when there is no run to learn from.
    """
    from dlc.predict.calibration import fit

    file = path()
    entries = read(file)
    if file is None or not entries:
        raise DlcError(
            "DLC523", "there is no run to learn from", help="`dlc run` adds every run to the history"
        )
    last = entries[-1]["machine"]
    same = [entry for entry in entries if entry["machine"] == last][-_RECENT:]
    told = {
        "machine": last["name"],
        "fingerprint": last["fingerprint"],
        "history_bytes": file.stat().st_size,
        "fitted": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    found = fit(same, told)
    target = _beside(file)
    staged = target.with_suffix(f".{os.getpid()}")
    staged.write_text(json.dumps(found.to_json(), indent=1) + "\n", encoding="utf-8")
    staged.replace(target)
    return found


@dataclass(frozen=True)
class Quality:
    """How far off predictions were: by a factor in the median and in the ninetieth percentile.

    `inside` is the share that fell into its interval; None of steps, whose intervals are not kept.
    """

    name: str
    runs: int
    median: float
    p90: float
    inside: float | None


@dataclass(frozen=True)
class Summary:
    """The quality over all runs, of each program, and of each class of instructions."""

    total: Quality
    programs: tuple[Quality, ...]
    instructions: tuple[Quality, ...]
    file: str

    def to_json(self) -> Json:
        """The summary as JSON data."""
        return {
            "file": self.file,
            "total": vars(self.total),
            "programs": [vars(entry) for entry in self.programs],
            "instructions": [vars(entry) for entry in self.instructions],
        }

    def text(self) -> str:
        """The summary as a table."""
        if not self.total.runs:
            return f"no runs yet in {self.file}"
        lines = [
            f"predicted against measured time, {self.file}",
            "",
            f"{'':<32}{'count':>7}{'median off by':>16}{'90 % off by less than':>24}{'in the interval':>18}",
        ]
        for group in ((self.total,), self.programs, self.instructions):
            lines += [
                f"  {entry.name[:30]:<30}{entry.runs:>7,}{entry.median - 1:>16.0%}{entry.p90 - 1:>24.0%}"
                f"{'–' if entry.inside is None else f'{entry.inside:.0%}':>18}"
                for entry in group
            ]
        return "\n".join(lines)


def summary(entries: Sequence[Json] | None = None) -> Summary:
    """How good the predictions in the history (or in these entries) have been."""
    file = path()
    entries = read(file) if entries is None else entries
    programs = sorted({entry["program"] for entry in entries})
    steps = [
        step for entry in entries for step in entry["steps"] if step["demands"] and step["measured"] > _TIMED
    ]
    return Summary(
        _quality("all runs", entries),
        tuple(_quality(name, [entry for entry in entries if entry["program"] == name]) for name in programs),
        tuple(
            _quality(op, [step for step in steps if step["op"] == op])
            for op in sorted({step["op"] for step in steps})
        ),
        str(file or "no file"),
    )


_TIMED = 1e-3  # seconds: steps below are too short to be held against a prediction


def _quality(name: str, entries: Sequence[Json]) -> Quality:
    factors = sorted(_factor(entry["predicted"], entry["measured"]) for entry in entries)
    if not factors:
        return Quality(name, 0, 1.0, 1.0, None)
    bounded = [entry for entry in entries if "low" in entry]
    inside = sum(entry["low"] <= entry["measured"] <= entry["high"] for entry in bounded)
    p90 = factors[min(len(factors) - 1, int(0.9 * len(factors)))]
    return Quality(name, len(factors), median(factors), p90, inside / len(bounded) if bounded else None)


def _factor(predicted: float, measured: float) -> float:
    """How far off, as a factor of at least 1."""
    low, high = sorted((max(predicted, 1e-9), max(measured, 1e-9)))
    return high / low

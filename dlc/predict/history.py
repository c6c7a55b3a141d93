"""The run history: every run with its prediction, one JSON line each, and the coefficients learned from it.

The file is `dlc/history.jsonl` in the user's state directory (`XDG_STATE_HOME`), or what `DLC_HISTORY` names;
an empty `DLC_HISTORY` keeps none. The coefficients stand beside it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, cast

from dlc.diagnostics import DlcError
from dlc.predict.coefficients import Coefficients, load

if TYPE_CHECKING:
    from dlc.predict.accuracy import Comparison

Json = dict[str, Any]

VERSION = 1
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
        if isinstance(entry, dict) and cast("Json", entry).keys() >= _ENTRY and entry["version"] == VERSION:
            found.append(cast("Json", entry))
    return found


_ENTRY = {"version", "program", "machine", "ranks", "predicted", "measured", "low", "high", "steps"}


def coefficients() -> Coefficients:
    """The calibrated coefficients, fitted again when the history has grown much; the defaults without one."""
    file = path()
    if file is None or not file.exists():
        return Coefficients()
    known = load(_beside(file))
    if file.stat().st_size > _GROWN * known.provenance.get("history_bytes", 0):
        return recalibrate()
    return known


def latest_coefficients() -> Coefficients:
    """The coefficients as they stand, without a new fit, which would take time in the middle of a run."""
    file = path()
    return load(_beside(file)) if file is not None else Coefficients()


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
    """How far off predictions were: by a factor in the median and in the ninetieth percentile."""

    name: str
    runs: int
    median: float
    p90: float
    inside: float


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
                f"{entry.inside:>18.0%}"
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
        return Quality(name, 0, 1.0, 1.0, 0.0)
    bounded = [entry for entry in entries if "low" in entry]
    inside = sum(entry["low"] <= entry["measured"] <= entry["high"] for entry in bounded)
    p90 = factors[min(len(factors) - 1, int(0.9 * len(factors)))]
    return Quality(name, len(factors), median(factors), p90, inside / len(bounded) if bounded else 0.0)


def _factor(predicted: float, measured: float) -> float:
    """How far off, as a factor of at least 1."""
    low, high = sorted((max(predicted, 1e-9), max(measured, 1e-9)))
    return high / low

"""What each class of operators takes on one core: defaults, and figures calibrated from runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dlc.diagnostics import DlcError

Json = dict[str, Any]

VERSION = 1
UNCERTAIN = 0.7
"""Spread of a figure that was never measured on the machine: within a factor of two and a half, mostly."""


@dataclass(frozen=True)
class Coefficient:
    """A class of operators: `seconds` a call, `rate` bytes a second on one core, `serial` share of the work.

    `efficiency` is the share of the peak FLOP/s that its arithmetic reaches; `spread` is the standard
    deviation of the logarithm of measured over predicted time.
    """

    rate: float
    seconds: float = 0.0
    serial: float = 0.02
    efficiency: float = 0.1
    spread: float = UNCERTAIN


DEFAULTS: Mapping[str, Coefficient] = {
    "query": Coefficient(rate=float("inf"), seconds=1.5e-3),
    "start": Coefficient(rate=float("inf"), seconds=4e-3),
    "open": Coefficient(rate=float("inf"), seconds=0.5e-3),
    "read": Coefficient(rate=1.5e9),
    "map": Coefficient(rate=4e9),
    "filter": Coefficient(rate=4e9),
    "join": Coefficient(rate=1.2e9),
    "aggregate": Coefficient(rate=0.8e9),
    "group": Coefficient(rate=0.15e9),
    "sort": Coefficient(rate=0.3e9),
    "convert": Coefficient(rate=2e9, seconds=0.5e-3),
    "exchange": Coefficient(rate=1.5e9),
    "collective": Coefficient(rate=float("inf"), seconds=0.5e-3),
    "reduce": Coefficient(rate=float("inf"), seconds=0.15e-3),
    "write": Coefficient(rate=0.3e9, seconds=2e-3),
    "import": Coefficient(rate=float("inf"), seconds=0.7),
    "compile": Coefficient(rate=40e3, seconds=0.03, serial=1.0),
    "tensor": Coefficient(rate=8e9, seconds=50e-6, serial=0.0, efficiency=0.5),
}
"""Classes of operators; `rate` counts the bytes of inputs and outputs, `group` those of groups that come out.

Beside moving data, the first query of a rank takes `start`, each file `open`, and each query, collective of
frames and reduction of tensors what their classes say. Ranks with tensors `import` XLA and `compile` each
kernel, whose bytes are those of its text. `convert` is between frames, tensors and what people see.
"""


@dataclass(frozen=True)
class Coefficients:
    """Coefficients by class, and the clock in Hz of the cores they were measured on (0: unknown)."""

    classes: Mapping[str, Coefficient] = field(default_factory=lambda: DEFAULTS)
    clock: float = 0.0
    provenance: Mapping[str, Any] = field(default_factory=lambda: {"kind": "assumed"})

    def of(self, kind: str, clock: float = 0.0) -> Coefficient:
        """The figures of a class on a core of that clock: rates go with it where both clocks are known."""
        found = self.classes.get(kind) or DEFAULTS[kind]
        if not clock or not self.clock:
            return found
        return replace(
            found, rate=found.rate * clock / self.clock, seconds=found.seconds * self.clock / clock
        )

    def to_json(self) -> Json:
        """As JSON data."""
        classes = {name: asdict(entry) for name, entry in self.classes.items()}
        for entry in classes.values():
            entry["rate"] = None if entry["rate"] == float("inf") else entry["rate"]
        return {
            "version": VERSION,
            "clock": self.clock,
            "provenance": dict(self.provenance),
            "classes": classes,
        }


def load(path: str | Path) -> Coefficients:
    """The coefficients in a file; the defaults when there is none. Raises DLC521 for a damaged file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Coefficients()
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from error
    try:
        data = json.loads(text)
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']}")
        classes = {
            str(name): Coefficient(
                **{key: float("inf") if value is None else float(value) for key, value in entry.items()}
            )
            for name, entry in data["classes"].items()
        }
        return Coefficients({**DEFAULTS, **classes}, float(data["clock"]), dict(data["provenance"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _damaged(path, error) from error


def _damaged(path: str | Path, error: Exception) -> DlcError:
    return DlcError(
        "DLC521",
        f"cannot use the coefficients in {path}: {error}",
        help="write them again with `dlc predict --calibrate`, or delete the file",
    )

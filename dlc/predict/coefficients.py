"""What each class of operators takes on one core: defaults, and figures calibrated from runs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dlc.diagnostics import DlcError

Json = dict[str, Any]

VERSION = 2
UNCERTAIN = 0.7
"""Spread of a figure that was never measured on the machine: within a factor of two and a half, mostly."""


@dataclass(frozen=True)
class Coefficient:
    """A class of work: `seconds` a call, `rate` of its amount a second on one core, `serial` share of it.

    `spread` is the standard deviation of the logarithm of measured over predicted time.
    """

    rate: float = math.inf
    seconds: float = 0.0
    serial: float = 0.05
    spread: float = UNCERTAIN


DEFAULTS: Mapping[str, Coefficient] = {
    # Calls, and the nodes of expressions and operators.
    "prepare": Coefficient(rate=15e3, seconds=0.4e-3, serial=1.0),
    "start": Coefficient(seconds=4.5e-3, serial=1.0),
    "query": Coefficient(rate=8.5e3, seconds=0.4e-3, serial=1.0),
    "open": Coefficient(rate=100e3, seconds=0.45e-3, serial=1.0),
    "collective": Coefficient(seconds=2e-3, serial=1.0),
    "reduce": Coefficient(seconds=0.1e-3, serial=1.0),
    "turn": Coefficient(seconds=0.8e-3, serial=1.0),
    # Bytes.
    "read": Coefficient(rate=2e9),
    "move": Coefficient(rate=1.5e9),
    "groups": Coefficient(rate=0.45e9, serial=0.4),
    "pack": Coefficient(rate=2.5e9, serial=1.0),
    "unpack": Coefficient(rate=3e9, serial=1.0),
    "write": Coefficient(rate=1.5e9, seconds=2e-3, serial=0.6),
    "flush": Coefficient(rate=1e9, serial=1.0),
    "convert": Coefficient(rate=1.5e9, seconds=0.25e-3, serial=1.0),
    # Values: rows times columns, calls in expressions, aggregates, or comparisons.
    "scale": Coefficient(rate=200e6, serial=0.1),
    "words": Coefficient(rate=200e6),
    "map": Coefficient(rate=2e9),
    "wide": Coefficient(rate=100e6),
    "text": Coefficient(rate=200e6),
    "encode": Coefficient(rate=300e6, serial=0.3),
    "scatter": Coefficient(rate=1e9, serial=0.4),
    "exact": Coefficient(rate=100e6),
    "build": Coefficient(rate=35e6, serial=0.3),
    "probe": Coefficient(rate=45e6, serial=0.1),
    "group": Coefficient(rate=150e6, serial=0.5),
    "aggregate": Coefficient(rate=500e6, serial=0.3),
    "checked": Coefficient(rate=60e6, serial=0.3),
    "fold": Coefficient(rate=950e6),
    "holistic": Coefficient(rate=20e6),
    "sort": Coefficient(rate=200e6, serial=0.3),
    "top": Coefficient(rate=100e6),
    "hash": Coefficient(rate=450e6),
    "skip": Coefficient(rate=250e6),
    "deal": Coefficient(rate=300e6, serial=1.0),
    # Kernels: their text in bytes, calls, and seconds of products at the peak rate.
    "import": Coefficient(seconds=0.3, serial=1.0),
    "compile": Coefficient(rate=40e3, seconds=0.03, serial=1.0),
    "load": Coefficient(rate=1e6, seconds=5e-3, serial=1.0),
    "kernel": Coefficient(seconds=0.3e-3, serial=1.0),
    "elements": Coefficient(rate=3e9, serial=1.0),
    "product": Coefficient(rate=0.8, serial=1.0),
    "convolution": Coefficient(rate=0.8, serial=1.0),
}
"""Classes of work, and what each takes on a core of which nothing is known.

`prepare` is what a rank does before its first instruction (building its expressions), `start` what its first
query takes beside its work, and `turn` the wait for a core that another rank uses. `query` and `open` are for
each query and file, `collective` and `reduce` for collectives of rows and of tensors.

Of a file, `read` decodes bytes of numbers, `scale` decimals and `words` texts, and `skip` passes over values
of rows that a predicate has dropped. `move` is copying rows to where they are wanted, `pack` and `unpack` to
and from messages, `hash` finding where they go, `convert` between frames, tensors and what people see,
`write` making a file and `flush` bringing it to the disk.

`map` is a call in an expression on numbers, `wide` one on 128-bit integers or one that is checked, `text` one
on texts, `exact` a part of an exact sum. `build` and `probe` are the sides of a join;
`group` finds the group of a row, `encode` makes one key of several, `scatter` counts misses of caches in hash
tables, `groups` makes groups, `aggregate` and `checked` add a value to a group, `fold` to a total, and
`holistic` aggregates look at all values at once. `sort` counts comparisons, as does `deal`, which puts rows
of an epoch in order; `top` counts rows of which the best are kept.

Ranks with kernels `import` XLA, and `compile` each kernel, or `load` it where it has been compiled before.
`product` and `convolution` count the seconds that they would take at the peak rate of a core, so that `rate`
is the share of the peak that is reached; `elements` counts the elements that other operations give.
"""

SHARES = frozenset({"product", "convolution"})
"""Classes whose rate is a share of what the machine can do."""
IN_BYTES = frozenset({"read", "move", "groups", "pack", "unpack", "convert"})
"""Classes whose amount are bytes that go through memory."""

HOLDS: Mapping[str, float] = {"groups": 1.7, "build": 75.0, "unpack": 2.2, "write": 2.5}
"""Bytes of memory that a unit of the amount of a class takes while a rank works on it (measured)."""
PASSES: Mapping[str, float] = {"read": 0.8, "scale": 22.0, "words": 24.0}
"""The same of classes whose rows pass through: never more than `WINDOW` a thread."""
WAITS: Mapping[str, float] = {"aggregate": 12.0}
"""The same of classes before which rows pile up: never more than `QUEUE` a rank."""
WINDOW, QUEUE = float(48 << 20), float(105 << 20)


@dataclass(frozen=True)
class Coefficients:
    """Coefficients by class, and the clock in Hz of the cores they were measured on (0: unknown)."""

    classes: Mapping[str, Coefficient] = field(default_factory=lambda: DEFAULTS)
    clock: float = 0.0
    provenance: Mapping[str, Any] = field(default_factory=lambda: {"kind": "assumed"})

    def of(self, kind: str, clock: float = 0.0) -> Coefficient:
        """The figures of a class on a core of that clock: rates go with it where both clocks are known."""
        found = self.classes.get(kind) or DEFAULTS[kind]
        if not clock or not self.clock or kind in SHARES:
            return found
        return replace(
            found, rate=found.rate * clock / self.clock, seconds=found.seconds * self.clock / clock
        )

    def to_json(self) -> Json:
        """As JSON data."""
        classes = {name: asdict(entry) for name, entry in self.classes.items()}
        for entry in classes.values():
            entry["rate"] = None if entry["rate"] == math.inf else entry["rate"]
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
                **{key: math.inf if value is None else float(value) for key, value in entry.items()}
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

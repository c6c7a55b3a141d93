"""What a workload gives: a table, and remarks on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlc.predict.report import energy, seconds, size

Cell = str | float | int | bool | None


def _percent(share: float) -> str:
    return f"{round(share, 4) + 0.0:.2%}"  # no -0.00%


_SHOWN: Mapping[str, Callable[[float], str]] = {"s": seconds, "B": size, "J": energy, "1": _percent}
"""How figures of a unit are shown with it; other units stand in the heading."""


@dataclass(frozen=True)
class Report:
    """Rows with the same keys, `notes` on how they came about, and `warnings` about what cannot be right.

    `units` are those of the columns and figures that have one; shares have the unit 1.
    """

    title: str
    machine: str
    rows: Sequence[Mapping[str, Cell]]
    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()
    figures: Mapping[str, float] = field(default_factory=dict[str, float])
    units: Mapping[str, str] = field(default_factory=dict[str, str])

    def to_json(self) -> dict[str, Any]:
        """The report as JSON data."""
        named = {*self.figures, *(name for row in self.rows for name in row)}
        return {
            "title": self.title,
            "machine": self.machine,
            "rows": [dict(row) for row in self.rows],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "figures": dict(self.figures),
            "units": {name: unit for name, unit in self.units.items() if name in named},
        }

    def text(self) -> str:
        """The report for people."""
        lines = [f"{self.title} on {self.machine}", ""]
        if self.rows:
            lines += self._table()
        if self.rows and self.figures:
            lines.append("")
        for name, value in self.figures.items():
            lines.append(f"  {name}: {self._figure(name, value)}")
        lines += ["", *(f"note: {note}" for note in self.notes)] if self.notes else []
        lines += ["", *(f"warning: {warning}" for warning in self.warnings)] if self.warnings else []
        return "\n".join(lines)

    def _table(self) -> list[str]:
        names = list(self.rows[0])
        heads = [self._head(name) for name in names]
        cells = [heads, *([self._cell(name, row.get(name)) for name in names] for row in self.rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
        left = [isinstance(self.rows[0][name], str) for name in names]
        return [
            "  "
            + "  ".join(
                cell.ljust(width) if flush else cell.rjust(width)
                for cell, width, flush in zip(row, widths, left, strict=True)
            ).rstrip()
            for row in cells
        ]

    def _head(self, name: str) -> str:
        unit = self.units.get(name, "")
        return f"{name}, {unit}" if unit and unit not in _SHOWN and unit != name else name

    def _figure(self, name: str, value: float) -> str:
        """One figure by itself, with digits enough to check it."""
        if self.units.get(name) == "s":
            return seconds(value, digits=6)
        return self._cell(name, value)

    def _cell(self, name: str, value: Cell) -> str:
        match value:
            case None:
                return "–"
            case bool():
                return "yes" if value else "no"
            case int() | float() if self.units.get(name) in _SHOWN:
                return _SHOWN[self.units[name]](value)
            case float() if 1000 <= abs(value) < 1e12:
                return f"{value:,.0f}"
            case float():
                return f"{value:.4g}"
            case int():
                return f"{value:,}"
            case _:
                return str(value)

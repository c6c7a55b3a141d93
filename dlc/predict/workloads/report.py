"""What a workload gives: a table, and remarks on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Cell = str | float | int | bool | None


@dataclass(frozen=True)
class Report:
    """Rows with the same keys, `notes` on how they came about, and `warnings` about what cannot be right."""

    title: str
    machine: str
    rows: Sequence[Mapping[str, Cell]]
    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()
    figures: Mapping[str, float] = field(default_factory=dict[str, float])

    def to_json(self) -> dict[str, Any]:
        """The report as JSON data."""
        return {
            "title": self.title,
            "machine": self.machine,
            "rows": [dict(row) for row in self.rows],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "figures": dict(self.figures),
        }

    def text(self) -> str:
        """The report for people."""
        lines = [f"{self.title} on {self.machine}", ""]
        if self.rows:
            lines += _table(self.rows)
        lines += [f"  {name}: {_cell(value)}" for name, value in self.figures.items()]
        lines += ["", *(f"note: {note}" for note in self.notes)] if self.notes else []
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)


def _table(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    names = list(rows[0])
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    left = [isinstance(rows[0][name], str) for name in names]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if flush else cell.rjust(width)
            for cell, width, flush in zip(row, widths, left, strict=True)
        ).rstrip()
        for row in cells
    ]


def _cell(value: Cell) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float() if abs(value) >= 1000:
            return f"{value:,.0f}"
        case float():
            return f"{value:.4g}"
        case int():
            return f"{value:,}"
        case _:
            return str(value)

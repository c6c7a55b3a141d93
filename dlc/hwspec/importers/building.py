"""What importers share: quantities that say where they come from, and equal parts told once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dlc.diagnostics import SourceLoc
from dlc.hwspec.parts import Part, Provenance, Quantity, Value

# Rates that no such file tells, low enough that a prediction errs on the slow side, as in detection.
CLOCK = 2e9
MEMORY_BANDWIDTH = 20e9
NIC_BANDWIDTH = 1.25e9
NIC_LATENCY = 50e-6
DISK_RATE = 500e6


def measured(value: float, unit: str, source: str) -> Quantity:
    """A number that a tool has read from the machine."""
    return Quantity(float(value), unit, Provenance("measured", source))


def configured(value: float, unit: str, source: str) -> Quantity:
    """A number that an administrator has written down."""
    return Quantity(float(value), unit, Provenance("spec", source))


def assumed(value: float, unit: str) -> Quantity:
    """A number that the file does not tell; to be corrected by hand."""
    return Quantity(float(value), unit)


def part(
    kind: str,
    name: str,
    loc: SourceLoc,
    properties: Mapping[str, Value | None] | None = None,
    parts: Iterable[Part] = (),
    count: int | None = None,
) -> Part:
    """A part; properties that are None are left out."""
    given = tuple(sorted((key, value) for key, value in (properties or {}).items() if value is not None))
    return Part(kind, name, count, "", given, tuple(parts), loc)


def link(first: str, second: str, loc: SourceLoc, properties: Mapping[str, Value | None]) -> Part:
    """A link between two paths."""
    return part("link", "", loc, {"ends": (first, second), **properties})


def merged(parts: Sequence[Part], name: str) -> list[Part]:
    """Parts that differ in nothing but their names, told once with a count.

    They are called `name`, or `name0`, `name1`, … where there are several sorts.
    """
    sorts: dict[Part, int] = {}
    for each in parts:
        unnamed = replace(each, name=name, count=None)
        sorts[unnamed] = sorts.get(unnamed, 0) + 1
    many = len(sorts) > 1
    return [
        replace(sort, name=f"{name}{index}" if many else name, count=None if copies == 1 else copies)
        for index, (sort, copies) in enumerate(sorts.items())
    ]


def every(part: Part) -> str:
    """The path step that selects all copies of a part."""
    return part.name if part.count is None else f"{part.name}[*]"


def name_of(text: str, default: str) -> str:
    """Text made a name: letters, digits and `_`, beginning with a letter."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII).strip("_")[:40]
    return name if name[:1].isalpha() else default

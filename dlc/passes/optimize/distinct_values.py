"""How many distinct values a column of a scan holds, by the dictionaries of some of its row groups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dlc.dialects import datatypes as t

from . import coupons
from .coupons import Part
from .dictionaries import Contents
from .files import Bounds, Footer, union

MOST_GROUPS = 32
"""Row groups whose dictionaries are looked at; more of them tell little more, and every look costs."""

_FLOAT_RESOLUTION = 2.0**-40
_LARGEST = 1e300


def column_contents(
    groups: Sequence[tuple[Footer, int]], columns: Mapping[str, t.DataType]
) -> dict[str, tuple[Bounds, Contents]]:
    """Bounds and contents of columns in these row groups together."""
    looked = {at: groups[at][0].contents(groups[at][1], columns) for at in chosen(len(groups))}
    found = dict[str, tuple[Bounds, Contents]]()
    files = dict.fromkeys(file for file, _ in groups)
    for column, type_ in columns.items():
        told = {file: file.bounds(column, type_) for file in files}
        known = [told[file][group] for file, group in groups]
        seen = {at: contents[column] for at, contents in looked.items()}
        bounds = union(known)
        found[column] = bounds, together(known, bounds, seen)
    return found


def chosen(count: int) -> list[int]:
    """Which of so many row groups are looked at: all, or `MOST_GROUPS` evenly spread."""
    if count <= MOST_GROUPS:
        return list(range(count))
    return [(2 * index + 1) * count // (2 * MOST_GROUPS) for index in range(MOST_GROUPS)]


def together(known: Sequence[Bounds], all_rows: Bounds, seen: Mapping[int, Contents]) -> Contents:
    """What row groups hold, with the bounds of each and of all, of which some have been looked at.

    Every row group is taken to be like the nearest one with a dictionary. Unknown if most rows that have been
    looked at have none.
    """
    widths = [(known[group].rows, found.width) for group, found in seen.items() if found.width is not None]
    weight = sum(rows for rows, _ in widths)
    width = sum(rows * width for rows, width in widths) / weight if weight else None
    valued = {group: _valued(known[group]) for group in seen}
    samples = {
        group: found.distinct for group, found in seen.items() if found.distinct is not None and valued[group]
    }
    if not samples or 2 * sum(valued[group] for group in samples) < sum(valued.values()):
        return Contents(0.0 if all_rows.all_null else None, width)
    axis = _Axis(all_rows)
    parts = list[Part]()
    order = sorted(samples)
    for at, group in enumerate(order):
        first = (order[at - 1] + group) // 2 + 1 if at else 0
        last = (group + order[at + 1]) // 2 if at + 1 < len(order) else len(known) - 1
        part = Part(valued[group], samples[group], *axis.range(known[group]))
        near = union(known[first : last + 1])
        parts.append(
            coupons.stretched(part, _valued(near), *axis.range(near), axis.step) if first < last else part
        )
    return Contents(coupons.union(parts, axis.step), width)


def _valued(bounds: Bounds) -> float:
    return float(bounds.rows - (bounds.nulls or 0))


class _Axis:
    """Puts the bounds of a column on a line: numbers as they are, texts by what follows their prefix."""

    def __init__(self, all_rows: Bounds):
        low, high = all_rows.low, all_rows.high
        self._known = low is not None and high is not None
        self._prefix = 0
        if isinstance(low, str) and isinstance(high, str):
            self._prefix = _common_prefix(low.encode(), high.encode())
        self._low, self._high = self._number(low or 0), self._number(high or 0)
        self.step = 1.0 if isinstance(low, int) and isinstance(high, int) else 0.0
        """How far values are apart at least."""
        self._unit = self.step or max((self._high - self._low) * _FLOAT_RESOLUTION, 1e-300)

    def range(self, bounds: Bounds) -> tuple[float, float]:
        """From the lowest value to behind the highest; all of the line where those are unknown."""
        low, high = self._low, self._high
        if self._known and bounds.low is not None and bounds.high is not None:
            low, high = self._number(bounds.low), self._number(bounds.high)
        return low, max(high + self._unit, math.nextafter(high, math.inf))

    def _number(self, end: float | str) -> float:
        if not isinstance(end, str):
            return min(max(float(end), -_LARGEST), _LARGEST)
        rest = end.encode()[self._prefix : self._prefix + 6]
        return float(int.from_bytes(rest.ljust(6, b"\0"), "big"))


def _common_prefix(low: bytes, high: bytes) -> int:
    """How many bytes all texts between two texts begin with."""
    differ = (at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b)
    return next(differ, min(len(low), len(high)))

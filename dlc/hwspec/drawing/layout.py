"""The boxes of the picture of a machine: what stands within what, and where.

Copies of a part stand beside one another where they are few. Of many, and of nodes, one stands for all, with
the outline of another behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dlc.hwspec.drawing.words import lines
from dlc.hwspec.graph import holds_nodes
from dlc.hwspec.networks import Vertex
from dlc.hwspec.parts import Part, Step, steps

LINE, PAD, GAP = 16, 10, 16
_CHAR, _BOLD, _FEW = 7.3, 7.6, 8
_WIDE = {"socket": 480, "group": 480}
_WIDEST = 1240
_TIERS = (
    ("cluster", "group", "node", "socket"),
    ("cpu", "memory", "cache"),
    ("gpu", "accel"),
    ("switch", "disk"),
    ("nic",),
    ("network",),
    ("store",),
)
"""Kinds that stand in a row, from top to bottom; within a node its network stands above its interfaces."""

_IN_NODE = (*_TIERS[:3], ("network",), *_TIERS[3:5])
_BARS = ("network",)
"""They are as wide as what holds them."""


@dataclass
class Box:
    """A part as drawn, or one of its copies; a box is placed once all sizes are known."""

    part: Part
    title: str
    lines: list[str]
    vertex: Vertex
    stacked: bool = False
    rows: list[list[Box]] = field(default_factory=list["list[Box]"])
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0

    @property
    def inner(self) -> Iterator[Box]:
        """The boxes within."""
        for row in self.rows:
            yield from row

    def walk(self) -> Iterator[Box]:
        """The box itself and all below it."""
        yield self
        for box in self.inner:
            yield from box.walk()

    def find(self, path: str) -> list[Box]:
        """The boxes for what a path from here selects."""
        found: list[Box] = [self]
        for step in steps(path):
            found = [
                box
                for holder in found
                for box in holder.inner
                if box.part.name == step.name and (box.stacked or _selects(step, box.vertex[-1][1]))
            ]
        return found


def _selects(step: Step, index: int) -> bool:
    return step.first <= index and (step.last is None or index <= step.last)


def layout(name: str, head: list[str], parts: tuple[Part, ...]) -> Box:
    """The placed box of the machine."""
    machine = Part("cluster", name, parts=parts)
    box = Box(machine, name, head, (), rows=_rows(machine, (), _TIERS))
    _measure(box)
    _place(box, PAD, PAD)
    return box


def _rows(holder: Part, vertex: Vertex, tiers: tuple[tuple[str, ...], ...]) -> list[list[Box]]:
    rows: list[list[Box]] = []
    for kinds in tiers:
        boxes = [box for part in holder.parts if part.kind in kinds for box in _boxes(part, vertex)]
        for box in boxes:
            _measure(box)
        if not boxes:
            continue
        # As few rows as the width allows, and equally many boxes in each.
        room = 0 if kinds == _BARS else _WIDE.get(holder.kind, _WIDEST)
        wanted = -(-sum(box.width + GAP for box in boxes) // room) if room else len(boxes)
        each = -(-len(boxes) // min(int(wanted), len(boxes)))
        rows += [boxes[first : first + each] for first in range(0, len(boxes), each)]
    return rows


def _boxes(part: Part, prefix: Vertex) -> Iterator[Box]:
    many = part.copies > 1 and (holds_nodes(part) or part.copies > _FEW)
    for index in range(1 if many else part.copies):
        vertex = (*prefix, (part.name, index))
        copy = f"[{index}]" if part.copies > 1 and not many else ""
        kind = f" : {part.type}" if part.type else ""
        title = f"{f'{part.copies:,} × ' if many else ''}{part.label}{copy}{kind}"
        box = Box(part, title, _lines(part), vertex, many)
        if part.kind not in ("cpu", "gpu", "accel"):
            box.rows = _rows(part, vertex, _IN_NODE if part.kind != "cluster" else _TIERS)
        yield box


def _lines(part: Part) -> list[str]:
    media = [inner for inner in part.parts if inner.kind == "interconnect"]
    return lines(part) + [
        f"{inner.name} between {inner.text('scope', 'core')}s: {', '.join(lines(inner))}" for inner in media
    ]


def _measure(box: Box) -> None:
    own = max(len(box.title) * _BOLD, max(map(len, box.lines), default=0) * _CHAR)
    below = max((sum(inner.width + GAP for inner in row) - GAP for row in box.rows), default=0.0)
    box.width = max(own, below) + 2 * PAD + (6 if box.stacked else 0)
    rows = sum(max(inner.height for inner in row) + GAP for row in box.rows)
    box.height = PAD + LINE * (1 + len(box.lines)) + rows + PAD / 2 + (6 if box.stacked else 0)


def _place(box: Box, x: float, y: float) -> None:
    """Puts a box and all within it where they belong; rows stand in the middle, bars take the whole width."""
    box.x, box.y = x, y
    room = box.width - 2 * PAD - (6 if box.stacked else 0)
    top = y + PAD + LINE * (1 + len(box.lines))
    for row in box.rows:
        if row[0].part.kind in _BARS:
            row[0].width = room
        left = x + PAD + (room - sum(inner.width + GAP for inner in row) + GAP) / 2
        for inner in row:
            _place(inner, left, top)
            left += inner.width + GAP
        top += max(inner.height for inner in row) + GAP

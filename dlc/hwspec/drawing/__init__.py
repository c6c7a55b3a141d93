"""Draws a machine as one self-contained SVG picture: boxes within boxes, wires between them, and a legend."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import product

from dlc.hwspec.drawing.layout import LINE, PAD, Box, layout
from dlc.hwspec.drawing.words import all_figures, lines
from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Part
from dlc.hwspec.tree import summary

_COLORS = {
    "node": "#eef2f7",
    "cluster": "#f7f7f7",
    "group": "#f4f1ea",
    "socket": "#e3ebf5",
    "cpu": "#cfe0f5",
    "gpu": "#d5edd0",
    "accel": "#d5edd0",
    "memory": "#fdf0c8",
    "cache": "#fdf7e3",
    "disk": "#ead9c9",
    "store": "#ead9c9",
    "nic": "#ecd5ea",
    "network": "#f3e6f2",
    "switch": "#ecd5ea",
}
_WIRES = ("#2f6db3", "#c2571a", "#2e8540", "#8a3ea8", "#b01e48", "#5f6b78")
_STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1d2733}"
    ".n{font-weight:600}.f{fill:#52606d}rect{stroke:#8795a6;stroke-width:1}path{fill:none;stroke-opacity:.75}"
)
_NOTE = "* measured, ~ assumed; all other figures are published"
_STORE = "#8795a6"


@dataclass(frozen=True)
class _Wire:
    """A line between two boxes; `part` is the link, or the network that one of them is."""

    part: Part
    a: Box
    b: Box


def draw(machine: Machine) -> str:
    """The machine as an SVG document; nothing in it refers to anything outside."""
    head = [summary(machine), *(f"{name}: {content}" for name, content in machine.meta)]
    box = layout(machine.name, head, machine.tree)
    wires = list(_wires(box))
    kinds = list(dict.fromkeys(_kind(wire.part) for wire in wires if wire.part.kind != "store"))
    colors = {kind: _WIRES[index % len(_WIRES)] for index, kind in enumerate(kinds)}
    legend = list(_legend(wires, colors, box.y + box.height + PAD))
    width, height = box.width + 2 * PAD, box.height + 3 * PAD + LINE * (len(colors) + 1)
    size = f'width="{width:.0f}" height="{height:.0f}"'
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" {size} role="img">'
    )
    return "\n".join(
        [
            root,
            f"<title>{escape(machine.name)}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect {size} fill="#ffffff" stroke="none"/>',
            # Wires run above what holds parts, and behind the parts themselves.
            *(line for inner in box.walk() if inner.rows for line in _box(inner)),
            *(_line(wire, colors.get(_kind(wire.part), _STORE)) for wire in wires),
            *(line for inner in box.walk() if not inner.rows for line in _box(inner)),
            *legend,
            "</svg>",
        ]
    )


def _wires(machine: Box) -> Iterator[_Wire]:
    """All lines, each once: copies that one box stands for have none of their own."""
    drawn: set[tuple[str, frozenset[int]]] = set()
    for holder in machine.walk():
        for part in holder.part.parts:
            for a, b in _ends(holder, part):
                key = _kind(part), frozenset((id(a), id(b)))
                if a is not b and key not in drawn:
                    drawn.add(key)
                    yield _Wire(part, a, b)


def _ends(holder: Box, part: Part) -> Iterator[tuple[Box, Box]]:
    if part.kind == "link":
        first, second = part.texts("ends")
        yield from product(holder.find(first), holder.find(second))
    elif part.kind in ("network", "store"):
        (own,) = (box for box in holder.inner if box.part is part)
        for path in part.texts("attach"):
            yield from ((other, own) for other in holder.find(path))


def _kind(part: Part) -> str:
    """Wires of a kind have a colour and a line of the legend in common."""
    if part.kind == "link":
        return f"{part.type or 'link'}: {', '.join(lines(part)[:1])}"
    return f"{part.label}{f' : {part.type}' if part.type else ''}"


def _legend(wires: list[_Wire], colors: dict[str, str], top: float) -> Iterator[str]:
    for index, (kind, color) in enumerate(colors.items()):
        y = top + LINE * index + LINE / 2
        wide = max(_stroke(wire.part) for wire in wires if _kind(wire.part) == kind)
        yield f'<path d="M{PAD + 4} {y:.1f}h28" stroke="{color}" stroke-width="{wide:.1f}"/>'
        yield _text(PAD + 40, y + 4, kind, "f")
    yield _text(PAD + 4, top + LINE * len(colors) + LINE / 2 + 4, _NOTE, "f")


def _stroke(part: Part) -> float:
    """Wider for faster wires: 1 GB/s has one point, each further factor of ten one and a half."""
    rate = (part.rate or 1e9) if part.kind != "store" else 1e9
    return min(5.0, max(1.0, 1 + 1.5 * math.log10(rate / 1e9)))


def _box(box: Box) -> Iterator[str]:
    width, height, color = box.width, box.height, _COLORS.get(box.part.kind, "#ffffff")
    yield "<g>"
    yield f"<title>{escape(all_figures(box.part))}</title>"
    if box.stacked:
        width, height = width - 6, height - 6
        yield _rectangle(box.x + 6, box.y + 6, width, height, color)
    yield _rectangle(box.x, box.y, width, height, color)
    yield _text(box.x + PAD, box.y + LINE, box.title, "n")
    for index, line in enumerate(box.lines):
        yield _text(box.x + PAD, box.y + LINE * (index + 2), line, "f")
    yield "</g>"


def _rectangle(x: float, y: float, width: float, height: float, color: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="5" fill="{color}"/>'


def _text(x: float, y: float, words: str, style: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _line(wire: _Wire, color: str) -> str:
    """From edge to edge: straight down to what lies across, otherwise along the line between the middles."""
    a, b = wire.a, wire.b
    hint = f"<title>{escape(all_figures(wire.part))}</title>"
    style = f'stroke="{color}" stroke-width="{_stroke(wire.part):.1f}"'
    return f'<path d="{_way(a, b)}" {style}>{hint}</path>'


def _way(a: Box, b: Box) -> str:
    left, right = max(a.x, b.x), min(a.x + a.width, b.x + b.width)
    above, below = (a, b) if a.y < b.y else (b, a)
    if right - left > 12 and above.y + above.height <= below.y:
        x = (left + right) / 2
        return f"M{x:.1f} {above.y + above.height:.1f}V{below.y:.1f}"
    (x1, y1), (x2, y2) = _edge(a, b), _edge(b, a)
    if abs(y1 - y2) < 1 and abs(x2 - x1) > a.width:
        # Beside what stands between two boxes of a row.
        y = max(a.y + a.height, b.y + b.height)
        x1, x2 = a.x + a.width / 2, b.x + b.width / 2
        return f"M{x1:.1f} {a.y + a.height:.1f}C{x1:.1f} {y + 18:.1f} {x2:.1f} {y + 18:.1f} {x2:.1f} {y:.1f}"
    return f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"


def _edge(a: Box, b: Box) -> tuple[float, float]:
    """Where the line to the middle of `b` leaves `a`."""
    x, y = a.x + a.width / 2, a.y + a.height / 2
    dx, dy = b.x + b.width / 2 - x, b.y + b.height / 2 - y
    reach = min(a.width / 2 / abs(dx) if dx else math.inf, a.height / 2 / abs(dy) if dy else math.inf)
    return x + dx * reach, y + dy * reach

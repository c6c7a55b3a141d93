"""Draws a machine as one self-contained SVG picture: boxes within boxes, one for all copies of a part."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from html import escape

from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Counts, Part, Quantity, Table, Value
from dlc.hwspec.units import text

_LINE, _PAD, _GAP, _CHAR, _BOLD, _WIDE = 16, 10, 10, 7.0, 7.6, 900
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
    "network": "#ecd5ea",
    "switch": "#ecd5ea",
    "interconnect": "#f3e6f2",
    "link": "#ffffff",
}
_STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1d2733}"
    ".n{font-weight:600}.f{fill:#52606d}rect{stroke:#8795a6;stroke-width:1}"
)


@dataclass(frozen=True)
class _Box:
    """A part as drawn; a part with copies has the outline of another one behind it."""

    kind: str
    title: str
    figures: tuple[str, ...]
    inner: tuple["_Box", ...]
    copied: bool

    @property
    def header(self) -> float:
        return _PAD + _LINE * (1 + len(self.figures))

    @cached_property
    def rows(self) -> list[list["_Box"]]:
        """The boxes within, side by side as far as they fit."""
        rows: list[list[_Box]] = []
        for box in self.inner:
            if rows and sum(other.width + _GAP for other in rows[-1]) + box.width <= _WIDE:
                rows[-1].append(box)
            else:
                rows.append([box])
        return rows

    @cached_property
    def width(self) -> float:
        own = max(len(self.title) * _BOLD, max(map(len, self.figures), default=0) * _CHAR)
        below = max((sum(box.width + _GAP for box in row) - _GAP for row in self.rows), default=0.0)
        return max(own, below) + 2 * _PAD + (6 if self.copied else 0)

    @cached_property
    def height(self) -> float:
        below = sum(max(box.height for box in row) + _GAP for row in self.rows)
        return self.header + below + _PAD + (6 if self.copied else 0)

    def draw(self, x: float, y: float) -> Iterable[str]:
        """The elements of the box with its upper left corner at a point."""
        width, height, color = self.width, self.height, _COLORS.get(self.kind, "#ffffff")
        if self.copied:
            width, height = width - 6, height - 6
            yield _rectangle(x + 6, y + 6, width, height, color)
        yield _rectangle(x, y, width, height, color)
        line = y + _LINE
        yield f'<text class="n" x="{x + _PAD:.1f}" y="{line:.1f}">{escape(self.title)}</text>'
        for figure in self.figures:
            line += _LINE
            yield f'<text class="f" x="{x + _PAD:.1f}" y="{line:.1f}">{escape(figure)}</text>'
        top = y + self.header
        for row in self.rows:
            left = x + _PAD
            for box in row:
                yield from box.draw(left, top)
                left += box.width + _GAP
            top += max(box.height for box in row) + _GAP


def _rectangle(x: float, y: float, width: float, height: float, color: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="5" fill="{color}"/>'


def draw(machine: Machine) -> str:
    """The machine as an SVG document; nothing in it refers to anything outside."""
    figures = tuple(f"{name}: {content}" for name, content in machine.meta)
    box = _Box("cluster", f"machine {machine.name}", figures, _boxes(machine.tree), copied=False)
    width, height = box.width + 2 * _PAD, box.height + 2 * _PAD
    size = f'width="{width:.0f}" height="{height:.0f}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" {size} role="img">'
    )
    page = f'<rect {size} fill="#ffffff" stroke="none"/>'
    title, style = f"<title>{escape(machine.name)}</title>", f"<style>{_STYLE}</style>"
    return "\n".join([head, title, style, page, *box.draw(_PAD, _PAD), "</svg>"])


def _boxes(parts: tuple[Part, ...]) -> tuple[_Box, ...]:
    return tuple(_box(part) for part in parts)


def _box(part: Part) -> _Box:
    copied = part.copies > 1
    title = f"{f'{part.copies:,} × ' if copied else ''}{part.label}{f' : {part.type}' if part.type else ''}"
    shown = (entry for entry in part.properties if entry[0] not in ("ends", "directed"))
    figures = [line for name, value in shown for line in _figure(name, value)]
    return _Box(part.kind, title, tuple(figures), _boxes(part.parts), copied)


def _figure(name: str, value: Value) -> list[str]:
    match value:
        case Quantity():
            return [f"{name} {text(value.value, value.unit)} ({value.provenance.kind})"]
        case Table():
            return [line for entry, inner in value.entries for line in _figure(entry, inner)]
        case Counts():
            return [f"{name} {' × '.join(text(item.value, item.unit) for item in value.items)}"]
        case bool():
            return [f"{name} {'yes' if value else 'no'}"]
        case str():
            return [f"{name} {value}"]
        case tuple():
            words = " ".join(map(str, value))
            return [f"{name} {words if len(words) <= 48 else words[:47] + '…'}"]

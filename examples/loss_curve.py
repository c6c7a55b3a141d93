"""Draw the history of a training as SVG: the loss of every step, and each metric at the end of its epoch."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import polars as pl

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 30, 45
COLOURS = ("#d1495b", "#2e7d5b", "#8a5fb0")
Point = tuple[float, float]


def draw(history: pl.DataFrame, path: Path) -> None:
    """Write the curves of a history with the columns epoch, step, name and value to `path`."""
    loss = history.filter(pl.col("name") == "loss").sort("epoch", "step")
    lengths = loss.group_by("epoch").len().sort("epoch")
    ends = dict(lengths.select("epoch", pl.col("len").cum_sum()).rows())
    smooth = loss["value"].ewm_mean(span=50)
    metrics = {
        str(name): [(float(ends[epoch]), value) for epoch, value in notes.select("epoch", "value").rows()]
        for (name,), notes in history.filter(pl.col("name") != "loss").group_by("name", maintain_order=True)
    }
    shown = [*smooth, *(value for points in metrics.values() for _, value in points)]
    picture = _Picture(loss.height, *_around(shown))
    steps = range(1, loss.height + 1)
    picture.curve([*zip(steps, loss["value"], strict=True)], "#bcd0e5", 1)
    picture.curve([*zip(steps, smooth, strict=True)], "#2b6cb0", 2)
    picture.legend(0, "#2b6cb0", "loss of the steps")
    for number, (name, points) in enumerate(metrics.items()):
        colour = COLOURS[number % len(COLOURS)]
        picture.dots(points, colour)
        picture.legend(number + 1, colour, name)
    path.write_text(picture.text())


class _Picture:
    """Elements of SVG in the coordinates of the data: steps from 0, values from `low` to `high`."""

    def __init__(self, steps: int, low: float, high: float):
        self._steps, self._low, self._high = steps, low, high
        self._curves: list[str] = []
        self._labels: list[str] = []
        for part in range(5):
            value, step = low + (high - low) * part / 4, steps * part / 4
            (_, y), (x, _) = self._place((0, value)), self._place((step, low))
            self._labels += [
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>',
                f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.3f}</text>',
                f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{step:,.0f}</text>',
            ]

    def curve(self, points: Sequence[Point], colour: str, width: float) -> None:
        """A line through the points."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self._place, points))
        look = f'fill="none" stroke="{colour}" stroke-width="{width}"'
        self._curves.append(f'<polyline points="{places}" {look}/>')

    def dots(self, points: Sequence[Point], colour: str) -> None:
        """A dot at each point, and a line through them."""
        self.curve(points, colour, 1.5)
        self._curves += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in map(self._place, points)
        ]

    def legend(self, number: int, colour: str, name: str) -> None:
        """The name of a curve, at the top."""
        x = LEFT + 160 * number
        self._labels.append(f'<rect x="{x}" y="10" width="14" height="4" fill="{colour}"/>')
        self._labels.append(f'<text x="{x + 20}" y="17">{escape(name)}</text>')

    def text(self) -> str:
        """The file."""
        style = 'font-family="sans-serif" font-size="12" fill="#333"'
        window = f'x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {style}>',
                f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
                f'<clipPath id="window"><rect {window}/></clipPath>',
                *self._labels,
                f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 8}" text-anchor="middle">steps</text>',
                '<g clip-path="url(#window)">',
                *self._curves,
                "</g>",
                "</svg>\n",
            ]
        )

    def _place(self, point: Point) -> Point:
        step, value = point
        x = LEFT + (WIDTH - LEFT - RIGHT) * step / self._steps
        y = TOP + (HEIGHT - TOP - BOTTOM) * (self._high - value) / (self._high - self._low)
        return x, y


def _around(values: Sequence[float]) -> tuple[float, float]:
    """Bounds that show all the values with some room."""
    low, high = min(values), max(values)
    room = 0.1 * (high - low) or 0.1
    return low - room, high + room

"""A curve over numbers of ranks as an SVG picture: both axes logarithmic, a band for the interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from dlc.predict.prediction import Prediction
from dlc.predict.report import seconds

_WIDTH, _HEIGHT = 640, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 16, 40, 52
_INK, _LINE, _BAND, _GRID = "#222", "#1f6fb4", "#1f6fb433", "#ddd"


def scaling_plot(predictions: Sequence[Prediction]) -> str:
    """Time over ranks, with its interval, and the ideal line from the first point; one SVG document."""
    ranks = [found.ranks for found in predictions]
    first = predictions[0].seconds.value * ranks[0]
    ideal = [first / count for count in ranks]
    lows = [found.seconds.low for found in predictions]
    highs = [found.seconds.high for found in predictions]
    axes = _Axes((min(ranks), max(ranks)), (min(*lows, *ideal, 1e9), max(*highs, 1e-9)))
    times = [found.seconds.value for found in predictions]
    band = [*zip(ranks, highs, strict=True), *reversed(list(zip(ranks, lows, strict=True)))]
    title = f"{predictions[0].program} on {predictions[0].machine}"
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" fill="{_INK}"'
    dashed, solid = f'stroke="{_INK}" stroke-dasharray="4 4"', f'stroke="{_LINE}" stroke-width="2"'
    parts = [
        f'{svg} font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>',
        *axes.grid(),
        f'<polygon points="{axes.points(band)}" fill="{_BAND}"/>',
        f'<polyline points="{axes.points(zip(ranks, ideal, strict=True))}" fill="none" {dashed}/>',
        f'<polyline points="{axes.points(zip(ranks, times, strict=True))}" fill="none" {solid}/>',
        *(axes.dot(count, time) for count, time in zip(ranks, times, strict=True)),
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 12}" text-anchor="middle">ranks</text>',
        f'<text x="{_WIDTH - _RIGHT}" y="22" text-anchor="end">predicted, 10–90 %; dashed: ideal</text>',
        "</svg>",
    ]
    return "\n".join(parts)


class _Axes:
    """Maps ranks and seconds to the picture."""

    def __init__(self, ranks: tuple[float, float], times: tuple[float, float]) -> None:
        self.low_x, self.high_x = math.log2(ranks[0]), max(math.log2(ranks[1]), math.log2(ranks[0]) + 1)
        self.low_y = math.floor(math.log10(max(times[0], 1e-9)))
        self.high_y = max(math.ceil(math.log10(max(times[1], 1e-9))), self.low_y + 1)

    def x(self, ranks: float) -> float:
        share = (math.log2(ranks) - self.low_x) / (self.high_x - self.low_x)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, time: float) -> float:
        share = (math.log10(max(time, 1e-9)) - self.low_y) / (self.high_y - self.low_y)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def points(self, pairs: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{self.x(ranks):.1f},{self.y(time):.1f}" for ranks, time in pairs)

    def dot(self, ranks: int, time: float) -> str:
        """A point with its figures to point at."""
        label = f"<title>{ranks} ranks: {escape(seconds(time))}</title>"
        return (
            f'<circle cx="{self.x(ranks):.1f}" cy="{self.y(time):.1f}" r="3" fill="{_LINE}">{label}</circle>'
        )

    def grid(self) -> Iterable[str]:
        bottom = _HEIGHT - _BOTTOM
        for power in range(math.ceil(self.low_x), math.floor(self.high_x) + 1):
            x = self.x(2.0**power)
            yield f'<path d="M{x:.1f} {_TOP}V{bottom}" stroke="{_GRID}"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{2**power}</text>'
        for power in range(self.low_y, self.high_y + 1):
            y, label = self.y(10.0**power), escape(seconds(10.0**power))
            yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="{_GRID}"/>'
            yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'

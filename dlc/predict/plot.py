"""A curve over numbers of ranks as an SVG picture: time with its interval, and what it is spent on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from dlc.predict.prediction import Prediction
from dlc.predict.report import seconds

_WIDTH, _HEIGHT = 680, 560
_LEFT, _RIGHT = 84, 28
_INK, _GREY, _GRID = "#1a1a1a", "#666666", "#dddddd"
# Okabe and Ito's colours, which people with any sight of colour can tell apart; black is for ink.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
_SEEN = 0.005  # smaller shares are left out


@dataclass(frozen=True)
class _Panel:
    """A part of the picture: ranks (logarithmic) to the right, and `low` to `high` from `bottom` to `top`."""

    ranks: tuple[int, int]
    top: float
    bottom: float
    low: float
    high: float

    def x(self, ranks: float) -> float:
        share = math.log(ranks / self.ranks[0]) / math.log(self.ranks[1] / self.ranks[0])
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)

    def points(self, pairs: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{self.x(ranks):.1f},{self.y(value):.1f}" for ranks, value in pairs)

    def across(self, value: float, label: str) -> Iterable[str]:
        """A line of the grid, with its label at the left."""
        y = self.y(value)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="{_GRID}"/>'
        yield _text(_LEFT - 8, y + 4, label, anchor="end")

    def title(self, words: str) -> str:
        """What goes from bottom to top."""
        middle = (self.top + self.bottom) / 2
        return _text(18, middle, words, anchor="middle", more=f'transform="rotate(-90 18 {middle:.0f})"')


def scaling_plot(predictions: Sequence[Prediction]) -> str:
    """Time and its shares over at least two numbers of ranks; one SVG document."""
    found = sorted(predictions, key=lambda entry: entry.ranks)
    title = f"{found[0].program} on {found[0].machine}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
    return "\n".join(
        (
            f'{head} fill="{_INK}" font-family="Helvetica, Arial, sans-serif" font-size="12">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
            _text(_LEFT, 22, f"{title}, predicted", size=15),
            *_times(found),
            *_shares(found),
            _text((_LEFT + _WIDTH - _RIGHT) / 2, 476, "ranks", anchor="middle"),
            "</svg>",
        )
    )


def _times(found: Sequence[Prediction]) -> Iterable[str]:
    """Time with its interval, and what perfect scaling from the first point would give."""
    lows = [math.log10(max(entry.seconds.low, 1e-9)) for entry in found]
    highs = [math.log10(max(entry.seconds.high, 1e-9)) for entry in found]
    ticks = _ticks(min(lows), max(highs))
    panel = _panel(found, 56, 280, ticks[0], ticks[-1])
    times = [(entry.ranks, math.log10(max(entry.seconds.value, 1e-9))) for entry in found]
    band = [
        *((entry.ranks, high) for entry, high in zip(found, highs, strict=True)),
        *reversed([(entry.ranks, low) for entry, low in zip(found, lows, strict=True)]),
    ]
    for tick in ticks:
        yield from panel.across(tick, seconds(10.0**tick))
    yield panel.title("time")
    yield f'<polygon points="{panel.points(band)}" fill="{_COLOURS[0]}" fill-opacity="0.18"/>'
    yield _ideal(panel, times[0], found[-1].ranks)
    yield f'<polyline points="{panel.points(times)}" fill="none" stroke="{_COLOURS[0]}" stroke-width="2"/>'
    for entry, (ranks, time) in zip(found, times, strict=True):
        label = f"<title>{ranks:,} ranks: {escape(seconds(entry.seconds.value))}</title>"
        x, y = panel.x(ranks), panel.y(time)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{_COLOURS[0]}">{label}</circle>'
    legend = "time, and where it lies in 8 of 10 cases"
    yield f'<path d="M{_LEFT} 42h24" stroke="{_COLOURS[0]}" stroke-width="2"/>'
    yield _text(_LEFT + 30, 46, legend)
    yield f'<path d="M{_LEFT + 290} 42h24" stroke="{_GREY}" stroke-dasharray="5 4"/>'
    yield _text(_LEFT + 320, 46, "perfect scaling")


def _ticks(low: float, high: float) -> list[float]:
    """Logarithms of round values from at most `low` to at least `high`: 1, 2 and 5, or many powers of ten."""
    mantissas = (1, 2, 5) if high - low < 2 else (1,)
    powers = range(math.floor(low), math.ceil(high) + 1)
    ticks = [power + math.log10(mantissa) for power in powers for mantissa in mantissas]
    first = max(number for number, tick in enumerate(ticks) if tick <= low)
    last = next((number for number, tick in enumerate(ticks) if tick >= high), len(ticks) - 1)
    return ticks[first : max(last, first + 1) + 1]


def _ideal(panel: _Panel, first: tuple[float, float], last: float) -> str:
    """The line of perfect scaling, as far as the panel reaches."""
    ranks, time = first
    reach = min(last, ranks * 10 ** (time - panel.low))
    ends = [(ranks, time), (reach, time - math.log10(reach / ranks))]
    return f'<polyline points="{panel.points(ends)}" fill="none" stroke="{_GREY}" stroke-dasharray="5 4"/>'


def _shares(found: Sequence[Prediction]) -> Iterable[str]:
    """Which share of the time each resource takes, one upon the other."""
    panel = _panel(found, 316, 440, 0.0, 1.0)
    shares = _largest([_normed(entry.parts) for entry in found])
    below = [0.0] * len(found)
    for number, name in enumerate(shares[0]):
        above = [start + share[name] for start, share in zip(below, shares, strict=True)]
        upper = [(entry.ranks, value) for entry, value in zip(found, above, strict=True)]
        lower = [(entry.ranks, value) for entry, value in zip(found, below, strict=True)]
        corners = panel.points([*upper, *reversed(lower)])
        yield f'<polygon points="{corners}" fill="{_COLOURS[number]}"/>'
        x, y = _LEFT + 150 * (number % 4), 506 + 22 * (number // 4)
        yield f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{_COLOURS[number]}"/>'
        yield _text(x + 18, y, name)
        below = above
    for share in (0.0, 0.5, 1.0):
        yield from panel.across(share, f"{share:.0%}")
    yield panel.title("share of the time")
    yield from _ranks(panel, found)


def _normed(parts: Mapping[str, float]) -> dict[str, float]:
    total = sum(parts.values()) or 1.0
    return {name: part / total for name, part in parts.items()}


def _largest(shares: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """The shares that can be seen under the same names, largest first, and those of all others together."""
    totals = {name: max(share.get(name, 0.0) for share in shares) for share in shares for name in share}
    names = sorted((name for name in totals if totals[name] > _SEEN), key=lambda name: -totals[name])
    kept = names if len(names) <= len(_COLOURS) else names[: len(_COLOURS) - 1]
    found = [{name: share.get(name, 0.0) for name in kept} for share in shares]
    if len(kept) < len(names):
        for share in found:
            share["other"] = max(0.0, 1.0 - sum(share.values()))
    return found


def _ranks(panel: _Panel, found: Sequence[Prediction]) -> Iterable[str]:
    """Numbers of ranks below the panels, as many as there is room for."""
    right = -math.inf
    for entry in found:
        label = f"{entry.ranks:,}"
        x, half = panel.x(entry.ranks), 3.6 * len(label)
        if x - half > right + 6:
            yield f'<path d="M{x:.1f} {panel.bottom}v5" stroke="{_INK}"/>'
            yield _text(x, panel.bottom + 18, label, anchor="middle")
            right = x + half


def _panel(found: Sequence[Prediction], top: float, bottom: float, low: float, high: float) -> _Panel:
    return _Panel((found[0].ranks, found[-1].ranks), top, bottom, low, high)


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12, more: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f"<text {place}{f' {more}' if more else ''}>{escape(words)}</text>"

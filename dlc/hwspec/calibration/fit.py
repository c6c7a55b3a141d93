"""Message times as straight lines over ranges of sizes, as in the LogGP model.

Libraries change their protocol with the size of a message, so no one line holds from 8 B to 8 MB: where the
lines break, and into how many pieces, follows from the data. Pure functions of sizes and times.

The model: Alexandrov, Ionescu, Schauser, Scheiman, "LogGP: incorporating long messages into the LogP model",
SPAA 1995. The number of pieces: Zhang, Siegmund, "A modified Bayes information criterion", Biometrics 2007.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MAX_SEGMENTS = 4
_MIN_POINTS = 4  # sizes that a piece spans, since two parameters fit fewer all too well
_FLOOR = 0.01  # relative; smaller deviations are not worth a piece

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Segment:
    """A message of up to `upto` bytes takes `delay` seconds and `per_byte` for each byte."""

    upto: float
    delay: float
    per_byte: float

    @property
    def bandwidth(self) -> float:
        """B/s of long messages, infinite where the size makes no difference."""
        return 1 / self.per_byte if self.per_byte else math.inf


@dataclass(frozen=True)
class Fit:
    """Segments in order of size, the last one without an end; `r2` of the logarithms of time."""

    segments: tuple[Segment, ...]
    r2: float

    def seconds(self, size: float) -> float:
        """Time of one message of `size` bytes."""
        segment = next(segment for segment in self.segments if size <= segment.upto)
        return segment.delay + size * segment.per_byte

    @property
    def latency(self) -> float:
        """Seconds of the shortest message."""
        return self.segments[0].delay

    @property
    def bandwidth(self) -> float:
        """B/s of the longest messages."""
        return self.segments[-1].bandwidth


def fit(sizes: Sequence[float], times: Sequence[float]) -> Fit:
    """The segments that explain `times` in seconds of messages of `sizes` bytes; at least two distinct sizes.

    Deviations count in relation to the time: all sizes weigh the same, though times span decades.
    """
    order = np.argsort(np.asarray(sizes, float), kind="stable")
    x, y = np.asarray(sizes, float)[order], np.asarray(times, float)[order]
    starts = np.flatnonzero(np.r_[True, np.diff(x) > 0])  # breaks lie between sizes, never within one
    if len(starts) < 2 or (y <= 0).any():
        raise ValueError("a fit needs positive times of at least two sizes")
    errors, lines = _pieces(x, y, starts)
    best: tuple[float, list[int]] | None = None
    for count, (error, breaks) in enumerate(_partitions(errors), start=1):
        # Two parameters a line; a break, chosen from all sizes, weighs as three.
        penalty = (5 * count - 3) * math.log(len(x))
        score = len(x) * math.log(max(error / len(x), _FLOOR**2)) + penalty
        if best is None or score < best[0]:
            best = score, breaks
    assert best is not None
    bounds = [*best[1], len(starts)]
    ends = [float(x[starts[stop] - 1]) if stop < len(starts) else math.inf for stop in bounds[1:]]
    segments = tuple(
        Segment(end, *lines[first, stop]) for first, stop, end in zip(bounds, bounds[1:], ends, strict=False)
    )
    model = Fit(segments, 0.0)
    logs, residuals = np.log(y), np.log(y) - np.log([model.seconds(size) for size in x.tolist()])
    total = float(((logs - logs.mean()) ** 2).sum())
    return Fit(segments, 1 - float((residuals**2).sum()) / total if total else 1.0)


Lines = dict[tuple[int, int], tuple[float, float]]


def _pieces(x: Array, y: Array, starts: npt.NDArray[np.intp]) -> tuple[dict[tuple[int, int], float], Lines]:
    """Squared relative error and line of every piece from one size up to, not including, another."""
    bounds = [*starts.tolist(), len(x)]
    count = len(starts)
    errors: dict[tuple[int, int], float] = {}
    lines: Lines = {}
    for first in range(count):
        # A piece that is too short stands only if it is all there is.
        for stop in range(min(first + _MIN_POINTS, count), count + 1):
            piece = slice(bounds[first], bounds[stop])
            line = _line(x[piece], y[piece])
            lines[first, stop] = line
            errors[first, stop] = float((((line[0] + line[1] * x[piece]) / y[piece] - 1) ** 2).sum())
    return errors, lines


def _line(x: Array, y: Array) -> tuple[float, float]:
    """Least squares of (a + b x) / y − 1 with a, b ≥ 0: no message takes less than nothing."""
    u, v = 1 / y, x / y
    uu, uv, vv, su, sv = (float(value) for value in (u @ u, u @ v, v @ v, u.sum(), v.sum()))
    determinant = uu * vv - uv * uv
    if determinant > 1e-12 * uu * vv:
        a, b = (vv * su - uv * sv) / determinant, (uu * sv - uv * su) / determinant
        if a >= 0 and b >= 0:
            return a, b
    # The optimum lies on the border: of the two lines through it the one that errs less.
    flat, steep = (su / uu, 0.0), (0.0, sv / vv if vv else math.inf)
    return min((flat, steep), key=lambda line: float(((line[0] * u + line[1] * v - 1) ** 2).sum()))


def _partitions(errors: dict[tuple[int, int], float]) -> list[tuple[float, list[int]]]:
    """For 1, 2, … pieces the least error, and where the pieces begin (dynamic programming)."""
    count = max(stop for _, stop in errors)
    best = {stop: (errors[0, stop], [0]) for stop in range(count + 1) if (0, stop) in errors}
    found = [best[count]]
    for _ in range(1, MAX_SEGMENTS):
        longer: dict[int, tuple[float, list[int]]] = {}
        for (first, stop), error in errors.items():
            if first and first in best and stop - first >= _MIN_POINTS:
                candidate = best[first][0] + error, [*best[first][1], first]
                if stop not in longer or candidate[0] < longer[stop][0]:
                    longer[stop] = candidate
        best = longer
        if count not in best:
            break
        found.append(best[count])
    return found


_SEGMENT = re.compile(r"(?:<= (\S+) B: )?(\S+) s \+ n \* (\S+) s/B")


def segments_text(segments: Sequence[Segment]) -> str:
    """Segments in words, `<= 8192 B: 1.1e-06 s + n * 1.2e-10 s/B; …`; `segments_of` reads them back."""
    return "; ".join(
        ("" if math.isinf(segment.upto) else f"<= {segment.upto:g} B: ")
        + f"{segment.delay:.4g} s + n * {segment.per_byte:.4g} s/B"
        for segment in segments
    )


def segments_of(text: str) -> tuple[Segment, ...]:
    """The segments in such a text; raises ValueError when it is none."""
    found: list[Segment] = []
    for part in text.split("; "):
        match = _SEGMENT.fullmatch(part)
        if match is None:
            raise ValueError(f"`{part}` is no segment")
        found.append(Segment(float(match[1] or math.inf), float(match[2]), float(match[3])))
    return tuple(found)

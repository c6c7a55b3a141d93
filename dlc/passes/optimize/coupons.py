"""How many distinct values a column holds, from the numbers of them in its parts: pure maths, free of IR.

Within a range of values, the rows of a part are taken as independent draws from one set of values, all
equally likely: m draws from N values find N (1 - exp(-m / N)) of them (Cardenas 1975; the problem of the
coupon collector), so that what a part has found tells N. Parts whose ranges do not overlap hold different
values. Skewed draws find rare values more slowly than even ones: the union of many parts of a skewed column
comes out too small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_ITERATIONS = 60
_CLOSE = 1e-9
_RARE = 1e-6
"""Share of repeated draws below which 1 - exp(-x) is x - x² / 2."""


@dataclass(frozen=True)
class Part:
    """Rows without nulls, distinct values among them, and the range [low, high) that they lie in."""

    rows: float
    distinct: float
    low: float
    high: float


def found(values: float, draws: float) -> float:
    """How many of so many equally likely values turn up in some draws; infinitely many never repeat."""
    if values <= 0 or draws <= 0:
        return 0.0
    return draws if math.isinf(values) else values * -math.expm1(-draws / values)


def domain(distinct: float, draws: float) -> float:
    """How many equally likely values there are if draws found `distinct` of them: the inverse of `found`.

    Infinite if no value turned up twice.
    """
    if distinct <= 0:
        return 0.0
    share = distinct / draws
    if share >= 1:
        return math.inf
    if 1 - share < _RARE:
        return draws / (2 * (1 - share))
    # Newton's method for 1 - exp(-x) = share * x, x = draws / values: from the right, where it is monotone.
    x = 1 / share
    for _ in range(_ITERATIONS):
        step = (-math.expm1(-x) - share * x) / (math.exp(-x) - share)
        x -= step
        if step <= _CLOSE * x:
            break
    return draws / x


def stretched(part: Part, rows: float, low: float, high: float, step: float = 0.0) -> Part:
    """What rows in a range hold, of which `part` is a fair sample: values are as dense in all of it."""
    wider = max(1.0, (high - low) / (part.high - part.low))
    distinct = found(domain(part.distinct, part.rows) * wider, rows)
    return Part(rows, max(part.distinct, min(rows, distinct, _room(low, high, step))), low, high)


def _room(low: float, high: float, step: float) -> float:
    """How many values lie in a range if they are so far apart at least."""
    return (high - low) / step if step else math.inf


def union(parts: Sequence[Part], step: float = 0.0) -> float:
    """Distinct values in all parts together, values being at least `step` apart.

    Never less than in the part with the most, or more than in all of them one after the other.
    """
    parts = [part for part in parts if part.rows > 0]
    ends = sorted({end for part in parts for end in (part.low, part.high)})
    total = 0.0
    for low, high in pairwise(ends):
        here = [part for part in parts if part.low <= low and high <= part.high]
        shares = [(high - low) / (part.high - part.low) for part in here]
        rows = sum(part.rows * share for part, share in zip(here, shares, strict=True))
        distinct = sum(part.distinct * share for part, share in zip(here, shares, strict=True))
        if not rows:
            continue
        total += min(_room(low, high, step), found(domain(distinct / len(here), rows / len(here)), rows))
    most = max((part.distinct for part in parts), default=0.0)
    return min(max(most, total), sum(part.distinct for part in parts))

"""Repeated measurements, and the figure that stands for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

Clock = Callable[[], float]

_MIN_SAMPLES = 3
_MAX_SAMPLES = 40


@dataclass(frozen=True)
class Figure:
    """The median of `samples` measurements; `spread` is half the interquartile range as a share of it."""

    value: float
    spread: float
    samples: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """The figure of some measurements, at least one; medians ignore the odd interruption."""
        middle = median(values)
        if len(values) < _MIN_SAMPLES or not middle:
            return cls(middle, 0.0, len(values))
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(middle, (high - low) / 2 / abs(middle), len(values))


def repeat(measure: Callable[[], float], seconds: float, clock: Clock) -> list[float]:
    """Results of `measure`, called until `seconds` have passed, though at least 3 and at most 40 times.

    The first call warms caches and page tables and does not count.
    """
    measure()
    return [measure() for _ in until(seconds, clock)]


def until(seconds: float, clock: Clock) -> Iterator[int]:
    """Counts measurements until time is up."""
    start = clock()
    for index in range(_MAX_SAMPLES):
        if index >= _MIN_SAMPLES and clock() - start >= seconds:
            return
        yield index


def rounded(value: float, digits: int = 4) -> float:
    """A measured number to the digits that mean something."""
    if not value or not math.isfinite(value):
        return value
    return float(f"{value:.{digits - 1}e}")

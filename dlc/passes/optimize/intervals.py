"""Interval arithmetic over integers: scaled decimals and days count as integers too. Free of IR.

Every function is sound: it holds all results of operands from its arguments. Operands for which the operation
fails at run time (a divisor of zero) have no result. The empty interval is that of no value at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """The integers from `low` to `high`, both included; none of them if `low` is larger."""

    low: int
    high: int

    @property
    def empty(self) -> bool:
        """Whether there is no value."""
        return self.low > self.high

    @property
    def size(self) -> int:
        """Number of values."""
        return max(0, self.high - self.low + 1)

    @property
    def digits(self) -> int:
        """Decimal digits of the widest value, at least one."""
        return 1 if self.empty else len(str(max(abs(self.low), abs(self.high))))

    def __contains__(self, value: int) -> bool:
        return self.low <= value <= self.high

    def within(self, other: Interval) -> bool:
        """Whether the other interval holds all values of this one."""
        return self.empty or (other.low <= self.low and self.high <= other.high)

    def __and__(self, other: Interval) -> Interval:
        return Interval(max(self.low, other.low), min(self.high, other.high))


EMPTY = Interval(1, 0)


def hull(intervals: Iterable[Interval]) -> Interval:
    """The smallest interval that holds all of these."""
    some = [interval for interval in intervals if not interval.empty]
    return Interval(min(i.low for i in some), max(i.high for i in some)) if some else EMPTY


def add(a: Interval, b: Interval) -> Interval:
    """Sums."""
    return EMPTY if a.empty or b.empty else Interval(a.low + b.low, a.high + b.high)


def sub(a: Interval, b: Interval) -> Interval:
    """Differences."""
    return add(a, neg(b))


def neg(a: Interval) -> Interval:
    """Negated values."""
    return EMPTY if a.empty else Interval(-a.high, -a.low)


def magnitude(a: Interval) -> Interval:
    """Absolute values."""
    if a.empty or a.low >= 0:
        return a
    return neg(a) if a.high <= 0 else Interval(0, max(-a.low, a.high))


def mul(a: Interval, b: Interval) -> Interval:
    """Products."""
    if a.empty or b.empty:
        return EMPTY
    corners = (a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)
    return Interval(min(corners), max(corners))


def floordiv(a: Interval, b: Interval) -> Interval:
    """Quotients rounded down."""
    if a.empty:
        return EMPTY
    return hull(
        Interval(min(corners), max(corners))
        for part in (b & Interval(b.low, -1), b & Interval(1, b.high))
        if not part.empty
        for corners in ([x // y for x in (a.low, a.high) for y in (part.low, part.high)],)
    )


def mod(a: Interval, b: Interval) -> Interval:
    """Remainders, with the sign of the divisor."""
    if a.empty or b.empty:
        return EMPTY
    above = Interval(0, b.high - 1) if b.high > 0 else EMPTY
    below = Interval(b.low + 1, 0) if b.low < 0 else EMPTY
    if b.low > 0 and a.low >= 0:
        return Interval(a.low if a.high < b.low else 0, min(a.high, b.high - 1))
    return hull([above, below])


def scaled(a: Interval, digits: int) -> Interval:
    """Values times a power of ten; for a negative one, rounded to integers with halves away from zero."""
    if a.empty:
        return a
    if digits >= 0:
        return Interval(a.low * 10**digits, a.high * 10**digits)
    return Interval(_rounded(a.low, 10**-digits), _rounded(a.high, 10**-digits))


def truncated(a: Interval, digits: int) -> Interval:
    """Values divided by a power of ten and cut towards zero."""
    unit = 10**digits
    return a if a.empty else Interval(_cut(a.low, unit), _cut(a.high, unit))


def total(a: Interval, rows: int) -> Interval:
    """Sums of one to `rows` values; every partial sum lies between zero and one of these."""
    if a.empty or rows < 1:
        return EMPTY
    return Interval(min(a.low, a.low * rows), max(a.high, a.high * rows))


def below(a: Interval, scale_a: int, b: Interval, scale_b: int, strict: bool) -> Interval:
    """The values of `a` that are less (or equal, unless strict) than some value of `b`, each of its scale."""
    if b.empty:
        return EMPTY
    shift = scale_b - scale_a
    exact = shift <= 0 or b.high % 10**shift == 0
    most = b.high * 10**-shift if shift <= 0 else b.high // 10**shift
    return a & Interval(a.low, most - 1 if strict and exact else most)


def above(a: Interval, scale_a: int, b: Interval, scale_b: int, strict: bool) -> Interval:
    """The values of `a` that are greater (or equal, unless strict) than some value of `b`."""
    return neg(below(neg(a), scale_a, neg(b), scale_b, strict))


def _rounded(value: int, unit: int) -> int:
    rounded = (abs(value) + unit // 2) // unit
    return rounded if value >= 0 else -rounded


def _cut(value: int, unit: int) -> int:
    return value // unit if value >= 0 else -(-value // unit)

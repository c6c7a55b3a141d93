"""How many rows and bytes an operator leaves: textbook estimates over plain data, free of IR.

Values of a column are taken as spread evenly between its bounds, columns as independent of each other, and
the keys of one side of a join as contained in those of the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .coupons import found

UNKNOWN_ROWS = 1e6
"""Rows of a file that nothing is known of."""
UNKNOWN_FRACTION = 1 / 3
"""Share of the rows that pass a predicate which says nothing about itself."""
EQUAL_FRACTION = 0.1
"""Share of the rows with one value of a column whose distinct values are unknown."""
PATTERN_FRACTION = 0.1
"""Share of the texts that match a pattern."""
UNIQUE = 0.999
"""Distinct values of a key, as estimated, for each row."""
FEW_TEXTS = 100.0
"""Texts that a column is expected to hold at least; in large frames, the root of the rows."""


@dataclass(frozen=True)
class Column:
    """A column: distinct values now and in the file, bounds as numbers, share of nulls, bytes of a value.

    Bounds are None where unknown. `known` says that the distinct values follow from dictionaries or bounds,
    not from the number of rows; `guessed` that nothing at all tells them. Values with a `deviation` spread
    about their mean as a normal distribution is, all others evenly between the bounds. `by` names a column of
    the same frame that tells the value of this one, as a primary key does.
    """

    distinct: float
    domain: float
    low: float | None = None
    high: float | None = None
    nulls: float = 0.0
    width: float = 8.0
    known: bool = False
    guessed: bool = False
    mean: float = 0.0
    deviation: float | None = None
    by: str | None = None

    def holding(self, distinct: float) -> Column:
        """The column in a file that is known to hold so many distinct values."""
        distinct = max(1.0, distinct)
        return replace(self, distinct=distinct, domain=distinct, known=True, guessed=False)

    def thinned(self, share: float, rows: float) -> Column:
        """The column in a share of the rows of a frame."""
        if share >= 1 or not self.distinct:
            return self
        each = max(1.0, rows * (1 - self.nulls) / self.distinct)
        return replace(self, distinct=self.distinct * (1 - (1 - share) ** each))

    def at_most(self, rows: float) -> Column:
        """The column in a frame of so many rows."""
        distinct = max(1.0, min(self.distinct, rows))
        return self if distinct == self.distinct else replace(self, distinct=distinct)


@dataclass(frozen=True)
class Frame:
    """A frame: rows, and its columns by name."""

    rows: float
    columns: Mapping[str, Column] = field(default_factory=dict[str, Column])

    @property
    def bytes(self) -> float:
        """Size in memory."""
        return self.rows * sum(column.width for column in self.columns.values())

    def of(self, rows: float) -> Frame:
        """Some of the rows, whichever: a value is left while one of its rows is (Yao 1977)."""
        rows = max(0.0, rows)
        share = min(1.0, rows / self.rows) if self.rows else 0.0
        return Frame(
            rows,
            {name: column.thinned(share, self.rows).at_most(rows) for name, column in self.columns.items()},
        )

    def where(self, name: str, column: Column, fraction: float) -> Frame:
        """A share of the rows, in which one column has become another."""
        return self.of(self.rows * fraction).having({name: column})

    def having(self, columns: Mapping[str, Column]) -> Frame:
        """The same rows with these columns, besides others or in their place."""
        changed = {name: column.at_most(self.rows) for name, column in columns.items()}
        return Frame(self.rows, {**self.columns, **changed})


def discrete(
    rows: float, low: float | None, high: float | None, step: float, nulls: float, width: float
) -> Column:
    """A column of numbers `step` apart, in a file: with `rows` draws from the values between the bounds."""
    if low is None or high is None:
        return Column(max(1.0, rows), max(1.0, rows), low, high, nulls, width)
    values = (high - low) / step + 1
    distinct = max(1.0, min(rows, values * -math.expm1(-rows / values)))
    return Column(distinct, distinct, low, high, nulls, width, known=rows > 3 * values)


def continuous(rows: float, low: float | None, high: float | None, nulls: float, width: float) -> Column:
    """A column of floats in a file: hardly any two values are equal."""
    distinct = 1.0 if low is not None and low == high else max(1.0, rows)
    return Column(distinct, distinct, low, high, nulls, width, known=distinct == 1.0)


def textual(rows: float, low: str | None, high: str | None, nulls: float, width: float) -> Column:
    """A column of texts in a file: flags of one letter are counted, others guessed."""
    bounds = (None, None) if low is None or high is None else (text_number(low), text_number(high))
    if low is not None and high is not None and len(low) <= 1 and len(high) <= 1:
        distinct = max(1.0, min(rows, float(ord(high or "\0") - ord(low or "\0") + 1)))
        return Column(distinct, distinct, *bounds, nulls, width, known=True)
    # As a key of groups a text repeats itself, as a key of joins it is a name.
    distinct = min(rows, max(FEW_TEXTS, math.sqrt(rows)))
    return Column(max(1.0, distinct), max(1.0, rows), *bounds, nulls, width, guessed=True)


def text_number(text: str) -> float:
    """A number in the order of texts, as far as the first six bytes tell."""
    return float(int.from_bytes(text.encode(errors="replace")[:6].ljust(6, b"\0"), "big"))


def equal_fraction(column: Column, value: float | None = None) -> float:
    """Share of the rows with one value."""
    below = value is not None and column.low is not None and value < column.low
    above = value is not None and column.high is not None and value > column.high
    if below or above:
        return 0.0
    return (1 - column.nulls) * (EQUAL_FRACTION if column.guessed else 1 / max(1.0, column.distinct))


def range_fraction(column: Column, low: float | None, high: float | None) -> float:
    """Share of the rows between two values; None is open."""
    if column.deviation is not None:
        below = 0.0 if low is None else _normal(low, column.mean, column.deviation)
        above = 1.0 if high is None else _normal(high, column.mean, column.deviation)
        return (1 - column.nulls) * max(0.0, above - below)
    if column.low is None or column.high is None:
        return UNKNOWN_FRACTION * (1 - column.nulls)
    bottom = column.low if low is None else max(low, column.low)
    top = column.high if high is None else min(high, column.high)
    if bottom > top:
        return 0.0
    if column.high == column.low:
        return 1 - column.nulls
    least = 1 / max(1.0, column.distinct)
    return (1 - column.nulls) * min(1.0, max(least, (top - bottom) / (column.high - column.low)))


def clipped(column: Column, low: float | None, high: float | None) -> Column:
    """What a filter on its range leaves of a column: narrower bounds, fewer values, no nulls."""
    share = range_fraction(column, low, high) / max(1e-9, 1 - column.nulls)
    bottom = max((x for x in (low, column.low) if x is not None), default=None)
    top = min((x for x in (high, column.high) if x is not None), default=None)
    distinct = max(1.0, column.distinct * share)
    return replace(column, distinct=distinct, low=bottom, high=top, nulls=0.0, deviation=None)


def _normal(value: float, mean: float, deviation: float) -> float:
    """Share of a normal distribution that lies below a value."""
    if not deviation:
        return float(value > mean)
    return math.erfc((mean - value) / (deviation * math.sqrt(2))) / 2


def aggregated(function: str, column: Column | None, rows: float, each: float, width: float) -> Column:
    """What an aggregate over groups of `each` rows gives, of rows that fall into the groups at random.

    Their number in a group is a Poisson variable, their sum a compound one, which has the variance
    each · E[x²]; x is spread evenly between its bounds.
    """
    result = Column(rows, rows, width=width)
    if function in ("len", "count"):
        return replace(result, mean=each, deviation=math.sqrt(each))
    if column is None or column.low is None or column.high is None:
        return result
    low, high = column.low, column.high
    if function in ("min", "max"):
        return replace(result, low=low, high=high)
    middle, variance = (low + high) / 2, (high - low) * (high - low) / 12
    if function == "sum":
        return replace(result, mean=each * middle, deviation=math.sqrt(each * (variance + middle * middle)))
    if function == "mean":
        return replace(result, mean=middle, deviation=math.sqrt(variance / each))
    return result


def groups(frame: Frame, keys: Sequence[str]) -> float:
    """How many combinations of keys occur, if every row draws one of all; one without keys.

    A key whose value another one tells makes no more of them.
    """
    taken = {key: frame.columns[key] for key in keys}
    free = [c for key, c in taken.items() if not ({*keys} - {key}) & {*_tellers(frame.columns, c)}]
    values = [column.distinct + (column.nulls > 0) for column in free]
    return min(frame.rows, max(1.0, *values, found(math.prod(values), frame.rows))) if keys else 1.0


def keyed(columns: Mapping[str, Column], rows: float) -> dict[str, Column]:
    """The columns of a file; the first one whose values all differ tells the others."""
    unique = (name for name, c in columns.items() if c.known and not c.nulls and c.distinct >= UNIQUE * rows)
    key = next(unique, None)
    return {name: c if name == key else replace(c, by=key) for name, c in columns.items()}


def renamed(
    columns: Mapping[str, Column], names: Mapping[str, str], before: Mapping[str, Column]
) -> dict[str, Column]:
    """Columns taken from others, of which those in `names` are left under a new name.

    What a column that has gone told, the one tells that told it.
    """

    def teller(column: Column) -> str | None:
        found = next((name for name in _tellers(before, column) if name in names), None)
        return None if found is None else names[found]

    return {name: replace(column, by=teller(column)) for name, column in columns.items()}


def _tellers(columns: Mapping[str, Column], column: Column) -> list[str]:
    """What tells a column, what tells that, and so on."""
    found = list[str]()
    name = column.by
    while name is not None and name in columns and name not in found:
        found.append(name)
        name = columns[name].by
    return found


def grouped(frame: Frame, keys: Sequence[str], outputs: Mapping[str, Column]) -> Frame:
    """One row for each combination of keys; one row without keys."""
    rows = groups(frame, keys)
    # Rows of a file tell no more of what a text may be, once it has been counted.
    taken = {key: frame.columns[key] for key in keys}
    known = {
        key: replace(column, domain=min(column.domain, max(1.0, rows))) if column.guessed else column
        for key, column in taken.items()
    }
    told = {
        name: replace(column, by=keys[0]) if len(keys) == 1 else column for name, column in outputs.items()
    }
    return Frame(rows, {**renamed(known, {key: key for key in keys}, frame.columns), **told}).of(rows)


def joined(kind: str, left: Frame, right: Frame, left_on: Sequence[str], right_on: Sequence[str]) -> Frame:
    """Rows and columns of an equi-join of the kinds of `table.join`."""
    pairs = [(left.columns[a], right.columns[b]) for a, b in zip(left_on, right_on, strict=True)]
    values = max(1.0, min(max(left.rows, right.rows), math.prod(_common_domain(a, b) for a, b in pairs)))
    without_nulls = math.prod(1 - a.nulls for a, _ in pairs)
    matching = min(1.0, right.rows / values, math.prod(b.distinct for _, b in pairs) / values) * without_nulls
    shared = {
        name: replace(a, distinct=a.distinct * min(1.0, b.distinct / _common_domain(a, b)), nulls=0.0)
        for name, (a, b) in zip(left_on, pairs, strict=True)
    }
    if kind == "semi":
        return left.of(left.rows * matching).having(shared)
    if kind == "anti":
        return left.of(left.rows * (1 - matching))
    rows = left.rows * right.rows / values * without_nulls
    asked = min(1.0, left.rows / values, math.prod(a.distinct for a, _ in pairs) / values)
    found_right, unmatched = right.of(right.rows * asked).columns, 0.0
    if kind == "left":
        rows, unmatched = max(rows, left.rows), 1 - matching
        columns = dict(left.columns)
    else:
        columns = {**left.of(left.rows * matching).columns, **shared}
    names = {name: name for name in found_right if name not in right_on} | dict(
        zip(right_on, left_on, strict=True)
    )
    for name, column in renamed(found_right, names, right.columns).items():
        if name not in right_on:
            columns[name] = replace(column, nulls=column.nulls + unmatched * (1 - column.nulls))
    return Frame(rows).having(columns)


def _common_domain(a: Column, b: Column) -> float:
    """Distinct values of the side that holds all keys.

    Where neither is known, the smaller one: more keys than rows of the other side are no evidence.
    """
    if a.known != b.known:
        return a.domain if a.known else b.domain
    return max(a.domain, b.domain) if a.known else min(a.domain, b.domain)


def stacked(frames: Sequence[Frame]) -> Frame:
    """All rows of frames of one schema."""
    rows = sum(frame.rows for frame in frames)
    columns = dict[str, Column]()
    for name in frames[0].columns:
        parts = [frame.columns[name] for frame in frames]
        nulls = sum(part.nulls * frame.rows for part, frame in zip(parts, frames, strict=True))
        columns[name] = Column(
            max(part.distinct for part in parts),
            max(part.domain for part in parts),
            _all(min, [part.low for part in parts]),
            _all(max, [part.high for part in parts]),
            nulls / rows if rows else 0.0,
            max(part.width for part in parts),
            all(part.known for part in parts),
            any(part.guessed for part in parts),
        )
    return Frame(rows, columns).of(rows)


def _all(choose: Callable[[list[float]], float], bounds: list[float | None]) -> float | None:
    known = [bound for bound in bounds if bound is not None]
    return choose(known) if len(known) == len(bounds) else None

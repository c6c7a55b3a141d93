"""The work of each operator of a fragment: what it does to rows, by class."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dlc.predict.expressions import expressions, trees_of
from dlc.predict.frames import Frame, Work, is_text

Json = dict[str, Any]

_HOLISTIC = ("n_unique", "median", "quantile")  # aggregates that look at all values of a group at once
_ENTRY = 32.0  # bytes of an entry of a hash table
_CACHE = 262144.0  # bytes of the nearest cache that holds more than a few lines


@dataclass(frozen=True)
class Applied:
    """An operator with the frames that it takes and gives on so many ranks."""

    operator: Json
    taken: Sequence[Frame]
    out: Frame
    ranks: int


def work_of(applied: Applied) -> Iterable[Work]:
    """The work of an operator; none of those that only choose or join whole pieces."""
    rule = _RULES.get(applied.operator["op"])
    return rule(applied) if rule else ()


def _filter(at: Applied) -> Iterable[Work]:
    return [*expressions([at.operator["predicate"]], at.taken[0]), at.out.work("move", at.out.bytes)]


def _project(at: Applied) -> Iterable[Work]:
    return expressions(trees_of(at.operator), replace(at.out, rows=at.taken[0].rows))


def _join(at: Applied) -> Iterable[Work]:
    build, probe = sorted(at.taken, key=lambda frame: frame.on_rank(at.ranks))
    keys = {*at.operator["left_on"], *at.operator["right_on"]}
    for kind, frame in (("build", build), ("probe", probe)):
        yield frame.work(kind, frame.rows)
        yield from _encoding(frame, [name for name in frame.columns if name in keys])
        yield frame.work("scatter", frame.rows * _misses(build.on_rank(at.ranks)))
    yield at.out.work("move", at.out.bytes)


def _aggregate(at: Applied) -> Iterable[Work]:
    (frame,), keys = at.taken, at.operator["keys"]
    if keys:
        yield from _grouping(frame, keys, at)
    for kind, count in Counter(_class_of(*entry) for entry in at.operator["aggs"]).items():
        grouped = "fold" if kind == "aggregate" and not keys else kind
        yield replace(frame.work(grouped, frame.rows * count), flops=frame.rows * count)


def _class_of(name: str, function: str, column: str | None, type_: str, *more: str | None) -> str:
    """The class of an aggregation: sums of integers that are not known to fit are checked."""
    del name, column
    if function.partition(":")[0] in _HOLISTIC:
        return "holistic"
    checked = function == "sum" and "proven" not in more and not type_.startswith("f")
    return "checked" if checked else "aggregate"


def _unique(at: Applied) -> Iterable[Work]:
    (frame,), on = at.taken, at.operator.get("on")
    if on is not None:  # rows are sorted by all columns first, so that it is clear which come first
        yield from _sort(replace(at, out=frame))
    yield from _grouping(frame, on or list(frame.columns), at)


def _sort(at: Applied) -> Iterable[Work]:
    (frame,) = at.taken
    if at.operator.get("limit") is not None:  # the best rows are kept on the way through
        return [frame.work("top", frame.rows)]
    return [frame.work("sort", comparisons(frame.rows)), at.out.work("move", at.out.bytes)]


def comparisons(rows: float) -> float:
    """Comparisons that it takes to put so many rows in order."""
    return rows * math.log2(max(2.0, rows))


def _grouping(frame: Frame, keys: Sequence[str], at: Applied) -> Iterator[Work]:
    yield frame.work("group", frame.rows)
    yield from _encoding(frame, keys)
    yield frame.work("scatter", frame.rows * _misses(at.out.on_rank(at.ranks)))
    yield at.out.work("groups", at.out.bytes)


def _encoding(frame: Frame, keys: Sequence[str]) -> Iterator[Work]:
    """Keys that are no single number become strings of bytes first."""
    texts = sum(is_text(frame.columns.get(name, "")) for name in keys)
    if texts or len(keys) > 1:
        yield frame.work("encode", frame.rows * len(keys))
        yield frame.work("text", frame.rows * texts)


def _misses(entries: float) -> float:
    """How far a hash table of so many entries is beyond the nearest cache, in powers of two."""
    return math.log2(max(1.0, entries * _ENTRY / _CACHE))


_RULES: dict[str, Callable[[Applied], Iterable[Work]]] = {
    "filter": _filter,
    "project": _project,
    "join": _join,
    "aggregate": _aggregate,
    "unique": _unique,
    "sort": _sort,
}

"""What a table fragment does: the rows after each operator, and the work of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dlc.predict.frames import Frame, Work
from dlc.predict.operators import Applied, work_of

Json = dict[str, Any]

_PASSED = 1 / 3  # share of the rows that a filter keeps of which nothing else is known


def walk(fragment: Json, inputs: Sequence[Frame], ranks: int) -> tuple[list[Work], list[Frame]]:
    """The work of a fragment's operators on so many ranks, and the frames it gives."""
    frames = list(inputs)
    work: list[Work] = []
    for operator in fragment["ops"]:
        taken = [frames[index] for index in _taken(operator)]
        frame = _SHAPES.get(operator["op"], _unchanged)(operator, taken)
        known = operator.get("predicted", {})
        frame = frame.sized(known.get("rows"), known.get("bytes"))
        frame = replace(frame, split=any(entry.split for entry in taken))
        frames.append(frame)
        work += work_of(Applied(operator, taken, frame, ranks))
    return work, [frames[index] for index in fragment["outputs"]]


def _taken(operator: Json) -> list[int]:
    return [operator[key] for key in ("in", "left", "right") if key in operator] + operator.get("ins", [])


Shape = Callable[[Json, Sequence[Frame]], Frame]


def _unchanged(operator: Json, taken: Sequence[Frame]) -> Frame:
    del operator
    return replace(taken[0], pending=())


def _filter(operator: Json, taken: Sequence[Frame]) -> Frame:
    frame = _unchanged(operator, taken)
    return replace(frame, rows=frame.rows * _PASSED)


def _project(operator: Json, taken: Sequence[Frame]) -> Frame:
    return Frame(taken[0].rows, {name: tree["type"] for name, tree in operator["columns"]})


def _join(operator: Json, taken: Sequence[Frame]) -> Frame:
    left, right = taken
    if operator["how"] in ("semi", "anti"):
        return replace(left, pending=(), rows=left.rows / 2)
    extra = {name: type_ for name, type_ in right.columns.items() if name not in operator["right_on"]}
    # A key leads to one row of the other side, mostly.
    rows = max(left.rows, right.rows) if operator["left_on"] else left.rows * right.rows
    return Frame(rows, {**left.columns, **extra})


def _aggregate(operator: Json, taken: Sequence[Frame]) -> Frame:
    columns = {name: taken[0].columns.get(name, "i64") for name in operator["keys"]}
    columns |= {name: type_ for name, _, _, type_, *_ in operator["aggs"]}
    return Frame(taken[0].rows ** 0.5 if operator["keys"] else 1.0, columns)


def _sort(operator: Json, taken: Sequence[Frame]) -> Frame:
    limit = operator.get("limit")
    frame = _unchanged(operator, taken)
    return frame if limit is None else replace(frame, rows=min(frame.rows, limit))


def _head(operator: Json, taken: Sequence[Frame]) -> Frame:
    frame = _unchanged(operator, taken)
    return replace(frame, rows=min(frame.rows, operator["n"]))


def _concat(operator: Json, taken: Sequence[Frame]) -> Frame:
    frame = _unchanged(operator, taken)
    return replace(frame, rows=sum(entry.rows for entry in taken))


def _sample(operator: Json, taken: Sequence[Frame]) -> Frame:
    columns = {name: taken[0].columns.get(name, "i64") for name in operator["columns"]}
    return Frame(min(taken[0].rows, operator["n"]), columns)


_SHAPES: dict[str, Shape] = {
    "filter": _filter,
    "project": _project,
    "join": _join,
    "aggregate": _aggregate,
    "sort": _sort,
    "head": _head,
    "concat": _concat,
    "sample": _sample,
}

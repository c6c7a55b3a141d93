"""What a table fragment does: rows and columns after each operator, and the bytes each goes through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]

_PASSED = 1 / 3  # share of the rows that a filter keeps of which nothing else is known
_WIDTHS = {"bool": 1.0, "date": 4.0, "string": 24.0}


@dataclass(frozen=True)
class Work:
    """Bytes that a class of operators goes through, shared by the ranks or `whole` on each, and FLOP."""

    kind: str
    split: float = 0.0
    whole: float = 0.0
    flops: float = 0.0
    calls: float = 1.0


@dataclass(frozen=True)
class Frame:
    """A value: rows over all ranks, bytes of each column, and whether the ranks hold parts or copies of it.

    `scale` is the true size over that of the columns; `pending` is work that waits until the rows are needed.
    A `tensor` lies in the memory of the device where there is one.
    """

    rows: float
    columns: dict[str, float] = field(default_factory=dict[str, float])
    split: bool = True
    scale: float = 1.0
    pending: tuple[Work, ...] = ()
    stored: float = 0.0
    tensor: bool = False

    @property
    def bytes(self) -> float:
        """Size over all ranks, copies counted once."""
        return self.rows * sum(self.columns.values()) * self.scale

    def sized(self, rows: float | None, size: float | None) -> Frame:
        """The frame with the rows and bytes that are known of it."""
        frame = self if rows is None else replace(self, rows=float(rows), scale=1.0)
        own = frame.bytes
        return replace(frame, scale=size / own) if size and own else frame


def width(type_: str) -> float:
    """Bytes of a value of a column type in memory."""
    kind = type_.rstrip("?")
    if match := re.match(r"decimal\((\d+)", kind):
        return 8.0 if int(match[1]) <= 18 else 16.0
    if match := re.fullmatch(r"(?:ui|i|f)(\d+)", kind):
        return int(match[1]) / 8
    return _WIDTHS.get(kind, 8.0)


def columns_of(schema: Iterable[Sequence[str]]) -> dict[str, float]:
    """Bytes of each column of a schema."""
    return {name: width(type_) for name, type_ in schema}


def walk(fragment: Json, inputs: Sequence[Frame]) -> tuple[list[Work], list[Frame]]:
    """The work of a fragment's operators, and the frames it gives."""
    frames = list(inputs)
    work: list[Work] = []
    for operator in fragment["ops"]:
        taken = [frames[index] for index in _taken(operator)]
        rule = _RULES.get(operator["op"], _unchanged)
        frame = rule(operator, taken)
        known = operator.get("predicted", {})
        frame = frame.sized(known.get("rows"), known.get("bytes"))
        frame = replace(frame, split=any(entry.split for entry in taken))
        frames.append(frame)
        work += _costs(operator, taken, frame)
    return work, [frames[index] for index in fragment["outputs"]]


def _taken(operator: Json) -> list[int]:
    return [operator[key] for key in ("in", "left", "right") if key in operator] + operator.get("ins", [])


def _costs(operator: Json, taken: Sequence[Frame], out: Frame) -> Iterator[Work]:
    moved = [*taken, out]
    kind = _CLASSES.get(operator["op"], "map")
    if operator.get("limit") is not None:
        kind = "filter"  # the first few rows are kept on the way through
    flops = max(frame.rows for frame in moved) * _arithmetic(operator)
    yield _work(kind, moved, flops if out.split else 0.0)
    if operator["op"] == "aggregate" and operator["keys"]:
        yield _work("group", [out], 0.0)


def _work(kind: str, frames: Sequence[Frame], flops: float) -> Work:
    split = sum(frame.bytes for frame in frames if frame.split)
    return Work(kind, split, sum(frame.bytes for frame in frames) - split, flops, 0.0)


def _arithmetic(operator: Json) -> int:
    """Operations for each row."""
    trees = [operator["predicate"]] if "predicate" in operator else []
    trees += [tree for _, tree in operator["columns"]] if operator["op"] == "project" else []
    return sum(_nodes(tree) for tree in trees) + len(operator.get("aggs", ()))


def _nodes(tree: Json) -> int:
    return bool(tree.get("args")) + sum(_nodes(argument) for argument in tree.get("args", ()))


Rule = Callable[[Json, Sequence[Frame]], Frame]


def _unchanged(operator: Json, taken: Sequence[Frame]) -> Frame:
    del operator
    return replace(taken[0], pending=())


def _filter(operator: Json, taken: Sequence[Frame]) -> Frame:
    frame = _unchanged(operator, taken)
    return replace(frame, rows=frame.rows * _PASSED)


def _project(operator: Json, taken: Sequence[Frame]) -> Frame:
    return Frame(taken[0].rows, {name: width(tree["type"]) for name, tree in operator["columns"]})


def _join(operator: Json, taken: Sequence[Frame]) -> Frame:
    left, right = taken
    if operator["how"] in ("semi", "anti"):
        return replace(left, pending=(), rows=left.rows / 2)
    extra = {name: size for name, size in right.columns.items() if name not in operator["right_on"]}
    # A key leads to one row of the other side, mostly.
    rows = max(left.rows, right.rows) if operator["left_on"] else left.rows * right.rows
    return Frame(rows, {**left.columns, **extra})


def _aggregate(operator: Json, taken: Sequence[Frame]) -> Frame:
    columns = {name: taken[0].columns.get(name, 8.0) for name in operator["keys"]}
    columns |= {name: width(type_) for name, _, _, type_, *_ in operator["aggs"]}
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
    columns = {name: taken[0].columns.get(name, 8.0) for name in operator["columns"]}
    return Frame(min(taken[0].rows, operator["n"]), columns)


_RULES: dict[str, Rule] = {
    "filter": _filter,
    "project": _project,
    "join": _join,
    "aggregate": _aggregate,
    "sort": _sort,
    "head": _head,
    "concat": _concat,
    "sample": _sample,
}
_CLASSES = {
    "filter": "filter",
    "project": "map",
    "concat": "map",
    "head": "map",
    "sample": "map",
    "join": "join",
    "aggregate": "aggregate",
    "unique": "group",
    "sort": "sort",
}

"""Calls in the expressions of a fragment, and the work that they are on the rows of a frame."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from dlc.predict.frames import Frame, Work, is_text, width

Json = dict[str, Any]

_FREE = frozenset({"col", "lit", "param", "scalar"})


def trees_of(operator: Json) -> list[Json]:
    """The expressions of an operator."""
    trees: list[Json] = [operator["predicate"]] if operator.get("predicate") else []
    return trees + ([tree for _, tree in operator["columns"]] if operator["op"] == "project" else [])


def calls_of(fragment: Json) -> int:
    """Operators, calls in expressions and aggregations of a fragment: what a query is built from."""
    count = 0
    for operator in fragment.get("ops", ()):  # kernels have none
        count += 1 + len(operator.get("aggs", ()))
        count += sum(1 for tree in trees_of(operator) for _ in _calls(tree))
    return count


def _calls(tree: Json) -> Iterator[Json]:
    if tree["f"] not in _FREE:
        yield tree
    for argument in tree.get("args", ()):
        yield from _calls(argument)


def expressions(trees: Sequence[Json], frame: Frame) -> list[Work]:
    """The work of expressions on the rows of a frame; what occurs twice is computed once."""
    different = {json.dumps(_plain(node), sort_keys=True): node for tree in trees for node in _calls(tree)}
    # What reads only scalars is computed once, whatever the rows.
    counts = Counter(_class_of(node) for node in different.values() if _reads_columns(node))
    return [
        replace(frame.work(kind, frame.rows * count), flops=frame.rows * count)
        for kind, count in counts.items()
    ]


def _plain(tree: Json) -> Json:
    """A tree without the places that it comes from."""
    plain = {key: value for key, value in tree.items() if key not in ("loc", "args")}
    return plain | {"args": [_plain(argument) for argument in tree.get("args", ())]}


def _reads_columns(tree: Json) -> bool:
    return tree["f"] == "col" or any(_reads_columns(argument) for argument in tree.get("args", ()))


def _class_of(node: Json) -> str:
    types = [node["type"], *(argument["type"] for argument in node.get("args", ()))]
    if node["f"] == "exact_part":
        return "exact"
    if any(map(is_text, types)):
        return "text"
    if node.get("checked") or any(width(type_) > 8 for type_ in types):
        return "wide"
    return "map"

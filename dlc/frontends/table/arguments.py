"""What people write as arguments of the verbs, brought to one form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from dlc.diagnostics import SourceLoc

from .errors import bad_argument, duplicate
from .expression import Expr, node_of
from .functions import When, col
from .node import Node, alias
from .traced import Traced


def expressions(
    verb: str, given: Iterable[object], named: Mapping[str, object], loc: SourceLoc
) -> dict[str, Node]:
    """Expressions by the column that they make; strings name columns. DLC105 and DLC106."""
    nodes = [_node(verb, item, loc) for item in _flat(given)]
    nodes += [alias(node_of(value), name) for name, value in named.items()]
    result = dict[str, Node]()
    for node in nodes:
        name = node.name or "literal"
        if name in result:
            raise duplicate(name, verb, node.loc)
        result[name] = node
    return result


def nodes(verb: str, given: Iterable[object], loc: SourceLoc) -> list[Node]:
    """Expressions whose names do not matter; strings name columns. DLC106 for anything else."""
    return [_node(verb, item, loc) for item in _flat(given)]


def names(verb: str, given: Iterable[object], loc: SourceLoc) -> list[tuple[str, SourceLoc]]:
    """Names of columns, given as strings or plain `col(…)`, and where they were given. DLC106 else."""
    result = list[tuple[str, SourceLoc]]()
    for node in nodes(verb, given, loc):
        if node.kind != "col":
            raise bad_argument(f"{verb} takes names of columns", node.loc, "compute it in with_columns first")
        result.append((node.value, node.loc))
    return result


def flags(verb: str, option: str, given: bool | Sequence[bool], count: int, loc: SourceLoc) -> list[bool]:
    """One flag for each of `count` keys; DLC106 when their numbers differ."""
    if isinstance(given, bool):
        return [given] * count
    result = list(given) if isinstance(given, Sequence) else []  # pyright: ignore[reportUnnecessaryIsInstance]
    if len(result) != count or not all(isinstance(flag, bool) for flag in result):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise bad_argument(
            f"{verb} has {count} keys and {option}={given!r}",
            loc,
            f"give one True or False, or a list of {count}",
        )
    return result


def row_count(verb: str, given: object, loc: SourceLoc) -> int:
    """A number of rows; DLC106 when it is none."""
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given < 1 << 63:
        raise bad_argument(f"{verb} takes a number of rows, not {given!r}", loc, "give an integer from 0")
    return given


def _flat(given: Iterable[object]) -> Iterator[object]:
    for item in given:
        if isinstance(item, Iterable) and not isinstance(item, str | Traced | Mapping):
            yield from cast("Iterable[object]", item)
        else:
            yield item


def _node(verb: str, item: object, loc: SourceLoc) -> Node:
    if isinstance(item, str):
        return col(item).node
    if isinstance(item, When):
        raise bad_argument("dlc.when(…) has no value yet", loc, "add .then(…)")
    if isinstance(item, Traced) and not isinstance(item, Expr):
        raise bad_argument(
            f"{verb} takes expressions, not a frame", loc, "join the frames, or name a column with col('…')"
        )
    return node_of(item)

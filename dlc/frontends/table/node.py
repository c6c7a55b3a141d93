"""The tree that an expression records: plain data, typed only once the frame is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dlc.diagnostics import DlcError, SourceLoc
from dlc.frontends.location import caller

from .errors import require_name

MAX_DEPTH = 150
"""Deepest nesting of an expression; every later stage may recurse this far."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One operator of an expression with its operands.

    `value` is what the kind needs beside operands: a column's name, a literal, a type. `name` is the column
    name of the result, None for constants; `aggregates` tells whether rows are reduced anywhere inside.
    """

    kind: str
    args: tuple[Node, ...]
    value: Any
    loc: SourceLoc
    name: str | None
    depth: int
    aggregates: bool


def make(
    kind: str, *args: Node, value: Any = None, name: str | None = None, loc: SourceLoc | None = None
) -> Node:
    """A node at the user's line, named after its leftmost named operand; DLC304 when too deep."""
    loc = loc or caller()
    depth = 1 + max((arg.depth for arg in args), default=0)
    if depth > MAX_DEPTH:
        raise DlcError(
            "DLC304",
            f"an expression is nested more than {MAX_DEPTH} operators deep",
            loc=loc,
            help="split it with with_columns, or use is_in for a chain of comparisons",
        )
    if name is None:
        name = next((arg.name for arg in args if arg.name is not None), None)
    aggregates = kind == "agg" or any(arg.aggregates for arg in args)
    return Node(kind, args, value, loc, name, depth, aggregates)


def alias(node: Node, name: str) -> Node:
    """The same node under another name; DLC106 when it cannot be one."""
    require_name(name, caller())
    return Node(node.kind, node.args, node.value, node.loc, name, node.depth, node.aggregates)

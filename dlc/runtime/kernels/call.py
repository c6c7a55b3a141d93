"""One call inside an expression tree, as the functions that build Polars expressions see it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import polars as pl

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.types import ColumnType, parse_type

Json = dict[str, Any]
Locate = Callable[[int], SourceLoc | None]


def walk(tree: Json) -> Iterator[Json]:
    """All nodes of an expression tree."""
    work = [tree]
    while work:
        node = work.pop()
        yield node
        work.extend(node.get("args", ()))


@dataclass(frozen=True)
class Value:
    """A Polars expression and the type of what it gives, in physical form."""

    expr: pl.Expr
    type: ColumnType


class Builder(Protocol):
    """What a call asks of the expression that it stands in."""

    def build(self, tree: Json, guard: pl.Expr | None) -> Value: ...

    def number(self, tree: Json) -> float | int | None:
        """The value of a literal, parameter or scalar."""
        ...

    def verify(
        self, value: pl.Expr, bad: pl.Expr, kind: pl.DataType, error: Callable[[], DlcError]
    ) -> pl.Expr: ...

    def locate(self, index: int) -> SourceLoc | None: ...


@dataclass(frozen=True)
class Call:
    """A function applied to arguments; where `guard` is false its checks must not fail."""

    builder: Builder
    tree: Json
    guard: pl.Expr | None

    @property
    def name(self) -> str:
        return self.tree["f"]

    @property
    def type(self) -> ColumnType:
        return parse_type(self.tree["type"])

    @cached_property
    def args(self) -> list[Value]:
        return [self.builder.build(tree, self.guard) for tree in self.trees]

    @property
    def exprs(self) -> list[pl.Expr]:
        return [value.expr for value in self.args]

    @property
    def trees(self) -> list[Json]:
        return self.tree.get("args", [])

    @property
    def checked(self) -> bool:
        """Whether overflow is possible as far as the compiler knows."""
        return self.tree.get("checked", False)

    def verify(
        self, value: pl.Expr, bad: pl.Expr, code: str, message: str, help: str | None = None
    ) -> pl.Expr:
        """`value`, unless `bad` holds in a row that the guard lets through: then the run ends with `code`."""
        if self.guard is not None:
            bad = bad & self.guard
        loc = self.builder.locate(self.tree.get("loc", -1))
        return self.builder.verify(
            value, bad, self.type.physical, lambda: DlcError(code, message, loc=loc, help=help)
        )

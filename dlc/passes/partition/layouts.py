"""Layouts: how the rows of a frame or tensor lie over the ranks of a gang. Pure algebra, no IR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Base of the layouts.

    A layout is *disjoint* when every row lies on exactly one rank, *ordered* when rank order and row order
    within the ranks together give the frame's own order.
    """

    @property
    def disjoint(self) -> bool:
        """Whether every row lies on exactly one rank."""
        return True

    @property
    def ordered(self) -> bool:
        """Whether reading the ranks in turn gives the rows in order."""
        return False

    def __str__(self) -> str:
        return type(self).__name__.lower()

    def renamed(self, names: Mapping[str, str]) -> Layout:
        """The layout after columns were renamed (`old → new`); columns not named are gone."""
        return self

    def unordered(self) -> Layout:
        """The layout after an operator that keeps rows on their rank but loses their order."""
        return self


@dataclass(frozen=True)
class Replicated(Layout):
    """Every rank holds all rows."""

    @property
    def disjoint(self) -> bool:
        return False

    @property
    def ordered(self) -> bool:
        return True


@dataclass(frozen=True)
class Single(Layout):
    """Rank 0 holds all rows."""

    @property
    def ordered(self) -> bool:
        return True


@dataclass(frozen=True)
class Rows(Layout):
    """Contiguous pieces in rank order."""

    @property
    def ordered(self) -> bool:
        return True

    def unordered(self) -> Layout:
        return Any()


@dataclass(frozen=True)
class Any(Layout):
    """Each row somewhere."""


@dataclass(frozen=True)
class Hash(Layout):
    """Each row where the hash of its keys says."""

    keys: tuple[str, ...]

    def __str__(self) -> str:
        return f"hash[{', '.join(self.keys)}]"

    def renamed(self, names: Mapping[str, str]) -> Layout:
        if all(key in names for key in self.keys):
            return Hash(tuple(names[key] for key in self.keys))
        return Any()


@dataclass(frozen=True)
class Shards(Layout):
    """Each row in one of `count` shards by the hash of its keys, shard s on rank s modulo the ranks."""

    keys: tuple[str, ...]
    count: int

    def __str__(self) -> str:
        return f"shards[{', '.join(self.keys)} % {self.count}]"

    def renamed(self, names: Mapping[str, str]) -> Layout:
        if all(key in names for key in self.keys):
            return Shards(tuple(names[key] for key in self.keys), self.count)
        return Any()


@dataclass(frozen=True)
class Order:
    """One sort key."""

    column: str
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True)
class Range(Layout):
    """Sorted by the keys across ranks."""

    by: tuple[Order, ...]

    def __str__(self) -> str:
        return f"range[{', '.join(key.column for key in self.by)}]"

    @property
    def ordered(self) -> bool:
        return True

    def renamed(self, names: Mapping[str, str]) -> Layout:
        if all(key.column in names for key in self.by):
            return Range(tuple(Order(names[key.column], key.descending, key.nulls_last) for key in self.by))
        return Rows()

    def unordered(self) -> Layout:
        return Any()


@dataclass(frozen=True)
class Split(Layout):
    """A tensor in blocks of one axis, each rank with one: the rows of a frame that lies as `rows`."""

    axis: int = 0
    rows: Layout = Any()

    def __str__(self) -> str:
        return f"split<{self.axis}, {self.rows}>"


@dataclass(frozen=True)
class Partial(Layout):
    """Every rank holds partial results that a reduction still has to combine.

    `op` is the reduction of a tensor (sum, max, min, prod, and, or); frames are merged by an operator.
    """

    op: str = "merge"

    def __str__(self) -> str:
        return f"partial<{self.op}>"

    @property
    def disjoint(self) -> bool:
        return False

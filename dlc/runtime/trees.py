"""The fixed tree in which partial results are combined: sums have the same bits on any number of ranks.

A node (offset, stride) stands for the leaves offset, offset + stride, …; it combines its two halves of double
stride. Leaf s lives on rank s modulo the number of ranks, so that a power of two of ranks owns one node each.
Leaves that are absent are skipped.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

Node = tuple[int, int]
T = TypeVar("T")

ROOT: Node = (0, 1)
SMALL = 1 << 15
"""Bytes of a buffer for which a second round costs more than the bytes that it saves."""


class Tree:
    """A tree over `leaves` leaves, of which some are `present`.

    `halves` gives the halves of each node in order, without those that have no leaf; a leaf has none.
    """

    def __init__(self, leaves: int, present: Sequence[int]) -> None:
        self._leaves = leaves
        self._present = frozenset(present)
        self._pieces: dict[int, list[list[Node]]] = {}
        self.halves: dict[Node, list[Node]] = {}
        work = [ROOT]
        while work:
            offset, stride = node = work.pop()
            parts = [(offset, 2 * stride), (offset + stride, 2 * stride)] if offset + stride < leaves else []
            self.halves[node] = [part for part in parts if self._below(part)]
            work += self.halves[node]

    def pieces(self, ranks: int) -> list[list[Node]]:
        """For each rank the largest nodes whose leaves are all its own; together they hold all leaves."""
        if ranks not in self._pieces:
            pieces = self._pieces[ranks] = [[] for _ in range(ranks)]
            work = [ROOT]
            while work:
                node = work.pop()
                owners = {leaf % ranks for leaf in self._below(node)}
                if len(owners) == 1:
                    pieces[owners.pop()].append(node)
                else:
                    work += reversed(self.halves[node])
        return self._pieces[ranks]

    def fold(self, known: Callable[[Node], T | None], combine: Callable[[T, T], T], node: Node = ROOT) -> T:
        """The value of a node from those that are known."""
        found = known(node)
        if found is not None:
            return found
        values = [self.fold(known, combine, half) for half in self.halves[node]]
        return values[0] if len(values) == 1 else combine(values[0], values[1])

    def _below(self, node: Node) -> list[int]:
        return [leaf for leaf in range(node[0], self._leaves, node[1]) if leaf in self._present]


@lru_cache(maxsize=64)
def tree(leaves: int, present: tuple[int, ...]) -> Tree:
    """The tree over these leaves; a training asks for the same one at every step."""
    return Tree(leaves, present)


def segments(items: int, ranks: int) -> list[int]:
    """Where the part of a buffer begins that each rank combines; one bound more for the end."""
    return [items * rank // ranks for rank in range(ranks + 1)]


def travels_whole(size: int) -> bool:
    """Whether a buffer of so many bytes goes to every rank at once: one round, but more bytes."""
    return size <= SMALL


def sent_items(pieces: Sequence[Sequence[Node]], rank: int, items: int, whole: bool) -> int:
    """How many items a rank sends to combine buffers of so many items."""
    ranks, own = len(pieces), len(pieces[rank])
    if whole:
        return own * items * (ranks - 1)
    bounds = segments(items, ranks)
    share = bounds[rank + 1] - bounds[rank]
    return own * (items - share) + share * (ranks - 1)

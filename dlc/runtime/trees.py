"""The fixed tree in which partial results are combined: sums have the same bits on any number of ranks.

A node (offset, stride) stands for the leaves offset, offset + stride, …; it combines its two halves of double
stride. Leaf s lives on rank s modulo the number of ranks, so that a power of two of ranks owns one node each.
Leaves that are absent are skipped.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

Node = tuple[int, int]
T = TypeVar("T")

ALIGNMENT = 64
"""Bytes at whose multiples tensors begin in a buffer; XLA takes arrays that begin there without a copy."""
SMALL = 1 << 15
"""Bytes of a buffer for which a second round costs more than the bytes that it saves."""


class Tree:
    """A tree over `leaves` leaves, of which some are `present`.

    `halves` gives the two halves of each node in order, nothing for a leaf; a node of which only one half has
    leaves is that half.
    """

    def __init__(self, leaves: int, present: Sequence[int]) -> None:
        self._leaves = leaves
        self._present = frozenset(present)
        self._pieces: dict[int, list[list[Node]]] = {}
        self.halves: dict[Node, list[Node]] = {}
        self.root = self._add((0, 1))

    def pieces(self, ranks: int) -> list[list[Node]]:
        """For each rank the largest nodes whose leaves are all its own; together they hold all leaves."""
        if ranks not in self._pieces:
            pieces = self._pieces[ranks] = [[] for _ in range(ranks)]
            work = [self.root]
            while work:
                node = work.pop()
                owners = {leaf % ranks for leaf in self._below(node)}
                if len(owners) == 1:
                    pieces[owners.pop()].append(node)
                else:
                    work += reversed(self.halves[node])
        return self._pieces[ranks]

    def fold(self, node: Node, parts: Mapping[Node, T], combine: Callable[[T, T], T]) -> T:
        """The value of a node from those of some nodes below it."""
        if node in parts:
            return parts[node]
        left, right = (self.fold(half, parts, combine) for half in self.halves[node])
        return combine(left, right)

    def _add(self, node: Node) -> Node:
        offset, stride = node
        halves = (
            [(offset, 2 * stride), (offset + stride, 2 * stride)] if offset + stride < self._leaves else []
        )
        halves = [half for half in halves if self._below(half)]
        if len(halves) == 1:
            return self._add(halves[0])
        self.halves[node] = [self._add(half) for half in halves]
        return node

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
    return sent_in_segments(rank, ranks, items, own)


def sent_in_segments(rank: int, ranks: int, items: int, buffers: int = 1) -> int:
    """How many items a rank sends when each combines a segment of all buffers, and hands it back."""
    bounds = segments(items, ranks)
    share = bounds[rank + 1] - bounds[rank]
    return buffers * (items - share) + share * (ranks - 1)

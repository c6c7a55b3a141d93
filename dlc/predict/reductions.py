"""Bytes that each rank sends when partial results are combined: the same rule as the runtime follows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dlc.runtime.trees import ALIGNMENT, sent_in_segments, sent_items, travels_whole, tree


@dataclass(frozen=True)
class Bucket:
    """Tensors (shape and bytes of an element) of `shards` partial results that lie on `ranks` in turn."""

    tensors: tuple[tuple[tuple[int, ...], int], ...]
    shards: int
    ranks: int


def sent(bucket: Bucket, order: str) -> list[int]:
    """Bytes that each rank sends to combine a bucket in a fixed tree, or in any order."""
    if bucket.ranks == 1:
        return [0]
    by_width: dict[int, int] = {}
    for shape, width in bucket.tensors:
        unit = max(1, ALIGNMENT // width)
        by_width[width] = by_width.get(width, 0) + -(-math.prod(shape) // unit) * unit
    return [
        sum(_items(bucket, items, width, rank, order) * width for width, items in by_width.items())
        for rank in range(bucket.ranks)
    ]


def _items(bucket: Bucket, items: int, width: int, rank: int, order: str) -> int:
    ranks = bucket.ranks
    if order == "any":
        return sent_in_segments(rank, ranks, items)
    pieces = tree(bucket.shards, tuple(range(bucket.shards))).pieces(ranks)
    return sent_items(pieces, rank, items, travels_whole(items * width))

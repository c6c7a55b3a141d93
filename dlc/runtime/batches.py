"""Rows of tensors as micro-batches whose content and order do not depend on the number of ranks.

Rows lie in shards; step t of a shard takes its rows [t·m, (t+1)·m), where m is the batch size over the number
of shards. Shard s lives on rank s modulo the number of ranks. Within a shard, rows stand in the order of a
hash of their bits, the seed and the epoch: it does not matter where they came from. Rows with one hash are
equal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlc.runtime.tensors import Array, aligned
from dlc.runtime.transport import Transport

Hashes = NDArray[np.uint64]

_BLOCK = 1 << 14  # rows hashed at a time
_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def mix(values: Hashes) -> Hashes:
    """Each number scattered over 64 bits, one to one: the last step of SplitMix64 (Steele et al., 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def content_hashes(tensors: Sequence[Array]) -> Hashes:
    """A hash of the bytes of each row over all tensors.

    Multilinear hashing (Lemire and Kaser, 2014): 32-bit words times random 64-bit keys, added modulo 2^64,
    whose high half is strongly universal; two of them make 64 bits.
    """
    rows = len(tensors[0])
    parts = [np.ascontiguousarray(tensor).reshape(rows, math.prod(tensor.shape[1:])) for tensor in tensors]
    width = sum(part.shape[1] * part.dtype.itemsize for part in parts)
    words = -(-width // 4)
    steps = np.arange(1, 2 * (words + 1) + 1, dtype=np.uint64)
    keys = mix(steps * np.uint64(_GOLDEN)).reshape(words + 1, 2)
    hashes = np.empty(rows, np.uint64)
    block = np.zeros((min(rows, _BLOCK), 4 * words), np.uint8)
    for start in range(0, rows, _BLOCK):
        end, column = min(start + _BLOCK, rows), 0
        for part in parts:
            data = part[start:end].view(np.uint8)
            block[: end - start, column : column + data.shape[1]] = data
            column += data.shape[1]
        sums = block[: end - start].view("<u4").astype(np.uint64) @ keys[1:] + keys[0]
        hashes[start:end] = (sums[:, 0] >> np.uint64(32)) << np.uint64(32) | sums[:, 1] >> np.uint64(32)
    return hashes


def order_keys(hashes: Hashes, seed: int, epoch: int) -> Hashes:
    """What rows are sorted by in an epoch."""
    salt = mix(mix(np.array([epoch], np.uint64)) + np.uint64(seed & _MASK))
    return mix(hashes + salt)


@dataclass(frozen=True)
class Batches:
    """The rows of one epoch in their order: of each shard that this rank owns, one array a tensor."""

    shards: dict[int, list[Array]]
    counts: list[int]
    micro: int
    rank: int
    ranks: int

    @cached_property
    def steps(self) -> int:
        """How many global batches there are."""
        return -(-max(self.counts) // self.micro)

    def rows(self, step: int | None) -> int:
        """Rows of a global batch, of all of them for None."""
        if step is not None and step < self._whole_steps:
            return self.micro * len(self.counts)
        return sum(self._span(shard, step)[1] for shard in range(len(self.counts)))

    def present(self, step: int | None) -> tuple[int, ...]:
        """The shards, of all ranks, that have rows in a batch; the first one if none has."""
        if step is not None and step < self._whole_steps:
            return self._all_shards
        return tuple(shard for shard in self._all_shards if self._span(shard, step)[1]) or (0,)

    @cached_property
    def _whole_steps(self) -> int:
        return min(self.counts) // self.micro

    @cached_property
    def _all_shards(self) -> tuple[int, ...]:
        return tuple(range(len(self.counts)))

    def chunks(self, shard: int, step: int | None, size: int) -> list[tuple[int, int]]:
        """Start and number of rows of each piece of up to `size` rows; never none."""
        if step is None:
            steps = range(max(1, -(-self.counts[shard] // self.micro)))
            return [piece for number in steps for piece in self.chunks(shard, number, size)]
        start, rows = self._span(shard, step)
        if rows <= size:
            return [(start, rows)]
        return [(start + first, min(size, rows - first)) for first in range(0, rows, size)]

    def view(self, shard: int, start: int, size: int) -> list[Array]:
        """`size` rows of a shard from `start` on; behind its last row stand copies of rows."""
        return [
            tensor[start : start + size] if start + size <= len(tensor) else padded(tensor[start:], size)
            for tensor in self.shards[shard]
        ]

    def _span(self, shard: int, step: int | None) -> tuple[int, int]:
        if step is None:
            return 0, self.counts[shard]
        start = step * self.micro
        return start, min(max(self.counts[shard] - start, 0), self.micro)


class Sharding:
    """Rows of tensors dealt out to shards, of which this rank keeps its own."""

    def __init__(
        self, tensors: Sequence[Any], targets: Array | None, shards: int, owned: str, group: Transport
    ) -> None:
        """`targets` names the shard of each row; None takes it from the hash of the row's bits."""
        self._tensors = [np.asarray(tensor) for tensor in tensors]
        self._hashes = content_hashes(self._tensors)
        self._rank, self._ranks = group.rank, group.size
        rows = len(self._hashes)
        if owned == "local":
            shards, targets = group.size, np.full(rows, group.rank, np.uint32)
        elif targets is None:
            targets = (self._hashes % np.uint64(shards)).astype(np.uint32)
        counts = np.bincount(targets, minlength=shards)
        order, ends = np.argsort(targets, kind="stable"), np.cumsum(counts)
        mine = range(group.rank, shards, group.size)
        self._rows = {shard: order[ends[shard] - counts[shard] : ends[shard]] for shard in mine}
        if owned != "all":
            if sum(len(found) for found in self._rows.values()) != rows:
                raise ValueError("rows of a shard lie on a rank that does not own it")
            counts = np.sum(
                [np.frombuffer(part, np.int64) for part in group.all_gather(_bytes(counts))], axis=0
            )
        self._counts: list[int] = counts.tolist()

    def epoch(self, size: int, seed: int, epoch: int) -> Batches:
        """The rows in the order of an epoch, in batches of `size` rows over all shards."""
        micro = -(-size // len(self._counts))
        shards: dict[int, list[Array]] = {}
        for shard, rows in self._rows.items():
            order = rows[np.argsort(order_keys(self._hashes[rows], seed, epoch))]
            shards[shard] = [
                _permuted(tensor, order, -(-len(order) // micro) * micro) for tensor in self._tensors
            ]
        return Batches(shards, self._counts, micro, self._rank, self._ranks)


def padded(tensor: Array, size: int) -> Array:
    """The rows, and copies of the first one up to `size`; zeros if there is none."""
    whole = aligned((size, *tensor.shape[1:]), tensor.dtype)
    whole[: len(tensor)] = tensor
    whole[len(tensor) :] = tensor[0] if len(tensor) else 0
    return whole


def _permuted(tensor: Array, order: NDArray[np.intp], size: int) -> Array:
    whole = aligned((size, *tensor.shape[1:]), tensor.dtype)
    # The mode spares NumPy a copy: the rows are known to be there.
    np.take(tensor, order, axis=0, out=whole[: len(order)], mode="clip")
    whole[len(order) :] = tensor[order[0]] if len(order) else 0
    return whole


def _bytes(counts: NDArray[np.int64]) -> memoryview:
    return np.ascontiguousarray(counts, np.int64).data.cast("B")

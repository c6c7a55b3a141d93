"""Combines partial results of all ranks: in a fixed tree, or in any order where bits do not matter."""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from typing import Any

import numpy as np

from dlc.runtime.tensors import Array, aligned
from dlc.runtime.transport import Transport
from dlc.runtime.trees import ALIGNMENT, Node, segments, travels_whole, tree

COMBINE: dict[str, np.ufunc] = {
    "sum": np.add,
    "prod": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
}
_Place = tuple[int, int, tuple[int, ...]]
_MPI_TYPES = frozenset(np.dtype(name) for name in ("float32", "float64", "int32", "int64"))


def identity(combine: str, dtype: np.dtype[Any]) -> Any:
    """The value that changes nothing when it is combined."""
    if combine in ("sum", "or"):
        return dtype.type(0)
    if combine == "prod":
        return dtype.type(1)
    if combine == "and":
        return np.invert(dtype.type(0))
    if dtype == np.bool_:
        return dtype.type(combine == "min")
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return dtype.type(limits.min if combine == "max" else limits.max)
    return dtype.type(-np.inf if combine == "max" else np.inf)


@dataclass(frozen=True)
class Partials:
    """One output of a fragment that ran on the shards of all ranks, of which `parts` holds this rank's.

    `present` names the shards that gave something, the same on every rank; shard s lies on rank s modulo the
    number of ranks.
    """

    shards: int
    present: tuple[int, ...]
    parts: dict[int, Any]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def as_partials(value: Any, group: Transport) -> Partials:
    """A tensor counts as the one partial of its rank."""
    if isinstance(value, Partials):
        return value
    array = np.asarray(value)
    everyone = tuple(range(group.size))
    return Partials(group.size, everyone, {group.rank: array}, array.shape, array.dtype)


class Reduction:
    """A reduction that was started; `wait` gives the combined tensors."""

    @np.errstate(all="ignore")
    def __init__(self, partials: Sequence[Partials], combine: str, order: str, group: Transport) -> None:
        alike: dict[tuple[Any, ...], list[int]] = {}
        for index, partial in enumerate(partials):
            alike.setdefault((partial.dtype, partial.shards, partial.present), []).append(index)
        self._results: list[Any] = [None] * len(partials)
        self._buckets: list[tuple[list[int], _Rounds]] = []
        for indices in alike.values():
            bucket = _Bucket([partials[index] for index in indices], COMBINE[combine])
            rounds = _rounds(bucket, combine, order, group)
            next(rounds)
            self._buckets.append((indices, rounds))

    @np.errstate(all="ignore")
    def wait(self) -> list[Array]:
        """The combined tensors in the order of the partials, the same bits on every rank."""
        while self._buckets:
            indices, rounds = self._buckets.pop(0)
            try:
                next(rounds)
            except StopIteration as ended:
                for index, tensor in zip(indices, ended.value, strict=True):
                    self._results[index] = tensor
        return self._results


_Rounds = Generator[None, None, list[Array]]
"""Starts the first round, yields, and ends with the tensors."""


def _rounds(bucket: "_Bucket", combine: str, order: str, group: Transport) -> _Rounds:
    if group.size == 1:
        return _alone(bucket)
    if order == "any" and combine in ("sum", "prod") and bucket.dtype in _MPI_TYPES:
        return _in_any_order(bucket, combine, group)
    whole = travels_whole(bucket.items * bucket.dtype.itemsize)
    return (_whole if whole else _in_segments)(bucket, group)


def _alone(bucket: "_Bucket") -> _Rounds:
    yield
    if len(bucket.mine) == 1:
        return bucket.value(bucket.tree.root)
    return bucket.into(bucket.tree.root, bucket.tensors(bucket.buffers(1)[0]))


def _in_any_order(bucket: "_Bucket", combine: str, group: Transport) -> _Rounds:
    """The local partials as one, then the reduction of the transport."""
    flat = bucket.buffers(1)[0]
    bucket.tree = tree(bucket.leaves, tuple(sorted(bucket.mine)))
    if bucket.mine:
        bucket.into(bucket.tree.root, bucket.tensors(flat))
    else:
        flat[:] = identity(combine, bucket.dtype)
    pending = group.start_all_reduce(flat, combine)
    yield
    pending.wait()
    return bucket.tensors(flat)


def _whole(bucket: "_Bucket", group: Transport) -> _Rounds:
    """Every rank gets the pieces of all and combines them."""
    pieces = bucket.tree.pieces(group.size)
    first = sum(map(len, pieces[: group.rank]))
    own = pieces[group.rank]
    flat = bucket.buffers(sum(map(len, pieces)))
    bucket.flatten(own, flat[first : first + len(own)])
    size = bucket.items * bucket.dtype.itemsize
    pending = group.start_all_gather(_bytes(flat), [len(nodes) * size for nodes in pieces])
    yield
    pending.wait()
    parts = dict(zip(chain(*pieces), flat, strict=True))
    if len(parts) > 1:
        bucket.combine(parts, flat[0])
    return bucket.tensors(flat[0])


def _in_segments(bucket: "_Bucket", group: Transport) -> _Rounds:
    """Each rank combines its segment of the buffer from the pieces of all, then they gather the segments."""
    pieces, rank, itemsize = bucket.tree.pieces(group.size), group.rank, bucket.dtype.itemsize
    bounds = segments(bucket.items, group.size)
    segment = slice(bounds[rank], bounds[rank + 1])
    own = bucket.buffers(len(pieces[rank]))
    bucket.flatten(pieces[rank], own)
    # Each rank begins with another peer, so that no rank is everybody's first.
    peers = [(rank + step) % group.size for step in range(1, group.size)]
    sends = [(peer, _bytes(flat[bounds[peer] : bounds[peer + 1]])) for peer in peers for flat in own]
    parts = {node: flat[segment] for node, flat in zip(pieces[rank], own, strict=True)}
    receives: list[tuple[int, memoryview]] = []
    for peer in peers:
        for node in pieces[peer]:
            parts[node] = np.empty(segment.stop - segment.start, bucket.dtype)
            receives.append((peer, _bytes(parts[node])))
    pending = group.start_exchange(sends, receives)
    yield
    pending.wait()
    flat = bucket.buffers(1)[0]
    if len(parts) > 1:
        bucket.combine(parts, flat[segment])
    else:
        flat[segment] = parts[bucket.tree.root]
    sizes = [(end - start) * itemsize for start, end in pairwise(bounds)]
    group.start_all_gather(_bytes(flat), sizes).wait()
    return bucket.tensors(flat)


class _Bucket:
    """Partials of one type: the tensors that this rank holds of each shard, and flat buffers for them.

    In a flat buffer each tensor stands at an aligned place, so that XLA takes it from there as it is.
    """

    def __init__(self, partials: Sequence[Partials], combine: np.ufunc) -> None:
        first = partials[0]
        self.leaves = first.shards
        self.tree = tree(first.shards, first.present)
        self.dtype = first.dtype
        self.mine = {
            shard: [np.asarray(partial.parts[shard]) for partial in partials] for shard in first.parts
        }
        self._combine = combine
        self._places, self.items = _places(
            tuple(partial.shape for partial in partials), ALIGNMENT // self.dtype.itemsize
        )

    def buffers(self, count: int) -> Array:
        """So many flat buffers; what stands between their tensors is combined too, and never read."""
        return aligned((count, self.items), self.dtype)

    def tensors(self, flat: Array) -> list[Array]:
        """The tensors inside a flat buffer."""
        return [flat[start:end].reshape(shape) for start, end, shape in self._places]

    def value(self, node: Node) -> list[Array]:
        """The tensors of a node all of whose leaves are here."""
        halves = self.tree.halves[node]
        if not halves:
            return self.mine[node[0]]
        left, right = self.value(halves[0]), self.value(halves[1])
        if self.tree.halves[halves[0]]:  # computed here, so it may be written to
            return [self._combine(a, b, out=a) for a, b in zip(left, right, strict=True)]
        return [np.asarray(self._combine(a, b)) for a, b in zip(left, right, strict=True)]

    def into(self, node: Node, places: list[Array]) -> list[Array]:
        """The same, written to these places."""
        halves = self.tree.halves[node]
        if halves:
            left, right = self.value(halves[0]), self.value(halves[1])
            for place, a, b in zip(places, left, right, strict=True):
                self._combine(a, b, out=place)
        else:
            for place, value in zip(places, self.value(node), strict=True):
                place[...] = value
        return places

    def flatten(self, nodes: Sequence[Node], flat: Array) -> None:
        """Each node in a flat buffer of its own."""
        for node, buffer in zip(nodes, flat, strict=True):
            self.into(node, self.tensors(buffer))

    def combine(self, parts: dict[Node, Array], out: Array) -> None:
        """The root from flat parts of nodes, in whose memory the nodes between are computed."""
        left, right = (
            self.tree.fold(half, parts, lambda a, b: self._combine(a, b, out=a))
            for half in self.tree.halves[self.tree.root]
        )
        self._combine(left, right, out=out)


@lru_cache(maxsize=64)
def _places(shapes: tuple[tuple[int, ...], ...], unit: int) -> tuple[list[_Place], int]:
    """Start, end and shape of each tensor in a flat buffer, and the items of the buffer."""
    places: list[_Place] = []
    start = 0
    for shape in shapes:
        size = math.prod(shape)
        places.append((start, start + size, shape))
        start += -(-size // unit) * unit
    return places, start


def _bytes(flat: Array) -> memoryview:
    return flat.reshape(-1).view(np.uint8).data

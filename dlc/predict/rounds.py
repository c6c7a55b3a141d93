"""Rounds of messages, of which collective operations are made: who sends how much to whom at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

_SINGLE = 128  # of so many distances in a series, each is looked at by itself
GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples, modulo 1, are spread evenly


@dataclass(frozen=True)
class Round:
    """Rounds in which ranks send `size` bytes over one distance after another, `times` times each.

    `shift`: rank r sends to r + d, around the ring; `xor`: r and r ^ d exchange, among as many as are a power
    of two; `tree`: multiples of 2d send to r + d (or the other way round, with `upward`); `all`: everybody
    sends `size` bytes to each of the others at once. With a `block`, the pattern runs within each block of so
    many ranks; with a `stride`, in each lane of ranks that are so far apart, or only in the first of these
    with `leaders`; with `every`, only ranks whose place is a multiple of it send.
    """

    pattern: Literal["shift", "xor", "tree", "all"]
    distances: range
    size: float
    times: int = 1
    block: int = 0
    stride: int = 1
    every: int = 1
    leaders: bool = False
    upward: bool = False

    def targets(self, sources: Ints, ranks: int, distance: int) -> Ints:
        """To whom each of the sources sends in one round, -1 for nobody; `upward` is not looked at."""
        import numpy as np

        block, stride = self.block or ranks, self.stride
        base = sources - sources % block
        place, lane = np.divmod(sources - base, stride)
        size = np.minimum(block, ranks - base) // stride
        sends = place % (2 * distance if self.pattern == "tree" else self.every) == 0
        match self.pattern:
            case "shift":
                target = (place + distance) % size
            case "xor":
                target = place ^ distance
                sends &= place < 1 << (np.frexp(size)[1] - 1)
            case _:
                target = place + distance
        sends &= target < size
        if self.leaders:
            sends &= lane == 0
        return np.where(sends, base + target * stride + lane, -1)

    def pairs(self, ranks: int, distance: int) -> Iterator[tuple[int, int]]:
        """Sender and receiver of each message of one round."""
        if self.pattern == "all":
            yield from ((a, b) for a in range(ranks) for b in range(ranks) if a != b)
            return
        import numpy as np

        sources = np.arange(ranks)
        for rank, target in zip(
            sources.tolist(), self.targets(sources, ranks, distance).tolist(), strict=True
        ):
            if target >= 0:
                yield (target, rank) if self.upward else (rank, target)

    def senders(self, distance: int, ranks: int) -> float:
        """Messages in one round over all ranks."""
        if self.pattern == "all":
            return ranks * (ranks - 1.0)
        lanes = 1 if self.leaders else self.stride
        places = (self.block or ranks) // self.stride
        blocks = ranks / (self.block or ranks)
        if self.pattern == "tree":
            return blocks * lanes * max(0, -(-(places - distance) // (2 * distance)))
        return blocks * lanes * math.ceil(places / self.every)

    def crossing(self, distance: int, width: int, ranks: int) -> float:
        """Messages that leave a node of `width` ranks in one round, at the busiest node."""
        if self.block and self.block <= width:
            return 0.0
        distance *= self.stride
        if self.pattern == "shift":  # around the ring, a long way is a short one backwards
            distance = min(distance, (self.block or ranks) - distance)
        if self.pattern == "tree" or self.leaders or self.every >= width:
            return float(distance >= width)
        if self.pattern == "xor" and distance < width:
            return float(sum(rank ^ distance >= width for rank in range(width)))
        return float(min(distance, width))

    def groups(self, width: int, ranks: int, most: int = 1) -> Iterator[tuple[int, int]]:
        """A distance and how many of the distances are like it; at most `most` stand for those far away."""
        if len(self.distances) <= _SINGLE:
            yield from ((distance, 1) for distance in self.distances)
            return
        # Distances below `reach`, forwards or backwards around the ring, can stay within a node.
        size, reach = (self.block or ranks) // self.stride, -(-width // self.stride)
        first, last = self.distances.start, self.distances.stop
        ahead = range(first, min(reach, last))
        behind = range(max(ahead.stop, size - reach + 1), last)
        for near in (ahead, behind):
            for start in range(0, len(near), _SINGLE):
                part = near[start : start + _SINGLE]
                yield part[len(part) // 2], len(part)
        yield from samples(range(ahead.stop, behind.start), most)


def samples(numbers: range, most: int) -> Iterator[tuple[int, int]]:
    """At most so many of the numbers, each with how many it stands for.

    They are spread evenly but not regularly, since powers of two are special in networks.
    """
    count = min(most, len(numbers))
    for place in range(count):
        first, last = (len(numbers) * edge // count for edge in (place, place + 1))
        inside = 0.5 if count == 1 else place * GOLDEN % 1
        yield numbers[first + int(inside * (last - first))], last - first

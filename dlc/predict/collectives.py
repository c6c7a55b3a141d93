"""Collective operations: each algorithm as rounds of messages, its time on a network, and the best one.

A round says who sends how much to whom. The same rounds give a time in closed form, for any number of ranks,
and the flows for a simulation of links. Sources of the algorithms: Thakur, Rabenseifner and Gropp,
"Optimization of collective communication operations in MPICH" (2005); Bruck et al. (1997); Rabenseifner
(2004).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from dlc.predict.network import Network

_SINGLE = 128  # of so many distances in a series, each is looked at by itself


@dataclass(frozen=True)
class Round:
    """Rounds in which ranks send `size` bytes over one distance after another, `times` times each.

    `shift`: rank r sends to r + d, around the ring; `xor`: r and r ^ d exchange; `tree`: multiples of 2d send
    to r + d (or the other way round, with `upward`). With a `block`, the pattern runs within each block of so
    many ranks; with a `stride`, among the ranks that are a multiple of it apart; with `every`, only ranks
    that are multiples of it take part.
    """

    pattern: Literal["shift", "xor", "tree"]
    distances: range
    size: float
    times: int = 1
    block: int = 0
    stride: int = 1
    every: int = 1
    upward: bool = False

    def pairs(self, ranks: int, distance: int) -> Iterator[tuple[int, int]]:
        """Sender and receiver of each message of one round."""
        block, stride = self.block or ranks, self.stride
        for rank in range(0, ranks, self.every):
            base = rank - rank % block
            place, lane = divmod(rank - base, stride)
            size = min(block, ranks - base) // stride
            target: int | None = None
            match self.pattern:
                case "shift":
                    target = (place + distance) % size
                case "xor":
                    target = place ^ distance
                case "tree":
                    target = place + distance if place % (2 * distance) == 0 else None
            if target is not None and target < size:
                far = base + target * stride + lane
                yield (far, rank) if self.upward else (rank, far)

    def crossing(self, distance: int, width: int, ranks: int) -> float:
        """Messages that leave a node of `width` ranks in one round, at the busiest node."""
        if self.block and self.block <= width:
            return 0.0
        distance *= self.stride
        if self.pattern == "shift":  # around the ring, a long way is a short one backwards
            distance = min(distance, (self.block or ranks) - distance)
        if self.pattern == "tree" or self.every >= width:
            return float(distance >= width)
        if self.pattern == "xor" and distance < width:
            return float(sum(rank ^ distance >= width for rank in range(width)))
        return float(min(distance, width))

    def groups(self, width: int, ranks: int) -> Iterator[tuple[int, int]]:
        """A distance and how many of the distances are like it."""
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
        if far := len(self.distances) - len(ahead) - len(behind):
            yield self.distances[len(self.distances) // 2], far


@dataclass(frozen=True)
class Choice:
    """The algorithm that was chosen, its seconds, and the bytes that cross each class of links in all."""

    algorithm: str
    seconds: float
    traffic: dict[str, float]
    rounds: tuple[Round, ...]


Algorithm = Callable[[int, float], list[Round]]


def _at(distance: int) -> range:
    return range(distance, distance + 1)


def _powers(ranks: int) -> list[int]:
    """1, 2, 4, … below `ranks`."""
    return [1 << bit for bit in range((ranks - 1).bit_length())]


def _binomial_broadcast(ranks: int, size: float) -> list[Round]:
    return [Round("tree", _at(distance), size) for distance in reversed(_powers(ranks))]


def _binomial_reduce(ranks: int, size: float) -> list[Round]:
    return [Round("tree", _at(distance), size, upward=True) for distance in _powers(ranks)]


def _binomial_gather(ranks: int, size: float) -> list[Round]:
    return [
        Round("tree", _at(distance), size * min(distance, ranks - distance) / ranks, upward=True)
        for distance in _powers(ranks)
    ]


def _binomial_scatter(ranks: int, size: float) -> list[Round]:
    return [replace(entry, upward=False) for entry in reversed(_binomial_gather(ranks, size))]


def _ring(ranks: int, size: float) -> list[Round]:
    return [Round("shift", _at(1), size / ranks, times=ranks - 1)]


def _doubling_gather(ranks: int, size: float) -> list[Round]:
    return [Round("xor", _at(distance), size * distance / ranks) for distance in _powers(ranks)]


def _bruck_gather(ranks: int, size: float) -> list[Round]:
    return [
        Round("shift", _at(distance), size * min(distance, ranks - distance) / ranks)
        for distance in _powers(ranks)
    ]


def _halving(ranks: int, size: float) -> list[Round]:
    return list(reversed(_doubling_gather(ranks, size)))


def _near_first(ranks: int, size: float) -> list[Round]:
    """Halving that sends the largest part to the nearest rank, as in Rabenseifner's algorithm."""
    return [Round("xor", _at(distance), size / (2 * distance)) for distance in _powers(ranks)]


def _near_last(ranks: int, size: float) -> list[Round]:
    return list(reversed(_near_first(ranks, size)))


def _folded(inner: Algorithm) -> Algorithm:
    """Ranks beyond a power of two hand their part to another before, and get the result after."""

    def algorithm(ranks: int, size: float) -> list[Round]:
        power = 1 << (ranks.bit_length() - 1)
        rounds = inner(power, size)
        if power == ranks:
            return rounds
        extra = Round("shift", _at(1), size, every=2)
        return [extra, *rounds, extra]

    return algorithm


def _doubling_reduce(ranks: int, size: float) -> list[Round]:
    return [Round("xor", _at(distance), size) for distance in _powers(ranks)]


def _pairwise(ranks: int, size: float) -> list[Round]:
    return [Round("shift", range(1, ranks), size / ranks)]


def _bruck_exchange(ranks: int, size: float) -> list[Round]:
    return [Round("shift", _at(distance), size / 2) for distance in _powers(ranks)]


def _dissemination(ranks: int, size: float) -> list[Round]:
    del size
    return [Round("shift", _at(distance), 0.0) for distance in _powers(ranks)]


def _then(*algorithms: Algorithm) -> Algorithm:
    return lambda ranks, size: [entry for algorithm in algorithms for entry in algorithm(ranks, size)]


ALGORITHMS: dict[str, dict[str, Algorithm]] = {
    "broadcast": {"binomial": _binomial_broadcast, "scatter and ring": _then(_binomial_scatter, _ring)},
    "reduce": {
        "binomial": _binomial_reduce,
        "Rabenseifner": _folded(_then(_halving, _binomial_gather)),
    },
    "gather": {"binomial": _binomial_gather},
    "scatter": {"binomial": _binomial_scatter},
    "all_gather": {
        "ring": _ring,
        "recursive doubling": _folded(_doubling_gather),
        "Bruck": _bruck_gather,
    },
    "reduce_scatter": {"ring": _ring, "recursive halving": _folded(_halving)},
    "all_reduce": {
        "recursive doubling": _folded(_doubling_reduce),
        "ring": _then(_ring, _ring),
        "Rabenseifner": _folded(_then(_near_first, _near_last)),
    },
    "all_to_all": {"pairwise": _pairwise, "Bruck": _bruck_exchange},
    "barrier": {"dissemination": _dissemination},
}
"""Rounds of each algorithm for a number of ranks and a size in bytes.

The size is that of the vector for broadcast and reductions, of all ranks' parts together for gathers and
scatters, and of what one rank sends to all ranks, itself included, for an all-to-all.
"""

_LEVELS: dict[str, tuple[tuple[str, str], ...]] = {
    "broadcast": (("remote", "broadcast"), ("local", "broadcast")),
    "reduce": (("local", "reduce"), ("remote", "reduce")),
    "gather": (("local", "gather"), ("remote", "gather")),
    "scatter": (("remote", "scatter"), ("local", "scatter")),
    "all_gather": (("local", "gather"), ("remote", "all_gather"), ("local", "broadcast")),
    "all_reduce": (("local", "reduce_scatter"), ("lanes", "all_reduce"), ("local", "all_gather")),
    "barrier": (("local", "barrier"), ("remote", "barrier")),
}
"""How an operation is done within nodes and between them: on the first rank of each, or on all in lanes."""


@lru_cache(maxsize=4096)
def choose(operation: str, ranks: int, size: float, network: Network) -> Choice:
    """The fastest algorithm for `operation` among `ranks`; see `ALGORITHMS` for what `size` means."""
    if ranks <= 1:
        return Choice("", 0.0, {}, ())
    return min(choices(operation, ranks, size, network), key=lambda choice: choice.seconds)


def choices(operation: str, ranks: int, size: float, network: Network) -> list[Choice]:
    """Every algorithm for an operation, priced."""
    found = [
        price(name, algorithm(ranks, size), ranks, network)
        for name, algorithm in ALGORITHMS[operation].items()
    ]
    width = network.width
    if operation in _LEVELS and 1 < width < ranks and ranks % width == 0:
        found.append(price("hierarchical", _hierarchical(operation, ranks, size, network), ranks, network))
    return found


def price(name: str, rounds: Sequence[Round], ranks: int, network: Network) -> Choice:
    """Seconds and traffic of rounds that follow one another."""
    total = 0.0
    traffic = {network.local.name: 0.0, network.remote.name: 0.0}
    width = min(network.width, ranks)
    nodes = network.nodes(ranks)
    for entry in rounds:
        for distance, count in entry.groups(width, ranks):
            away = entry.crossing(distance, width, ranks) if nodes > 1 else 0.0
            senders = _senders(entry, distance, ranks)
            within = max(0.0, min(width, senders) - away)
            seconds = network.local.seconds(entry.size, within) if within else 0.0
            if away:
                far = nodes * away * entry.size / 2 / network.bisection
                seconds = max(seconds, network.remote.seconds(entry.size, away), far)
            repeated = count * entry.times
            total += repeated * seconds
            crossing = senders * (
                away / width if entry.pattern != "tree" and entry.every == 1 else bool(away)
            )
            traffic[network.remote.name] += repeated * entry.size * crossing
            traffic[network.local.name] += repeated * entry.size * (senders - crossing)
    return Choice(name, total, {link: size for link, size in traffic.items() if size}, tuple(rounds))


def _senders(entry: Round, distance: int, ranks: int) -> float:
    """Messages in one round over all ranks."""
    if entry.pattern != "tree":
        return math.ceil(ranks / entry.every)
    block = entry.block or ranks
    size = block // entry.stride
    trees = ranks / block * entry.stride / entry.every
    return trees * max(0, -(-(size - distance) // (2 * distance)))


def _hierarchical(operation: str, ranks: int, size: float, network: Network) -> list[Round]:
    """Rounds within nodes, and between the nodes, each by the best algorithm for its level."""
    width, nodes = network.width, ranks // network.width
    inner = Network(network.local, network.local, width)
    outer = Network(network.remote, network.remote, 1)
    rounds: list[Round] = []
    for level, part in _LEVELS[operation]:
        if level == "local":
            share = size / nodes if part == "gather" or operation == "scatter" else size
            rounds += [replace(entry, block=width) for entry in choose(part, width, share, inner).rounds]
            continue
        every = 1 if level == "lanes" else width
        share = size / width if level == "lanes" else size
        rounds += [
            replace(entry, stride=width, every=entry.every * every)
            for entry in choose(part, nodes, share, outer).rounds
        ]
    return rounds

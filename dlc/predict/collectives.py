"""Collective operations: each algorithm as rounds of messages, its time on a network, and the best one.

A round says who sends how much to whom. The same rounds give a time in closed form, for any number of ranks,
and the flows for a simulation of links. Sources of the algorithms: Thakur, Rabenseifner and Gropp,
"Optimization of collective communication operations in MPICH" (2005); Bruck et al. (1997); Rabenseifner
(2004).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from dlc.predict.links import load
from dlc.predict.network import Network
from dlc.predict.rounds import Round

_SAMPLES = 32  # distances that stand for all those of an exchange that lead to other nodes


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
    if operation == "all_to_all" and network.links:
        found.append(price("all at once", [Round("all", _at(1), size / ranks)], ranks, network))
    return found


def price(name: str, rounds: Sequence[Round], ranks: int, network: Network) -> Choice:
    """Seconds and traffic of rounds that follow one another."""
    total = 0.0
    traffic: dict[str, float] = {network.local.name: 0.0, network.remote.name: 0.0}
    one, most = (_linked, _SAMPLES) if network.links else (_two_levels, 1)
    for entry in rounds:
        for distance, count in entry.groups(min(network.width, ranks), ranks, most):
            seconds, sent = one(entry, distance, ranks, network)
            repeated = count * entry.times
            total += repeated * seconds
            for link, messages in sent.items():
                traffic[link] = traffic.get(link, 0.0) + repeated * entry.size * messages
    return Choice(name, total, {link: size for link, size in traffic.items() if size}, tuple(rounds))


def _two_levels(entry: Round, distance: int, ranks: int, network: Network) -> tuple[float, dict[str, float]]:
    """Seconds of one round and messages by link, where nodes share a wire each and a bisection."""
    width, nodes = min(network.width, ranks), network.nodes(ranks)
    away = entry.crossing(distance, width, ranks) if nodes > 1 else 0.0
    senders = entry.senders(distance, ranks)
    within = max(0.0, min(width, senders / nodes) - away)
    seconds = network.local.seconds(entry.size, within) if within else 0.0
    if away:
        far = nodes * away * entry.size / 2 / network.bisection
        seconds = max(seconds, network.remote.seconds(entry.size, away), far)
    alone = entry.pattern == "tree" or entry.leaders or entry.every > 1
    crossing = senders * (bool(away) if alone else away / width)
    return seconds, {network.remote.name: crossing, network.local.name: senders - crossing}


def _linked(entry: Round, distance: int, ranks: int, network: Network) -> tuple[float, dict[str, float]]:
    """The same on the wires of a network: a round takes as long as the fullest of them."""
    assert network.links is not None
    width, links = min(network.width, ranks), network.links
    found = load(links.shape, width, ranks, replace(entry, size=0.0, times=1, distances=_at(0)), distance)
    sent = {f"{network.remote.name} {name}".rstrip(): count for name, count in found.reach}
    sent[network.local.name] = found.local
    near, far = (width - 1, ranks - width) if entry.pattern == "all" else (1, 1)
    seconds = 0.0
    if found.local:
        flows = min(width, found.local / network.nodes(ranks) / near)
        seconds = network.local.seconds(entry.size, flows, near)
    if found.reach:
        figures = network.remote.segment(entry.size)
        delay, hop = figures.latency + figures.overhead, links.hop
        if far > 1:  # a description without overheads leaves the latency between messages
            delay += (far - 1) * (max(figures.gap, figures.overhead) or figures.latency)
        longest = max(0.0, delay + (found.wires - links.usual) * hop)
        # A full wire is busy as soon as the first of many messages are there; in a round they are alike.
        usual = max(0.0, delay + (found.mean - links.usual) * hop) if far > 1 else longest
        serial = 1 if math.isinf(links.port) else far
        fullest = max(serial / figures.rate, found.port / links.port, found.inner / links.inner)
        seconds = max(seconds, longest + entry.size / figures.rate, usual + entry.size * fullest)
    return seconds, sent


def _hierarchical(operation: str, ranks: int, size: float, network: Network) -> list[Round]:
    """Rounds within nodes, and between the nodes, each by the best algorithm for its level."""
    width, nodes = network.width, ranks // network.width
    rounds: list[Round] = []
    for level, part in _LEVELS[operation]:
        within, lanes = level == "local", level == "lanes"
        share = size / nodes if within and (part == "gather" or operation == "scatter") else size
        share = share / width if lanes else share
        options = [
            [
                replace(entry, block=width) if within else replace(entry, stride=width, leaders=not lanes)
                for entry in algorithm(width if within else nodes, share)
            ]
            for algorithm in ALGORITHMS[part].values()
        ]
        rounds += min(options, key=lambda option: price(part, option, ranks, network).seconds)
    return rounds

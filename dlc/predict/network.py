"""Messages between ranks: LogGP figures in segments of message size, on two levels of links.

Ranks fill the machine node by node. Those of one node share its inner links, nodes share the network. All
figures are in seconds, bytes and bytes a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

from dlc.predict.links import Links


@dataclass(frozen=True)
class Segment:
    """LogGP figures of messages of at most `limit` bytes.

    `latency` is L, `overhead` what the processors at both ends spend on a message, `gap` the least time
    between two messages of a rank, and `rate` is 1/G.
    """

    limit: float
    latency: float
    overhead: float
    gap: float
    rate: float


@dataclass(frozen=True)
class Wire:
    """The links of one level as ranks see them; `shared` is the rate of all ranks of a node together."""

    name: str
    segments: tuple[Segment, ...]
    shared: float = math.inf

    def segment(self, size: float) -> Segment:
        """The figures for messages of `size` bytes."""
        return next((entry for entry in self.segments if size <= entry.limit), self.segments[-1])

    def seconds(self, size: float, flows: float = 1.0, messages: float = 1.0) -> float:
        """Time for `messages` messages of `size` bytes in a row, while `flows` ranks of a node send."""
        figures = self.segment(size)
        rate = min(figures.rate, self.shared / max(1.0, flows))
        spacing = max(figures.gap, figures.overhead)
        return figures.latency + figures.overhead + (messages - 1) * spacing + messages * size / rate

    def scaled(self, rate: float = 1.0, delay: float = 1.0) -> Wire:
        """The wire with all rates and all delays multiplied."""
        segments = tuple(
            replace(
                entry,
                rate=entry.rate * rate,
                latency=entry.latency * delay,
                overhead=entry.overhead * delay,
                gap=entry.gap * delay,
            )
            for entry in self.segments
        )
        return replace(self, segments=segments, shared=self.shared * rate)


@dataclass(frozen=True)
class Network:
    """What `width` ranks of each node see: `local` wires within it and `remote` ones between nodes.

    `bisection` is the rate of all nodes of one half of the machine to the other half, in B/s; it bounds
    traffic in which every node sends far. Where `links` are known, they tell what messages share instead.
    """

    local: Wire
    remote: Wire
    width: int
    bisection: float = math.inf
    links: Links | None = None

    def nodes(self, ranks: int) -> int:
        """Nodes that so many ranks use."""
        return -(-ranks // self.width)


class Channel(Protocol):
    """The figures of one level that the machine model gives."""

    @property
    def latency(self) -> float: ...
    @property
    def overhead(self) -> float: ...
    @property
    def pair(self) -> float: ...
    @property
    def total(self) -> float: ...


def wire(name: str, channel: Channel) -> Wire:
    """A wire of one segment with the figures of a channel of the machine model."""
    figures = Segment(math.inf, channel.latency, channel.overhead, channel.overhead, channel.pair)
    return Wire(name, (figures,), channel.total)


def fit_segments(
    sizes: list[float], seconds: list[float], limits: tuple[float, ...] = (8192.0, 262144.0, math.inf)
) -> tuple[Segment, ...]:
    """Segments from measured one-way times of messages, each a line through the points of its range.

    Errors are taken relative to the time, since small messages matter as much as large ones. A range with
    fewer than two points is left to the next one.
    """
    import numpy as np

    found: list[Segment] = []
    points = sorted(zip(sizes, seconds, strict=True))
    pending: list[tuple[float, float]] = []
    low = 0.0
    for limit in limits:
        pending += [point for point in points if low < point[0] <= limit or (low == 0.0 and point[0] == 0)]
        low = limit
        if len(pending) < 2:
            continue
        table = np.array(pending)
        line: list[float] = np.polyfit(table[:, 0], table[:, 1], 1, w=1 / table[:, 1]).tolist()
        slope, start = line[0], max(line[1], 0.0)
        found.append(Segment(limit, start, 0.0, start, 1 / slope if slope > 0 else math.inf))
        pending = []
    return tuple(found)

"""Flows that share links: every moment's rates are max-min fair, and change whenever a flow begins or ends.

A flow's share goes with its weight. Weights of one over the delay make it the share of TCP (model CM02 of
SimGrid).

A flow pays its delay first and then moves its bytes over all of its links at once. Links are named; a full
duplex cable is two of them. Identical flows are one entry with a count, so that symmetric traffic of many
ranks stays small.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_SAME = 1e-9  # relative difference below which shares of links, and moments, count as equal

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Flow:
    """`size` bytes over `links`, after `start + delay` seconds; `rate` bounds what it can take, in B/s."""

    links: tuple[Hashable, ...]
    size: float
    delay: float = 0.0
    start: float = 0.0
    rate: float = float("inf")
    weight: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """When the last flow ends, when each kind of flow does, and the bytes that each link carried."""

    seconds: float
    ends: dict[Flow, float]
    carried: dict[Hashable, float]


def share_links(flows: Iterable[Flow], capacity: Mapping[Any, float]) -> Outcome:
    """Let all flows run to their ends; `capacity` gives the B/s of each link, infinite where it has none."""
    counts = Counter(flows)
    kinds = list(counts)
    if not kinds:
        return Outcome(0.0, {}, {})
    state = _State(kinds, np.array([counts[kind] for kind in kinds], np.float64), capacity)
    ends = state.run()
    return Outcome(float(ends.max()), dict(zip(kinds, ends.tolist(), strict=True)), state.carried())


class _State:
    """Flows and links as arrays: entry e says that flow `owner[e]` uses link `link[e]`."""

    def __init__(self, kinds: list[Flow], count: Floats, capacity: Mapping[Any, float]) -> None:
        self.names = list(dict.fromkeys(name for kind in kinds for name in kind.links))
        index = {name: number for number, name in enumerate(self.names)}
        self.capacity = np.array([capacity.get(name, np.inf) for name in self.names])
        lengths = np.array([len(kind.links) for kind in kinds])
        self.owner: Ints = np.repeat(np.arange(len(kinds)), lengths)
        self.link: Ints = np.array([index[name] for kind in kinds for name in kind.links], np.int64)
        self.count = count
        self.weight = np.array([kind.weight for kind in kinds], np.float64)
        self.size = np.array([kind.size for kind in kinds], np.float64)
        self.limit = np.array([kind.rate for kind in kinds], np.float64) / self.weight
        self.begin = np.array([kind.start + kind.delay for kind in kinds], np.float64)

    def run(self) -> Floats:
        """The end of each kind of flow."""
        ends = np.where(self.size > 0, np.inf, self.begin)
        left = self.size.copy()
        now = float(self.begin.min())
        while np.isinf(ends).any():
            open_ = np.isinf(ends)
            active = open_ & (self.begin <= now * (1 + _SAME))
            later = self.begin[open_ & ~active]
            until = float(later.min()) if later.size else np.inf
            if not active.any():
                now = until
                continue
            rate = self._rates(active)
            with np.errstate(divide="ignore", invalid="ignore"):
                need = np.where(active, left / rate, np.inf)
            soonest = float(need.min())
            step = min(soonest, until - now)
            left = np.where(active & np.isfinite(rate), left - rate * step, left)
            now += step
            if soonest <= until - now + step:
                ends[active & (need <= soonest * (1 + _SAME))] = now
        return ends

    def _rates(self, active: npt.NDArray[np.bool_]) -> Floats:
        """Progressive filling: the link with the least to give fixes its flows, and so on with the rest.

        All rates in here are those of a flow of weight 1.
        """
        total = self.count * self.weight
        rate = np.where(active, self.limit, 0.0)
        entries = active[self.owner]
        owner, link = self.owner[entries], self.link[entries]
        spare = self.capacity.copy()
        open_ = active.copy()
        while owner.size:
            users = np.bincount(link, total[owner], minlength=len(spare))
            fair = np.full(len(spare), np.inf)
            np.divide(spare, users, out=fair, where=users > 0)
            tightest = float(fair.min())
            bound = float(self.limit[open_].min())
            if np.isinf(min(tightest, bound)):
                break
            if bound < tightest:  # flows that cannot even take their share leave the rest to others
                fixed = open_ & (self.limit <= bound * (1 + _SAME))
                tightest = bound
            else:
                fixed = np.zeros_like(open_)
                fixed[owner[fair[link] <= tightest * (1 + _SAME)]] = True
            rate[fixed] = tightest
            gone = fixed[owner]
            used = np.bincount(link[gone], total[owner[gone]], minlength=len(spare))
            spare = np.maximum(spare - tightest * used, 0.0)
            owner, link = owner[~gone], link[~gone]
            open_ &= ~fixed
        return rate * self.weight

    def carried(self) -> dict[Hashable, float]:
        """Bytes over each link."""
        total = np.bincount(self.link, (self.count * self.size)[self.owner], minlength=len(self.names))
        return dict(zip(self.names, total.tolist(), strict=True))

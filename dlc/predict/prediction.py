"""What a prediction says: plain data, in base units (seconds, bytes, FLOP, joules)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]

START = -1
"""Index of the step in which a rank makes itself ready."""
CROWDING = 1.5
"""Where ranks take turns on a core, each loses more than that: this power of their number (measured)."""
_TENTH = 1.2816  # standard deviations from the median to the tenth and to the ninetieth percentile


@dataclass(frozen=True)
class Interval:
    """A duration in seconds: the value expected, and bounds that hold in eight of ten cases."""

    value: float
    low: float
    high: float

    @staticmethod
    def around(value: float, spread: float) -> Interval:
        """`spread` is the standard deviation of the logarithm: errors of durations are factors."""
        factor = math.exp(_TENTH * spread)
        return Interval(value, value / factor, value * factor)

    def __contains__(self, seconds: float) -> bool:
        return self.low <= seconds <= self.high


@dataclass(frozen=True)
class Span:
    """When an instruction of a gang begins and ends, in seconds since the program began.

    `path` is its index in the gang; in the body of a loop, the path of the loop and the index in the body,
    and the times are those of the first round. `rounds` is how often a loop runs its body.
    """

    gang: str
    path: tuple[int, ...]
    start: float
    finish: float
    rounds: int | None = None


@dataclass(frozen=True)
class Step:
    """One instruction of a gang: what it takes on the rank that finishes last, all repetitions together.

    `parts` splits the seconds by what they are spent on, `traffic` has the bytes that cross each class of
    link, and `rows` and `bytes` are those of the frames that the instruction gives, over all ranks.
    `algorithm` is the collective's; `demands` is the work that calibration learns from. `split` says that the
    ranks hold parts of the frames and no copies. `index` counts within the gang; instructions of a loop body
    have the index of the loop, and what a rank does before the first instruction has `START`. `start` is that
    of the first repetition.
    """

    gang: str
    index: int
    op: str
    label: str
    loc: int
    start: float
    seconds: Interval
    parts: dict[str, float]
    traffic: dict[str, float] = field(default_factory=dict[str, float])
    flops: float = 0.0
    rows: float = 0.0
    bytes: float = 0.0
    times: int = 1
    algorithm: str = ""
    demands: tuple[Demand, ...] = ()
    split: bool = False


@dataclass(frozen=True)
class Demand:
    """Work of one class on one rank: what seconds are linear in, once the serial share φ is known.

    `threads` work on it; below 1, ranks take turns on the cores, and calls take longer too.
    """

    kind: str
    calls: float
    amount: float
    threads: float

    @property
    def crowd(self) -> float:
        """How much longer everything takes where ranks share a core."""
        return max(1.0, 1 / self.threads) ** CROWDING

    def seconds(self, each: float, rate: float, serial: float) -> tuple[float, float]:
        """Seconds of the calls, of which one takes `each`, and of the amount, by Amdahl's law."""
        share = serial + (1 - serial) / max(1.0, self.threads)
        return self.calls * each * self.crowd, self.amount / rate * share * self.crowd


@dataclass(frozen=True)
class Advice:
    """What one change of the machine would bring: the run's seconds after it."""

    change: str
    seconds: float


@dataclass(frozen=True)
class Prediction:
    """A plan on a machine. `memory` and `capacity` are bytes a node in each memory space.

    `energy` is in joules and `price` in `currency`, each None where the machine does not say what it
    draws or costs.
    """

    program: str
    machine: str
    ranks: int
    nodes: int
    seconds: Interval
    steps: tuple[Step, ...]
    traffic: dict[str, float]
    memory: dict[str, float]
    capacity: dict[str, float]
    flops: float
    energy: float | None = None
    price: float | None = None
    currency: str = ""
    bottleneck: str = ""
    spans: tuple[Span, ...] = ()
    advice: tuple[Advice, ...] = ()

    @property
    def rank_memory(self) -> float:
        """Peak bytes of one rank in the memory of its node."""
        return self.memory.get("host", 0.0) / math.ceil(self.ranks / max(1, self.nodes))

    @property
    def parts(self) -> dict[str, float]:
        """Seconds by what they are spent on, over all steps, longest first."""
        total: dict[str, float] = {}
        for step in self.steps:
            for name, seconds in step.parts.items():
                total[name] = total.get(name, 0.0) + seconds
        return dict(sorted(total.items(), key=lambda part: -part[1]))

    def to_json(self) -> Json:
        """The prediction as JSON data."""
        return asdict(self) | {"parts": self.parts}

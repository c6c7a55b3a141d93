"""What calibration has measured, as plain data that travels as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from dlc.hwspec.calibration.fit import Fit, Segment
from dlc.hwspec.calibration.samples import Figure


@dataclass(frozen=True)
class Messages:
    """Messages between two ranks: a fit of one-way times, their spread, and seconds of sending in a burst."""

    fit: Fit
    spread: float
    overhead: Figure


@dataclass(frozen=True)
class Collective:
    """Seconds of a collective operation of `ranks` ranks, each with `size` bytes of its own."""

    name: str
    ranks: int
    size: int
    seconds: Figure


@dataclass(frozen=True)
class Record:
    """All that was measured; rates in B/s and FLOP/s.

    `core_*` is one rank alone, `node_*` the sum over all ranks of the first node at once. `oversubscribed`
    says that ranks shared cores. `local` are messages within a node, `remote` those between nodes.
    """

    node_ranks: int
    core_stream: Figure
    node_stream: Figure
    core_copy: Figure
    core_gemm: dict[str, Figure]
    node_gemm: dict[str, Figure]
    write: Figure | None = None
    read: Figure | None = None
    ranks: int = 1
    nodes: int = 1
    oversubscribed: bool = False
    local: Messages | None = None
    remote: Messages | None = None
    collectives: tuple[Collective, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> str:
        """The record as JSON, with Python's spelling of infinity."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Record:
        """The record that `to_json` wrote."""
        data = json.loads(text)
        for name in ("core_stream", "node_stream", "core_copy", "write", "read"):
            data[name] = data[name] and Figure(**data[name])
        for name in ("core_gemm", "node_gemm"):
            data[name] = {dtype: Figure(**entry) for dtype, entry in data[name].items()}
        for name in ("local", "remote"):
            data[name] = data[name] and _messages(data[name])
        data["collectives"] = tuple(
            Collective(entry["name"], entry["ranks"], entry["size"], Figure(**entry["seconds"]))
            for entry in data["collectives"]
        )
        return cls(**data)


def _messages(data: dict[str, Any]) -> Messages:
    segments = tuple(Segment(**entry) for entry in data["fit"]["segments"])
    return Messages(Fit(segments, data["fit"]["r2"]), data["spread"], Figure(**data["overhead"]))

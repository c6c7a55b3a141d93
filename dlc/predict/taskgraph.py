"""Task graphs on many nodes: a list scheduler and its event loop, compiled to machine code.

A task starts as soon as its predecessors have ended, their data have arrived and a slot is free. Data that
lie on the task's node cost nothing; others take a latency and their bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dlc.diagnostics import DlcError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ANYWHERE = -1


@dataclass(frozen=True)
class TaskGraph:
    """Tasks and edges as arrays.

    Task t takes `seconds[t]`; `sources[e]` and `targets[e]` are the ends of edge e, over which `sizes[e]`
    bytes go. `nodes[t]` pins a task to a node, or is `ANYWHERE`; of tasks that are ready the one with the
    least `priority` starts first.
    """

    seconds: Floats
    sources: Ints
    targets: Ints
    sizes: Floats | None = None
    nodes: Ints | None = None
    priority: Floats | None = None


@dataclass(frozen=True)
class Schedule:
    """When and where each task ran; `seconds` is the end of the last one, `busy` the work of each node."""

    start: Floats
    finish: Floats
    node: Ints
    seconds: float
    busy: Floats

    @property
    def idle(self) -> float:
        """Share of the time of the nodes that ran anything in which they did nothing."""
        used = self.busy[self.busy > 0]
        return 1 - float(used.sum()) / (self.seconds * len(used)) if len(used) and self.seconds else 0.0


def schedule(
    graph: TaskGraph, nodes: int, *, slots: int = 1, latency: float = 0.0, rate: float = math.inf
) -> Schedule:
    """Run a graph on nodes with so many slots each; messages take `latency` and go at `rate` B/s.

    Raises DLC522 when tasks wait for each other in a circle.
    """
    count = len(graph.seconds)
    order = np.argsort(graph.sources, kind="stable")
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(graph.sources, minlength=count), out=offsets[1:])
    sizes = np.zeros(len(graph.sources)) if graph.sizes is None else graph.sizes
    travel = np.where(np.isinf(rate), 0.0, sizes / rate) + latency
    # Late: numba takes a while to import.
    from dlc.predict.eventloop import run

    start, finish, node, done = run(
        graph.seconds.astype(np.float64),
        offsets,
        graph.targets[order].astype(np.int64),
        travel[order],
        np.bincount(graph.targets, minlength=count),
        np.full(count, ANYWHERE) if graph.nodes is None else graph.nodes.astype(np.int64),
        np.arange(count, dtype=np.float64) if graph.priority is None else graph.priority.astype(np.float64),
        np.full(nodes, slots),
    )
    if done < count:
        raise DlcError("DLC522", f"{count - done:,} tasks wait for each other in a circle")
    busy: Floats = np.bincount(node, graph.seconds, minlength=nodes).astype(np.float64)
    return Schedule(start, finish, node, float(finish.max()) if count else 0.0, busy)

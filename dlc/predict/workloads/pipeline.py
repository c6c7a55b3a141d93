"""Pipelines of stages and micro-batches: the schedule is run as a task graph, and its idle time measured."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dlc.hwspec.model import Machine
from dlc.predict.taskgraph import TaskGraph, schedule
from dlc.predict.workloads.devices import devices
from dlc.predict.workloads.grammar import Bytes, Count, Duration, wrong
from dlc.predict.workloads.report import Cell, Report

_MOST_TASKS = 2_000_000


@dataclass(frozen=True)
class Pipeline:
    """`stages` devices in a row, through which each of `micro_batches` goes forward and then back.

    All forward passes come before the first backward one. `size` bytes go from stage to stage, over the links
    of the machine if there is one.
    """

    name: str
    stages: tuple[Count, ...]
    micro_batches: tuple[Count, ...]
    forward: Duration
    backward: Duration
    size: Bytes = 0.0

    def predict(self, machine: Machine | None) -> Report:
        """Time and idle share of each combination of stages and micro-batches."""
        latency, rate = 0.0, math.inf
        if machine is not None:
            figures = devices(machine).network.remote.segment(self.size)
            latency, rate = figures.latency + figures.overhead, figures.rate
        rows: list[dict[str, Cell]] = []
        for count in self.stages:
            for batches in self.micro_batches:
                if (tasks := 2 * count * batches) > _MOST_TASKS:
                    many = f"{count:,} stages and {batches:,} micro-batches are {tasks:,} tasks"
                    raise wrong(many, None, f"describe at most {_MOST_TASKS:,}")
                found = schedule(self.graph(count, batches), count, latency=latency, rate=rate)
                rows.append(
                    {"stages": count, "micro-batches": batches, "time": found.seconds, "idle": found.idle}
                )
        where = machine.name if machine else "an ideal network"
        return Report(self.name, where, rows, units={"time": "s", "idle": "1"})

    def graph(self, stages: int, batches: int) -> TaskGraph:
        """Tasks are numbered k · batches + m, for stage k and micro-batch m; the backward ones follow."""
        number = np.arange(stages * batches).reshape(stages, batches)
        back = number + stages * batches
        edges = [
            *zip(number[:-1].ravel(), number[1:].ravel(), strict=True),
            *zip(back[1:].ravel(), back[:-1].ravel(), strict=True),
            *((number[-1, -1], back[-1, batch]) for batch in range(batches)),
        ]
        sources, targets = np.array(edges).reshape(-1, 2).T
        place = np.repeat(np.arange(stages), batches)
        # Forward in order, then backward from the last micro-batch, whose activations are the newest.
        forwards = np.tile(np.arange(batches), stages)
        backwards = np.tile(2 * batches - np.arange(batches), stages)
        return TaskGraph(
            seconds=np.repeat([self.forward, self.backward], stages * batches),
            sources=sources,
            targets=targets,
            sizes=np.full(len(sources), self.size),
            nodes=np.tile(place, 2),
            priority=np.concatenate([forwards, backwards]).astype(float),
        )

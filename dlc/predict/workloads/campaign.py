"""Campaigns: stages of many runs, one after another, such as simulations that train their own surrogate."""

from __future__ import annotations

from dataclasses import dataclass

from dlc.hwspec.model import Machine
from dlc.predict.report import seconds as shown
from dlc.predict.workloads.grammar import Seconds, wrong
from dlc.predict.workloads.report import Cell, Report


@dataclass(frozen=True)
class Stage:
    """`count` runs of `seconds`, `workers` at a time; `replaces` names the task whose work they do."""

    name: str
    count: int
    seconds: Seconds
    workers: int = 1
    replaces: str = ""


@dataclass(frozen=True)
class Task:
    """What one of the replaced runs takes by itself."""

    name: str
    seconds: Seconds


@dataclass(frozen=True)
class Campaign:
    """Stages in order, and what the same work takes one run after another without them."""

    name: str
    stage: tuple[Stage, ...]
    task: tuple[Task, ...] = ()

    def predict(self, machine: Machine | None) -> Report:
        """When each stage begins and ends, and how much faster the campaign is than the runs it replaces."""
        alone = {task.name: task.seconds for task in self.task}
        clock = replaced = 0.0
        rows: list[dict[str, Cell]] = []
        for stage in self.stage:
            if stage.workers < 1 or (stage.replaces and stage.replaces not in alone):
                raise wrong(f"stage `{stage.name}` has no workers, or replaces no task", None)
            begin = clock
            # Equal runs come in waves of as many as there are workers.
            clock += -(-stage.count // stage.workers) * stage.seconds
            replaced += stage.count * alone.get(stage.replaces, 0.0)
            rows.append(
                {"stage": stage.name, "runs": stage.count, "begins": shown(begin), "ends": shown(clock)}
            )
        figures = {"seconds": clock, "sequential seconds": replaced}
        if replaced and clock:
            figures["effective speed-up"] = replaced / clock
        return Report(self.name, machine.name if machine else "any machine", rows, figures=figures)

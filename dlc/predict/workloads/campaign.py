"""Campaigns: stages of many runs, one after another, such as simulations that train their own surrogate.

How much faster they are than the runs they replace is the effective speed-up of Fox and Jha, "Learning
everywhere" (2019).
"""

from __future__ import annotations

from dataclasses import dataclass

from dlc.hwspec.model import Machine
from dlc.predict.workloads.grammar import Count, Seconds, wrong
from dlc.predict.workloads.report import Cell, Report


@dataclass(frozen=True)
class Stage:
    """`count` runs of `seconds` on `cores` each, `workers` at a time; `replaces` names the task they do."""

    name: str
    count: Count
    seconds: Seconds
    workers: Count = 1
    cores: Count = 1
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
        warnings: list[str] = []
        for stage in self.stage:
            if stage.replaces and stage.replaces not in alone:
                fix = f"name one of {', '.join(alone)}" if alone else "add a list `task`"
                raise wrong(f"stage `{stage.name}` replaces no task", None, fix)
            wanted = stage.workers * stage.cores
            if machine is not None and wanted > machine.fabric.cores:
                warnings.append(
                    f"stage {stage.name} wants {wanted:,} cores; {machine.name} has {machine.fabric.cores:,}"
                )
            begin = clock
            # Equal runs come in waves of as many as there are workers.
            clock += -(-stage.count // stage.workers) * stage.seconds
            replaced += stage.count * alone.get(stage.replaces, 0.0)
            rows.append({"stage": stage.name, "runs": stage.count, "begins": begin, "ends": clock})
        figures = {"time": clock, "time one after another": replaced}
        if replaced and clock:
            figures["effective speed-up"] = replaced / clock
        units = {"begins": "s", "ends": "s", "time": "s", "time one after another": "s"}
        where = machine.name if machine else "any machine"
        return Report(self.name, where, rows, warnings=warnings, figures=figures, units=units)

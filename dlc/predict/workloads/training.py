"""Training jobs by size: FLOPs from parameters and tokens, time from a machine, money from its price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from dlc.hwspec.model import Machine
from dlc.predict.workloads.devices import Devices, devices
from dlc.predict.workloads.grammar import Count, Positive, Range, Share, wrong
from dlc.predict.workloads.report import Cell, Report

FORWARD = 2.0
"""FLOP per parameter and token: each weight is multiplied and added once."""
BACKWARD = 4.0
"""Likewise of the backward pass, which multiplies by weights and by activations."""


@dataclass(frozen=True)
class Job:
    """A training run; `utilization` is the share of the peak that it reaches, `published` a known price."""

    name: str
    parameters: Positive
    tokens: Positive
    utilization: Share
    devices: Count = 1
    published: Annotated[float, Range()] = 0.0

    @property
    def flops(self) -> float:
        """Arithmetic of the whole run."""
        return (FORWARD + BACKWARD) * self.parameters * self.tokens


@dataclass(frozen=True)
class Training:
    """Jobs on one kind of machine, in arithmetic of one element type."""

    name: str
    dtype: str
    job: tuple[Job, ...]

    def predict(self, machine: Machine | None) -> Report:
        """Time and price of each job."""
        if machine is None:
            raise wrong("a training job needs a machine", None, "add `machine = …`")
        found = devices(machine)
        rows = [self._row(job, found) for job in self.job]
        note = f"{found.peak(self.dtype):.4g} FLOP/s a device in {self.dtype}"
        if found.hourly is not None:
            note += f", {found.hourly / found.device.count:.4g} {found.currency} an hour"
        warnings = found.lacking((job.devices for job in self.job), machine.name)
        units = {"time": "s", "FLOP": "FLOP", "energy": "J", "price": found.currency, "off by": "1"}
        units["published"] = found.currency
        return Report(self.name, machine.name, rows, [note], warnings, units=units)

    def _row(self, job: Job, found: Devices) -> dict[str, Cell]:
        taken = job.flops / (job.devices * found.peak(self.dtype) * job.utilization)
        share = job.devices / found.device.count
        row: dict[str, Cell] = {
            "job": job.name,
            "FLOP": job.flops,
            "devices": job.devices,
            "time": taken,
            "device hours": taken * job.devices / 3600,
        }
        if found.watts is not None:
            row["energy"] = taken * share * found.watts
        if found.hourly is not None:
            price = taken / 3600 * share * found.hourly
            row["price"] = price
            row["published"] = job.published or None
            row["off by"] = price / job.published - 1 if job.published else None
        return row

"""Data-parallel training on more and more devices: where more of them no longer help.

A step computes the gradients of a batch and adds them up over all devices. A batch grows with the devices
until it reaches the largest that still converges; from there on each device has less to do. Larger batches
need more samples: `S (1 + B / B_c)` with the critical batch size B_c (McCandlish et al., "An empirical model
of large-batch training").
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from dlc.hwspec.model import Machine
from dlc.predict.collectives import choose
from dlc.predict.fitting import Floats, least_squares
from dlc.predict.workloads.devices import Devices, devices
from dlc.predict.workloads.grammar import Bytes, Count, Positive, Range, Seconds, Share, wrong
from dlc.predict.workloads.report import Cell, Report


@dataclass(frozen=True)
class Measured:
    """Efficiency that was measured on so many devices; with `fit` the calibration may look at it."""

    devices: Count
    efficiency: Annotated[float, Range(most=100, above=True)]
    fit: bool = False


@dataclass(frozen=True)
class DataParallel:
    """A model and how it is trained; `calibrate` names the figures that are fitted to the points with `fit`.

    `flops` are those of one sample, forward and backward, `utilization` the share of the peak that they
    reach, `gradients` the bytes that each step adds up, and `step_overhead` what a step takes beside all
    that. `critical_batch` 0 leaves the number of samples as it is.
    """

    name: str
    dtype: str
    flops: Positive
    utilization: Share
    gradients: Bytes
    samples: Positive
    device_batch: Count
    largest_batch: Count
    baseline: Count
    measured: tuple[Measured, ...]
    critical_batch: Annotated[float, Range()] = 0.0
    step_overhead: Seconds = 0.0
    calibrate: tuple[str, ...] = ()

    def predict(self, machine: Machine | None) -> Report:
        """Efficiency at each measured number of devices, after the one calibration that is asked for."""
        if machine is None:
            raise wrong("data-parallel training needs a machine", None, "add `machine = …`")
        self._check_fit()
        found = devices(machine)
        fitted = self._calibrated(found)
        rows: list[dict[str, Cell]] = []
        for point in self.measured:
            predicted = fitted.efficiency(point.devices, found)
            rows.append(
                {
                    "devices": point.devices,
                    "batch": fitted.batch(point.devices),
                    "step": fitted.step(point.devices, found),
                    "all-reduce": fitted.reduction(point.devices, found)[1],
                    "predicted": predicted,
                    "measured": point.efficiency,
                    "difference": predicted - point.efficiency,
                    "used for the fit": point.fit,
                }
            )
        figures = {name: getattr(fitted, name) for name in FREE}
        warnings = found.lacking((point.devices for point in self.measured), machine.name)
        units = {"step": "s", "step_overhead": "s", "predicted": "1", "measured": "1", "difference": "1"}
        return Report(self.name, machine.name, rows, [self._fit_note()], warnings, figures, units)

    def _check_fit(self) -> None:
        for name in self.calibrate:
            if name not in FREE or self.calibrate.count(name) > 1:
                fix = f"name each of {', '.join(FREE)} at most once"
                raise wrong(f"cannot calibrate `{name}`", None, fix)
        points = sum(point.fit for point in self.measured)
        if points < len(self.calibrate):
            raise wrong(
                f"{len(self.calibrate)} figures cannot be fitted to {points} points",
                None,
                "mark as many points with `fit = true`, or calibrate fewer figures",
            )

    def _fit_note(self) -> str:
        points = [str(point.devices) for point in self.measured if point.fit]
        if not self.calibrate or not points:
            return "nothing was calibrated"
        return f"{' and '.join(self.calibrate)} fitted to the points at {', '.join(points)} devices"

    def batch(self, count: int) -> int:
        """Samples of a step."""
        return max(count, min(count * self.device_batch, self.largest_batch))

    def reduction(self, count: int, found: Devices) -> tuple[float, str]:
        """Seconds and algorithm of the sum of the gradients."""
        choice = choose("all_reduce", count, self.gradients, replace(found.network, width=found.device.count))
        return choice.seconds, choice.algorithm

    def step(self, count: int, found: Devices) -> float:
        """Seconds of a step."""
        rate = found.peak(self.dtype) * self.utilization
        compute = self.batch(count) / count * self.flops / rate
        return compute + self.reduction(count, found)[0] + self.step_overhead

    def seconds(self, count: int, found: Devices) -> float:
        """Seconds until the model has converged."""
        batch = self.batch(count)
        needed = self.samples * (1 + batch / self.critical_batch if self.critical_batch else 1.0)
        return needed / batch * self.step(count, found)

    def efficiency(self, count: int, found: Devices) -> float:
        """Of the speed-up against the baseline, the share that the number of devices promises."""
        gain = self.seconds(self.baseline, found) / self.seconds(count, found)
        return gain * self.baseline / count

    def _calibrated(self, found: Devices) -> DataParallel:
        """The workload with its free figures fitted, starting from what it says of them."""
        points = [point for point in self.measured if point.fit]
        if not self.calibrate or not points:
            return self
        start = np.log([getattr(self, name) or FREE[name] for name in self.calibrate])

        def errors(logarithms: Floats) -> list[float]:
            model = self._with(logarithms)
            return [model.efficiency(point.devices, found) - point.efficiency for point in points]

        return self._with(least_squares(errors, start))

    def _with(self, logarithms: Floats) -> DataParallel:
        figures = {
            name: math.exp(figure) for name, figure in zip(self.calibrate, logarithms.tolist(), strict=True)
        }
        return replace(self, **figures)


FREE = {"critical_batch": 1e5, "step_overhead": 1e-3}
"""What a calibration may fit, and where it starts."""

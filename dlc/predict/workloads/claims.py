"""Speed-ups that somebody reports: efficiency, and whether a claim can be what it seems."""

from __future__ import annotations

from dataclasses import dataclass

from dlc.hwspec.model import Machine
from dlc.predict.workloads.grammar import Count, Duration
from dlc.predict.workloads.report import Cell, Report


@dataclass(frozen=True)
class Claim:
    """A job that took `before` on `baseline` devices and takes `after` on `devices`."""

    name: str
    before: Duration
    after: Duration
    devices: Count
    baseline: Count = 1


@dataclass(frozen=True)
class Claims:
    """Claims about one machine."""

    name: str
    claim: tuple[Claim, ...]

    def predict(self, machine: Machine | None) -> Report:
        """Speed-up and efficiency of each claim; what is more than linear, or too large, is flagged."""
        present = machine.count("gpu") + machine.count("accel") if machine else 0
        rows: list[dict[str, Cell]] = []
        warnings: list[str] = []
        for claim in self.claim:
            speed_up = claim.before / claim.after
            gain = claim.devices / claim.baseline
            rows.append(
                {
                    "claim": claim.name,
                    "devices": claim.devices,
                    "speed-up": speed_up,
                    "efficiency": speed_up / gain,
                    "more than linear": speed_up > gain,
                }
            )
            if speed_up > gain:
                warnings.append(
                    f"{claim.name}: {speed_up:.4g} times as fast on {gain:.4g} times the devices; more than "
                    "linear means that more than their number changed, such as the work or the baseline"
                )
            if present and claim.devices > present:
                warnings.append(f"{claim.name}: the machine has {present} devices, not {claim.devices}")
        where = machine.name if machine else "any machine"
        return Report(self.name, where, rows, warnings=warnings, units={"efficiency": "1"})

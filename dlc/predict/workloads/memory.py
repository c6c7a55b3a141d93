"""What a model under training holds on each device, by how far its state is spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from dlc.hwspec.model import Machine
from dlc.predict.workloads.devices import devices
from dlc.predict.workloads.grammar import Bytes, Count, Positive, Range
from dlc.predict.workloads.report import Cell, Report


@dataclass(frozen=True)
class State:
    """One kind of state: `size` bytes a parameter, spread over the devices from a `stage` on (0: never)."""

    name: str
    size: Bytes
    stage: Annotated[int, Range(most=9)] = 0


@dataclass(frozen=True)
class ModelMemory:
    """A model of so many parameters on `devices`, and the state that its optimizer keeps."""

    name: str
    parameters: Positive
    devices: Count
    state: tuple[State, ...]

    def predict(self, machine: Machine | None) -> Report:
        """Bytes on a device at each stage, and whether they fit the device of the machine."""
        found = devices(machine) if machine else None
        space = found.device.memory if found else 0.0
        last = max((state.stage for state in self.state), default=0)
        rows: list[dict[str, Cell]] = []
        for stage in range(last + 1):
            held = sum(self.held(state, stage) for state in self.state)
            row: dict[str, Cell] = {"stage": stage, "bytes a device": held}
            rows.append(row | ({"of": space, "fits": held <= space} if space else {}))
        where = machine.name if machine else "any machine"
        warnings = found.lacking([self.devices], where) if found else []
        units = {"bytes a device": "B", "of": "B"}
        return Report(self.name, where, rows, warnings=warnings, units=units)

    def held(self, state: State, stage: int) -> float:
        """Bytes of a state on one device."""
        spread = state.stage and stage >= state.stage
        return self.parameters * state.size / (self.devices if spread else 1)

"""What instructions are made of: a registry of builders, and what the instructions of a rank share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from dlc.diagnostics import DlcError, Note, SourceLoc
from dlc.runtime.inputs import Reader
from dlc.runtime.kernels import collect
from dlc.runtime.output import Outputs
from dlc.runtime.plan import Json, Plan
from dlc.runtime.trace import Recorder
from dlc.runtime.transport import PeerFailed, Transport

Values = dict[str, Any]
"""Values of a rank by name: frames, tensors, integers of loops, batches, partial results."""
Run = Callable[[Values], None]


@dataclass(frozen=True)
class Step:
    """One instruction, ready to run."""

    instruction: Json
    run: Run


@dataclass
class Context:
    """What the instructions of one rank share."""

    plan: Plan
    world: Transport
    outputs: Outputs
    parameters: Mapping[str, Any]
    results: dict[str, pl.DataFrame]
    recorder: Recorder | None = None


@dataclass
class Site:
    """Where an instruction runs: a rank of a gang, whose members `group` connects."""

    context: Context
    gang: str
    group: Transport
    readers: dict[str, Reader] = field(default_factory=dict[str, Reader])
    notes: list[tuple[int, int, str, float]] = field(default_factory=list[tuple[int, int, str, float]])

    def locate(self, instruction: Json) -> SourceLoc | None:
        """The user's line that asked for the instruction."""
        return self.context.plan.location(instruction["loc"])

    def collect(self, name: str, values: Values) -> pl.DataFrame:
        """The rows of a value, read now if they have not been; blames the file that cannot be read."""
        try:
            frame = values[name] = collect(values[name])
        except Exception as error:
            if name not in self.readers:
                raise
            raise self.readers[name].explain(error) from error
        return frame


Build = Callable[[Json, Site], Run]
INSTRUCTIONS: dict[str, Build] = {}


def instruction(op: str) -> Callable[[Build], Build]:
    """Register the function that builds the instructions with this `op`."""

    def register(build: Build) -> Build:
        INSTRUCTIONS[op] = build
        return build

    return register


def compile_steps(instructions: Sequence[Json], site: Site) -> list[Step]:
    """The steps of a list of instructions, in order. Raises DLC501 and DLC702."""
    recorder = site.context.recorder
    steps: list[Step] = []
    for index, code in enumerate(instructions):
        build = INSTRUCTIONS[code["op"]]
        if recorder is None:
            run = build(code, site)
        else:
            with recorder.entry(site.gang, index, code) as entry:
                run = build(code, site)
            run = recorder.timed(entry, code, run)
        steps.append(Step(code, run))
    return steps


def run_steps(steps: Sequence[Step], values: Values, plan: Plan) -> None:
    """Run them in order; what is unexpected becomes DLC603 with the user's line."""
    step: Step | None = None
    try:
        for step in steps:
            step.run(values)
    except (DlcError, PeerFailed):
        raise
    except Exception as error:
        assert step is not None
        raise DlcError(
            "DLC603",
            f"the instruction {step.instruction['op']!r} failed: {type(error).__name__}: {str(error)[:500]}",
            loc=plan.location(step.instruction["loc"]),
            help="if nothing here explains it, report it together with the traceback above",
            notes=[Note("this is not an error that dlc foresees")],
        ) from error

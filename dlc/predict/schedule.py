"""When the instructions of a gang begin and end on a machine, before there is a plan of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlc.hwspec.model import Machine
from dlc.predict.prediction import Prediction
from dlc.predict.simulate import simulate
from dlc.runtime.plan import Gang, Plan


def schedule(
    program: str,
    ranks: int,
    instructions: Sequence[dict[str, Any]],
    kernels: Mapping[str, str],
    machine: Machine,
) -> Prediction:
    """What one gang of all ranks takes, files cached and coefficients as they come.

    What earlier runs have shown of the operators is left out, so that a program compiles to the same plan
    wherever it is compiled.
    """
    gang = Gang("main", list(range(ranks)), list(instructions))
    return simulate(Plan(program, ranks, [gang], kernels=dict(kernels)), machine)

"""Instructions: each module registers the builders of some, which turn an instruction into a closure."""

from dlc.runtime.instructions import loops, tables, tensors, training
from dlc.runtime.instructions.base import Context, Site, Step, Values, compile_steps, run_steps

__all__ = [
    "Context",
    "Site",
    "Step",
    "Values",
    "compile_steps",
    "loops",
    "run_steps",
    "tables",
    "tensors",
    "training",
]

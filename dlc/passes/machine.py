"""The machine that a module is compiled for, as the passes see it."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from dlc.hwspec.model import Machine


def machine_of(module: ModuleOp) -> Machine | None:
    """The machine attached to a module, None if there is none."""
    from dlc.dialects.hw import MachineOp
    from dlc.hwspec import from_ir

    for op in module.ops:
        if isinstance(op, MachineOp):
            return from_ir(op)
    return None

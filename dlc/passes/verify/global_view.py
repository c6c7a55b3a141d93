"""The invariant that the `flow` and `opt` stages share: a global view, without layouts or collectives."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from dlc.dialects import flow, table
from dlc.dialects.frame import FrameType

from .common import broken, programs, require_locations


def verify_global_view(module: ModuleOp, stage: str) -> None:
    """DLC305 unless programs hold table operators on plain frames, each with its source location."""
    for program in programs(module):
        require_locations(program, stage)
        for op in program.body.block.ops:
            if op.dialect_name() != "table" and not isinstance(op, flow.ReturnOp):
                raise broken(op, stage, "only table operators stand here")
            if isinstance(op, table.YieldOp):
                raise broken(op, stage, "a yield ends an expression region, not a program")
            for value in (*op.operands, *op.results):
                if not isinstance(value.type, FrameType):
                    raise broken(op, stage, f"{value.type} is not a plain frame")

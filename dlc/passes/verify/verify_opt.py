"""`verify-opt`: the invariant of the `opt` stage."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from .global_view import verify_global_view


@dataclass(frozen=True)
class VerifyOptPass(ModulePass):
    """As after tracing: optimisation leaves the stage and the types at the program boundary as they were."""

    name = "verify-opt"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        verify_global_view(op, "opt")

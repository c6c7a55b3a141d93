"""`verify-flow`: the invariant of the `flow` stage."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from .global_view import verify_global_view


@dataclass(frozen=True)
class VerifyFlowPass(ModulePass):
    """Table operators on frames of known schema, each with its source location; no machine yet."""

    name = "verify-flow"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        verify_global_view(op, "flow")

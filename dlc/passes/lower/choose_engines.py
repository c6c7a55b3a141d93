"""`choose-engines`: each function takes the form that is predicted to run fastest on its fixed shapes."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from dlc.passes import registry


@dataclass(frozen=True)
class ChooseEnginesPass(ModulePass):
    """Lay channels last, and let convolutions and pooling become products and comparisons where that pays.

    An attribute `engine` tells who does the work. Modules of tables alone load none of this.
    """

    name = "choose-engines"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if any(isinstance(function, FuncOp) for function in op.ops):
            for name in registry.ENGINES:
                registry.load(name)().apply(ctx, op)

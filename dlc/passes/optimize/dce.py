"""`dce`: operators whose results nothing reads are removed; sinks stay."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.transforms.dead_code_elimination import is_trivially_dead


def erase_dead(block: Block) -> None:
    """Erase the dead ops of a block and of the regions in it; users go before what they read."""
    for op in reversed(block.ops):
        if is_trivially_dead(op):
            Rewriter.erase_op(op)
        else:
            for region in op.regions:
                for inner in region.blocks:
                    erase_dead(inner)


@dataclass(frozen=True)
class DcePass(ModulePass):
    """Removes what no result and no sink depends on."""

    name = "dce"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        erase_dead(op.body.block)

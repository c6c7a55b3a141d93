"""`cse`: of equal operators over equal operands, regions included, one remains."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.traits import is_side_effect_free


def merge_equal(block: Block) -> None:
    """Merge the equal ops of a block, in its regions first; the first of them stays, with its location."""
    known = dict[Hashable, list[Operation]]()
    for op in block.ops:
        for region in op.regions:
            for inner in region.blocks:
                merge_equal(inner)
        if not op.results or not is_side_effect_free(op):
            continue
        alike = known.setdefault(_signature(op), [])
        twin = next((other for other in alike if _equal_regions(op, other)), None)
        if twin is None:
            alike.append(op)
            continue
        for old, new in zip(op.results, twin.results, strict=True):
            old.replace_all_uses_with(new)
        Rewriter.erase_op(op)


def _signature(op: Operation) -> Hashable:
    return (
        type(op),
        op.operands,
        op.result_types,
        frozenset(op.properties.items()),
        frozenset(op.attributes.items()),
        len(op.regions),
    )


def _equal_regions(op: Operation, other: Operation) -> bool:
    return all(a.is_structurally_equivalent(b) for a, b in zip(op.regions, other.regions, strict=True))


@dataclass(frozen=True)
class CsePass(ModulePass):
    """Merges equal scans, operators and expressions."""

    name = "cse"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        merge_equal(op.body.block)

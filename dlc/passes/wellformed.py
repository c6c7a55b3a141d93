"""Verification of a module, one operation at a time, so that a message names the operation at fault."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import NoTerminator
from xdsl.utils.exceptions import VerifyException

from dlc.diagnostics import DlcError

from .locations import source_loc


def verify(module: ModuleOp) -> None:
    """Raise DLC302 for the first operation, in the order of the text, that breaks a rule."""
    order = {op: index for index, op in enumerate(module.walk())}
    for op in order:
        try:
            op.verify(verify_nested_ops=False)
            _verify_blocks(op)
            _verify_order(op, order)
        except VerifyException as error:
            raise invalid(op, str(error)) from error


def invalid(op: Operation, reason: str) -> DlcError:
    """A DLC302 at an operation."""
    # xDSL spreads some messages over lines, which a one-line diagnostic joins.
    text = " ".join(reason.split())
    return DlcError("DLC302", f"{op.name}: {text}", loc=source_loc(op))


def _verify_blocks(op: Operation) -> None:
    if op.has_trait(NoTerminator):
        return
    for region in op.regions:
        if len(region.blocks) == 1 and region.block.is_empty:
            raise VerifyException("a region must not be empty: it ends in a terminator")


def _verify_order(op: Operation, order: dict[Operation, int]) -> None:
    """VerifyException unless every operand is defined before the op, in its block or one around it.

    xDSL does not check this; a value that depends on itself would send passes round in circles.
    """
    for operand in op.operands:
        if not _dominates(operand, op, order):
            name = f"%{operand.name_hint}" if operand.name_hint else "an operand"
            raise VerifyException(f"{name} is used before it is defined")


def _dominates(value: SSAValue, op: Operation, order: dict[Operation, int]) -> bool:
    owner = value.owner
    home = owner if isinstance(owner, Block) else owner.parent_block()
    user: Operation | None = op
    while user is not None and user.parent_block() is not home:
        user = user.parent_op()
    if user is None:
        return False
    return isinstance(owner, Block) or order.get(owner, -1) < order[user]

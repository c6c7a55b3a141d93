"""`fuse-fragments`: neighbouring fragments become one, so that each rank runs one query or one module."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from dlc.dialects import dist, flow, table
from dlc.dialects.expr import ScalarOp

from .ordering import make_way


@dataclass(frozen=True)
class FuseFragmentsPass(ModulePass):
    """Merge a fragment into the one that uses it; what several use, or a scalar, is computed before.

    Table operators fuse into the fragment that alone uses them. A call of a function fuses into a later call
    whoever else reads what it leaves, since a module may have many results.
    """

    name = "fuse-fragments"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for program in [inner for inner in op.ops if isinstance(inner, flow.ProgramOp)]:
            fuse_block(program.body.block)


def fuse_block(block: Block) -> None:
    """Fuse the fragments of a block, and those of the loops in it."""
    # In program order a producer is final when its user is reached.
    for op in list(block.ops):
        if isinstance(op, dist.LocalOp):
            fuse_producers(op)
        elif isinstance(op, ForOp):
            fuse_block(op.body.block)


def fuse_producers(fragment: dist.LocalOp) -> dist.LocalOp:
    """Merge all fragments into `fragment` that can be; returns the merged fragment."""
    while (producer := _producer(fragment)) is not None:
        fragment = _merge(producer, fragment)
    return fragment


def holds_calls(fragment: dist.LocalOp) -> bool:
    """Whether a fragment runs functions, rather than table operators."""
    return any(isinstance(op, CallOp) for op in fragment.body.block.ops)


def bridges(fragment: dist.LocalOp) -> bool:
    """Whether a fragment makes tensors of a frame, or the other way round, which is a step of its own."""
    between = (table.ToTensorOp, table.FromTensorOp, table.RowsOp)
    return any(isinstance(op, between) for op in fragment.body.block.ops)


def _producer(fragment: dist.LocalOp) -> dist.LocalOp | None:
    if bridges(fragment):
        return None
    calls = holds_calls(fragment)
    for value in fragment.inputs:
        producer = value.owner
        if (
            not isinstance(producer, dist.LocalOp)
            or producer.parent_block() is not fragment.parent_block()
            or bridges(producer)
            or holds_calls(producer) != calls
        ):
            continue
        if make_way(producer, fragment) if calls else _alone(producer, fragment):
            return producer
    return None


def _alone(producer: dist.LocalOp, fragment: dist.LocalOp) -> bool:
    return _users(producer) == {fragment} and not _gives_scalars(producer, fragment)


def _gives_scalars(producer: dist.LocalOp, user: dist.LocalOp) -> bool:
    """Whether expressions of the user read a scalar of the producer: a query needs its value beforehand."""
    given = [
        arg for value, arg in zip(user.inputs, user.body.block.args, strict=True) if value.owner is producer
    ]
    return any(isinstance(use.operation, ScalarOp) for arg in given for use in arg.uses)


def _users(op: Operation) -> set[Operation]:
    return {use.operation for result in op.results for use in result.uses}


def _merge(producer: dist.LocalOp, user: dist.LocalOp) -> dist.LocalOp:
    inputs = list(dict.fromkeys([*producer.inputs, *(v for v in user.inputs if v.owner is not producer)]))
    block = Block(arg_types=[dist.part_of(value).whole for value in inputs])
    known: dict[SSAValue, SSAValue] = dict(zip(inputs, block.args, strict=True))
    produced = _inline(producer, [known[value] for value in producer.inputs], block)
    known |= dict(zip(producer.outputs, produced, strict=True))
    results = _inline(user, [known[value] for value in user.inputs], block)
    shared = [value for value in producer.outputs if {use.operation for use in value.uses} - {user}]
    end = dist.YieldOp([*(known[value] for value in shared), *results])
    end.location = user.yield_op.location
    block.add_op(end)
    outputs = [*shared, *user.outputs]
    merged = dist.LocalOp(inputs, Region(block), [dist.part_of(value) for value in outputs])
    merged.location = user.location
    merged.attributes.update(user.attributes)
    parent = user.parent_block()
    assert parent is not None
    parent.insert_op_before(merged, user)
    for old, new in zip(outputs, merged.outputs, strict=True):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    for op in (user, producer):
        op.detach()
        op.erase(safe_erase=False)
    return merged


def _inline(fragment: dist.LocalOp, arguments: list[SSAValue], target: Block) -> list[SSAValue]:
    """Move a fragment's operators to the end of a block; returns the values it yields."""
    source = fragment.body.block
    for argument, value in zip(list(source.args), arguments, strict=True):
        argument.replace_all_uses_with(value)
    end = fragment.yield_op
    for op in list(source.ops):
        if op is not end:
            op.detach()
            target.add_op(op)
    return list(end.values)

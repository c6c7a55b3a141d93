"""`fuse-fragments`: neighbouring fragments become one, so that each rank runs them as one query."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from dlc.dialects import dist, flow
from dlc.dialects.expr import ScalarOp


@dataclass(frozen=True)
class FuseFragmentsPass(ModulePass):
    """Merge a fragment into the one that alone uses it; what several use, or a scalar, is computed before."""

    name = "fuse-fragments"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for program in [inner for inner in op.ops if isinstance(inner, flow.ProgramOp)]:
            # In program order a producer is final when its user is reached.
            for fragment in list(program.body.block.ops):
                if isinstance(fragment, dist.LocalOp):
                    fuse_producers(fragment)


def fuse_producers(fragment: dist.LocalOp) -> dist.LocalOp:
    """Merge all fragments into `fragment` that nothing else uses; returns the merged fragment."""
    while (producer := _sole_producer(fragment)) is not None:
        fragment = _merge(producer, fragment)
    return fragment


def _sole_producer(fragment: dist.LocalOp) -> dist.LocalOp | None:
    for value in fragment.inputs:
        producer = value.owner
        if (
            isinstance(producer, dist.LocalOp)
            and _users(producer) == {fragment}
            and not _gives_scalars(producer, fragment)
        ):
            return producer
    return None


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
    block = Block(arg_types=[dist.part_of(value).frame for value in inputs])
    known: dict[SSAValue, SSAValue] = dict(zip(inputs, block.args, strict=True))
    produced = _inline(producer, [known[value] for value in producer.inputs], block)
    known |= dict(zip(producer.outputs, produced, strict=True))
    results = _inline(user, [known[value] for value in user.inputs], block)
    end = dist.YieldOp(results)
    end.location = user.yield_op.location
    block.add_op(end)
    merged = dist.LocalOp(inputs, Region(block), [dist.part_of(value) for value in user.outputs])
    merged.location = user.location
    merged.attributes.update(user.attributes)
    parent = user.parent_block()
    assert parent is not None
    parent.insert_op_before(merged, user)
    for old, new in zip(user.outputs, merged.outputs, strict=True):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    for op in (user, producer):
        op.detach()
        op.erase()
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

"""`dist`: how frames and tensors lie over the ranks of a gang, fragments, and collectives between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import UnionType

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    IntegerAttr,
    StringAttr,
    SymbolNameConstraint,
    TensorType,
    i64,
)
from xdsl.ir import Attribute, Dialect, Operation, ParametrizedAttribute, Region, SSAValue, TypeAttribute
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    param_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import IsolatedFromAbove, IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from .frame import FrameType, OrderAttr, frame_of, require, strings


@irdl_attr_definition
class ReplicatedAttr(ParametrizedAttribute):
    """Every rank holds all rows."""

    name = "dist.replicated"


@irdl_attr_definition
class SingleAttr(ParametrizedAttribute):
    """Rank 0 holds all rows, the others none."""

    name = "dist.single"


@irdl_attr_definition
class RowsAttr(ParametrizedAttribute):
    """Each row on one rank, in global order: rank 0 has the first rows."""

    name = "dist.rows"


@irdl_attr_definition
class AnyAttr(ParametrizedAttribute):
    """Each row on one rank, no matter which."""

    name = "dist.any"


@irdl_attr_definition
class HashAttr(ParametrizedAttribute):
    """Each row on the rank that the hash of its keys names, so equal keys meet."""

    name = "dist.hash"
    keys: ArrayAttr[StringAttr] = param_def()


@irdl_attr_definition
class ShardsAttr(ParametrizedAttribute):
    """Each row in the shard that the hash of its keys names, shard s on rank s modulo the ranks."""

    name = "dist.shards"
    keys: ArrayAttr[StringAttr] = param_def()
    count: IntegerAttr[I64] = param_def()


@irdl_attr_definition
class RangeAttr(ParametrizedAttribute):
    """Rows sorted by the keys across ranks: rank 0 has the first range."""

    name = "dist.range"
    by: ArrayAttr[OrderAttr] = param_def()


@irdl_attr_definition
class SplitAttr(ParametrizedAttribute):
    """A tensor in blocks of an axis; block and order are those of a frame whose rows lie as `rows` says."""

    name = "dist.split"
    axis: IntegerAttr[I64] = param_def()
    rows: Attribute = param_def()


@irdl_attr_definition
class PartialAttr(ParametrizedAttribute):
    """Every rank holds a partial result that a reduction still has to combine.

    Frames, whose reduction is `merge`, are combined by the operator that takes them.
    """

    name = "dist.partial"
    op: StringAttr = param_def()

    def verify(self) -> None:
        if self.op.data not in REDUCTIONS:
            raise VerifyException(f"{self.op} is no reduction, which are {', '.join(REDUCTIONS)}")


REDUCTIONS = ("merge", "sum", "max", "min", "prod", "and", "or")
LAYOUTS = (
    ReplicatedAttr,
    SingleAttr,
    RowsAttr,
    AnyAttr,
    HashAttr,
    ShardsAttr,
    RangeAttr,
    SplitAttr,
    PartialAttr,
)
TENSOR_LAYOUTS = (ReplicatedAttr, SplitAttr, PartialAttr)


@irdl_attr_definition
class PartType(ParametrizedAttribute, TypeAttribute):
    """A frame or tensor spread over the ranks of a gang by a layout."""

    name = "dist.part"
    whole: Attribute = param_def()
    layout: Attribute = param_def()

    @property
    def frame(self) -> FrameType:
        """The frame that is spread; VerifyException for a tensor."""
        if not isinstance(self.whole, FrameType):
            raise VerifyException(f"expected a distributed frame, got {self}")
        return self.whole

    def verify(self) -> None:
        if not isinstance(self.layout, LAYOUTS):
            raise VerifyException(f"{self.layout} is not a layout")
        if isinstance(self.whole, TensorType):
            if not isinstance(self.layout, TENSOR_LAYOUTS):
                raise VerifyException(f"{self.layout} is no layout of a tensor")
            return
        columns = self.frame.columns
        if isinstance(self.layout, SplitAttr):
            raise VerifyException(f"{self.layout} is a layout of tensors")
        if isinstance(self.layout, HashAttr | ShardsAttr):
            require(columns, [key.data for key in self.layout.keys])
        if isinstance(self.layout, RangeAttr):
            require(columns, [key.column.data for key in self.layout.by])


def part_of(value: SSAValue) -> PartType:
    """The distributed type of a value; VerifyException if it has none."""
    if not isinstance(value.type, PartType):
        raise VerifyException(f"expected a distributed frame or tensor, got {value.type}")
    return value.type


def hash_layout(keys: Iterable[str]) -> HashAttr:
    """Hash layout by these keys."""
    return HashAttr(strings(keys))


def shard_layout(keys: Iterable[str], count: int) -> ShardsAttr:
    """Layout in so many shards by these keys."""
    return ShardsAttr(strings(keys), IntegerAttr(count, i64))


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Frames or tensors that a fragment leaves."""

    name = "dist.yield"
    values = var_operand_def()
    traits = traits_def(IsTerminator())
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, values: Sequence[SSAValue]):
        super().__init__(operands=[list(values)])


def verify_fragment(inputs: Sequence[Attribute], body: Region, outputs: Sequence[Attribute]) -> None:
    """VerifyException unless the body takes values of these types and ends by yielding those."""
    block = body.block
    if [arg.type for arg in block.args] != list(inputs):
        raise VerifyException("the fragment's arguments must have the types of its operands")
    last = block.last_op
    if not isinstance(last, YieldOp):
        raise VerifyException("a fragment must end in dist.yield")
    if [value.type for value in last.values] != list(outputs):
        raise VerifyException("the fragment must yield the types of its results")


@irdl_op_definition
class LocalOp(IRDLOperation):
    """A fragment, which each rank runs on its own rows: operators as one query, or calls as one module."""

    name = "dist.local"
    inputs = var_operand_def(PartType)
    body = region_def("single_block")
    outputs = var_result_def(PartType)
    traits = traits_def(IsolatedFromAbove(), Pure())
    assembly_format = "`(` $inputs `)` $body attr-dict `:` `(` type($inputs) `)` `->` `(` type($outputs) `)`"

    def __init__(self, inputs: Sequence[SSAValue], body: Region, outputs: Sequence[PartType]):
        super().__init__(operands=[list(inputs)], regions=[body], result_types=[list(outputs)])

    @property
    def yield_op(self) -> YieldOp:
        """The terminator."""
        last = self.body.block.last_op
        assert isinstance(last, YieldOp)
        return last

    def verify_(self) -> None:
        verify_fragment(
            [part_of(value).whole for value in self.inputs],
            self.body,
            [part_of(value).whole for value in self.outputs],
        )


LEAVES: dict[str, type[ParametrizedAttribute] | UnionType] = {
    "dist.shuffle": HashAttr | ShardsAttr,
    "dist.all_gather": ReplicatedAttr,
    "dist.gather": SingleAttr,
    "dist.broadcast": ReplicatedAttr,
    "dist.all_reduce": ReplicatedAttr,
    "dist.range_shuffle": RangeAttr,
}
"""The layout that each collective leaves."""


class CollectiveOp(IRDLOperation):
    """Base of the ops that move rows between the ranks of a gang: one frame in, the same frame out."""

    frame = operand_def(PartType)
    result = result_def(PartType)

    def verify_(self) -> None:
        given, left = part_of(self.frame), part_of(self.result)
        if given.frame != left.frame:
            raise VerifyException("a collective leaves the schema as it is")
        if not isinstance(left.layout, LEAVES[self.name]):
            raise VerifyException(f"{self.name} cannot leave layout {left.layout}")


class _GatheringOp(CollectiveOp):
    """Base of the collectives that bring all rows together."""

    def __init__(self, frame: SSAValue):
        layout = SingleAttr() if self.name == "dist.gather" else ReplicatedAttr()
        super().__init__(operands=[frame], result_types=[PartType(part_of(frame).frame, layout)])


@irdl_op_definition
class ShuffleOp(CollectiveOp):
    """Sends each row to the rank that the hash of its keys names."""

    name = "dist.shuffle"
    keys = prop_def(ArrayAttr[StringAttr])
    shards = opt_prop_def(IntegerAttr[I64])
    traits = traits_def(Pure())
    assembly_format = "$frame `by` $keys (`shards` $shards^)? attr-dict `:` type($frame) `->` type($result)"

    def __init__(self, frame: SSAValue, keys: Sequence[str], shards: int = 0):
        layout = shard_layout(keys, shards) if shards else hash_layout(keys)
        super().__init__(
            operands=[frame],
            properties={"keys": strings(keys), "shards": IntegerAttr(shards, i64) if shards else None},
            result_types=[PartType(part_of(frame).frame, layout)],
        )


@irdl_op_definition
class AllGatherOp(_GatheringOp):
    """Gives every rank all rows, in rank order: the broadcast of a distributed frame."""

    name = "dist.all_gather"
    traits = traits_def(Pure())
    assembly_format = "$frame attr-dict `:` type($frame) `->` type($result)"


@irdl_op_definition
class GatherOp(_GatheringOp):
    """Gives rank 0 all rows, in rank order."""

    name = "dist.gather"
    traits = traits_def(Pure())
    assembly_format = "$frame attr-dict `:` type($frame) `->` type($result)"


@irdl_op_definition
class BroadcastOp(_GatheringOp):
    """Gives every rank the rows of rank 0."""

    name = "dist.broadcast"
    traits = traits_def(Pure())
    assembly_format = "$frame attr-dict `:` type($frame) `->` type($result)"


@irdl_op_definition
class AllReduceOp(CollectiveOp):
    """Combines the partial results of all ranks, in rank order, on every rank.

    The region is a fragment whose one input holds the partials of all ranks.
    """

    name = "dist.all_reduce"
    combine = region_def("single_block")
    traits = traits_def(Pure())
    assembly_format = "$frame $combine attr-dict `:` type($frame) `->` type($result)"

    def __init__(self, frame: SSAValue, combine: Region):
        super().__init__(
            operands=[frame],
            regions=[combine],
            result_types=[PartType(part_of(frame).frame, ReplicatedAttr())],
        )

    def verify_(self) -> None:
        super().verify_()
        frame = part_of(self.frame).frame
        verify_fragment([frame], self.combine, [frame])


@irdl_op_definition
class RangeShuffleOp(CollectiveOp):
    """Cuts locally sorted rows at quantiles of a replicated sample and sends each range to its rank."""

    name = "dist.range_shuffle"
    # Declared again, since operands of a subclass come before those of its base.
    frame = operand_def(PartType)
    sample = operand_def(PartType)
    by = prop_def(ArrayAttr[OrderAttr])
    traits = traits_def(Pure())
    assembly_format = (
        "$frame `at` $sample `by` $by attr-dict `:` type($frame) `,` type($sample) `->` type($result)"
    )

    def __init__(self, frame: SSAValue, sample: SSAValue, by: Sequence[OrderAttr]):
        order = ArrayAttr(by)
        super().__init__(
            operands=[frame, sample],
            properties={"by": order},
            result_types=[PartType(part_of(frame).frame, RangeAttr(order))],
        )

    def verify_(self) -> None:
        super().verify_()
        if not isinstance(part_of(self.sample).layout, ReplicatedAttr):
            raise VerifyException("the sample must be replicated, or ranks would cut at different places")


@irdl_op_definition
class AllReduceTensorsOp(IRDLOperation):
    """Reduces tensors over all ranks, as one flat bucket: from partial results to the whole on every rank.

    `order` is `tree` when the partials of micro-batches are combined in an order that does not depend on the
    number of ranks, `any` when MPI may choose.
    """

    name = "dist.all_reduce_tensors"
    tensors = var_operand_def(PartType)
    op = prop_def(StringAttr)
    order = prop_def(StringAttr)
    reduced = var_result_def(PartType)
    traits = traits_def(Pure())
    assembly_format = "$op $order $tensors attr-dict `:` type($tensors) `->` type($reduced)"

    def __init__(self, tensors: Sequence[SSAValue], op: str, order: str):
        super().__init__(
            operands=[list(tensors)],
            properties={"op": StringAttr(op), "order": StringAttr(order)},
            result_types=[[PartType(part_of(value).whole, ReplicatedAttr()) for value in tensors]],
        )

    def verify_(self) -> None:
        if self.order.data not in ("tree", "any"):
            raise VerifyException(f"order must be tree or any, got {self.order}")
        for value in self.tensors:
            if part_of(value).layout != PartialAttr(self.op):
                raise VerifyException(f"expected a partial {self.op.data}, got {part_of(value).layout}")
        left = [PartType(part_of(value).whole, ReplicatedAttr()) for value in self.tensors]
        if [part_of(value) for value in self.reduced] != left:
            raise VerifyException("an all-reduce leaves the same tensors on every rank")


@irdl_op_definition
class GangOp(IRDLOperation):
    """Ranks that run a program together, bound to an island of the machine."""

    name = "dist.gang"
    sym_name = prop_def(SymbolNameConstraint())
    ranks = prop_def(IntegerAttr[I64])
    island = prop_def(StringAttr)
    memory = opt_prop_def(IntegerAttr[I64])
    assembly_format = "$sym_name `ranks` $ranks `on` $island (`memory` $memory^)? attr-dict"

    def __init__(self, name: str, ranks: int, island: str, memory: int | None = None):
        super().__init__(
            properties={
                "sym_name": StringAttr(name),
                "ranks": IntegerAttr(ranks, i64),
                "island": StringAttr(island),
                "memory": None if memory is None else IntegerAttr(memory, i64),
            }
        )


Dist = Dialect(
    "dist",
    [
        LocalOp,
        YieldOp,
        ShuffleOp,
        AllGatherOp,
        GatherOp,
        BroadcastOp,
        AllReduceOp,
        RangeShuffleOp,
        AllReduceTensorsOp,
        GangOp,
    ],
    [*LAYOUTS, PartType],
)


def is_collective(op: Operation) -> bool:
    """Whether all ranks of the gang must take part in the op together."""
    return isinstance(op, CollectiveOp)


def local_frame(value: SSAValue) -> FrameType:
    """The frame type of a value, distributed or not."""
    return value.type.frame if isinstance(value.type, PartType) else frame_of(value)

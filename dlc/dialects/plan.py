"""`plan`: the instruction list of each gang, one op an instruction, as the executor runs it.

Values are frames as one rank holds them; every rank of a gang runs the same list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    DenseArrayBase,
    IntegerAttr,
    IntegerType,
    StringAttr,
    SymbolNameConstraint,
    i64,
)
from xdsl.ir import Attribute, Block, Dialect, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import IsolatedFromAbove, IsTerminator
from xdsl.utils.exceptions import VerifyException

from .dist import YieldOp, verify_fragment
from .flow import ParameterAttr
from .frame import FrameType, OrderAttr, frame_of, strings
from .plan_training import MapRowsOp, MicroOp, ReduceOp, WaitOp
from .table import ScanOp


@irdl_op_definition
class ProgramOp(IRDLOperation):
    """A compiled program for a fixed number of ranks: its gangs."""

    name = "plan.program"
    sym_name = prop_def(SymbolNameConstraint())
    parameters = opt_prop_def(ArrayAttr[ParameterAttr])
    world = prop_def(IntegerAttr[I64])
    body = region_def("single_block")
    traits = traits_def(IsolatedFromAbove())
    assembly_format = "$sym_name (`parameters` $parameters^)? `world` $world attr-dict-with-keyword $body"

    def __init__(self, name: str, world: int, parameters: ArrayAttr[ParameterAttr] | None, body: Region):
        super().__init__(
            properties={
                "sym_name": StringAttr(name),
                "world": IntegerAttr(world, i64),
                "parameters": parameters,
            },
            regions=[body],
        )

    def verify_(self) -> None:
        if self.world.value.data < 1:
            raise VerifyException("a program needs at least one rank")
        last = self.body.block.last_op
        if not isinstance(last, EndOp):
            raise VerifyException("a program must end in plan.end")
        for op in self.body.block.ops:
            if not isinstance(op, GangOp | EndOp):
                raise VerifyException(f"a program holds gangs, not {op.name}")


@irdl_op_definition
class GangOp(IRDLOperation):
    """Instructions that these ranks of the world run together."""

    name = "plan.gang"
    sym_name = prop_def(SymbolNameConstraint())
    ranks = prop_def()
    body = region_def("single_block")
    traits = traits_def(IsolatedFromAbove())
    assembly_format = "$sym_name $ranks attr-dict-with-keyword $body"

    def __init__(self, name: str, ranks: Sequence[int], body: Region):
        super().__init__(
            properties={"sym_name": StringAttr(name), "ranks": DenseArrayBase.from_list(i64, ranks)},
            regions=[body],
        )

    def verify_(self) -> None:
        ranks: Attribute = self.ranks
        if not isinstance(ranks, DenseArrayBase):
            raise VerifyException("ranks must be a dense array of i64")
        if len(set(ranks_of(self))) != len(ranks_of(self)) or not ranks_of(self):
            raise VerifyException("a gang needs ranks, each of them once")


@irdl_op_definition
class EndOp(IRDLOperation):
    """End of a program or of a gang's list."""

    name = "plan.end"
    traits = traits_def(IsTerminator())
    assembly_format = "attr-dict"


@irdl_op_definition
class ReadOp(IRDLOperation):
    """Opens this rank's share of a scan; a `plan.run` that takes it makes one query with it."""

    name = "plan.read"
    scan = region_def("single_block")
    result = result_def(FrameType)
    assembly_format = "$scan attr-dict `:` type($result)"

    def __init__(self, scan: ScanOp):
        region = Region(Block([scan, YieldOp([scan.result])]))
        super().__init__(regions=[region], result_types=[scan.result.type])

    @property
    def scan_op(self) -> ScanOp:
        """The scan that is read."""
        first = self.scan.block.first_op
        assert isinstance(first, ScanOp)
        return first

    def verify_(self) -> None:
        scan, last = self.scan.block.first_op, self.scan.block.last_op
        if not isinstance(scan, ScanOp) or not isinstance(last, YieldOp) or scan.next_op is not last:
            raise VerifyException("plan.read holds one table.scan and yields it")
        if list(last.values) != [scan.result] or scan.result.type != self.result.type:
            raise VerifyException("plan.read yields the frame that it reads")


@irdl_op_definition
class RunOp(IRDLOperation):
    """Runs a fragment on local frames and tensors."""

    name = "plan.run"
    inputs = var_operand_def()
    body = region_def("single_block")
    outputs = var_result_def()
    traits = traits_def(IsolatedFromAbove())
    assembly_format = "`(` $inputs `)` $body attr-dict `:` `(` type($inputs) `)` `->` `(` type($outputs) `)`"

    def __init__(self, inputs: Sequence[SSAValue], body: Region, outputs: Sequence[Attribute]):
        super().__init__(operands=[list(inputs)], regions=[body], result_types=[list(outputs)])

    def verify_(self) -> None:
        verify_fragment(
            [value.type for value in self.inputs], self.body, [value.type for value in self.outputs]
        )


class CollectiveOp(IRDLOperation):
    """Base of the instructions that every rank of the gang enters together."""

    frame = operand_def(FrameType)
    result = result_def(FrameType)

    def verify_(self) -> None:
        if self.frame.type != self.result.type:
            raise VerifyException("a collective leaves the schema as it is")


@irdl_op_definition
class ShuffleOp(CollectiveOp):
    """Sends each row to the rank that the hash of its keys names."""

    name = "plan.shuffle"
    keys = prop_def(ArrayAttr[StringAttr])
    shards = opt_prop_def(IntegerAttr[I64])
    assembly_format = "$frame `by` $keys (`shards` $shards^)? attr-dict `:` type($frame) `->` type($result)"

    def __init__(self, frame: SSAValue, keys: Sequence[str], shards: IntegerAttr[I64] | None = None):
        properties = {"keys": strings(keys), "shards": shards}
        super().__init__(operands=[frame], properties=properties, result_types=[frame.type])


class _PlainCollectiveOp(CollectiveOp):
    def __init__(self, frame: SSAValue):
        super().__init__(operands=[frame], result_types=[frame.type])


@irdl_op_definition
class AllGatherOp(_PlainCollectiveOp):
    """All rows on every rank, in rank order."""

    name = "plan.all_gather"
    assembly_format = "$frame attr-dict `:` type($frame) `->` type($result)"


@irdl_op_definition
class GatherOp(_PlainCollectiveOp):
    """All rows on the first rank of the gang, in rank order."""

    name = "plan.gather"
    assembly_format = "$frame attr-dict `:` type($frame) `->` type($result)"


@irdl_op_definition
class BroadcastOp(_PlainCollectiveOp):
    """The rows of the first rank on every rank."""

    name = "plan.broadcast"
    assembly_format = "$frame attr-dict `:` type($frame) `->` type($result)"


@irdl_op_definition
class AllReduceOp(CollectiveOp):
    """The partials of all ranks combined by a fragment, on every rank."""

    name = "plan.all_reduce"
    combine = region_def("single_block")
    assembly_format = "$frame $combine attr-dict `:` type($frame) `->` type($result)"

    def __init__(self, frame: SSAValue, combine: Region):
        super().__init__(operands=[frame], regions=[combine], result_types=[frame.type])

    def verify_(self) -> None:
        super().verify_()
        verify_fragment([frame_of(self.frame)], self.combine, [frame_of(self.frame)])


@irdl_op_definition
class RangeShuffleOp(CollectiveOp):
    """Locally sorted rows cut at quantiles of a sample and sent, range by range, to the ranks in order."""

    name = "plan.range_shuffle"
    # Declared again, since operands of a subclass come before those of its base.
    frame = operand_def(FrameType)
    sample = operand_def(FrameType)
    by = prop_def(ArrayAttr[OrderAttr])
    assembly_format = (
        "$frame `at` $sample `by` $by attr-dict `:` type($frame) `,` type($sample) `->` type($result)"
    )

    def __init__(self, frame: SSAValue, sample: SSAValue, by: Sequence[OrderAttr]):
        super().__init__(
            operands=[frame, sample], properties={"by": ArrayAttr(by)}, result_types=[frame.type]
        )


@irdl_op_definition
class SendOp(IRDLOperation):
    """Sends a frame to a rank of the world, from the first rank of the gang unless `source` names another."""

    name = "plan.send"
    frame = operand_def(FrameType)
    peer = prop_def(IntegerAttr[I64])
    tag = prop_def(IntegerAttr[I64])
    assembly_format = "$frame `to` $peer `tag` $tag attr-dict `:` type($frame)"

    def __init__(self, frame: SSAValue, peer: int, tag: int):
        super().__init__(
            operands=[frame], properties={"peer": IntegerAttr(peer, i64), "tag": IntegerAttr(tag, i64)}
        )


@irdl_op_definition
class RecvOp(IRDLOperation):
    """Receives a frame from a rank of the world."""

    name = "plan.recv"
    peer = prop_def(IntegerAttr[I64])
    tag = prop_def(IntegerAttr[I64])
    result = result_def(FrameType)
    assembly_format = "`from` $peer `tag` $tag attr-dict `:` type($result)"

    def __init__(self, peer: int, tag: int, type_: FrameType):
        super().__init__(
            properties={"peer": IntegerAttr(peer, i64), "tag": IntegerAttr(tag, i64)}, result_types=[type_]
        )


@irdl_op_definition
class FreeOp(IRDLOperation):
    """Drops frames and tensors that nothing reads any more."""

    name = "plan.free"
    values = var_operand_def()
    assembly_format = "$values attr-dict `:` type($values)"

    def __init__(self, values: Sequence[SSAValue]):
        super().__init__(operands=[list(values)])


@irdl_op_definition
class WriteOp(IRDLOperation):
    """Stages a frame for an output file or directory; it appears when the whole program has succeeded."""

    name = "plan.write"
    frame = operand_def(FrameType)
    format = prop_def(StringAttr)
    path = prop_def(StringAttr)
    layout = prop_def(StringAttr)
    assembly_format = "$frame `to` $format $path `as` $layout attr-dict `:` type($frame)"

    def __init__(self, frame: SSAValue, format_: str, path: str, layout: str):
        super().__init__(
            operands=[frame],
            properties={
                "format": StringAttr(format_),
                "path": StringAttr(path),
                "layout": StringAttr(layout),
            },
        )


@irdl_op_definition
class ResultOp(IRDLOperation):
    """Names a frame of the first rank as a result for the caller."""

    name = "plan.result"
    frame = operand_def(FrameType)
    result_name = prop_def(StringAttr)
    assembly_format = "$result_name $frame attr-dict `:` type($frame)"

    def __init__(self, name: str, frame: SSAValue):
        super().__init__(operands=[frame], properties={"result_name": StringAttr(name)})


def ranks_of(gang: GangOp) -> list[int]:
    """World ranks of a gang."""
    return list(cast("DenseArrayBase[IntegerType]", gang.ranks).get_values())


Plan = Dialect(
    "plan",
    [
        ProgramOp,
        GangOp,
        EndOp,
        ReadOp,
        RunOp,
        ShuffleOp,
        AllGatherOp,
        GatherOp,
        BroadcastOp,
        AllReduceOp,
        RangeShuffleOp,
        SendOp,
        RecvOp,
        FreeOp,
        WriteOp,
        ResultOp,
        MapRowsOp,
        MicroOp,
        ReduceOp,
        WaitOp,
    ],
)

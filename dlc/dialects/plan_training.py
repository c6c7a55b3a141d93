"""The instructions of the `plan` dialect for tensors and training."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    I64,
    ArrayAttr,
    IndexType,
    IntegerAttr,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.ir import Attribute, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_region_def,
    prop_def,
    region_def,
    var_operand_def,
    var_result_def,
)
from xdsl.utils.exceptions import VerifyException

from .dist import REDUCTIONS, YieldOp
from .nn import BatchesType
from .table_tensors import COUNT, as_tensor, carries_rows


def _verify_bodies(body: Region, masked: Region | None, given: Sequence[Attribute]) -> list[Attribute]:
    """Types that the two forms of a function leave; the masked one takes the number of real rows too."""
    if [arg.type for arg in body.block.args] != list(given):
        raise VerifyException("the module must take a chunk of each of its operands")
    last = body.block.last_op
    if not isinstance(last, YieldOp):
        raise VerifyException("a module must end in dist.yield")
    left = [value.type for value in last.values]
    if masked is not None:
        end = masked.block.last_op
        if [arg.type for arg in masked.block.args] != [*given, COUNT]:
            raise VerifyException("the masked module takes the number of real rows last")
        if not isinstance(end, YieldOp) or [value.type for value in end.values] != left:
            raise VerifyException("the masked module must leave the same as the other")
    return left


def chunk_of(type_: Attribute, rows: int) -> TensorType[Attribute]:
    """The type of a tensor of so many rows."""
    tensor = as_tensor(type_)
    if tensor is None:
        raise VerifyException(f"expected a tensor, got {type_}")
    sizes = [rows if size == DYNAMIC_INDEX else size for size in tensor.get_shape()]
    return TensorType(tensor.element_type, sizes)


@irdl_op_definition
class MapRowsOp(IRDLOperation):
    """Calls functions on chunks of a rank's rows, the last chunk padded and masked.

    `kinds` says what becomes of a result over the chunks: they are put together (`rows`), combined by a
    reduction (`sum`, `max`, …), or all the same (`same`). Operands with rows are cut into chunks.
    """

    name = "plan.map_rows"
    inputs = var_operand_def(TensorType)
    chunk = prop_def(IntegerAttr[I64])
    kinds = prop_def(ArrayAttr[StringAttr])
    body = region_def("single_block")
    masked = opt_region_def("single_block")
    outputs = var_result_def(TensorType)
    assembly_format = (
        "`(` $inputs `)` `chunk` $chunk `as` $kinds $body (`masked` $masked^)? attr-dict"
        " `:` `(` type($inputs) `)` `->` `(` type($outputs) `)`"
    )

    def __init__(
        self,
        inputs: Sequence[SSAValue],
        chunk: int,
        kinds: Sequence[str],
        body: Region,
        masked: Region | None,
        outputs: Sequence[Attribute],
    ):
        super().__init__(
            operands=[list(inputs)],
            properties={
                "chunk": IntegerAttr(chunk, i64),
                "kinds": ArrayAttr([StringAttr(kind) for kind in kinds]),
            },
            regions=[body, masked],
            result_types=[list(outputs)],
        )

    @property
    def split(self) -> list[int]:
        """Numbers of the operands that are cut."""
        return [index for index, value in enumerate(self.inputs) if carries_rows(value.type)]

    def verify_(self) -> None:
        rows = self.chunk.value.data
        left = _verify_bodies(self.body, self.masked, [chunk_of(v.type, rows) for v in self.inputs])
        if len(self.kinds) != len(self.outputs):
            raise VerifyException(f"{len(self.kinds)} kinds for {len(self.outputs)} results")
        for kind in self.kinds:
            if kind.data not in ("rows", "same", *REDUCTIONS[1:]):
                raise VerifyException(f"{kind} is no kind of result")
        if [chunk_of(value.type, rows) for value in self.outputs] != left:
            raise VerifyException("the results must be those of the chunks put together")


@irdl_op_definition
class MicroOp(IRDLOperation):
    """Calls functions on each micro-batch of a batch that lies on this rank; leaves their partial results.

    The module takes the number of rows of the whole batch, the tensors of a micro-batch, and the operands.
    Without a step it runs on all batches.
    """

    name = "plan.micro"
    batches = operand_def(BatchesType)
    step = opt_operand_def(IndexType)
    inputs = var_operand_def(TensorType)
    combine = prop_def(StringAttr)
    rows = prop_def(IntegerAttr[I64])
    body = region_def("single_block")
    masked = region_def("single_block")
    partials = var_result_def(TensorType)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    assembly_format = (
        "$batches (`at` $step^)? `(` $inputs `)` `rows` $rows `leaves` $combine $body `masked` $masked"
        " attr-dict `:` type($batches) `(` type($inputs) `)` `->` `(` type($partials) `)`"
    )

    def __init__(
        self,
        batches: SSAValue,
        step: SSAValue | None,
        inputs: Sequence[SSAValue],
        rows: int,
        combine: str,
        body: Region,
        masked: Region,
    ):
        last = body.block.last_op
        assert isinstance(last, YieldOp)
        super().__init__(
            operands=[batches, step, list(inputs)],
            properties={"combine": StringAttr(combine), "rows": IntegerAttr(rows, i64)},
            regions=[body, masked],
            result_types=[[value.type for value in last.values]],
        )

    def verify_(self) -> None:
        assert isinstance(self.batches.type, BatchesType)
        tensors = [chunk_of(type_, self.rows.value.data) for type_ in self.batches.type.tensors]
        given = [COUNT, *tensors, *(value.type for value in self.inputs)]
        if _verify_bodies(self.body, self.masked, given) != [value.type for value in self.partials]:
            raise VerifyException("the results must be those of the module")


@irdl_op_definition
class ReduceOp(IRDLOperation):
    """Starts to reduce partial results over the gang, as one flat bucket; `plan.wait` ends it."""

    name = "plan.reduce"
    partials = var_operand_def(TensorType)
    op = prop_def(StringAttr)
    order = prop_def(StringAttr)
    outputs = var_result_def(TensorType)
    assembly_format = "$op $order $partials attr-dict `:` type($partials) `->` type($outputs)"

    def __init__(self, partials: Sequence[SSAValue], op: str, order: str):
        super().__init__(
            operands=[list(partials)],
            properties={"op": StringAttr(op), "order": StringAttr(order)},
            result_types=[[value.type for value in partials]],
        )

    def verify_(self) -> None:
        if [value.type for value in self.partials] != [value.type for value in self.outputs]:
            raise VerifyException("a reduction leaves the types as they are")


@irdl_op_definition
class WaitOp(IRDLOperation):
    """Waits until reductions that were started are complete."""

    name = "plan.wait"
    values = var_operand_def(TensorType)
    assembly_format = "$values attr-dict `:` type($values)"

    def __init__(self, values: Sequence[SSAValue]):
        super().__init__(operands=[list(values)])

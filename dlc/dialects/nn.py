"""`nn`: what training needs beside functions and loops: parameters, batches, a log, checkpoints.

Forward, backward and update are calls of tensor functions, epochs and steps are `scf.for`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    IndexType,
    IntegerAttr,
    StringAttr,
    TensorType,
    UnitAttr,
    f64,
    i64,
)
from xdsl.ir import Attribute, Data, Dialect, ParametrizedAttribute, SSAValue, TypeAttribute
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    param_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from . import datatypes as t
from .dist import PartType
from .frame import FrameType, strings
from .table_tensors import COUNT

INDEX = IndexType()
HISTORY = FrameType.of({"epoch": i64, "step": i64, "name": t.string, "value": f64})
"""One row a note of `nn.log`."""


@dataclass(frozen=True)
class Tensors:
    """The bytes of a safetensors file, known by their SHA-256; a text carries the hash alone."""

    sha256: str
    content: bytes | None = field(default=None, compare=False, repr=False)


@irdl_attr_definition
class TensorsAttr(Data[Tensors]):
    """Constant tensors; the values go with the attribute, but not into its text."""

    name = "nn.tensors"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Tensors:
        with parser.in_angle_brackets():
            return Tensors(parser.parse_str_literal())

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string_literal(self.data.sha256)


@irdl_attr_definition
class BatchesType(ParametrizedAttribute, TypeAttribute):
    """The rows of some tensors, cut into batches and these into micro-batches, in the order of one epoch."""

    name = "nn.batches"
    tensors: ArrayAttr[TensorType] = param_def()


def whole(type_: Attribute) -> Attribute:
    """The type of a value in the global view."""
    return type_.whole if isinstance(type_, PartType) else type_


def _verify_names(names: ArrayAttr[StringAttr], tensors: Sequence[SSAValue]) -> None:
    if len(names) != len(tensors):
        raise VerifyException(f"{len(names)} names for {len(tensors)} tensors")


@irdl_op_definition
class ParametersOp(IRDLOperation):
    """Initial values of a model's parameters, the same on every rank."""

    name = "nn.parameters"
    values = prop_def(TensorsAttr)
    names = prop_def(ArrayAttr[StringAttr])
    tensors = var_result_def()
    traits = traits_def(Pure())
    assembly_format = "$values $names attr-dict `:` type($tensors)"

    def __init__(self, values: Tensors, names: Sequence[str], types: Sequence[Attribute]):
        super().__init__(
            properties={"values": TensorsAttr(values), "names": strings(names)}, result_types=[list(types)]
        )

    def verify_(self) -> None:
        _verify_names(self.names, self.tensors)


@irdl_op_definition
class BatchesOp(IRDLOperation):
    """Rows in the order of an epoch, cut into batches of `size` rows.

    The rows of a frame are dealt to `micro_batches` shards by a hash of `keys`; each batch takes
    size / micro_batches rows of every shard, so that a batch is the same for every number of ranks.
    `owned` says how a rank finds its shards: it holds just their rows (hash), all rows (all), or its rows are
    a shard of their own (local).
    """

    name = "nn.batches"
    frame = operand_def()
    tensors = var_operand_def()
    epoch = opt_operand_def(IndexType)
    size = prop_def(IntegerAttr[I64])
    micro_batches = prop_def(IntegerAttr[I64])
    seed = prop_def(IntegerAttr[I64])
    keys = prop_def(ArrayAttr[StringAttr])
    owned = opt_prop_def(StringAttr)
    batches = result_def(BatchesType)
    traits = traits_def(Pure())
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    assembly_format = (
        "$frame `,` $tensors (`epoch` $epoch^)? `size` $size `micro_batches` $micro_batches `seed` $seed"
        " `by` $keys (`owned` $owned^)? attr-dict `:` type($frame) `,` type($tensors) `->` type($batches)"
    )

    def __init__(
        self,
        frame: SSAValue,
        tensors: Sequence[SSAValue],
        epoch: SSAValue | None,
        size: int,
        micro_batches: int,
        seed: int,
        keys: Sequence[str],
    ):
        types = [whole(value.type) for value in tensors]
        super().__init__(
            operands=[frame, list(tensors), epoch],
            properties={
                "size": IntegerAttr(size, i64),
                "micro_batches": IntegerAttr(micro_batches, i64),
                "seed": IntegerAttr(seed, i64),
                "keys": strings(keys),
            },
            result_types=[BatchesType(ArrayAttr(cast("list[TensorType[Attribute]]", types)))],
        )

    def verify_(self) -> None:
        size, parts = self.size.value.data, self.micro_batches.value.data
        if parts < 1 or size < 1 or size % parts:
            raise VerifyException(f"{parts} micro-batches do not divide a batch of {size} rows")
        if self.owned is not None and self.owned.data not in ("hash", "all", "local"):
            raise VerifyException(f"owned must be hash, all or local, got {self.owned}")
        if [whole(value.type) for value in self.tensors] != list(self.batches_type.tensors):
            raise VerifyException("the batches must be those of the tensors")

    @property
    def batches_type(self) -> BatchesType:
        """The type of the result."""
        return self.batches.type


@irdl_op_definition
class StepsOp(IRDLOperation):
    """The number of batches."""

    name = "nn.steps"
    batches = operand_def(BatchesType)
    steps = result_def(IndexType)
    traits = traits_def(Pure())
    assembly_format = "$batches attr-dict `:` type($batches)"

    def __init__(self, batches: SSAValue):
        super().__init__(operands=[batches], result_types=[INDEX])


@irdl_op_definition
class BatchOp(IRDLOperation):
    """The tensors of one batch, or of all rows, and their number of rows."""

    name = "nn.batch"
    batches = operand_def(BatchesType)
    step = opt_operand_def(IndexType)
    rows = result_def()
    tensors = var_result_def()
    traits = traits_def(Pure())
    assembly_format = (
        "$batches (`at` $step^)? attr-dict `:` type($batches) `->` type($rows) `,` type($tensors)"
    )

    def __init__(self, batches: SSAValue, step: SSAValue | None):
        type_ = cast("BatchesType", batches.type)
        super().__init__(operands=[batches, step], result_types=[COUNT, list(type_.tensors)])

    def verify_(self) -> None:
        types = [whole(value.type) for value in self.tensors]
        if types != list(cast("BatchesType", self.batches.type).tensors):
            raise VerifyException("a batch has the tensors of its batches")


@irdl_op_definition
class LogOp(IRDLOperation):
    """Notes a scalar of a step; one that is not finite ends the run."""

    name = "nn.log"
    value = operand_def()
    epoch = operand_def(IndexType)
    step = opt_operand_def(IndexType)
    label = prop_def(StringAttr)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$label $value `epoch` $epoch (`step` $step^)? attr-dict `:` type($value)"

    def __init__(self, label: str, value: SSAValue, epoch: SSAValue, step: SSAValue | None):
        super().__init__(operands=[value, epoch, step], properties={"label": StringAttr(label)})


@irdl_op_definition
class HistoryOp(IRDLOperation):
    """All notes so far; the operands are the results of the loops that made them."""

    name = "nn.history"
    after = var_operand_def()
    result = result_def()
    traits = traits_def(MemoryReadEffect())
    assembly_format = "(`after` $after^ `:` type($after))? attr-dict `->` type($result)"

    def __init__(self, after: Sequence[SSAValue]):
        super().__init__(operands=[list(after)], result_types=[HISTORY])


@irdl_op_definition
class SaveOp(IRDLOperation):
    """Writes a checkpoint into a directory: the tensors, and how far training has come."""

    name = "nn.save"
    tensors = var_operand_def()
    epoch = operand_def(IndexType)
    names = prop_def(ArrayAttr[StringAttr])
    path = prop_def(StringAttr)
    model = prop_def(StringAttr)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        "$tensors `as` $names `epoch` $epoch `of` $model `to` $path attr-dict `:` type($tensors)"
    )

    def __init__(
        self, tensors: Sequence[SSAValue], epoch: SSAValue, names: Sequence[str], path: str, model: str
    ):
        super().__init__(
            operands=[list(tensors), epoch],
            properties={"names": strings(names), "path": StringAttr(path), "model": StringAttr(model)},
        )

    def verify_(self) -> None:
        _verify_names(self.names, self.tensors)


@irdl_op_definition
class LoadOp(IRDLOperation):
    """Tensors and the number of finished epochs of a checkpoint.

    With `optional`, the tensors given and 0 where there is no checkpoint.
    """

    name = "nn.load"
    initial = var_operand_def()
    names = prop_def(ArrayAttr[StringAttr])
    path = prop_def(StringAttr)
    model = prop_def(StringAttr)
    optional = opt_prop_def(UnitAttr)
    epoch = result_def(IndexType)
    tensors = var_result_def()
    traits = traits_def(MemoryReadEffect())
    assembly_format = (
        "$initial `as` $names `of` $model `from` $path (`optional` $optional^)? attr-dict `:`"
        " type($initial) `->` type($epoch) `,` type($tensors)"
    )

    def __init__(
        self, initial: Sequence[SSAValue], names: Sequence[str], path: str, model: str, optional: bool
    ):
        super().__init__(
            operands=[list(initial)],
            properties={
                "names": strings(names),
                "path": StringAttr(path),
                "model": StringAttr(model),
                "optional": UnitAttr() if optional else None,
            },
            result_types=[INDEX, [value.type for value in initial]],
        )

    def verify_(self) -> None:
        _verify_names(self.names, self.tensors)
        if [value.type for value in self.initial] != [value.type for value in self.tensors]:
            raise VerifyException("a checkpoint gives tensors of the types of the initial ones")


Nn = Dialect(
    "nn",
    [ParametersOp, BatchesOp, StepsOp, BatchOp, LogOp, HistoryOp, SaveOp, LoadOp],
    [TensorsAttr, BatchesType],
)

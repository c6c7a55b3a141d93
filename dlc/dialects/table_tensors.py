"""The ops of the `table` dialect between frames and tensors: columns out, columns in, number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, ArrayAttr, StringAttr, TensorType, i32
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from . import datatypes as t
from .frame import FrameType, frame_of, require, strings

Tensor = TensorType[Attribute]
COUNT = TensorType(i32, [])
"""Type of a number of rows."""

ELEMENTS = ("i1", "i8", "i16", "i32", "i64", "ui8", "ui16", "ui32", "ui64", "f32", "f64")
"""Element types that a column can have; columns of f16 or bf16 there are none."""


def as_tensor(type_: Attribute) -> Tensor | None:
    """A type if it is that of a tensor."""
    return cast("Tensor", type_) if isinstance(type_, TensorType) else None


def tensor_of(value: SSAValue) -> Tensor:
    """The tensor type of a value; VerifyException if it has none."""
    type_ = as_tensor(value.type)
    if type_ is None:
        raise VerifyException(f"expected a tensor, got {value.type}")
    return type_


def carries_rows(type_: Attribute) -> bool:
    """Whether a type is that of a tensor with the rows of a frame along a dimension."""
    tensor = as_tensor(type_)
    return tensor is not None and DYNAMIC_INDEX in tensor.get_shape()


@irdl_op_definition
class ToTensorOp(IRDLOperation):
    """Columns as tensors: a list of k names gives a matrix of rows × k, a single name a vector of rows.

    A null, or a number that the element type cannot hold, ends the run.
    """

    name = "table.to_tensor"
    frame = operand_def(FrameType)
    columns = prop_def(ArrayAttr)
    tensors = var_result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$frame $columns attr-dict `:` type($frame) `->` type($tensors)"

    def __init__(
        self, frame: SSAValue, columns: Sequence[str | Sequence[str]], elements: Sequence[Attribute]
    ):
        types = [
            TensorType(element, [DYNAMIC_INDEX] if isinstance(names, str) else [DYNAMIC_INDEX, len(names)])
            for names, element in zip(columns, elements, strict=True)
        ]
        attributes = [StringAttr(names) if isinstance(names, str) else strings(names) for names in columns]
        super().__init__(
            operands=[frame], properties={"columns": ArrayAttr(attributes)}, result_types=[types]
        )

    @property
    def names(self) -> list[str | list[str]]:
        """The columns of each tensor."""
        return [_names(attribute) for attribute in self.columns]

    def verify_(self) -> None:
        schema = frame_of(self.frame).columns
        if len(self.columns) != len(self.tensors):
            raise VerifyException(f"{len(self.columns)} lists of columns for {len(self.tensors)} tensors")
        for names, tensor in zip(self.names, self.tensors, strict=True):
            type_ = tensor_of(tensor)
            listed = [names] if isinstance(names, str) else names
            require(schema, listed)
            wanted = (DYNAMIC_INDEX,) if isinstance(names, str) else (DYNAMIC_INDEX, len(names))
            if type_.get_shape() != wanted:
                shape = "?" if isinstance(names, str) else f"?x{len(names)}"
                raise VerifyException(f"columns {', '.join(listed)} give a tensor of shape {shape}")
            for name in listed:
                base = t.strip(schema[name])
                if isinstance(base, t.DecimalType) or not (t.is_numeric(base) or t.is_bool(base)):
                    raise VerifyException(f"column {name!r} of {t.text(schema[name])} is not a number")


def _names(attribute: Attribute) -> str | list[str]:
    if isinstance(attribute, StringAttr):
        return attribute.data
    if isinstance(attribute, ArrayAttr):
        items = cast("ArrayAttr[Attribute]", attribute)
        if all(isinstance(item, StringAttr) for item in items):
            return [cast("StringAttr", item).data for item in items]
    raise VerifyException(f"{attribute} is no column and no list of columns")


@irdl_op_definition
class RowsOp(IRDLOperation):
    """The number of rows of a frame."""

    name = "table.rows"
    frame = operand_def(FrameType)
    count = result_def(COUNT)
    traits = traits_def(Pure())
    assembly_format = "$frame attr-dict `:` type($frame)"

    def __init__(self, frame: SSAValue):
        super().__init__(operands=[frame], result_types=[COUNT])


@irdl_op_definition
class FromTensorOp(IRDLOperation):
    """A frame with tensors as further columns; without a frame, scalars as a frame of one row."""

    name = "table.from_tensor"
    frame = opt_operand_def(FrameType)
    tensors = var_operand_def(TensorType)
    columns = prop_def(ArrayAttr[StringAttr])
    result = result_def(FrameType)
    traits = traits_def(Pure())
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    assembly_format = (
        "($frame^ `:` type($frame) `with`)? $columns $tensors attr-dict `:` type($tensors) `->` type($result)"
    )

    def __init__(self, frame: SSAValue | None, columns: Sequence[str], tensors: Sequence[SSAValue]):
        schema = frame_of(frame).columns if frame is not None else {}
        added = {name: tensor_of(value).element_type for name, value in zip(columns, tensors, strict=True)}
        super().__init__(
            operands=[frame, list(tensors)],
            properties={"columns": strings(columns)},
            result_types=[FrameType.of({**schema, **added})],
        )

    def verify_(self) -> None:
        schema = frame_of(self.frame).columns if self.frame is not None else {}
        if len(self.columns) != len(self.tensors):
            raise VerifyException(f"{len(self.columns)} columns for {len(self.tensors)} tensors")
        for name, value in zip(self.columns, self.tensors, strict=True):
            type_ = tensor_of(value)
            if type_.get_shape() != ((DYNAMIC_INDEX,) if self.frame is not None else ()):
                wanted = "one value a row" if self.frame is not None else "a scalar"
                raise VerifyException(f"column {name.data!r} takes {wanted}, got {type_}")
            schema[name.data] = type_.element_type
        if list(frame_of(self.result).columns.items()) != list(schema.items()):
            raise VerifyException("the result has the frame's columns and those of the tensors")

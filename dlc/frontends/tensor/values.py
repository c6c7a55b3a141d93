"""Tensors that stand for columns of a frame, and for what functions make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.ir import Attribute, SSAValue

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import datatypes as t
from dlc.dialects.frame import frame_of
from dlc.dialects.table_tensors import FromTensorOp, ToTensorOp, tensor_of
from dlc.frontends.location import attribute, caller
from dlc.frontends.table.errors import bad_argument, unknown_column
from dlc.frontends.table.frame import Frame
from dlc.frontends.table.traced import Traced

from .specs import DTYPES, RowTensor


class Tensor(Traced):
    """An array of numbers; the first dimension of one that was made from a frame is the frame's rows.

    `frame` is the frame whose rows these are, None for a tensor without rows.
    """

    traced_as = "a tensor"

    def __init__(self, value: SSAValue, frame: SSAValue | None = None):
        self.value = value
        self.frame = frame

    def __repr__(self) -> str:
        return f"<tensor {'×'.join('rows' if n is None else str(n) for n in self.shape)} {self.dtype}>"

    def __array__(self, *_: object) -> NoReturn:
        self._refuse("values", "give it to a function: dlc.jax(…)(tensor)")

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Sizes of the dimensions, None for the rows."""
        return tuple(None if size == DYNAMIC_INDEX else size for size in tensor_of(self.value).get_shape())

    @property
    def dtype(self) -> str:
        """The type of the elements, as in `f32`."""
        return element_name(tensor_of(self.value).element_type)

    @property
    def spec(self) -> RowTensor:
        """What a function is traced with in the place of this tensor."""
        return RowTensor(self.shape, self.dtype, self.frame)


def element_name(type_: Attribute) -> str:
    """The name of an element type: `f32`, `i64`, `u8`, `bool`."""
    return t.text(type_).replace("ui", "u")


def element_type(name: str, loc: SourceLoc) -> t.DataType:
    """The element type of a name. Raises DLC106."""
    if name not in DTYPES or name in ("f16", "bf16"):
        known = ", ".join(key for key in DTYPES if key not in ("f16", "bf16"))
        raise bad_argument(f"dtype={name!r} is no type of tensors from columns", loc, f"use one of {known}")
    return t.parse_text(name.replace("u", "ui"))


def to_tensors(
    frame: SSAValue, columns: Sequence[str | Sequence[str]], dtypes: Sequence[str], loc: SourceLoc
) -> list[Tensor]:
    """Columns of a frame as tensors; a list of names gives a matrix. Raises DLC101, DLC102, DLC106."""
    schema = frame_of(frame).columns
    for names in columns:
        listed = [names] if isinstance(names, str) else list(names)
        if not listed:
            raise bad_argument("a tensor needs a column", loc, "name at least one")
        for name in listed:
            if name not in schema:
                raise unknown_column(name, frame, loc)
            base = t.strip(schema[name])
            if isinstance(base, t.DecimalType) or not (t.is_numeric(base) or t.is_bool(base)):
                raise DlcError(
                    "DLC102",
                    f"column '{name}' of type {t.text(schema[name])} cannot become a tensor",
                    loc=loc,
                    help="cast it to a float, or join a table that numbers its values",
                )
    op = ToTensorOp(frame, columns, [element_type(dtype, loc) for dtype in dtypes])
    op.location = attribute(loc)
    return [Tensor(value, frame) for value in op.tensors]


def with_tensors(frame: SSAValue, named: dict[str, Tensor], loc: SourceLoc) -> SSAValue:
    """A frame with tensors of its own rows as further columns. Raises DLC105, DLC116."""
    _check_tensors(named, loc)
    for name, tensor in named.items():
        if name in frame_of(frame).columns:
            raise DlcError(
                "DLC105", f"there is a column '{name}' already", loc=loc, help="choose another name"
            )
        if tensor.shape != (None,) or tensor.frame is not frame:
            what = "rows of another frame" if tensor.shape == (None,) else f"the shape {tensor.shape}"
            raise DlcError(
                "DLC116",
                f"column '{name}' needs one value for each row of this frame, the tensor has {what}",
                loc=loc,
                help="make the tensor from this very frame, with one number a row",
            )
    op = FromTensorOp(frame, list(named), [tensor.value for tensor in named.values()])
    op.location = attribute(loc)
    return op.result


def scalars(**named: Tensor) -> Frame:
    """A frame of one row, of tensors without dimensions. Raises DLC116."""
    loc = caller()
    _check_tensors(named, loc)
    for name, tensor in named.items():
        if tensor.shape != ():
            raise DlcError(
                "DLC116",
                f"'{name}' is a tensor of shape {tensor.shape}, not one number",
                loc=loc,
                help="reduce it, or add tensors of rows to their frame with with_tensors",
            )
    op = FromTensorOp(None, list(named), [tensor.value for tensor in named.values()])
    op.location = attribute(loc)
    return Frame(op.result)


def _check_tensors(named: Mapping[str, object], loc: SourceLoc) -> None:
    """DLC106 and DLC116 unless these can become columns as far as their type goes."""
    if not named:
        raise bad_argument("no tensor is given", loc, "name each: p=tensor")
    for name, tensor in named.items():
        if not isinstance(tensor, Tensor):
            raise bad_argument(
                f"{name}={type(tensor).__name__} is no tensor",
                loc,
                "give what dlc.jax(…) returns",
            )
        if not t.is_data_type(tensor_of(tensor.value).element_type):
            raise DlcError(
                "DLC116",
                f"column '{name}' cannot hold numbers of type {tensor.dtype}",
                loc=loc,
                help="convert them in the function, with .astype(jnp.float32)",
            )

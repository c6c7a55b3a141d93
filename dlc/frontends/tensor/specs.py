"""Shapes and types of tensors, which is all that tracing needs to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .untyped import export, jax

DTYPES = {
    "bool": "bool",
    "i8": "int8",
    "i16": "int16",
    "i32": "int32",
    "i64": "int64",
    "u8": "uint8",
    "u16": "uint16",
    "u32": "uint32",
    "u64": "uint64",
    "f16": "float16",
    "bf16": "bfloat16",
    "f32": "float32",
    "f64": "float64",
}
"""Names of element types here, and in NumPy and JAX."""
_SHORT = {long: short for short, long in DTYPES.items()}


@dataclass(frozen=True)
class RowTensor:
    """An argument with one entry for each row of a frame: its shape begins with None, as in `(None, 3)`.

    `rows` tells the frames apart whose numbers of rows may differ; a function takes rows of one only.
    """

    shape: tuple[int | None, ...]
    dtype: str = "f32"
    rows: object = None


@dataclass(frozen=True)
class TensorSpec:
    """Name, shape and element type of an argument or result.

    A size is an integer, None for the number of rows, or the text of an expression of it, as in `2*rows`.
    """

    name: str
    shape: tuple[int | str | None, ...]
    dtype: str


@cache
def symbolic_rows() -> Any:
    """The number of rows as a dimension of shapes; one for all, so that traces can share shapes."""
    return export.symbolic_shape("rows", constraints=["rows >= 1"])[0]


def is_array(leaf: object) -> bool:
    """Whether a leaf of the arguments is a tensor; all else is part of the function itself."""
    return isinstance(leaf, RowTensor | jax.ShapeDtypeStruct | jax.Array | np.ndarray | np.generic)


def abstract(leaf: Any) -> Any:
    """What JAX traces with in the place of a tensor."""
    if isinstance(leaf, RowTensor):
        shape = tuple(symbolic_rows() if size is None else size for size in leaf.shape)
        return jax.ShapeDtypeStruct(shape, DTYPES[leaf.dtype])
    return jax.ShapeDtypeStruct(leaf.shape, jax.dtypes.canonicalize_dtype(leaf.dtype))


def needs_64_bits(leaves: Sequence[Any]) -> bool:
    """Whether an argument was asked for in a 64-bit type; arrays of NumPy merely happen to have one."""
    return any(
        np.dtype(DTYPES.get(str(leaf.dtype), leaf.dtype)).itemsize == 8
        for leaf in leaves
        if isinstance(leaf, RowTensor | jax.ShapeDtypeStruct)
    )


def spec(name: str, value: Any) -> TensorSpec:
    """The description of something that has a shape and a dtype of JAX."""
    return TensorSpec(name, tuple(_size(size) for size in value.shape), _SHORT[str(value.dtype)])


def _size(size: Any) -> int | str | None:
    if isinstance(size, int):
        return size
    return None if size == symbolic_rows() else str(size)

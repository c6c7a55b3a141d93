"""Tensors as JAX sees them while it traces: shapes with a symbolic number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from .specs import DTYPES, RowTensor, TensorSpec
from .untyped import export, jax

_SHORT = {long: short for short, long in DTYPES.items()}


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

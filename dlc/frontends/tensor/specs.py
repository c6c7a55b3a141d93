"""Shapes and types of tensors, which is all that tracing needs to know of them."""

from __future__ import annotations

from dataclasses import dataclass

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

"""Tensors on a rank: NumPy arrays, or arrays of the XLA device; how they come from frames and go back."""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.trees import ALIGNMENT

Array = NDArray[Any]

_BLOCK = 1 << 12  # rows that are turned from columns into rows at a time, so that they stay in cache
_SIMPLE = {
    "i1": "bool", "bool": "bool", "f16": "float16", "f32": "float32", "f64": "float64",
    **{f"i{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"ui{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}  # fmt: skip


@cache
def dtype_of(name: str) -> np.dtype[Any]:
    """The NumPy type of an element type such as `f32`, `ui8` or `bf16`. Raises DLC501."""
    if name == "bf16":
        import ml_dtypes  # comes with JAX

        return np.dtype(ml_dtypes.bfloat16)
    if name not in _SIMPLE:
        raise DlcError(
            "DLC501", f"the plan names an unknown tensor type {name[:80]!r}", help="compile the program again"
        )
    return np.dtype(_SIMPLE[name])


def aligned(shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """An array whose memory is unset and starts where XLA can take it as it is."""
    memory = np.empty(math.prod(shape) * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT
    return np.ndarray(shape, dtype, memory, start)


def from_frame(
    frame: pl.DataFrame, columns: Sequence[str | list[str]], dtypes: Sequence[str], loc: SourceLoc | None
) -> list[Array]:
    """A vector for each column name, a (rows × columns) matrix for each list of them.

    A vector of the column's own type shares its memory. Raises DLC611 (nulls) and DLC612 (overflow).
    """
    return [
        _vector(frame[names], dtype_of(dtype), loc)
        if isinstance(names, str)
        else _matrix(frame, names, dtype_of(dtype), loc)
        for names, dtype in zip(columns, dtypes, strict=True)
    ]


def to_frame(frame: pl.DataFrame | None, tensors: Mapping[str, Any]) -> pl.DataFrame:
    """The frame with each vector appended as a column of its name; without one, scalars as a single row."""
    if frame is None:
        frame = pl.DataFrame(height=1)
        tensors = {name: np.asarray(tensor).reshape(1) for name, tensor in tensors.items()}
    columns: list[pl.Series] = []
    for name, tensor in tensors.items():
        values = np.asarray(tensor)
        if values.shape != (frame.height,):
            raise ValueError(f"column {name!r} has shape {values.shape}, the frame has {frame.height} rows")
        narrow = values.dtype.kind == "V" or values.dtype == np.float16  # no column holds those
        columns.append(pl.Series(name, values.astype(np.float32) if narrow else values))
    return frame.with_columns(columns)


def _matrix(frame: pl.DataFrame, names: list[str], dtype: np.dtype[Any], loc: SourceLoc | None) -> Array:
    matrix = aligned((frame.height, len(names)), dtype)
    columns = [_vector(frame[name], dtype, loc) for name in names]
    for start in range(0, frame.height, _BLOCK):
        rows = slice(start, start + _BLOCK)
        for index, column in enumerate(columns):
            matrix[rows, index] = column[rows]
    return matrix


def _vector(series: pl.Series, dtype: np.dtype[Any], loc: SourceLoc | None) -> Array:
    if series.null_count():
        raise DlcError(
            "DLC611",
            f"column {series.name!r} holds {series.null_count()} nulls, which a tensor cannot",
            loc=loc,
            help="replace them with fill_null, or leave such rows out with a filter",
        )
    values: Array = series.to_numpy()
    if values.dtype == dtype:
        return values
    with np.errstate(all="ignore"):
        converted = values.astype(dtype)
        lost = _lost(values, converted)
    if lost.any():
        raise DlcError(
            "DLC612",
            f"column {series.name!r} holds {values[lost.argmax()]}, which {dtype.name} cannot",
            loc=loc,
            help="use a wider dtype, or scale or cast the column first",
        )
    return converted


def _lost(values: Array, converted: Array) -> NDArray[np.bool_]:
    """Which values the new type cannot hold: floats may be rounded, nothing else may change."""
    if _is_float(converted):
        infinite = np.isinf(converted)
        return infinite & np.isfinite(values) if infinite.any() else infinite
    if _is_float(values):
        limits = np.iinfo(converted.dtype) if converted.dtype != bool else None
        least, most = (float(limits.min), float(limits.max) + 1.0) if limits else (0.0, 2.0)
        # What a cast gives for a value out of range depends on the processor.
        return ~((values >= least) & (values < most) & (values == np.trunc(values)))
    if converted.dtype == bool:
        return (values != 0) & (values != 1)
    signs_differ = (values < 0) != (converted < 0)
    return (converted.astype(values.dtype) != values) | signs_differ


def _is_float(values: Array) -> bool:
    return values.dtype.kind in "fV"  # bfloat16 has kind V


def rows_as_count(rows: int, loc: SourceLoc | None) -> Array:
    """The number of rows of a frame as tensor functions take it. Raises DLC612."""
    if rows > np.iinfo(np.int32).max:
        raise DlcError(
            "DLC612",
            f"the frame has {rows} rows, and a tensor at most {np.iinfo(np.int32).max}",
            loc=loc,
            help="take fewer rows at a time",
        )
    return np.array(rows, np.int32)

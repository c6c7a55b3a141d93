"""Tensor functions in tests: traced from JAX, run through XLA on shards, compared with JAX itself."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import jax
import numpy as np
from jax.extend.backend import get_backend
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.printer import Printer

from dlc.frontends.tensor.specs import DTYPES, RowTensor
from dlc.frontends.tensor.trace import trace_function
from dlc.passes.partition.layouts import Layout, Partial, Replicated, Split
from dlc.passes.partition.tensor.function import analyse
from dlc.passes.partition.tensor.localise import localise

COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "sum": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "prod": np.multiply,
    "and": np.logical_and,
    "or": np.logical_or,
}

_DTYPES = {long: short for short, long in DTYPES.items()}


def traced(function: Callable[..., Any], given: Sequence[Any], rows: Sequence[int]) -> FuncOp:
    """The tensor function of `function(*given)`, whose arguments at `rows` have rows along axis 0."""
    specs = [
        RowTensor((None, *array.shape[1:]), _DTYPES[str(array.dtype)], "frame") if index in rows else array
        for index, array in enumerate(given)
    ]
    return trace_function(function, specs, name="f").function


def layouts(function: FuncOp, rows: Sequence[int]) -> list[Layout]:
    """Split rows, everything else on every rank."""
    return [Split(0) if index - 1 in rows else Replicated() for index in range(len(function.body.block.args))]


def executable(function: FuncOp) -> Callable[..., list[np.ndarray]]:
    """The function compiled by XLA."""
    entry = function.clone()
    entry.properties["sym_name"] = type(entry.sym_name)("main")
    entry.properties.pop("sym_visibility", None)
    entry.properties.pop("arg_attrs", None)
    text = io.StringIO()
    Printer(text, print_generic_format=True).print_op(ModuleOp([entry]))
    backend = get_backend("cpu")
    loaded = backend.compile_and_load(text.getvalue(), backend.local_devices()[:1])

    def run(*arguments: Any) -> list[np.ndarray]:
        buffers = [jax.device_put(np.asarray(argument)) for argument in arguments]
        results = loaded.execute_sharded(buffers).disassemble_into_single_device_arrays()
        return [np.asarray(result[0]) for result in results]

    return run


def on_shards(
    function: FuncOp, given: Sequence[Any], rows: Sequence[int], sizes: Sequence[int], chunk: int
) -> list[np.ndarray]:
    """What ranks with `sizes` rows each get together, when each runs padded chunks of `chunk` rows."""
    layout = layouts(function, rows)
    results = analyse(function, layout)
    local = localise(function, layout, chunk, masked=True, name="local")
    local.verify()
    run = executable(local)
    total = np.int32(sum(sizes))
    parts: list[list[np.ndarray]] = []
    start = 0
    for size in sizes:
        # A rank without rows runs one chunk that is all padding.
        for at in range(0, max(size, 1), chunk):
            valid = min(chunk, size - at)
            arguments = [
                _padded(array[start + at : start + at + valid], chunk) if index in rows else array
                for index, array in enumerate(given)
            ]
            outputs = run(total, *arguments, np.int32(valid))
            parts.append(
                [
                    np.take(value, np.arange(valid), axis=where.axis) if isinstance(where, Split) else value
                    for value, where in zip(outputs, results, strict=True)
                ]
            )
        start += size
    return [_combined(where, values) for where, values in zip(results, zip(*parts, strict=True), strict=True)]


def _padded(rows: np.ndarray, chunk: int) -> np.ndarray:
    padding = np.zeros((chunk, *rows.shape[1:]), rows.dtype)
    if len(rows):
        padding[:] = rows[-1]
    padding[: len(rows)] = rows
    return padding


def _combined(where: Layout, values: Sequence[np.ndarray]) -> np.ndarray:
    if isinstance(where, Split):
        return np.concatenate(values, where.axis)
    if isinstance(where, Partial):
        return reduce(COMBINE[where.op], values)
    for value in values[1:]:
        np.testing.assert_array_equal(values[0], value)
    return values[0]

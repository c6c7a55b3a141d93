"""Runs tensor fragments through XLA: as one call, over chunks of this rank's rows, or on micro-batches.

XLA compiles for fixed shapes. Rows are cut into chunks of one size, and the last one is padded with copies of
rows; the compiler has masked the padding in the module that takes it, whose last input is the number of rows.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dlc.diagnostics import DlcError
from dlc.runtime.batches import Batches, padded
from dlc.runtime.kernels.call import Json
from dlc.runtime.kernels.xla_device import Module, device
from dlc.runtime.reduce import COMBINE, Partials, identity
from dlc.runtime.tensors import Array, aligned


def compile_xla(tree: Json, modules: Mapping[str, str]) -> Callable[[Sequence[Any], Any], list[Any]]:
    """The kernel of a fragment with its modules' texts. Raises DLC501 (invalid module), DLC702 (no JAX)."""
    rows = tree["rows"]
    module = _compile(tree["module"], modules, tree["outputs"])
    if rows is None:
        return lambda inputs, _: module(inputs)
    masked = _compile(rows["masked"], modules, tree["outputs"]) if rows["masked"] else None
    return _Chunked(module, masked, rows)


def _compile(name: str, modules: Mapping[str, str], outputs: int) -> Module:
    module = device().compile(modules[name])
    if len(module.shapes) != outputs:
        raise DlcError("DLC501", f"a kernel of the plan gives {len(module.shapes)} results, not {outputs}")
    return module


class _Chunked:
    """A fragment over this rank's rows, in chunks."""

    def __init__(self, module: Module, masked: Module | None, rows: Json) -> None:
        self._module, self._masked = module, masked
        self._put = device().put
        self._size: int = rows["chunk"]
        self._split: list[int] = rows["split"]
        self._outputs: list[str] = rows["outputs"]

    def __call__(self, inputs: Sequence[Any], _: Any) -> list[Any]:
        split = {index: np.asarray(inputs[index]) for index in self._split}
        rows = len(split[self._split[0]])
        results: list[Any] = [None] * len(self._outputs)
        arguments = [value if index in split else self._put(value) for index, value in enumerate(inputs)]
        for start in range(0, max(rows, 1), self._size):
            taken = min(self._size, rows - start)
            for index, tensor in split.items():
                chunk = tensor[start : start + taken]
                arguments[index] = chunk if taken == self._size else padded(chunk, self._size)
            if taken == self._size or self._masked is None:
                found = self._module(arguments)
            else:
                found = self._masked([*arguments, taken])
            for index, kind in enumerate(self._outputs):
                results[index] = self._add(kind, results[index], found[index], start, taken, rows)
        return results

    def _add(self, kind: str, result: Any, found: Any, start: int, taken: int, rows: int) -> Any:
        """The result so far with what a chunk of `taken` rows has given."""
        if kind == "same":
            return found if result is None else result
        part: Array = np.asarray(found)
        if kind == "rows":
            if result is None:
                result = aligned((rows, *part.shape[1:]), part.dtype)
            result[start : start + taken] = part[:taken]
            return result
        if rows == 0:
            return np.full(part.shape, identity(kind, part.dtype))
        with np.errstate(all="ignore"):
            return part if result is None else COMBINE[kind](result, part)


class MicroBatches:
    """A fragment over the micro-batches of a rank; its outputs are partial results."""

    def __init__(self, tree: Json, combine: str, modules: Mapping[str, str]) -> None:
        self._full = _compile(tree["module"], modules, tree["outputs"])
        self._masked = _compile(tree["masked"], modules, tree["outputs"])
        self._size: int = tree["rows"]["chunk"]
        self._combine = COMBINE[combine]
        self._device = device()
        self._numbers: dict[int, Any] = {}

    def __call__(self, batches: Batches, step: int | None, captured: Sequence[Any]) -> list[Partials]:
        """The outputs for a global batch; for None for all of them, those of each shard combined in order."""
        put, held = self._device.put, self._device.array_type
        rows = self._number(batches.rows(step))
        captured = [value if type(value) is held else put(value) for value in captured]
        present = batches.present(step)
        parts: list[dict[int, Any]] = [{} for _ in self._full.shapes]
        for shard in present:
            if shard not in batches.shards:
                continue
            for start, taken in batches.chunks(shard, step, self._size):
                arguments = [rows, *batches.view(shard, start, self._size), *captured]
                whole = taken == self._size
                found = self._full(arguments) if whole else self._masked([*arguments, self._number(taken)])
                for part, result in zip(parts, found, strict=True):
                    part[shard] = self._added(part.get(shard), result)
        return [
            Partials(len(batches.counts), present, part, shape, dtype)
            for part, shape, dtype in zip(parts, self._full.shapes, self._full.dtypes, strict=True)
        ]

    def _number(self, number: int) -> Any:
        """A number of rows on the device; few of them occur."""
        held = self._numbers.get(number)
        if held is None:
            held = self._numbers[number] = self._device.put(number)
        return held

    def _added(self, before: Any, result: Any) -> Any:
        if before is None:
            return result
        with np.errstate(all="ignore"):
            return self._combine(np.asarray(before), np.asarray(result))

"""Arrays of the user's as constants of a program: their bytes, known by hash, and their types."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from safetensors.numpy import save
from xdsl.dialects.builtin import TensorType, bf16, f16
from xdsl.ir import SSAValue

from dlc.diagnostics import SourceLoc
from dlc.dialects import datatypes as t
from dlc.dialects.nn import ParametersOp, Tensors
from dlc.frontends.location import attribute

from .shapes import spec
from .untyped import jax


def parameters(names: Sequence[str], arrays: Sequence[Any], loc: SourceLoc) -> list[SSAValue]:
    """The values of an op that holds these arrays; 64-bit numbers are kept as 32-bit ones, as JAX does."""
    if not arrays:
        return []
    values = {name: _plain(array) for name, array in zip(names, arrays, strict=True)}
    content = save(values)
    types = [TensorType(element(spec(name, value).dtype), value.shape) for name, value in values.items()]
    op = ParametersOp(Tensors(sha256(content).hexdigest(), content), list(values), types)
    op.location = attribute(loc)
    return list(op.tensors)


def element(dtype: str) -> t.DataType:
    """The element type of a name such as `f32`, `u8` or `bf16`."""
    return _SHORT.get(dtype) or t.parse_text(dtype.replace("u", "ui"))


_SHORT = {"f16": f16, "bf16": bf16}


def _plain(array: Any) -> np.ndarray[Any, Any]:
    value = np.asarray(array)
    return np.ascontiguousarray(value, jax.dtypes.canonicalize_dtype(value.dtype)).reshape(value.shape)

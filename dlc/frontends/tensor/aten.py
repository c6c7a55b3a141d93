"""Core ATen operations as functions of JAX: elementwise ones, reductions, shapes and indices.

Keys are names of overloads without their namespace; arguments are those of torch, with arrays for tensors.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from .untyped import jax, jnp

Function = Callable[..., Any]


class UnsupportedError(Exception):
    """An operation or an option of one that is not supported: `what; what to do`."""


def dtype_of(name: object) -> Any:
    """The element type for one of torch's, in 32 bits where JAX has no more."""
    return jax.dtypes.canonicalize_dtype(str(name).removeprefix("torch."))


def _as(function: Function) -> Function:
    """A function whose keyword `dtype` sets the type of the result, and that ignores where tensors lie."""

    def call(*args: Any, dtype: Any = None, **_: Any) -> Any:
        result = function(*args)
        return result if dtype is None else result.astype(dtype_of(dtype))

    return call


def _promoted(function: Function) -> Function:
    """A function whose result has the type that its tensors share; Python numbers adapt to it."""

    def call(left: Any, right: Any, **options: Any) -> Any:
        scale = options.get("alpha", 1)
        return function(left, right if scale == 1 else right * scale)

    return call


def _subtract_from(left: Any, right: Any, alpha: Any = 1) -> Any:
    return right - alpha * left


def _divide(left: Any, right: Any, rounding_mode: str | None = None) -> Any:
    if rounding_mode == "floor":
        return jnp.floor_divide(left, right)
    quotient = jnp.true_divide(left, right)
    return jnp.trunc(quotient).astype(jnp.result_type(left, right)) if rounding_mode == "trunc" else quotient


def _clamp(x: Any, low: Any = None, high: Any = None) -> Any:
    return jnp.clip(x, low, high)


def _hardtanh(x: Any, low: float = -1.0, high: float = 1.0) -> Any:
    return jnp.clip(x, low, high)


def _gelu(x: Any, approximate: str = "none") -> Any:
    return jax.nn.gelu(x, approximate=approximate == "tanh")


def _elu(x: Any, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Any:
    # Neither branch may overflow where the other is taken, or the gradient is not a number.
    return scale * jnp.where(x > 0, x, alpha * jnp.expm1(jnp.minimum(x, 0) * input_scale))


def _leaky_relu(x: Any, slope: float = 0.01) -> Any:
    return jnp.where(x > 0, x, slope * x)


def _softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    scaled = beta * x
    return jnp.where(scaled > threshold, x, jax.nn.softplus(jnp.minimum(scaled, threshold)) / beta)


def _axes(dims: list[int] | int | None) -> Any:
    """Dimensions to reduce, as torch gives them: none and an empty list mean all."""
    if dims is None or dims == []:
        return None
    return tuple(dims) if isinstance(dims, list) else dims


def _reduction(function: Function) -> Function:
    def call(x: Any, dims: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
        x = x if dtype is None else x.astype(dtype_of(dtype))
        return function(x, axis=_axes(dims), keepdims=keepdim)

    return call


def _variance(x: Any, dims: Any = None, *, correction: float | None = None, keepdim: bool = False) -> Any:
    return jnp.var(x, axis=_axes(dims), ddof=1 if correction is None else correction, keepdims=keepdim)


def _norm(x: Any, order: float = 2, dims: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    x = x if dtype is None else x.astype(dtype_of(dtype))
    axes = _axes(dims)
    if order == 2:
        return jnp.sqrt(jnp.sum(jnp.square(x), axis=axes, keepdims=keepdim))
    if order == float("inf"):
        return jnp.max(jnp.abs(x), axis=axes, keepdims=keepdim)
    return jnp.sum(jnp.abs(x) ** order, axis=axes, keepdims=keepdim) ** (1 / order)


def _extreme(value: Function, index: Function) -> Function:
    def call(x: Any, dim: int, keepdim: bool = False) -> tuple[Any, Any]:
        return value(x, axis=dim, keepdims=keepdim), index(x, axis=dim, keepdims=keepdim)

    return call


def _arg(function: Function) -> Function:
    def call(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
        return function(x, axis=dim, keepdims=keepdim)

    return call


def _expand(x: Any, sizes: Sequence[Any], **_: Any) -> Any:
    leading = len(sizes) - x.ndim
    shape = [
        x.shape[at - leading] if isinstance(size, int) and size == -1 else size
        for at, size in enumerate(sizes)
    ]
    return jnp.broadcast_to(x, tuple(shape))


def _slice(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    # torch writes "to the end" as the largest integer.
    end = None if isinstance(end, int) and end >= 2**31 - 1 else end
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)]


def _select(x: Any, dim: int, index: int) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (index,)]


def _squeeze(x: Any, dims: Any = None) -> Any:
    if dims is None:
        return jnp.squeeze(x)
    wanted = [dims] if isinstance(dims, int) else dims
    ones = [dim for dim in wanted if isinstance(x.shape[dim], int) and x.shape[dim] == 1]
    return jnp.squeeze(x, tuple(ones))


def _split(x: Any, sizes: Any, dim: int = 0) -> list[Any]:
    total = x.shape[dim]
    sizes = [sizes] * -(-total // sizes) if isinstance(sizes, int) else sizes
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    return [_slice(x, dim, start, start + size) for start, size in zip(starts, sizes, strict=True)]


def _index(x: Any, indices: Sequence[Any]) -> Any:
    return x[tuple(slice(None) if index is None else index for index in indices)]


def _index_select(x: Any, dim: int, index: Any) -> Any:
    return jnp.take(x, index, axis=dim)


def _joined(function: Function) -> Function:
    def call(tensors: Sequence[Any], dim: int = 0) -> Any:
        return function(tensors, axis=dim)

    return call


def _size(x: Any, dim: int) -> Any:
    return x.shape[dim]


def _size_as_float(size: Any) -> Any:
    return jnp.asarray(size, jnp.float32)


def _item(results: Any, index: int) -> Any:
    if index >= len(results):
        raise UnsupportedError("a further result of the operation; use the first alone")
    return results[index]


def _gather(x: Any, dim: int, index: Any, **_: Any) -> Any:
    return jnp.take_along_axis(x, index, axis=dim)


def _scatter_add(x: Any, dim: int, index: Any, source: Any) -> Any:
    grid = list(jnp.indices(index.shape, sparse=True))
    grid[dim] = index
    return x.at[tuple(grid)].add(source[tuple(slice(size) for size in index.shape)])


def _pad(x: Any, widths: Sequence[int], value: float = 0.0) -> Any:
    # torch names the last dimension first.
    pairs = [(widths[at], widths[at + 1], 0) for at in range(0, len(widths), 2)][::-1]
    return jax.lax.pad(x, jnp.asarray(value, x.dtype), [(0, 0, 0)] * (x.ndim - len(pairs)) + pairs)


def _arange(*bounds: Any, dtype: Any = None, **_: Any) -> Any:
    return jnp.arange(*bounds, dtype=None if dtype is None else dtype_of(dtype))


def _full_like(x: Any, value: Any, *, dtype: Any = None, **_: Any) -> Any:
    return jnp.full_like(x, value, dtype=None if dtype is None else dtype_of(dtype))


def _full(shape: Sequence[Any], value: Any, *, dtype: Any = None, **_: Any) -> Any:
    return jnp.full(tuple(shape), value, dtype=None if dtype is None else dtype_of(dtype))


def _top_k(x: Any, k: int, dim: int = -1, largest: bool = True, *_: bool) -> tuple[Any, Any]:
    moved = jnp.moveaxis(x, dim, -1)
    values, indices = jax.lax.top_k(moved if largest else -moved, k)
    values = values if largest else -values
    return jnp.moveaxis(values, -1, dim), jnp.moveaxis(indices, -1, dim)


def _sort(x: Any, dim: int = -1, descending: bool = False) -> tuple[Any, Any]:
    return jnp.sort(x, axis=dim, descending=descending), jnp.argsort(x, axis=dim, descending=descending)


def _reshape(x: Any, shape: Sequence[Any]) -> Any:
    return jnp.reshape(x, tuple(shape))


def _same(x: Any, *_: Any, **__: Any) -> Any:
    return x


def _overloads(functions: dict[str, Function], *kinds: str) -> dict[str, Function]:
    return {f"{name}.{kind}": function for name, function in functions.items() for kind in kinds}


_SAME_NAME = (
    *("abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "bitwise_not", "ceil", "cos", "cosh", "exp"),
    *("expm1", "floor", "isinf", "isnan", "log", "log10", "log1p", "log2", "logical_not", "round", "sign"),
    *("sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc"),
)
_UNARY: dict[str, Function] = {
    **{name: getattr(jnp, name) for name in _SAME_NAME},
    "neg": jnp.negative,
    "reciprocal": jnp.reciprocal,
    "rsqrt": jax.lax.rsqrt,
    "erf": jax.lax.erf,
    "relu": jax.nn.relu,
    "relu6": jax.nn.relu6,
    "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu,
    "mish": jax.nn.mish,
    "hardswish": jax.nn.hard_swish,
    "hardsigmoid": jax.nn.hard_sigmoid,
    "log_sigmoid_forward": jax.nn.log_sigmoid,
    "gelu": _gelu,
    "elu": _elu,
    "leaky_relu": _leaky_relu,
    "softplus": _softplus,
    "hardtanh": _hardtanh,
    "clamp": _clamp,
    "clone": _same,
    "alias": _same,
    "detach": jax.lax.stop_gradient,
}
_BINARY: dict[str, Function] = {
    "add": _promoted(jnp.add),
    "sub": _promoted(jnp.subtract),
    "rsub": _subtract_from,
    "mul": _promoted(jnp.multiply),
    "div": _divide,
    "remainder": jnp.remainder,
    "fmod": jnp.fmod,
    "floor_divide": jnp.floor_divide,
    "eq": jnp.equal,
    "ne": jnp.not_equal,
    "lt": jnp.less,
    "le": jnp.less_equal,
    "gt": jnp.greater,
    "ge": jnp.greater_equal,
    "bitwise_and": jnp.bitwise_and,
    "bitwise_or": jnp.bitwise_or,
    "bitwise_xor": jnp.bitwise_xor,
}
FUNCTIONS: dict[str, Function] = {
    **_overloads(_UNARY, "default"),
    **_overloads(_BINARY, "Tensor", "Scalar"),
    "div.Tensor_mode": _divide,
    "div.Scalar_mode": _divide,
    **_overloads({"pow": jnp.power}, "Tensor_Tensor", "Tensor_Scalar", "Scalar"),
    **_overloads(
        {
            "maximum": jnp.maximum,
            "minimum": jnp.minimum,
            "atan2": jnp.arctan2,
            "logical_and": jnp.logical_and,
            "logical_or": jnp.logical_or,
            "logical_xor": jnp.logical_xor,
        },
        "default",
    ),
    "clamp.Tensor": _clamp,
    "where.self": jnp.where,
    "_to_copy.default": _as(_same),
    "lift_fresh_copy.default": _same,
    **_overloads({"sum": _reduction(jnp.sum)}, "default", "dim_IntList"),
    **_overloads({"mean": _reduction(jnp.mean)}, "default", "dim"),
    **_overloads({"any": _reduction(jnp.any), "all": _reduction(jnp.all)}, "default", "dim", "dims"),
    **_overloads({"prod": _reduction(jnp.prod)}, "default", "dim_int"),
    **_overloads({"amax": _reduction(jnp.max), "amin": _reduction(jnp.min)}, "default"),
    **_overloads({"max": jnp.max, "min": jnp.min}, "default"),
    "max.dim": _extreme(jnp.max, jnp.argmax),
    "min.dim": _extreme(jnp.min, jnp.argmin),
    **_overloads({"argmax": _arg(jnp.argmax), "argmin": _arg(jnp.argmin)}, "default"),
    "var.correction": _variance,
    "linalg_vector_norm.default": _norm,
    "cumsum.default": _as(jnp.cumsum),
    "logsumexp.default": _reduction(jax.scipy.special.logsumexp),
    **_overloads({"view": _reshape, "_unsafe_view": _reshape, "reshape": _reshape}, "default"),
    "permute.default": jnp.transpose,
    "transpose.int": jnp.swapaxes,
    "t.default": jnp.transpose,
    "expand.default": _expand,
    "unsqueeze.default": jnp.expand_dims,
    **_overloads({"squeeze": _squeeze}, "default", "dim", "dims"),
    "slice.Tensor": _slice,
    "select.int": _select,
    "split_with_sizes.default": _split,
    "split.Tensor": _split,
    "cat.default": _joined(jnp.concatenate),
    "stack.default": _joined(jnp.stack),
    "repeat.default": jnp.tile,
    "flip.default": jnp.flip,
    "index.Tensor": _index,
    "index_select.default": _index_select,
    "gather.default": _gather,
    "scatter_add.default": _scatter_add,
    "constant_pad_nd.default": _pad,
    **_overloads({"arange": _arange}, "default", "start", "start_step"),
    "full.default": _full,
    "full_like.default": _full_like,
    "scalar_tensor.default": _as(jnp.asarray),
    "topk.default": _top_k,
    "sort.default": _sort,
    "tril.default": jnp.tril,
    "triu.default": jnp.triu,
    "sym_size.int": _size,
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "floordiv", "mod", "neg")},
    "getitem": _item,
    "sym_float": _size_as_float,
}

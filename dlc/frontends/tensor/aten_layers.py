"""Operations of torch's layers as functions of JAX: products, convolutions, pools, norms, losses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .aten import UnsupportedError
from .untyped import jax, jnp

_LETTERS = "DHW"


def _linear(x: Any, weight: Any, bias: Any = None) -> Any:
    product = x @ weight.T
    return product if bias is None else product + bias


def _addmm(bias: Any, left: Any, right: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    return beta * bias + alpha * (left @ right)


def _attention(
    query: Any,
    key: Any,
    value: Any,
    mask: Any = None,
    dropout: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    if dropout or enable_gqa:
        option = "dropout in attention" if dropout else "grouped queries in attention"
        raise UnsupportedError(f"{option}; write the attention with its matrix products")
    scores = jnp.einsum("...qd,...kd->...qk", query, key) * (scale or 1 / math.sqrt(query.shape[-1]))
    if is_causal:
        mask = jnp.tril(jnp.ones(scores.shape[-2:], bool))
    if mask is not None:
        scores = jnp.where(mask, scores, -jnp.inf) if mask.dtype == bool else scores + mask
    return jnp.einsum("...qk,...kd->...qd", jax.nn.softmax(scores, axis=-1), value)


def _convolution(
    x: Any,
    weight: Any,
    bias: Any,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Any:
    spatial = x.ndim - 2
    letters = _LETTERS[-spatial:]
    stride, padding, dilation, extra = (
        list(values) * (spatial if len(values) == 1 else 1)
        for values in (stride, padding, dilation, output_padding)
    )
    options: dict[str, Any] = {"rhs_dilation": dilation, "feature_group_count": groups}
    if transposed:
        # A transposed convolution spreads its input and slides the flipped kernel over it.
        weight = jnp.flip(_grouped_transpose(weight, groups), range(2, spatial + 2))
        reach = [rate * (size - 1) for rate, size in zip(dilation, weight.shape[2:], strict=True)]
        options |= {"window_strides": [1] * spatial, "lhs_dilation": stride}
        options["padding"] = [(r - p, r - p + e) for r, p, e in zip(reach, padding, extra, strict=True)]
    else:
        options |= {"window_strides": stride, "padding": [(size, size) for size in padding]}
    names = (f"NC{letters}", f"OI{letters}", f"NC{letters}")
    product = jax.lax.conv_general_dilated(x, weight, dimension_numbers=names, **options)
    return product if bias is None else product + jnp.reshape(bias, (1, -1) + (1,) * spatial)


def _grouped_transpose(weight: Any, groups: int) -> Any:
    """A kernel (in, out / groups, …) as (out, in / groups, …)."""
    inputs, outputs, *window = weight.shape
    split = jnp.reshape(weight, (groups, inputs // groups, outputs, *window))
    return jnp.reshape(jnp.swapaxes(split, 1, 2), (groups * outputs, inputs // groups, *window))


def _window(values: Sequence[int] | int, count: int) -> list[int]:
    listed = [values] if isinstance(values, int) else list(values)
    return listed * count if len(listed) == 1 else listed


def _pool(spatial: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def reduced(
        x: Any, start: float, combine: Any, kernel: Any, stride: Any, padding: Any, dilation: Any
    ) -> Any:
        ones = [1] * (x.ndim - spatial)
        kernel = _window(kernel, spatial)
        return jax.lax.reduce_window(
            x,
            x.dtype.type(start),  # JAX knows the gradient of a maximum by this constant
            combine,
            ones + kernel,
            ones + (_window(stride, spatial) if stride else kernel),
            [(0, 0)] * len(ones) + [(size, size) for size in _window(padding, spatial)],
            window_dilation=ones + _window(dilation, spatial),
        )

    def max_pool(
        x: Any, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
    ) -> tuple[Any]:
        _no_ceiling(ceil_mode)
        start = -np.inf if jnp.issubdtype(x.dtype, jnp.floating) else jnp.iinfo(x.dtype).min
        return (reduced(x, start, jax.lax.max, kernel, stride, padding, dilation),)

    def average_pool(
        x: Any,
        kernel: Any,
        stride: Any = (),
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor: int | None = None,
    ) -> Any:
        _no_ceiling(ceil_mode)
        total = reduced(x, 0, jax.lax.add, kernel, stride, padding, 1)
        if count_include_pad or divisor or not any(_window(padding, spatial)):
            return total / (divisor or math.prod(_window(kernel, spatial)))
        # Ones of the spatial dimensions alone: how many elements a window holds is the same for every row.
        ones = jnp.ones(x.shape[-spatial:], x.dtype)
        return total / reduced(ones, 0, jax.lax.add, kernel, stride, padding, 1)

    return max_pool, average_pool


def _no_ceiling(ceil_mode: bool) -> None:
    if ceil_mode:
        raise UnsupportedError("pooling with ceil_mode=True; pad the input instead")


def _adaptive_average(x: Any, sizes: Sequence[int]) -> Any:
    for axis, size in zip(range(x.ndim - len(sizes), x.ndim), sizes, strict=True):
        x = jnp.moveaxis(jnp.moveaxis(x, axis, -1) @ _averages(x.shape[axis], size, x.dtype), -1, axis)
    return x


def _averages(before: int, after: int, dtype: Any) -> Any:
    """The matrix (before, after) whose columns average the elements of each bin."""
    weights = np.zeros((before, after))
    for column in range(after):
        start, end = column * before // after, -(-(column + 1) * before // after)
        weights[start:end, column] = 1 / (end - start)
    return jnp.asarray(weights, dtype)


def _standardised(x: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    mean = jnp.mean(x, axis=axes, keepdims=True)
    rate = jax.lax.rsqrt(jnp.mean(jnp.square(x - mean), axis=axes, keepdims=True) + eps)
    return (x - mean) * rate, mean, rate


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _layer_norm(x: Any, shape: Sequence[int], weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    normal, mean, rate = _standardised(x, tuple(range(-len(shape), 0)), eps)
    return _affine(normal, weight, bias), mean, rate


def _group_norm(x: Any, weight: Any, bias: Any, *sizes: Any) -> tuple[Any]:
    *_, groups, eps = sizes
    _, channels, *spatial = x.shape
    split = jnp.reshape(x, (x.shape[0], groups, channels // groups, *spatial))
    normal, _, _ = _standardised(split, tuple(range(2, split.ndim)), eps)
    return (_affine(jnp.reshape(normal, x.shape), _channel(weight, x), _channel(bias, x)),)


def _channel(values: Any, x: Any) -> Any:
    """One value for each channel, in the shape that meets `x`."""
    return None if values is None else jnp.reshape(values, (-1, *(1,) * (x.ndim - 2)))


def _batch_norm(x: Any, weight: Any, bias: Any, mean: Any, variance: Any, _: float, eps: float) -> tuple[Any]:
    normal = (x - _channel(mean, x)) * _channel(jax.lax.rsqrt(variance + eps), x)
    return (_affine(normal, _channel(weight, x), _channel(bias, x)),)


def _batch_norm_training(*_: Any) -> Any:
    raise UnsupportedError(
        "batch normalisation in training mode; call module.eval() first, or use nn.LayerNorm or nn.GroupNorm"
    )


def _dropout(x: Any, probability: float, train: bool | None = None) -> tuple[Any]:
    if train is not False and probability > 0:
        raise UnsupportedError("dropout in training mode; call module.eval() first, or set p=0")
    return (x,)


def _along(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Any, dim: int, _: bool) -> Any:
        return function(x, axis=dim)

    return call


def _embedding(weight: Any, indices: Any, *_: Any) -> Any:
    return weight[indices]


def _cross_entropy(
    x: Any, target: Any, weight: Any = None, reduction: int = 1, ignored: int = -100, smoothing: float = 0.0
) -> Any:
    if weight is not None or smoothing or target.ndim == x.ndim:
        what = "cross entropy with weights, smoothing or probabilities"
        raise UnsupportedError(f"{what}; write it with log_softmax")
    # torch leaves rows of the class `ignored` out of the mean, which would tie its divisor to the data: they
    # make the loss not a number here.
    chosen = jnp.take_along_axis(jax.nn.log_softmax(x, axis=1), jnp.expand_dims(target, 1), axis=1)
    losses = jnp.where(target == ignored, jnp.nan, -jnp.squeeze(chosen, 1))
    return (losses, jnp.mean(losses), jnp.sum(losses))[reduction]


_POOLS = {f"{spatial}d": _pool(spatial) for spatial in (1, 2, 3)}

LAYERS: dict[str, Callable[..., Any]] = {
    "linear.default": _linear,
    "addmm.default": _addmm,
    "mm.default": jnp.matmul,
    "bmm.default": jnp.matmul,
    "matmul.default": jnp.matmul,
    "mv.default": jnp.matmul,
    "dot.default": jnp.dot,
    "scaled_dot_product_attention.default": _attention,
    "convolution.default": _convolution,
    **{f"max_pool{kind}_with_indices.default": pools[0] for kind, pools in _POOLS.items()},
    **{f"avg_pool{kind}.default": pools[1] for kind, pools in _POOLS.items()},
    **{f"_adaptive_avg_pool{kind}.default": _adaptive_average for kind in _POOLS},
    "native_layer_norm.default": _layer_norm,
    "native_group_norm.default": _group_norm,
    "_native_batch_norm_legit_no_training.default": _batch_norm,
    "_native_batch_norm_legit_functional.default": _batch_norm_training,
    "native_dropout.default": _dropout,
    "_softmax.default": _along(jax.nn.softmax),
    "_log_softmax.default": _along(jax.nn.log_softmax),
    "embedding.default": _embedding,
    "cross_entropy_loss.default": _cross_entropy,
}

"""Random tensor functions, with gradients: any shards with padding give what JAX gives on all rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlc.passes.partition.layouts import Partial, Replicated, Split
from dlc.passes.partition.tensor.function import analyse
from tests.passes.tensors import layouts, on_shards, traced

WIDTH = 4
Layer = Callable[[Any, Any, Any], Any]
"""From parameters, the (rows × WIDTH) input and a (rows × WIDTH) value to another such value."""


def norm(w: Any, x: Any, h: Any) -> Any:
    centred = h - jnp.mean(h, axis=1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.mean(centred**2, axis=1, keepdims=True) + 1) * w[0]


def attention(w: Any, x: Any, h: Any) -> Any:
    """Each row attends to the entries of its own."""
    scores = jax.nn.softmax(h[:, :, None] * x[:, None, :], axis=-1)
    return jnp.einsum("nij,nj->ni", scores, h)


def images(w: Any, x: Any, h: Any) -> Any:
    picture = h.reshape(-1, 2, 2, 1)
    kernel = w[:3, :3].reshape(3, 3, 1, 1)
    return jax.lax.conv_general_dilated(
        picture, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    ).reshape(-1, WIDTH)


def pooled(w: Any, x: Any, h: Any) -> Any:
    windows = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, 2), (1, 2), "VALID")
    return jnp.concatenate([windows, h[:, 1:3]], axis=1)


def scanned(w: Any, x: Any, h: Any) -> Any:
    def step(carry: Any, column: Any) -> tuple[Any, Any]:
        carry = jnp.tanh(carry * w[0, 0] + column)
        return carry, carry

    _, columns = jax.lax.scan(step, jnp.zeros_like(h[:, 0]), h.T)
    return columns.T


def chosen(w: Any, x: Any, h: Any) -> Any:
    """One entry of each row by its number, which JAX numbers the rows for."""
    best = jnp.argmax(x, axis=1)
    return h + jnp.take_along_axis(h, best[:, None], axis=1) + h[jnp.arange(h.shape[0]), best][:, None]


def embedded(w: Any, x: Any, h: Any) -> Any:
    """Rows of a table, whose gradient adds up what many rows of the data say."""
    return h + w[jnp.clip(x[:, 0].astype(int), 0, WIDTH - 1)]


LAYERS: dict[str, Layer] = {
    "dense": lambda w, _x, h: h @ w + w[0],
    "tanh": lambda _w, _x, h: jnp.tanh(h),
    "relu": lambda _w, _x, h: jax.nn.relu(h),
    "gelu": lambda _w, _x, h: jax.nn.gelu(h),
    "norm": norm,
    "softmax": lambda w, _x, h: jax.nn.softmax(h * w[1]),
    "logsumexp": lambda _w, _x, h: h - jax.nn.logsumexp(h, axis=1, keepdims=True),
    "residual": lambda _w, x, h: h + x,
    "columns": lambda _w, _x, h: h[:, jnp.array([2, 0, 3, 3])],
    "reverse": lambda _w, _x, h: h[:, ::-1],
    "where": lambda _w, x, h: jnp.where(x > 0, h, 0.1 * h),
    "flat": lambda _w, _x, h: (h.reshape(-1) * 2).reshape(-1, WIDTH),
    "halves": lambda _w, _x, h: jnp.repeat(h.reshape(-1, 2, 2).sum(2), 2, axis=1),
    "turned": lambda w, _x, h: (w @ h.T).T,
    "turned flat": lambda _w, _x, h: (h.T.reshape(-1) + 1).reshape(WIDTH, -1).T,
    "doubled": lambda w, x, h: jnp.concatenate([h, x], axis=1) @ jnp.concatenate([w, w], axis=0),
    "stacked": lambda _w, x, h: jnp.stack([h, x], axis=0).max(axis=0),
    "cumulative": lambda _w, _x, h: jnp.cumsum(h, axis=1),
    "sorted": lambda _w, _x, h: jnp.sort(h, axis=1),
    "clipped": lambda _w, _x, h: jnp.clip(h, -1, 1),
    "attention": attention,
    "images": images,
    "pooled": pooled,
    "scanned": scanned,
    "chosen": chosen,
    "embedded": embedded,
}


def model(layers: list[str], w: Any, x: Any) -> Any:
    h = x
    for index, name in enumerate(layers):
        h = LAYERS[name](w[index], x, h)
    return h


def results(layers: list[str], w: Any, x: Any) -> Any:
    def loss(w: Any) -> tuple[Any, Any]:
        h = model(layers, w, x)
        return jnp.mean(h**2) + 0.1 * jnp.mean(jnp.sin(h), axis=0).sum(), h

    (value, h), gradient = jax.value_and_grad(loss, has_aux=True)(w)
    return h, value, gradient, h.sum(0), h.max(0), h.min(0), jnp.all(h > -1, axis=0), jnp.any(h > 1)


EXPECTED = [Split(0), *[Partial("sum")] * 3, Partial("max"), Partial("min"), Partial("and"), Partial("or")]
UNUSED = [*EXPECTED[:2], Replicated(), *EXPECTED[3:]]
"""Without parameters the gradient is zero everywhere."""


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    layers=st.lists(st.sampled_from(sorted(LAYERS)), min_size=1, max_size=4),
    shards=st.lists(st.integers(0, 7), min_size=1, max_size=4).filter(sum),
    chunk=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_random_functions(layers: list[str], shards: list[int], chunk: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    w = random.normal(size=(len(layers), WIDTH, WIDTH)).astype("float32")
    x = random.normal(size=(sum(shards), WIDTH)).astype("float32")

    def function(w: Any, x: Any) -> Any:
        return results(layers, w, x)

    imported = traced(function, [w, x], (1,))
    assert analyse(imported, layouts(imported, (1,))) in (EXPECTED, UNUSED)
    got = on_shards(imported, [w, x], (1,), shards, chunk)
    for value, reference in zip(got, jax.tree.leaves(jax.jit(function)(w, x)), strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-5)

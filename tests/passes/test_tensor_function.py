"""Row analysis and localisation of tensor functions: shards with padding give what JAX gives on all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dlc.passes.partition.layouts import Layout, Partial, Split
from dlc.passes.partition.tensor.function import analyse
from tests.passes.tensors import layouts, on_shards, traced

SHARDS = [(7,), (5, 2), (3, 0, 4), (1, 2, 3, 1)]


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype("float32")


def check(function: Callable[..., Any], given: Sequence[Any], rows: Sequence[int]) -> list[Layout]:
    """Compare with JAX on all rows for several shards, and return the layouts of the results."""
    imported = traced(function, given, rows)
    expected = jax.tree.leaves(jax.jit(function)(*given))
    for sizes in SHARDS:
        got = on_shards(imported, given, rows, sizes, chunk=3)
        for value, reference in zip(got, expected, strict=True):
            np.testing.assert_allclose(value, reference, rtol=1e-5, atol=1e-5)
    return analyse(imported, layouts(imported, rows))


def test_a_perceptron_and_its_gradients() -> None:
    def loss(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, y: Any) -> Any:
        hidden = jnp.tanh(x @ w1 + b1)
        return jnp.mean(((hidden @ w2 + b2)[:, 0] - y) ** 2)

    given = [normal(3, 4), normal(4), normal(4, 1), normal(1), normal(7, 3), normal(7)]
    found = check(jax.value_and_grad(loss, argnums=(0, 1, 2, 3)), given, (4, 5))
    assert found == [Partial("sum")] * 5


def test_predictions_stay_with_their_rows() -> None:
    given = [normal(3, 4), normal(7, 3)]
    assert check(lambda w, x: jax.nn.softmax(x @ w), given, (1,)) == [Split(0)]

"""Row analysis and localisation of tensor functions: shards with padding give what JAX gives on all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dlc.diagnostics import DlcError
from dlc.passes.partition.layouts import Layout, Partial, Replicated, Split
from dlc.passes.partition.tensor.function import analyse, no_rule, whole
from dlc.passes.partition.tensor.localise import localise
from dlc.passes.partition.tensor.ops import Unsupported
from dlc.passes.partition.tensor.work import TRANSCENDENTAL_FLOPS, flops, traffic
from tests.passes.tensors import executable, layouts, on_shards, traced

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


def test_a_penalty_on_the_parameters_counts_once() -> None:
    def loss(w: Any, x: Any, y: Any) -> Any:
        return jnp.mean((x @ w - y) ** 2) + 0.1 * jnp.sum(w**2)

    given = [normal(3), normal(7, 3), normal(7)]
    assert check(jax.value_and_grad(loss), given, (1, 2)) == [Partial("sum")] * 2


def test_predictions_stay_with_their_rows() -> None:
    given = [normal(3, 4), normal(7, 3)]
    assert check(lambda w, x: jax.nn.softmax(x @ w), given, (1,)) == [Split(0)]


def refused(function: Callable[..., Any], given: Sequence[Any], rows: Sequence[int]) -> DlcError:
    imported = traced(function, given, rows)
    with pytest.raises(Unsupported) as caught:
        analyse(imported, layouts(imported, rows))
    return no_rule(caught.value)


NEEDS_ALL_ROWS: dict[str, Callable[[Any], Any]] = {
    "rolled": lambda x: jnp.roll(x, 1, axis=0),
    "sorted": lambda x: jnp.sort(x, axis=0),
    "reversed": lambda x: x[::-1],
    "differences": lambda x: x[1:] - x[:-1],
    "all pairs": lambda x: x @ x.T,
    "largest row": lambda x: jnp.argmax(x[:, 0]),
    "row numbers": lambda x: x * jnp.arange(x.shape[0])[:, None],
    "other rows": lambda x: x[jnp.arange(x.shape[0])[::-1]],
    "a row of a table": lambda x: x + jnp.eye(3)[jnp.arange(x.shape[0]) % 3],
    "normalised": lambda x: x - jnp.mean(x, axis=0),
    "square of a sum": lambda x: jnp.sum(x) ** 2,
    "start value": lambda x: jax.lax.reduce(x.astype(int), np.int32(1), jax.lax.add, (0,)),
    "halves of a count": lambda x: (x > 0).sum() // 2,
    "until converged": lambda x: jax.lax.while_loop(lambda v: v.sum() > 1, lambda v: v / 2, x),
}


@pytest.mark.parametrize("name", sorted(NEEDS_ALL_ROWS))
def test_what_needs_all_rows_is_refused_at_its_line(name: str) -> None:
    error = refused(NEEDS_ALL_ROWS[name], [normal(6, 3)], (0,))
    assert error.code == "DLC307"
    assert error.help
    assert error.loc is not None and error.loc.file.endswith("test_tensor_function.py")


LINEAR: dict[str, Callable[[Any, Any], Any]] = {
    "scaled": lambda _w, x: x.sum(0) * 3 / 2 - x.sum(0),
    "moved": lambda _w, x: jnp.flip(x.sum(0)).reshape(1, 3).T,
    "product": lambda w, x: w @ x.sum(0),
    "joined": lambda _w, x: jnp.concatenate([x.sum(0), jnp.zeros(2), (x * x).sum(0)]),
    "summed": lambda _w, x: x.sum(0).sum(),
    "chosen": lambda w, x: jnp.where(w[0] > 0, x.sum(0), 0.0),
    "with a start": lambda w, x: w[0] + x.sum(0),
    "from a start": lambda w, x: jax.lax.reduce(x, w[0, 0], jax.lax.add, (0,)),
    "in part": lambda w, x: jnp.concatenate([w[0], x.sum(0)]),
    "counted": lambda _w, x: (x > 0).sum() / x.shape[0],
}


@pytest.mark.parametrize("name", sorted(LINEAR))
def test_linear_operations_take_partial_sums(name: str) -> None:
    assert check(LINEAR[name], [normal(3, 3), normal(7, 3)], (1,)) == [Partial("sum")]


def test_the_largest_of_partial_maxima_is_a_maximum() -> None:
    assert check(lambda x: jnp.maximum(x.max(0), 0).max(), [normal(7, 3)], (0,)) == [Partial("max")]


def test_rows_that_pad_may_hold_what_is_not_finite() -> None:
    """Also a rank without rows, whose padding is zero here, adds nothing to a product of reciprocals."""
    given = [np.abs(normal(7, 3)) + 1, normal(7, 2)]
    assert check(lambda x, y: (1 / x).T @ y, given, (0, 1)) == [Partial("sum")]


def test_with_all_rows_on_every_rank_nothing_is_partial() -> None:
    imported = traced(lambda x: (jnp.sort(x, axis=0), x.mean(0), x - x.mean(0)), [normal(5, 3)], (0,))
    assert analyse(imported, whole(imported)) == [Replicated()] * 3
    local = localise(imported, whole(imported), 5, masked=False, name="local")
    x = normal(5, 3)
    got = executable(local)(np.int32(5), x)
    for value, reference in zip(got, (np.sort(x, 0), x.mean(0), x - x.mean(0)), strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-5, atol=1e-6)


def test_a_localised_function_knows_every_size() -> None:
    imported = traced(lambda w, x: jax.nn.softmax(x @ w).sum(0), [normal(3, 4), normal(7, 3)], (1,))
    local = localise(imported, layouts(imported, (1,)), 16, masked=True, name="local")
    assert "?" not in str(local)
    assert not [op.name for op in local.walk() if "dynamic" in op.name]
    assert [str(kind) for kind in local.function_type.inputs] == [
        "tensor<i32>",
        "tensor<3x4xf32>",
        "tensor<16x3xf32>",
        "tensor<i32>",
    ]


def test_work_counts_products_exactly() -> None:
    imported = traced(lambda w, x: jnp.tanh(x @ w), [normal(3, 4), normal(7, 3)], (1,))
    assert flops(imported, 100) == 100 * 4 * (2 * 3 + TRANSCENDENTAL_FLOPS)
    in_and_out = 4 + 4 * (3 * 4 + 100 * 3 + 100 * 4)
    assert traffic(imported, 100) == in_and_out + 4 * (3 * 4 + 100 * 3 + 100 * 4)


def test_work_counts_what_loops_repeat() -> None:
    def repeated(w: Any, x: Any) -> Any:
        return jax.lax.fori_loop(0, 10, lambda _, h: h @ w, x)

    imported = traced(repeated, [normal(3, 3), normal(7, 3)], (1,))
    products = 10 * 2 * 100 * 3 * 3
    assert products <= flops(imported, 100) <= products + 20

"""FLOPs of StableHLO modules, against the count of XLA itself."""

from collections.abc import Callable
from typing import Any

import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy

from dlc.predict.modules import module_cost  # noqa: E402


def product(a: Any, b: Any) -> Any:
    return a @ b


def batched(a: Any, b: Any) -> Any:
    return jnp.einsum("bij,bjk->bik", a, b)


def convolution(a: Any, b: Any) -> Any:
    return jax.lax.conv_general_dilated(a, b, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def layers(x: Any, w: Any) -> Any:
    return jnp.tanh(jnp.tanh(x @ w) @ w).sum()


CASES = [
    (product, [(64, 128), (128, 32)]),
    (batched, [(5, 16, 24), (5, 24, 8)]),
    (convolution, [(2, 16, 16, 3), (3, 3, 3, 8)]),
    (jax.value_and_grad(layers), [(32, 64), (64, 64)]),
]


@pytest.mark.parametrize(("function", "shapes"), CASES, ids=["product", "batched", "convolution", "gradient"])
def test_flops_are_those_that_xla_counts(function: Callable[..., Any], shapes: list[tuple[int, ...]]) -> None:
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    lowered = jax.jit(function).lower(*arguments)
    assert module_cost(lowered.as_text()).flops == pytest.approx(lowered.cost_analysis()["flops"], rel=0.05)


def test_sizes_of_results_are_read_from_the_signature() -> None:
    arguments = [jax.ShapeDtypeStruct((8, 4), jnp.float64), jax.ShapeDtypeStruct((4, 2), jnp.float32)]
    text = jax.jit(lambda a, b: (a.astype(jnp.float32) @ b, b)).lower(*arguments).as_text()
    assert module_cost(text).results == (8 * 2 * 4, 4 * 2 * 4)


def test_text_that_is_no_module_costs_nothing() -> None:
    assert module_cost("").flops == 0

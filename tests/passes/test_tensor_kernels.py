"""Convolutions and gradients of pooling, rewritten: what XLA computes stays the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from dlc.passes.optimize.channels_last import ChannelsLastPass
from dlc.passes.optimize.convolutions_to_products import ConvolutionsToProductsPass, Site
from dlc.passes.optimize.pooling_to_comparisons import PoolingToComparisonsPass
from dlc.passes.partition.tensor.ops import ints
from tests.passes.tensors import executable, traced

ENGINES = ("product of windows", "product of positions", "scaled slices")
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def rewritten(function: FuncOp, rewrite: ModulePass) -> FuncOp:
    module = ModuleOp([function.clone()])
    rewrite.apply(Context(), module)
    module.verify()
    result = module.body.block.first_op
    assert isinstance(result, FuncOp)
    return result


def names(function: FuncOp) -> list[str]:
    return [op.name for op in function.walk()]


def compare(function: Callable[..., Any], given: Sequence[np.ndarray], rewrite: ModulePass) -> FuncOp:
    """The rewritten function, after it gave what JAX gives."""
    changed = rewritten(traced(function, given, ()), rewrite)
    got = executable(changed)(np.int32(1), *given)
    for value, reference in zip(got, jax.tree.leaves(jax.jit(function)(*given)), strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-4)
    return changed


@settings(max_examples=6, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
@pytest.mark.parametrize("engine", ENGINES)
def test_every_form_of_a_convolution(engine: str, monkeypatch: pytest.MonkeyPatch, data: Any) -> None:
    known = Site.costs.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(
        Site, "costs", property(lambda site: {"xla": 1.0, engine: 0.0 if known(site)[engine] < inf else inf})
    )
    draw = data.draw
    rank = draw(st.integers(1, 3))
    each = st.lists(st.integers(1, 2), min_size=rank, max_size=rank)
    kernel = draw(st.lists(st.integers(1, 3), min_size=rank, max_size=rank))
    padding = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=rank, max_size=rank))
    strides, dilation, base = draw(each), draw(each), draw(each)
    channels, features = draw(st.sampled_from([(1, 3), (2, 3), (3, 3)]))
    groups = 3 if (channels, features) == (3, 3) and draw(st.booleans()) else 1
    spatial = "HWD"[:rank]
    orders = [draw(st.permutations(["N", "C", *spatial])), draw(st.permutations(["I", "O", *spatial]))]
    numbers = ("".join(orders[0]), "".join(orders[1]), "".join(draw(st.permutations(["N", "C", *spatial]))))
    sizes = {"N": 2, "C": channels, "I": channels // groups, "O": features}
    x_sizes = sizes | dict(
        zip(spatial, draw(st.lists(st.integers(3, 5), min_size=rank, max_size=rank)), strict=True)
    )
    w_sizes = sizes | dict(zip(spatial, kernel, strict=True))
    random = np.random.default_rng(0)
    x = random.normal(size=[x_sizes[letter] for letter in numbers[0]]).astype("float32")
    w = random.normal(size=[w_sizes[letter] for letter in numbers[1]]).astype("float32")

    def convolve(x: Any, w: Any) -> Any:
        return jax.lax.conv_general_dilated(
            x, w, strides, padding, base, dilation, numbers, feature_group_count=groups
        )

    assume(all(size > 0 for size in jax.eval_shape(convolve, x, w).shape))
    compare(convolve, [x, w], ConvolutionsToProductsPass())
    if groups == 1:

        def gradients(x: Any, w: Any) -> Any:
            return jax.grad(lambda x, w: (convolve(x, w) ** 2).sum(), (0, 1))(x, w)

        compare(gradients, [x, w], ConvolutionsToProductsPass())


@pytest.mark.parametrize(
    ("shapes", "groups", "engine"),
    [
        (((8, 14, 14, 32), (3, 3, 32, 64)), 1, "stablehlo.convolution"),
        (((8, 14, 14, 32), (1, 1, 32, 64)), 1, "stablehlo.dot_general"),
        (((8, 8, 8, 32), (8, 8, 32, 64)), 1, "stablehlo.dot_general"),
        (((2, 8, 8, 8, 16), (3, 3, 3, 16, 32)), 1, "stablehlo.dot_general"),
        (((8, 28, 28, 1), (3, 3, 1, 32)), 1, "stablehlo.multiply"),
        (((8, 14, 14, 32), (3, 3, 1, 32)), 32, "stablehlo.multiply"),
    ],
    ids=["plane", "point", "whole picture", "volume", "one channel", "channel by channel"],
)
def test_each_convolution_goes_to_the_engine_that_is_fast_at_it(
    shapes: tuple[tuple[int, ...], tuple[int, ...]], groups: int, engine: str
) -> None:
    x, w = (np.ones(shape, "float32") for shape in shapes)
    rank = x.ndim - 2
    letters = "HWD"[:rank]

    def convolve(x: Any, w: Any) -> Any:
        numbers = (f"N{letters}C", f"{letters}IO", f"N{letters}C")
        return jax.lax.conv_general_dilated(
            x, w, [1] * rank, "VALID", dimension_numbers=numbers, feature_group_count=groups
        )

    changed = rewritten(traced(convolve, [x, w], ()), ConvolutionsToProductsPass())
    assert engine in names(changed)
    assert ("stablehlo.convolution" in names(changed)) == (engine == "stablehlo.convolution")


def pool(x: Any, window: Sequence[int], strides: Sequence[int], padding: Any = "VALID") -> Any:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, strides, padding)


@pytest.mark.parametrize("window", [(1, 2, 2, 1), (1, 3, 2, 1), (1, 1, 4, 2)])
def test_gradients_of_pooling_keep_the_first_of_equals(window: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 3, (2, 6, 5, 3)).astype("float32")
    scale = np.random.default_rng(1).normal(size=(2, 6 // window[1], 5 // window[2], 3 // window[3]))

    def gradient(x: Any) -> Any:
        return jax.grad(lambda x: (pool(x, window, window) * scale.astype("float32")).sum())(x)

    assert "stablehlo.select_and_scatter" in names(traced(gradient, [x], ()))
    assert "stablehlo.select_and_scatter" not in names(compare(gradient, [x], PoolingToComparisonsPass()))


@pytest.mark.parametrize("padding", ["VALID", "SAME", ((0, 0), (1, 1), (0, 2), (0, 0))], ids=str)
@pytest.mark.parametrize(("size", "stride"), [(3, 2), (2, 1), (2, 3), (3, 3)])
def test_gradients_of_pooling_whose_windows_overlap_or_reach_over_the_edge(
    size: int, stride: int, padding: Any
) -> None:
    x = np.random.default_rng(0).integers(-2, 1, (2, 7, 6, 3)).astype("float32")
    x[x == -2] = -np.inf

    def pooled(x: Any) -> Any:
        return pool(x, (1, size, size, 1), (1, stride, stride, 1), padding)

    scale = np.random.default_rng(1).normal(size=jax.eval_shape(pooled, x).shape).astype("float32")

    def gradient(x: Any) -> Any:
        return jax.vjp(pooled, x)[1](scale)[0]

    assert "stablehlo.select_and_scatter" not in names(compare(gradient, [x], PoolingToComparisonsPass()))


def pictures(w: Any, v: Any, b: Any, x: Any) -> Any:
    """Two convolutions with what lies between them in networks, channels first."""

    def convolve(x: Any, w: Any) -> Any:
        return jax.lax.conv_general_dilated(
            x, w, (1, 1), ((1, 1), (1, 0)), dimension_numbers=("NCHW", "OIHW", "NCHW")
        )

    h = jax.nn.relu(convolve(x, w) + b[None, :, None, None])
    h = pool(jnp.pad(h, ((0, 0), (0, 0), (1, 0), (0, 2))), (1, 1, 2, 3), (1, 1, 2, 2))
    h = h + convolve(h, v)
    return jnp.mean(h * h, axis=(2, 3)).sum()


def test_channels_move_to_the_end_once() -> None:
    random = np.random.default_rng(0)
    given = [
        random.normal(size=size).astype("float32")
        for size in ((3, 2, 3, 2), (3, 3, 3, 2), (3,), (2, 2, 6, 6))
    ]
    function = jax.value_and_grad(pictures, argnums=(0, 1, 2, 3))
    changed = compare(function, given, ChannelsLastPass())
    windows = [
        op for op in changed.walk() if op.name in ("stablehlo.reduce_window", "stablehlo.select_and_scatter")
    ]
    assert len(windows) == 2
    assert all(ints(op, "window_dimensions") == (1, 2, 3, 1) for op in windows)
    # The input and the two kernels on either way, and all three gradients.
    assert names(changed).count("stablehlo.transpose") == 9


def test_functions_without_convolutions_stay() -> None:
    function = traced(lambda x: jnp.exp(x.transpose(0, 2, 1)), [np.ones((2, 3, 4), "float32")], ())
    assert str(rewritten(function, ChannelsLastPass())) == str(function)

"""Losses become forward and backward functions whose gradients are those of JAX; optimisers are torch's."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from dlc.diagnostics import DlcError
from dlc.frontends.tensor.optimizers import SGD, Adam, AdamW, Optimizer, trace_update
from dlc.frontends.tensor.specs import RowTensor
from dlc.frontends.tensor.training import trace_training
from tests.frontends.tensors import loss_and_gradients, run

RNG = np.random.default_rng(3)
PARAMS = {
    "hidden": {"b": np.zeros(4, np.float32), "w": RNG.normal(size=(3, 4)).astype(np.float32)},
    "out": RNG.normal(size=4).astype(np.float32),
}
BATCH = (RowTensor((None, 3)), RowTensor((None,)))


def predict(params: Any, x: Any) -> Any:
    return jnp.tanh(x @ params["hidden"]["w"] + params["hidden"]["b"]) @ params["out"]


def squared(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((predict(params, x) - y) ** 2)


def penalised(params: Any, x: Any, y: Any) -> Any:
    logits = predict(params, x)
    return -jnp.mean(jax.nn.log_sigmoid(logits) * y) + 0.1 * jnp.sum(params["out"] ** 2)


@pytest.mark.parametrize("loss", [squared, penalised])
@pytest.mark.parametrize("rows", [1, 9])
def test_loss_and_gradients_are_those_of_jax(loss: Callable[..., Any], rows: int) -> None:
    training = trace_training(loss, PARAMS, BATCH, name="m")
    x, y = RNG.normal(size=(rows, 3)).astype(np.float32), RNG.normal(size=rows).astype(np.float32)
    value, *gradients = loss_and_gradients(training, rows, [*jax.tree.leaves(PARAMS), x, y])
    expected, wanted = jax.value_and_grad(loss)(PARAMS, x, y)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    for found, gradient in zip(gradients, jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(found, gradient, rtol=1e-4, atol=1e-6)


def test_arguments_that_the_gradients_need_are_not_returned_once_more() -> None:
    training = trace_training(squared, PARAMS, BATCH, name="m")
    names = [spec.name for spec in training.forward.arguments]
    passed = [names[index] for kind, index in training.given if kind == "argument"]
    assert passed == ["params.out", "x"]
    results = [index for kind, index in training.given if kind == "result"]
    assert sorted(results) == list(range(1, len(training.forward.results)))
    assert [spec.name for spec in training.backward.results] == ["hidden.b", "hidden.w", "out"]
    assert training.forward.function.sym_name.data == "m.forward"
    assert training.backward.function.sym_name.data == "m.backward"


def test_gradients_of_64_bits() -> None:
    batch = (RowTensor((None, 3), "f64"), RowTensor((None,), "f64"))
    params = jax.tree.map(np.float64, PARAMS)
    training = trace_training(squared, params, batch, name="m")
    assert {spec.dtype for spec in training.backward.results} == {"f64"}


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda p, x, y: (x @ p["hidden"]["w"]).sum(1) - y, "a tensor of shape (rows)"),
        (lambda _p, _x, y: jnp.argmax(y), "a number of type int32"),
        (lambda _p, x, y: (jnp.sum(y), x), "a value of type tuple"),
    ],
)
def test_a_loss_is_one_floating_point_number(loss: Callable[..., Any], message: str) -> None:
    with pytest.raises(DlcError) as caught:
        trace_training(loss, PARAMS, BATCH, name="m")
    assert caught.value.code == "DLC117"
    assert message in caught.value.message


@pytest.mark.parametrize("params", [{}, {"n": np.arange(3)}, {"rate": 0.1}])
def test_parameters_are_floating_point_arrays(params: Any) -> None:
    with pytest.raises(DlcError) as caught:
        trace_training(lambda _p, x: jnp.sum(x), params, BATCH[:1], name="m")
    assert caught.value.code == "DLC117"


OPTIMIZERS: list[tuple[Optimizer, Callable[[Any], torch.optim.Optimizer]]] = [
    (SGD(0.1), lambda p: torch.optim.SGD(p, 0.1)),
    (SGD(0.1, 0.9), lambda p: torch.optim.SGD(p, 0.1, 0.9)),
    (
        SGD(0.1, 0.9, nesterov=True, weight_decay=0.01),
        lambda p: torch.optim.SGD(p, 0.1, 0.9, nesterov=True, weight_decay=0.01),
    ),
    (Adam(0.01), lambda p: torch.optim.Adam(p, 0.01)),
    (
        Adam(0.01, (0.8, 0.99), 1e-6, 0.1),
        lambda p: torch.optim.Adam(p, 0.01, (0.8, 0.99), 1e-6, weight_decay=0.1),
    ),
    (AdamW(0.01), lambda p: torch.optim.AdamW(p, 0.01)),
]


@pytest.mark.parametrize(("optimizer", "reference"), OPTIMIZERS, ids=[str(o) for o, _ in OPTIMIZERS])
def test_optimizers_take_the_steps_of_torch(
    optimizer: Optimizer, reference: Callable[[Any], torch.optim.Optimizer]
) -> None:
    parameters = jax.tree.leaves(PARAMS)
    theirs = [torch.tensor(array, requires_grad=True) for array in parameters]
    stepper = reference(theirs)
    update = trace_update(optimizer, PARAMS, name="o")
    state = run(update.init.function, 1, *parameters)
    step = jax.jit(optimizer.update)
    tree, shape = jax.tree.structure(PARAMS), update.init.tree
    for number in range(12):
        gradients = [RNG.normal(size=array.shape).astype(np.float32) for array in parameters]
        if number == 0:
            results = run(update.update.function, 1, *parameters, *state, *gradients)
        else:
            trees = (jax.tree.unflatten(tree, parameters), jax.tree.unflatten(shape, state))
            results = jax.tree.leaves(step(*trees, jax.tree.unflatten(tree, gradients)))
        parameters, state = results[: len(theirs)], results[len(theirs) :]
        for parameter, gradient in zip(theirs, gradients, strict=True):
            parameter.grad = torch.tensor(gradient)
        stepper.step()
    for mine, their in zip(parameters, theirs, strict=True):
        np.testing.assert_allclose(mine, their.detach().numpy(), atol=1e-6)


def test_a_learning_rate_may_follow_the_number_of_steps() -> None:
    optimizer = SGD(lambda step: 0.1 * 0.5**step)
    params, state = np.ones(2, np.float32), {"step": np.int32(0)}
    for _ in range(3):
        params, state = optimizer.update(params, state, np.ones(2, np.float32))
    np.testing.assert_allclose(params, 1 - 0.1 * (1 + 0.5 + 0.25), rtol=1e-6)
    assert state["step"] == 3


def test_names_of_parameters_and_state() -> None:
    update = trace_update(AdamW(), PARAMS, name="o").update
    names = [spec.name for spec in update.arguments]
    assert names[:3] == ["params.hidden.b", "params.hidden.w", "params.out"]
    assert names[3:6] == ["state.mean.hidden.b", "state.mean.hidden.w", "state.mean.out"]
    assert "state.step" in names
    assert names[-1] == "gradients.out"


@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(-1.0),
        SGD("fast"),  # pyright: ignore[reportArgumentType]
        SGD(momentum=1.5),
        SGD(nesterov=True),
        Adam(betas=(0.9, 1.0)),
        Adam(eps=float("nan")),
    ],
)
def test_options_out_of_range_are_refused(optimizer: Optimizer) -> None:
    with pytest.raises(DlcError) as caught:
        trace_update(optimizer, PARAMS, name="o")
    assert caught.value.code == "DLC117"
    assert caught.value.loc is not None
    assert caught.value.loc.file.endswith("test_jax_training.py")

"""Modules of torch become functions of JAX that give torch's results and torch's gradients."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from xdsl.dialects.builtin import FileLineColLoc

from dlc.diagnostics import DlcError, render
from dlc.frontends.tensor.specs import RowTensor
from dlc.frontends.tensor.torch import from_torch
from dlc.frontends.tensor.trace import trace_function
from dlc.frontends.tensor.training import trace_training
from tests.frontends.tensors import loss_and_gradients, run


class Apply(nn.Module):
    """A function as a module, after a layer if there is one."""

    def __init__(self, function: Callable[..., Any], layer: nn.Module | None = None) -> None:
        super().__init__()
        self.function, self.layer = function, layer

    def forward(self, x: Any, *others: Any) -> Any:
        return self.function(x if self.layer is None else self.layer(x), *others)


class Convolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 6, 3, stride=2, dilation=2, groups=2)
        self.up = nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.out = nn.Linear(4 * 3 * 2, 2)

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(F.relu(self.norm(self.first(x))), 2)
        x = F.avg_pool2d(self.up(self.second(x)), 3, stride=1, padding=1, count_include_pad=False)
        return self.out(F.adaptive_avg_pool2d(x, (3, 2)).flatten(1))


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation="gelu", batch_first=True)
        self.out = nn.Linear(8, 3)

    def forward(self, x: Any) -> Any:
        return self.out(self.block(self.embedding(x)).mean(1))


def convolutions() -> nn.Module:
    module = Convolutions()
    module.norm.running_mean += 0.3
    module.norm.running_var *= 2
    return module.eval()


def perceptron() -> nn.Module:
    layers = (nn.Linear(4, 5), nn.GELU(), nn.Linear(5, 5), nn.SiLU(), nn.Dropout(0.0), nn.Tanh())
    return nn.Sequential(*layers, nn.LayerNorm(5), nn.Sigmoid(), nn.Linear(5, 2))


NUMBERS = RowTensor((None, 4))
MODULES = {
    "perceptron": (perceptron, NUMBERS),
    "convolutions": (convolutions, RowTensor((None, 1, 12, 12))),
    "encoder": (Encoder, RowTensor((None, 5), "i32")),
    "group norm": (lambda: nn.Sequential(nn.Conv1d(4, 6, 1), nn.GroupNorm(2, 6)), RowTensor((None, 4, 3))),
    "attention": (
        lambda: Apply(lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True), nn.Linear(4, 4)),
        RowTensor((None, 2, 3, 4)),
    ),
}


def example(shape: RowTensor, rows: int) -> np.ndarray:
    rng = np.random.default_rng(rows)
    sizes = [rows if size is None else size for size in shape.shape]
    if shape.dtype == "f32":
        return rng.normal(size=sizes).astype(np.float32)
    return rng.integers(0, 20, sizes).astype(np.int32)


@pytest.mark.parametrize("name", MODULES)
def test_results_and_gradients_are_those_of_torch(name: str) -> None:
    torch.manual_seed(0)
    make, shape = MODULES[name]
    module = make()
    function = from_torch(module, [shape])
    assert set(function.params) == {name for name, _ in module.named_parameters()}
    x = example(shape, 5)
    arrays = [*jax.tree.leaves(function.params), x]
    expected = module(torch.tensor(x))
    traced = trace_function(function, [function.params, shape], name="f")
    found = run(traced.function, 5, *arrays)[0]
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-4, atol=1e-5)

    def loss(params: Any, x: Any) -> Any:
        return jnp.mean((function(params, x) - 0.3) ** 2)

    training = trace_training(loss, function.params, [shape], name="f")
    value, *gradients = loss_and_gradients(training, 5, arrays)
    reference = ((expected - 0.3) ** 2).mean()
    reference.backward()
    np.testing.assert_allclose(value, reference.item(), rtol=1e-4)
    named = dict(module.named_parameters())
    for key, gradient in zip(sorted(named), gradients, strict=True):
        np.testing.assert_allclose(gradient, named[key].grad.numpy(), rtol=1e-3, atol=1e-5)


LOSSES = {
    "mse": (F.mse_loss, RowTensor((None, 2))),
    "bce": (F.binary_cross_entropy_with_logits, RowTensor((None, 2))),
    "cross entropy": (F.cross_entropy, RowTensor((None,), "i64")),
    "summed": (lambda x, y: F.cross_entropy(x, y, reduction="sum"), RowTensor((None,), "i64")),
    "l1": (F.l1_loss, RowTensor((None, 2))),
    "huber": (F.huber_loss, RowTensor((None, 2))),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_module_may_give_the_loss_itself(name: str) -> None:
    torch.manual_seed(0)
    loss, target = LOSSES[name]
    module = Apply(loss, nn.Linear(4, 2))
    function = from_torch(module, [NUMBERS, target])
    batch = (NUMBERS, RowTensor(target.shape, "i32" if target.dtype == "i64" else "f32"))
    x = example(NUMBERS, 6)
    y = np.arange(6, dtype=np.int32) % 2 if target.dtype == "i64" else np.abs(example(target, 6)) % 1
    training = trace_training(function, function.params, batch, name="f")
    arrays = [*jax.tree.leaves(function.params), x, y]
    value, *gradients = loss_and_gradients(training, 6, arrays)
    expected = module(torch.tensor(x), torch.tensor(y.astype(np.int64) if target.dtype == "i64" else y))
    expected.backward()
    np.testing.assert_allclose(value, expected.item(), rtol=1e-5)
    named = dict(module.named_parameters())
    for key, gradient in zip(sorted(named), gradients, strict=True):
        np.testing.assert_allclose(gradient, named[key].grad.numpy(), rtol=1e-4, atol=1e-6)


FUNCTIONS: list[Callable[[Any], Any]] = [
    lambda x: F.elu(x) + F.leaky_relu(x) + F.softplus(x) + F.mish(x) + F.hardswish(x) + F.relu6(x),
    lambda x: x.clamp(-1, 1) + torch.where(x > 0, x, -x) + x.masked_fill(x > 0, 0.5) + (x > 0).float(),
    lambda x: x.softmax(-1) + x.log_softmax(-1) + torch.logsumexp(x, 1, keepdim=True) + F.normalize(x),
    lambda x: torch.cat([x, x * 2], 1)[:, 2:6] + torch.stack([x, x]).sum(0) + x.chunk(2, 1)[0].repeat(1, 2),
    lambda x: x.var(1, keepdim=True) + x.std(1, keepdim=True) + x.max(1, keepdim=True)[0] + x.amin(0),
    lambda x: x.flip(1) + x.cumsum(1) + x.sort(1)[0] + x.topk(2)[0].sum(1, keepdim=True) + x.tril(),
    lambda x: x.view(-1, 2, 2).transpose(1, 2).reshape(-1, 4) + x.unsqueeze(1).expand(-1, 3, -1).sum(1),
    lambda x: torch.einsum("bi,ij->bj", x, torch.eye(4)) + F.pad(x, (1, 1))[:, 1:5] + x @ x.new_ones(4, 4),
    lambda x: (x**2).sqrt() + 2 / (x.abs() + 1) + (1 - x) + x.sum(0) / x.shape[0] + torch.arange(4),
    lambda x: x.gather(1, x.argmax(1, keepdim=True)) + F.one_hot(x.argmax(1), 4) + (x.long() % 3),
    lambda x: torch.addcmul(x, x, x) + torch.rsqrt(x.abs() + 1) + torch.erf(x) + torch.atan2(x, x + 9),
    lambda x: x.norm(dim=1, keepdim=True) + x.norm(1, dim=1, keepdim=True) + x.prod(1, keepdim=True),
    lambda x: torch.zeros(2, 4).scatter_add(0, torch.zeros(1, 4).long(), x[:1]).sum(0) + x.sign() + x.round(),
]


@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_operations_give_what_torch_gives(number: int) -> None:
    module = Apply(FUNCTIONS[number])
    function = from_torch(module, [NUMBERS])
    x = example(NUMBERS, 5)
    np.testing.assert_allclose(function({}, jnp.asarray(x)), module(torch.tensor(x)), rtol=1e-5, atol=1e-5)


def test_operations_have_the_lines_of_the_module() -> None:
    function = from_torch(convolutions(), [RowTensor((None, 1, 12, 12))])
    traced = trace_function(function, [function.params, RowTensor((None, 1, 12, 12))], name="f")
    first = Convolutions.forward.__code__.co_firstlineno
    lines = {
        op.location.line.data - first
        for op in traced.function.body.walk()
        if op.name in ("stablehlo.convolution", "stablehlo.reduce_window")
        and isinstance(op.location, FileLineColLoc)
        and op.location.filename.data.endswith("test_torch.py")
    }
    assert lines == {1, 2}


def test_layers_that_share_a_parameter_share_it_in_the_function() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    module[2].weight = module[0].weight
    function = from_torch(module, [NUMBERS])
    assert sorted(function.params) == ["0.bias", "0.weight", "2.bias"]
    x = example(NUMBERS, 3)
    expected = module(torch.tensor(x)).detach()
    np.testing.assert_allclose(function(function.params, x), expected, rtol=1e-5, atol=1e-6)


def test_frozen_parameters_are_constants() -> None:
    module = nn.Linear(4, 2)
    module.weight.requires_grad_(False)
    assert list(from_torch(module, [NUMBERS]).params) == ["bias"]


def branching(x: Any) -> Any:
    return x if x.sum() > 0 else -x


def masking(x: Any) -> Any:
    return x[x > 0]


def fixing(x: Any) -> Any:
    return x + torch.ones(23, 1)


def unfit(x: Any) -> Any:
    return x @ torch.ones(3, 1)


def factorising(x: Any) -> Any:
    return torch.linalg.qr(x.T @ x)[0]


def failing(x: Any) -> Any:
    return x + {}[0]


# Code, a piece of the message, a piece of the help, module, and the function whose line is shown.
MISTAKES: list[tuple[str, str, str, Callable[[], nn.Module], Any]] = [
    ("DLC112", "KeyError", "correct the line", lambda: Apply(failing), failing),
    ("DLC114", "branches", "torch.where", lambda: Apply(branching), branching),
    ("DLC114", "values of a tensor", "torch.where", lambda: Apply(masking), Apply.forward),
    ("DLC114", "any number of rows", "x.shape[0]", lambda: Apply(fixing), None),
    ("DLC115", "linalg_qr", "with others", lambda: Apply(factorising), Apply.forward),
    ("DLC115", "dropout", "module.eval()", lambda: Apply(F.relu, nn.Dropout(0.5)), Apply.forward),
    ("DLC115", "running_mean", "module.eval()", lambda: Apply(F.relu, nn.BatchNorm1d(4)), Apply.forward),
    ("DLC116", "reduction dim", "compare", lambda: Apply(unfit), unfit),
]


@pytest.mark.parametrize(
    ("code", "message", "remedy", "make", "place"), MISTAKES, ids=[mistake[1] for mistake in MISTAKES]
)
def test_mistakes_are_shown_at_the_line_of_the_module(
    code: str, message: str, remedy: str, make: Callable[[], nn.Module], place: Any
) -> None:
    with pytest.raises(DlcError) as caught:
        function = from_torch(make(), [NUMBERS])
        trace_function(function, [function.params, NUMBERS], name="f")
    error = caught.value
    assert error.code == code
    assert message in error.message
    assert remedy in (error.help or "")
    assert "Traceback" not in render(error)
    assert error.loc is not None
    assert error.loc.file.endswith("test_torch.py")
    if place is not None:
        assert error.loc.line == place.__code__.co_firstlineno + 1


@pytest.mark.parametrize(
    ("module", "shapes"), [(lambda x: x, [NUMBERS]), (nn.ReLU(), [(3, 4)]), (nn.ReLU(), [(None, None)])]
)
def test_arguments_are_checked(module: Any, shapes: Any) -> None:
    with pytest.raises(DlcError) as caught:
        from_torch(module, shapes)
    assert caught.value.code == "DLC117"


def test_nothing_is_written_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DlcError):
        from_torch(Apply(unfit), [NUMBERS])
    assert capfd.readouterr() == ("", "")


def test_a_row_of_the_ignored_class_makes_the_loss_not_a_number() -> None:
    function = from_torch(Apply(F.cross_entropy), [NUMBERS, RowTensor((None,), "i64")])
    assert np.isnan(function({}, jnp.ones((2, 4)), jnp.asarray([1, -100])))

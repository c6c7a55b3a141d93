"""What JAX lowers is verified, printed and read back without a change, and XLA's own parser agrees."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax._src.interpreters import mlir
from jax.scipy import special
from jaxlib.mlir import ir
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.dialects.func import Func
from xdsl.utils.exceptions import ParseError, VerifyException

from dlc.dialects.chlo import Chlo
from dlc.dialects.dense import DenseParser
from dlc.dialects.stablehlo import Stablehlo
from dlc.frontends.tensor.specs import RowTensor
from dlc.frontends.tensor.trace import trace_function
from dlc.passes.text import print_module

X = RowTensor((None, 8))
INDEX = RowTensor((None,), "i32")
IMAGE = RowTensor((None, 3, 8, 8))
KERNEL = np.ones((5, 3, 3, 3), np.float32)
TABLE = np.ones((10, 8), np.float32)


def convolved(a: Any, b: Any) -> Any:
    return lax.conv_general_dilated(a, b, (2, 2), "SAME")


def pooled(a: Any) -> Any:
    return lax.reduce_window(a, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def bits(i: Any) -> Any:
    return i << 1, i >> 1, i & 3, i | 3, i ^ 3, ~i, lax.population_count(i), lax.clz(i)


def inverse_functions(x: Any) -> Any:
    return jnp.arccos(x), jnp.arccosh(x), jnp.arcsin(x), jnp.arcsinh(x), jnp.arctan(x), jnp.arctanh(x)


def special_functions(x: Any) -> Any:
    erfs = special.erf(x), special.erfc(x), special.erfinv(x)
    return erfs, special.gammaln(x), special.polygamma(1, x), special.zeta(x, x), special.i1e(x)


FUNCTIONS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "convolution": (convolved, [IMAGE, KERNEL]),
    "gradients of a convolution": (
        jax.grad(lambda *ab: convolved(*ab).sum(), (0, 1)),
        [IMAGE, KERNEL],
    ),
    "pooling": (pooled, [IMAGE]),
    "gradient of pooling": (jax.grad(lambda a: pooled(a).sum()), [IMAGE]),
    "gather": (lambda table, i: table[i], [TABLE, INDEX]),
    "scatter": (lambda table, i: jax.grad(lambda t: (t[i] ** 2).sum())(table), [TABLE, INDEX]),
    "dynamic gather": (lambda x: x[:, ::-3], [X]),
    "reverse": (lambda x: jnp.flip(x, 1), [X]),
    "sort": (lambda x: (jnp.sort(x, axis=1), jnp.argsort(x, axis=1)), [X]),
    "reduce of pairs": (lambda x: jnp.argmax(x, axis=1), [X]),
    "top k": (lambda x: lax.top_k(x, 2), [X]),
    "iota": (lambda x: jnp.arange(x.shape[0]), [X]),
    "reshape": (lambda x: x.reshape(-1, 4, 2).reshape(-1), [X]),
    "pad": (lambda x: jnp.pad(x, ((1, 2), (0, 1)), constant_values=2), [X]),
    "update of a slice": (
        lambda x, i: lax.dynamic_update_slice_in_dim(x, x[:, :2], i[0], axis=1),
        [X, INDEX],
    ),
    "slice of rows": (lambda x: x[1:-1], [X]),
    "loop": (lambda x: lax.scan(lambda c, y: (c + y, c * y), x[:, 0], x.T)[1], [X]),
    "condition": (lambda x: lax.cond(x.sum() > 0, lambda: x, lambda: -x), [X]),
    "random numbers": (lambda x: jax.random.normal(jax.random.key(0), x.shape) + x, [X]),
    "random bits": (lambda x: x[0] + jax.random.normal(jax.random.key(0, impl="rbg"), (8,)), [X]),
    "Fourier transform": (lambda x: jnp.abs(jnp.fft.rfft(x, axis=1)), [X]),
    "checkpointing": (jax.grad(lambda x: jax.checkpoint(jnp.tanh)(x).sum()), [X]),
    "bits": (bits, [INDEX]),
    "inverse functions": (inverse_functions, [X]),
    "special functions": (special_functions, [X]),
    "hyperbolic functions": (lambda x: (jnp.sinh(x), jnp.cosh(x), jnp.tan(x), jnp.nextafter(x, x + 1)), [X]),
    "complex numbers": (lambda x: (lax.complex(x, x) * 2j).real, [X]),
    "narrow floats": (lambda x: x.astype(jnp.bfloat16) * jnp.bfloat16(-np.inf) + jnp.float16(1.5), [X]),
    "constants that are not finite": (lambda x: x + jnp.asarray([np.nan, -np.inf] * 4), [X]),
    "large constants": (lambda x: x @ jnp.arange(1000.0).reshape(8, 125) * 16777215.0, [X]),
    "many booleans": (lambda x: jnp.where(np.arange(160).reshape(20, 8) % 3 == 0, x[:1], 0), [X]),
}


@pytest.fixture
def context() -> Context:
    ctx = Context()
    for dialect in (Builtin, Func, Stablehlo, Chlo):
        ctx.load_dialect(dialect)
    return ctx


@pytest.fixture(scope="module")
def upstream() -> Iterator[None]:
    with mlir.make_ir_context():
        yield


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("generic", [False, True])
def test_what_jax_lowers_is_read_back_as_it_was(
    name: str, generic: bool, context: Context, upstream: None
) -> None:
    function, arguments = FUNCTIONS[name]
    module = ModuleOp([trace_function(function, arguments, name="f").function])
    module.verify()
    text = print_module(module, generic=generic)
    again = DenseParser(context, text).parse_module()
    again.verify()
    assert print_module(again, generic=generic) == text
    # The upstream parser reads the same module from our text as from its own.
    upstream_text = str(ir.Module.parse(text))
    assert str(ir.Module.parse(print_module(again, generic=not generic))) == upstream_text


INVALID = [
    (
        (
            '%r = "stablehlo.convolution"(%m, %m) <{dimension_numbers = '
            "#stablehlo.conv<[b, f]x[i, o]->[b, f]>, "
            "feature_group_count = 1 : i64, batch_group_count = 1 : i64}> "
            ": (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>"
        ),
        "3 features, the kernel takes 2",
    ),
    (
        (
            "%r = stablehlo.pad %m, %s, low = [0, 0], high = [0, 1], interior = [0, 0] "
            ": (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>"
        ),
        "expected the shape [2, 4], found [2, 3]",
    ),
    (
        (
            "%r = stablehlo.pad %m, %s, low = [0], high = [1], interior = [0] "
            ": (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>"
        ),
        "arrays must have 2 elements",
    ),
    ("%r = stablehlo.reverse %m, dims = [2] : tensor<2x3xf32>", "dimensions must be less than 2"),
    ("%r = stablehlo.reverse %m, dims = [1, 1] : tensor<2x3xf32>", "dimensions must differ"),
    (
        "%r = stablehlo.dynamic_reshape %m, %n : (tensor<2x3xf32>, tensor<2xi32>) -> tensor<6xf32>",
        "expected the shape [1], found [2]",
    ),
    ("%r = stablehlo.dynamic_iota %n, dim = 2 : (tensor<2xi32>) -> tensor<?x?xi32>", "less than 2"),
    (
        (
            '%r = "stablehlo.reduce"(%m, %s) <{dimensions = array<i64: 0>}> ({\n^bb0(%a: tensor<f32>):\n'
            "stablehlo.return %a : tensor<f32>}) : (tensor<2x3xf32>, tensor<f32>) -> tensor<3xf32>"
        ),
        "a region must take 2 scalars",
    ),
    (
        (
            '%r = "stablehlo.while"(%s) ({\n^bb0(%a: tensor<f32>):\nstablehlo.return %a : tensor<f32>}, {\n'
            "^bb0(%a: tensor<f32>):\nstablehlo.return %a : tensor<f32>}) : (tensor<f32>) -> tensor<f32>"
        ),
        "the condition must return one scalar i1",
    ),
    (
        '%r, %i = "chlo.top_k"(%m) <{k = 2 : i64}> : (tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)',
        "results must have the shape [2, 2]",
    ),
    ("%r = chlo.erf %m : tensor<2x3xf32> -> tensor<3x2xf32>", "the same shape"),
]


@pytest.mark.parametrize(("text", "message"), INVALID, ids=[message for _, message in INVALID])
def test_what_does_not_fit_is_refused(text: str, message: str, context: Context) -> None:
    head = "func.func @f(%m: tensor<2x3xf32>, %s: tensor<f32>, %n: tensor<2xi32>) {\n"
    module = DenseParser(context, f"{head}{text}\nfunc.return }}").parse_module()
    with pytest.raises(VerifyException) as caught:
        module.verify()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "labels", ["[b, f, 1]x[i, o, 0]->[b, f, 0]", "[b]x[i, o]->[b, f]", "[b, f]x[i, i]->[b, f]"]
)
def test_dimensions_of_a_convolution_have_their_letters(labels: str, context: Context) -> None:
    with pytest.raises(ParseError, match="expected the dimensions"):
        DenseParser(context, f"#stablehlo.conv<{labels}>").parse_attribute()


def test_a_constant_is_bounded_before_it_is_written_out(context: Context) -> None:
    with pytest.raises(ParseError, match="more than"):
        DenseParser(context, "dense<0> : tensor<1000000x1000000xi8>").parse_attribute()

"""Functions of JAX become StableHLO over any number of rows, which gives what JAX gives."""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from xdsl.dialects.builtin import FileLineColLoc, ModuleOp, UnitAttr
from xdsl.dialects.func import FuncOp

from dlc.diagnostics import DlcError
from dlc.frontends.tensor.specs import RowTensor, TensorSpec
from dlc.frontends.tensor.trace import trace_function
from dlc.frontends.tensor.training import trace_training
from tests.frontends.tensors import run

ROWS = RowTensor((None, 3))
WEIGHTS = {"b": np.ones(4, np.float32), "w": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)}


def layer(params: Any, x: Any) -> Any:
    return jnp.tanh(x @ params["w"] + params["b"])


def mean_of_columns(x: Any) -> Any:
    return jnp.mean(x, axis=0)


def normalised(x: Any) -> Any:
    return jax.nn.softmax(x, axis=1), x - jnp.max(x, axis=0), jnp.var(x)


def halves(x: Any) -> Any:
    scale = jax.lax.cond(x.sum() > 0, lambda: 2.0, lambda: 0.5)
    return {"twice": x * scale, "sums": jax.lax.fori_loop(0, 3, lambda i, total: total + x[:, i], x[:, 0])}


def outside(x: Any) -> Any:
    return jnp.where(x > 0, x, -jnp.inf) * jnp.float32(1 / 3), jnp.asarray([np.nan, np.inf, 16777215.0])


def ordered(x: Any) -> Any:
    return jnp.sort(x, axis=1), jnp.argmax(x, axis=1), jax.lax.top_k(x, 2)[1], jnp.cumsum(x, axis=1)


@pytest.mark.parametrize("function", [mean_of_columns, normalised, halves, outside, ordered])
@pytest.mark.parametrize("rows", [1, 7])
def test_the_function_gives_what_jax_gives_for_any_number_of_rows(
    function: Callable[..., Any], rows: int
) -> None:
    x = np.random.default_rng(rows).normal(size=(rows, 3)).astype(np.float32)
    traced = trace_function(function, [ROWS], name="f")
    expected, tree = jax.tree.flatten(function(jnp.asarray(x)))
    assert traced.tree == tree
    for found, wanted in zip(run(traced.function, rows, x), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


def test_the_number_of_rows_comes_first_then_the_leaves_in_order() -> None:
    traced = trace_function(layer, [WEIGHTS, ROWS], name="layer")
    assert traced.arguments == (
        TensorSpec("params.b", (4,), "f32"),
        TensorSpec("params.w", (3, 4), "f32"),
        TensorSpec("x", (None, 3), "f32"),
    )
    assert traced.results == (TensorSpec("", (None, 4), "f32"),)
    function = traced.function
    assert [argument.name_hint for argument in function.args] == ["rows", "b", "w", "x"]
    assert [str(argument.type) for argument in function.args] == [
        "tensor<i32>",
        "tensor<4xf32>",
        "tensor<3x4xf32>",
        "tensor<?x3xf32>",
    ]
    assert function.arg_attrs is not None
    assert function.arg_attrs.data[0].data == {"flow.rows": UnitAttr()}
    assert function.sym_name.data == "layer"


def test_arguments_that_are_not_used_stay() -> None:
    traced = trace_function(lambda _x, y: y * 2, [ROWS, RowTensor((None,))], name="f")
    assert len(traced.function.args) == 3


def test_the_function_is_one_verified_block_without_calls() -> None:
    function = trace_function(lambda x: jax.nn.relu(jnp.where(x > 1, x, 0)), [ROWS], name="f").function
    ModuleOp([function]).verify()
    assert isinstance(function, FuncOp)
    assert {op.name.partition(".")[0] for op in function.body.walk()} <= {"stablehlo", "chlo", "func"}
    assert not [op for op in function.body.walk() if op.name == "func.call"]


def helper(x: Any) -> Any:
    return jax.nn.relu(x)


def uses_helper(x: Any) -> Any:
    y = helper(x)
    return y * 2


def test_every_op_has_the_users_innermost_line() -> None:
    function = trace_function(uses_helper, [ROWS], name="f").function
    lines = {
        op.name: op.location.line.data for op in function.walk() if isinstance(op.location, FileLineColLoc)
    }
    assert lines["stablehlo.maximum"] == helper.__code__.co_firstlineno + 1
    assert lines["stablehlo.multiply"] == uses_helper.__code__.co_firstlineno + 2
    assert all(
        isinstance(op.location, FileLineColLoc) and op.location.filename.data.endswith("test_jax.py")
        for op in function.walk()
    )
    multiply = next(op for op in function.walk() if op.name == "stablehlo.multiply")
    assert isinstance(multiply.location, FileLineColLoc)
    assert multiply.location.column.data == len("    return ") + 1


def test_what_is_no_array_is_part_of_the_function() -> None:
    traced = trace_function(lambda x, axis, name: x.sum(axis) if name else x, [ROWS, 1, "yes"], name="f")
    assert [spec.name for spec in traced.arguments] == ["x"]
    assert traced.results[0].shape == (None,)


def test_types_of_64_bits_are_kept_when_asked_for() -> None:
    wide = RowTensor((None, 3), "f64")
    x = np.random.default_rng(0).normal(size=(5, 3))
    traced = trace_function(lambda x: (x / 3).mean(0), [wide], name="f")
    assert traced.results == (TensorSpec("", (3,), "f64"),)
    assert str(traced.function.args[0].type) == "tensor<i32>"
    with jax.enable_x64(True):
        np.testing.assert_array_equal(run(traced.function, 5, x)[0], (jnp.asarray(x) / 3).mean(0))


def test_arrays_of_64_bits_become_32_otherwise() -> None:
    traced = trace_function(lambda x, w: x @ w, [ROWS, np.zeros((3, 2))], name="f")
    assert [spec.dtype for spec in (*traced.arguments, *traced.results)] == ["f32"] * 3


def test_arrays_of_the_surroundings_become_constants() -> None:
    table = jnp.arange(600, dtype=jnp.bfloat16).reshape(3, 200)
    mask = np.arange(200) % 3 == 0
    x = np.eye(3, dtype=np.float32)
    traced = trace_function(lambda x: jnp.where(mask, x @ table, 0), [ROWS], name="f")
    np.testing.assert_allclose(run(traced.function, 3, x)[0], jnp.where(mask, x @ table, 0))


def test_sizes_may_be_expressions_of_the_number_of_rows() -> None:
    traced = trace_function(
        lambda x: (jnp.concatenate([x, x]), x.T, x @ x.T, x.reshape(-1)), [ROWS], name="f"
    )
    assert [spec.shape for spec in traced.results] == [("2*rows", 3), (3, None), (None, None), ("3*rows",)]
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert [array.shape for array in run(traced.function, 2, x)] == [(4, 3), (3, 2), (2, 2), (6,)]


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dlc.frontends.tensor import extras

    monkeypatch.setattr(extras, "find_spec", lambda package: None if package == "jax" else object())
    with pytest.raises(DlcError) as caught:
        extras.require("jax")
    assert caught.value.code == "DLC702"
    assert caught.value.help == "pip install 'dlc[jax]'"


def test_the_functions_of_the_guide(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "tensors.md").read_text(encoding="utf-8")
    (tmp_path / "guide.py").write_text("\n".join(re.findall(r"(?s)```python\n(.*?)```", guide)))
    spec = importlib.util.spec_from_file_location("guide", tmp_path / "guide.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    params = {"w": np.ones((3, 4), np.float32), "b": np.ones(4, np.float32), "out": np.ones(4, np.float32)}
    training = trace_training(module.loss, params, [ROWS, RowTensor((None,))], name="guide")
    assert [result.name for result in training.backward.results] == ["b", "out", "w"]

"""Every bad argument to training, metrics and tensors is an error at the user's line; how rows are dealt."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp

import dlc
from dlc import col
from dlc.diagnostics import DlcError
from dlc.dialects import nn
from dlc.frontends.load import load
from dlc.frontends.program import trace
from dlc.frontends.tensor.keys import row_keys

HEAD = """\
import dlc
import jax, jax.numpy as jnp, numpy as np
from dlc import col

W = {"w": np.zeros(2, np.float32)}
C = [["a", "b"], "a"]

def loss(params, x, y):
    return jnp.mean((x @ params["w"] - y) ** 2)

@dlc.program
def wrong():
    frame = dlc.scan_parquet("rows.parquet")
    other = dlc.scan_parquet("rows.parquet")
    x = frame.to_tensor(["a", "b"])
    y = frame.to_tensor("a")
"""
LINE = len(HEAD.splitlines()) + 1

Trace = Callable[[str], ModuleOp]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trace:
    """Traces a program whose body is the line given."""
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"k": [1], "a": [1.0], "b": [2.0], "s": ["x"]}).write_parquet("rows.parquet")

    def traced(line: str) -> ModuleOp:
        Path("prog.py").write_text(f"{HEAD}    {line}\n    return frame\n", encoding="utf-8")
        return trace(load("prog.py"))

    return traced


def train(**arguments: str) -> str:
    given = {"loss": "loss", "params": "W", "frame": "frame", "columns": "C"} | arguments
    return f"dlc.train({', '.join(f'{name}={value}' for name, value in given.items())})"


def metric(function: str = "loss", frame: str = "frame", columns: str = "C", more: str = "") -> str:
    return train(metrics=f"{{'m': dlc.Metric({function}, {frame}, {columns}{more})}}")


MISTAKES = [
    # What is trained, on what.
    ("DLC117", train(loss="3"), "the loss is no function"),
    ("DLC117", train(columns="[['a', 'b']]"), "missing a required argument: 'y'"),
    ("DLC117", train(loss="lambda p: 1"), "cannot be called with 3 arguments: too many"),
    ("DLC117", train(loss="lambda p, x, y: x.sum(axis=1)"), "returns a tensor of shape (rows)"),
    ("DLC117", train(loss="lambda p, x, y: None"), "returns a value of type NoneType"),
    ("DLC117", train(loss="lambda p, x, y: x.sum() > 0"), "returns a number of type bool"),
    ("DLC116", train(loss="lambda p, x, y: jnp.sum(x @ jnp.ones(3))"), "the shapes of tensors do not fit"),
    ("DLC114", train(loss="lambda p, x, y: float(x.sum())"), "needs the value of a tensor"),
    ("DLC112", train(loss="lambda p, x, y: 1 / 0"), "ZeroDivisionError"),
    ("DLC117", train(params="3"), "'params' is no floating-point array"),
    ("DLC117", train(params="{}"), "there is none"),
    ("DLC117", train(params="{'w': np.zeros(2, int)}"), "'w' is no floating-point array"),
    ("DLC117", train(params="{'w': x}"), "'w' is no floating-point array"),
    ("DLC106", train(frame="'rows'"), "str is no frame"),
    ("DLC106", train(frame="x"), "Tensor is no frame"),
    # Columns.
    ("DLC101", train(columns="[['a', 'b'], 'z']"), "there is no column 'z'"),
    ("DLC102", train(columns="[['a', 'b'], 's']"), "column 's' of type string? cannot become a tensor"),
    ("DLC106", train(columns="'ab'"), "'ab' makes no tensors"),
    ("DLC106", train(columns="[]"), "[] makes no tensors"),
    ("DLC106", train(columns="[['a', 'b'], []]"), "makes no tensors"),
    ("DLC106", train(columns="[['a', 1], 'b']"), "makes no tensors"),
    ("DLC106", train(columns="None"), "None makes no tensors"),
    ("DLC106", train(dtype="'f31'"), "dtype='f31' is no type of tensors"),
    ("DLC106", train(dtype="'bf16'"), "dtype='bf16' is no type of tensors"),
    ("DLC106", train(dtype="['f32']"), "not one for each of 2 tensors"),
    ("DLC106", train(dtype="np.float32"), "not one for each of 2 tensors"),
    ("DLC106", train(dtype="[3, 4]"), "dtype=3 is no type of tensors"),
    # Numbers and names.
    ("DLC106", train(epochs="0"), "epochs=0 is not a whole number from 1"),
    ("DLC106", train(epochs="True"), "epochs=True is not a whole number"),
    ("DLC106", train(batch="1e3"), "batch=1000.0 is not a whole number"),
    ("DLC106", train(batch="10"), "4 micro-batches do not divide a batch of 10 rows"),
    ("DLC106", train(batch="2**64"), "is not a whole number from 1 to 2^63 - 1"),
    ("DLC106", train(micro_batches="'4'"), "micro_batches='4' is not a whole number"),
    ("DLC106", train(seed="-1"), "seed=-1 is not a whole number from 0"),
    ("DLC117", train(optimizer="'adam'"), "optimizer='adam' is no optimiser"),
    ("DLC117", train(optimizer="dlc.Adam"), "is no optimiser"),
    ("DLC117", train(optimizer="dlc.Adam(-1)"), "does not take learning_rate=-1"),
    ("DLC101", train(keys="['z']"), "there is no column 'z'"),
    ("DLC106", train(keys="'k'"), "keys='k' is no list of columns"),
    ("DLC106", train(keys="[]"), "keys=[] is no list of columns"),
    ("DLC106", train(keys="[3]"), "keys=[3] is no list of columns"),
    ("DLC106", train(checkpoint="3"), "checkpoint=3 is no path"),
    ("DLC106", train(checkpoint="''"), "checkpoint='' is no path"),
    # Metrics.
    ("DLC117", train(metrics="[loss]"), "is no dict"),
    ("DLC117", train(metrics="{'m': loss}"), "metric 'm' is of type function"),
    ("DLC117", train(metrics="{3: dlc.Metric(loss, frame, C)}"), "3 is no name of a metric"),
    ("DLC117", train(metrics="{'loss': dlc.Metric(loss, frame, C)}"), "'loss' is no name of a metric"),
    ("DLC117", metric(function="3"), "metric 'm' is no function"),
    ("DLC117", metric(columns="['a']"), "metric 'm' cannot be called with 2 arguments"),
    ("DLC106", metric(function="lambda p, x, y: x"), "metric 'm' returns something else than one number"),
    ("DLC106", metric(function="lambda p, x, y: (0, x.sum())"), "something else than one number"),
    ("DLC106", metric(frame="3"), "int is no frame"),
    ("DLC101", metric(columns="[['a', 'b'], 'z']"), "there is no column 'z'"),
    ("DLC106", metric(columns="'a'"), "'a' makes no tensors"),
    ("DLC106", metric(more=", dtype='f31'"), "dtype='f31' is no type of tensors"),
    # Columns as tensors.
    ("DLC101", "frame.to_tensor('z')", "there is no column 'z'"),
    ("DLC102", "frame.to_tensor(['a', 's'])", "column 's' of type string? cannot become a tensor"),
    ("DLC106", "frame.to_tensor([])", "[] names no columns"),
    ("DLC106", "frame.to_tensor(3)", "3 names no columns"),
    ("DLC106", "frame.to_tensor([['a']])", "names no columns"),
    ("DLC106", "frame.to_tensor('a', 'f16')", "dtype='f16' is no type of tensors"),
    ("DLC106", "frame.to_tensor('a', None)", "dtype=None is no type of tensors"),
    # Tensors as columns.
    ("DLC105", "frame.with_tensors(a=y)", "there is a column 'a' already"),
    ("DLC116", "frame.with_tensors(p=x)", "the tensor has the shape (None, 2)"),
    ("DLC116", "other.with_tensors(p=y)", "the tensor has rows of another frame"),
    ("DLC116", "frame.head(1).with_tensors(p=y)", "the tensor has rows of another frame"),
    ("DLC116", "frame.with_tensors(p=dlc.jax(jnp.sum)(y))", "the tensor has the shape ()"),
    ("DLC116", "frame.with_tensors(p=dlc.jax(lambda a: a.astype('bfloat16'))(y))", "of type bf16"),
    ("DLC106", "frame.with_tensors(p=np.zeros(3))", "p=ndarray is no tensor"),
    ("DLC106", "frame.with_tensors()", "no tensor is given"),
    ("DLC116", "dlc.scalars(p=y)", "'p' is a tensor of shape (None,), not one number"),
    ("DLC116", "dlc.scalars(p=dlc.jax(lambda a: a.sum().astype('bfloat16'))(y))", "of type bf16"),
    ("DLC106", "dlc.scalars(p=3)", "p=int is no tensor"),
    ("DLC106", "dlc.scalars()", "no tensor is given"),
    # Functions.
    ("DLC117", "dlc.jax(3)", "3 is not a function"),
    ("DLC117", "dlc.jax(jnp.sum)(frame)", "is given a frame"),
    ("DLC117", "dlc.jax(jnp.sum)({'a': [col('a')]})", "is given an expression"),
    ("DLC117", "dlc.jax(lambda a: a)(y, y)", "the function cannot be called with 2 arguments"),
    ("DLC116", "dlc.jax(lambda a, b: a + b)(y, other.to_tensor('a'))", "rows of frames whose numbers"),
    ("DLC113", "dlc.jax(lambda a: 'text')(y)", "returns a value of type str"),
    ("DLC113", "dlc.jax(lambda a: a.astype('complex64'))(y)", "an array of type complex64"),
    ("DLC113", "dlc.jax(lambda a, b: a)(y, np.array(['text']))", "an array of type <U4"),
    ("DLC104", "np.asarray(x)", "a tensor has no values while the program is being traced"),
    ("DLC104", "len(x)", "a tensor has no length"),
    ("DLC104", "float(y)", "a tensor has no number"),
]


@pytest.mark.parametrize(("code", "line", "message"), MISTAKES, ids=[line for _, line, _ in MISTAKES])
def test_a_bad_argument_is_an_error_at_its_line(code: str, line: str, message: str, run: Trace) -> None:
    with pytest.raises(DlcError) as caught:
        run(line)
    error = caught.value
    assert (error.code, error.loc and (error.loc.file, error.loc.line)) == (code, ("prog.py", LINE))
    assert message in error.message
    assert error.help


def test_what_may_be_given(run: Trace) -> None:
    run(
        "import pathlib; m = "
        + train(checkpoint="pathlib.Path('out')", dtype="('f32', 'f64')", keys="('k',)")
    )
    run(
        train(
            columns="(('a', 'b'), 'k')",
            seed="0",
            batch="4",
            params="W['w']",
            loss="lambda p, x, y: (x @ p).sum()",
        )
    )
    run(train(metrics="{}", epochs="1", micro_batches="1", batch="1"))


def frame(tmp_path: Path) -> dlc.Frame:
    pl.DataFrame({"k": [1], "m": [1], "a": [1.0], "b": [2.0]}).write_parquet(tmp_path / "rows.parquet")
    return dlc.scan_parquet(str(tmp_path / "rows.parquet"))


KEYS = [
    (lambda f: f, ["a", "b"]),
    (lambda f: f.group_by("k").agg(col("a").sum(), col("b").sum()), ["k"]),
    (lambda f: f.group_by("k", "m").agg(col("a").sum(), col("b").sum()), ["k", "m"]),
    (
        lambda f: f.group_by("k").agg(col("a").sum(), col("b").sum()).filter(col("a") > 0).sort("b").head(3),
        ["k"],
    ),
    (lambda f: f.group_by("k").agg(col("a").sum(), col("b").sum()).rename({"k": "key"}), ["key"]),
    (lambda f: f.group_by("k").agg(col("a").sum(), b=col("b").mean() + 1), ["k"]),
    # Without its key, a group has a name no more.
    (lambda f: f.group_by("k").agg(col("a").sum(), col("b").sum()).drop("k"), ["a", "b"]),
    (lambda f: f.group_by("k").agg(col("a").sum(), col("b").sum()).with_columns(k=col("k") + 1), ["a", "b"]),
    (lambda f: f.group_by("k").agg(col("a").sum()).join(f.select("k", "b"), on="k"), ["a", "b"]),
]


@pytest.mark.parametrize(("build", "keys"), KEYS, ids=range(len(KEYS)))
def test_rows_are_dealt_by_the_keys_of_the_grouping_that_they_come_from(
    build: Callable[[dlc.Frame], dlc.Frame], keys: list[str], tmp_path: Path
) -> None:
    assert row_keys(build(frame(tmp_path)).value, [["a", "b"], "a"]) == keys


def test_metrics_deal_their_rows_as_training_does(run: Trace) -> None:
    module = run(
        "frame = "
        + train(metrics="{'m': dlc.Metric(loss, other, C)}", micro_batches="2", batch="8")
        + ".history"
    )
    batches = [op for op in module.walk() if isinstance(op, nn.BatchesOp)]
    assert [op.micro_batches.value.data for op in batches] == [2, 2]
    assert [op.epoch is None for op in batches] == [True, False]
    loops = [op for op in module.walk() if isinstance(op, scf.ForOp)]
    assert len(loops) == 2


def test_a_checkpoint_keeps_the_state_of_the_optimiser_under_names_of_its_own(run: Trace) -> None:
    module = run(train(checkpoint="'out'", optimizer="dlc.SGD(0.1, momentum=0.9)"))
    (save,) = [op for op in module.walk() if isinstance(op, nn.SaveOp)]
    (load_,) = [op for op in module.walk() if isinstance(op, nn.LoadOp)]
    names = [name.data for name in save.names]
    assert names == ["w", "optimizer.momentum.w", "optimizer.step"]
    assert [name.data for name in load_.names] == names
    assert load_.model == save.model
    anew = run(train(checkpoint="'out'", resume="False"))
    assert not [op for op in anew.walk() if isinstance(op, nn.LoadOp)]

"""Hand-written plans that train a small network, and the same training in plain JAX."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from safetensors.numpy import save

from dlc.runtime.plan import Gang, Json, Plan

SCHEMA = [["k", "i64"], ["a", "f64"], ["b", "f64"], ["c", "f64"], ["y", "f64"]]
SIZE, SHARDS, EPOCHS, SEED = 64, 4, 3, 42
MICRO = SIZE // SHARDS
NAMES = ["w1", "b1", "w2"]
RATE = np.float32(0.05)
HISTORY = [["epoch", "i64"], ["step", "i64"], ["name", "string"], ["value", "f64"]]


def table(rows: int = 500) -> pl.DataFrame:
    """Points of a smooth function, with a key of few values so that shards differ in size."""
    random = np.random.default_rng(7)
    x = random.normal(size=(rows, 3))
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2]
    return pl.DataFrame({"k": random.integers(0, 40, rows), "a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y})


def initial() -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(1)
    shapes = {"w1": (3, 8), "b1": (8,), "w2": (8,)}
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def loss(parameters: Sequence[Any], x: Any, y: Any, rows: Any, weight: Any = 1.0) -> Any:
    w1, b1, w2 = parameters
    error = jnp.tanh(x @ w1 + b1) @ w2 - y
    return jnp.sum(weight * error * error) / rows


def step(rows: Any, x: Any, y: Any, *parameters: Any) -> tuple[Any, ...]:
    """Loss and gradients of a micro-batch, as parts of the mean over a batch of `rows` rows."""
    value, gradients = jax.value_and_grad(loss)(parameters, x, y, rows.astype(jnp.float32))
    return (value, *gradients)


def masked_step(rows: Any, x: Any, y: Any, *rest: Any) -> tuple[Any, ...]:
    *parameters, valid = rest
    weight = jnp.where(jnp.arange(x.shape[0]) < valid, 1.0, 0.0)
    value, gradients = jax.value_and_grad(loss)(parameters, x, y, rows.astype(jnp.float32), weight)
    return (value, *gradients)


def update(*values: Any) -> tuple[Any, ...]:
    parameters, gradients = values[: len(NAMES)], values[len(NAMES) :]
    return tuple(p - RATE * g for p, g in zip(parameters, gradients, strict=True))


def predict(rows: Any, w1: Any, b1: Any, w2: Any, x: Any) -> Any:
    del rows
    return jnp.tanh(x @ w1 + b1) @ w2


def lowered(function: Callable[..., Any], *arguments: Any) -> str:
    """StableHLO of a function for arguments of these shapes."""
    return jax.jit(function, keep_unused=True).lower(*arguments).as_text()


def f32(*shape: int) -> Any:
    return jax.ShapeDtypeStruct(shape, jnp.float32)


I32 = jax.ShapeDtypeStruct((), jnp.int32)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Kernels:
    """The modules of a plan by the hash of their text."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def add(self, function: Callable[..., Any], *arguments: Any) -> str:
        text = lowered(function, *arguments)
        name = digest(text.encode())
        self.texts[name] = text
        return name


def shapes() -> list[Any]:
    return [f32(*value.shape) for value in initial().values()]


def training(path: Path, ranks: int, order: str = "tree", **options: Any) -> Plan:
    """Reads the table, trains by steepest descent, and gives the loss curve and predictions.

    `options`: `save` and `load` name a checkpoint; `owned` says how rows lie and `shuffle` whether epochs
    differ; `epochs`, `keys`, `model`, `optional` and `later` (an asynchronous reduction) replace defaults.
    """
    kernels = Kernels()
    owned = options.get("owned", "hash")
    packed = save(initial())
    constant = digest(packed)
    steps = [*_rows(path, owned), *_begin(constant, options)]
    start, first = ("begin", _named("loaded")) if "load" in options else (0, _named("first"))
    names, epochs = [_named("epoch"), _named("after"), _named("last")], options.get("epochs", EPOCHS)
    steps.append(loop("e", start, epochs, first, *names, _epoch(kernels, order, options)))
    chunks = {"chunk": 32, "split": [1 + len(NAMES)], "outputs": ["rows"], "masked": None}
    predicting = kernels.add(predict, I32, *shapes(), f32(32, 3))
    steps += [
        {"op": "history", "out": "curve", "loc": 2},
        {"op": "result", "in": "curve", "name": "curve", "loc": 3},
        xla(predicting, ["rows", *_named("last"), "x"], ["p"], chunks),
        {"op": "from_tensor", "in": "f", "tensors": ["p"], "columns": ["p"], "out": "with", "loc": 3},
    ]
    if owned != "all":
        steps.append({"op": "gather", "in": "with", "out": "all", "root": 0, "loc": 3})
    last = "with" if owned == "all" else "all"
    steps.append({"op": "result", "in": last, "name": "predictions", "loc": 3})
    return Plan(
        "training",
        ranks,
        [Gang("main", list(range(ranks)), steps)],
        results=[
            {"name": "curve", "schema": HISTORY},
            {"name": "predictions", "schema": [*SCHEMA, ["p", "f32"]]},
        ],
        locations=[["prog.py", line, 5, 9] for line in range(1, 5)],
        constants={f"{constant}.safetensors": packed},
        kernels=kernels.texts,
    )


def _named(suffix: str) -> list[str]:
    """The parameters under the names that they have at one place of the program."""
    return [f"{name}.{suffix}" for name in NAMES]


def _rows(path: Path, owned: str) -> list[Json]:
    """The rows as frame `f` and as tensors `x` and `y`."""
    height = pl.scan_parquet(path).select(pl.len()).collect().item()
    reading = {"format": "parquet", "paths": [str(path)], "schema": SCHEMA, "pieces": [[0, 0, height]]}
    read = {"op": "read", "out": "f", **reading, "replicated": owned == "all", "loc": 0}
    moved = {"op": "shuffle", "in": "read", "out": "f", "keys": ["k"], "shards": SHARDS, "loc": 0}
    columns = {"columns": [["a", "b", "c"], "y"], "dtypes": ["f32", "f32"]}
    return [
        *([{**read, "out": "read"}, moved] if owned == "hash" else [read]),
        {"op": "to_tensor", "in": "f", "outs": ["x", "y"], **columns, "loc": 0},
        {"op": "rows", "in": "f", "out": "rows", "whole": owned == "all", "loc": 0},
    ]


def _begin(constant: str, options: dict[str, Any]) -> list[Json]:
    """The initial parameters, or those of a checkpoint."""
    begin: list[Json] = [
        {"op": "parameters", "outs": _named("first"), "name": constant, "tensors": NAMES, "loc": 1}
    ]
    if "load" in options:
        source = {"path": options["load"], "model": options.get("model", "mlp"), "names": NAMES}
        values = {"ins": _named("first"), "outs": _named("loaded"), "out": "begin"}
        begin.append({"op": "load", **values, **source, "optional": options.get("optional", True), "loc": 3})
    return begin


def _epoch(kernels: Kernels, order: str, options: dict[str, Any]) -> list[Json]:
    dealt = {"size": SIZE, "micro_batches": SHARDS, "seed": SEED, "shuffle": options.get("shuffle", True)}
    lies = {"frame": "f", "keys": options.get("keys", ["k"]), "owned": options.get("owned", "hash")}
    body = _step(kernels, order, options.get("later", True))
    steps: list[Json] = [
        {"op": "batches", "ins": ["x", "y"], "out": "batches", **dealt, **lies, "epoch": "e", "loc": 1},
        {"op": "steps", "in": "batches", "out": "n", "loc": 1},
        loop("t", 0, "n", _named("epoch"), _named("now"), _named("new"), _named("after"), body),
    ]
    if "save" in options:
        target = {"path": options["save"], "model": "mlp", "seed": SEED, "epoch": "e"}
        steps.append({"op": "save", "ins": _named("after"), "names": NAMES, **target, "loc": 3})
    return steps


def _step(kernels: Kernels, order: str, later: bool) -> list[Json]:
    parts, sums = ["loss.parts", *_named("parts")], ["loss", *_named("gradient")]
    shaped = (I32, f32(MICRO, 3), f32(MICRO), *shapes())
    full, masked = kernels.add(step, *shaped), kernels.add(masked_step, *shaped, I32)
    fragment = {"kind": "xla", "version": 1, "inputs": 3 + len(NAMES), "outputs": 1 + len(NAMES)}
    fragment |= {"module": full, "masked": masked, "rows": {"chunk": MICRO}}
    running = {"in": "batches", "step": "t", "ins": _named("now"), "outs": parts}
    combining = {"combine": "sum", "order": order, "async": later}
    updating = kernels.add(update, *shapes(), *shapes())
    return [
        {"op": "micro", **running, "fragment": fragment, "loc": 1},
        {"op": "reduce", "ins": parts, "outs": sums, **combining, "loc": 1},
        *([{"op": "wait", "ins": sums, "loc": 1}] if later else []),
        xla(updating, [*_named("now"), *_named("gradient")], _named("new")),
        {"op": "log", "in": "loss", "name": "loss", "epoch": "e", "step": "t", "loc": 2},
    ]


def xla(module: str, ins: list[str], outs: list[str], rows: Json | None = None) -> Json:
    fragment = {"kind": "xla", "version": 1, "inputs": len(ins), "outputs": len(outs), "module": module}
    return {"op": "run", "ins": ins, "outs": outs, "fragment": {**fragment, "rows": rows}, "loc": 1}


def loop(
    index: str,
    start: int | str,
    stop: int | str,
    ins: list[str],
    args: list[str],
    yields: list[str],
    outs: list[str],
    body: list[Json],
) -> Json:
    carried = {"ins": ins, "args": args, "yields": yields, "outs": outs}
    counted = {"index": index, "start": start, "stop": stop, "step": 1}
    return {"op": "for", **counted, **carried, "body": body, "loc": 1}

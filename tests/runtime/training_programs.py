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
    """Reads the table, trains by steepest descent, and gives the loss curve, the parameters' sum and predictions.

    `options`: `save` and `load` name a checkpoint, `epochs` and `keys` replace the defaults, `owned` how rows lie,
    `shuffle` whether epochs differ.
    """
    kernels = Kernels()
    full = kernels.add(step, I32, f32(MICRO, 3), f32(MICRO), *shapes())
    masked = kernels.add(masked_step, I32, f32(MICRO, 3), f32(MICRO), *shapes(), I32)
    packed = save(initial())
    constant = digest(packed)
    owned = options.get("owned", "hash")
    keys = options.get("keys", ["k"])
    frame = table(options.get("rows", 500))
    bounds = [[0, 0, frame.height]]
    ws = [f"w.{name}" for name in NAMES]
    gs = [f"g.{name}" for name in NAMES]
    read: Json = {
        "op": "read", "out": "read", "format": "parquet", "paths": [str(path)], "schema": SCHEMA,
        "pieces": bounds, "loc": 0, "replicated": owned == "all",
    }  # fmt: skip
    moved: Json = {"op": "shuffle", "in": "read", "out": "f", "keys": ["k"], "shards": SHARDS, "loc": 0}
    if owned != "hash":
        moved = {"op": "run", "ins": ["read"], "outs": ["f"], "loc": 0,
                 "fragment": {"version": 1, "inputs": 1, "ops": [], "outputs": [0]}}  # fmt: skip
    body: list[Json] = [
        {"op": "micro", "in": "batches", "step": "t", "ins": ws, "outs": ["part", *(f"p.{g}" for g in gs)],
         "fragment": {"kind": "xla", "version": 1, "inputs": 3 + len(ws), "outputs": 1 + len(ws),
                      "module": full, "masked": masked, "rows": {"chunk": MICRO}}, "loc": 1},
        {"op": "reduce", "ins": ["part", *(f"p.{g}" for g in gs)], "outs": ["loss", *gs], "combine": "sum",
         "order": order, "async": options.get("later", True), "loc": 1},
        *([{"op": "wait", "ins": ["loss", *gs], "loc": 1}] if options.get("later", True) else []),
        xla(kernels.add(update, *shapes(), *shapes()), [*ws, *gs], [f"{w}.new" for w in ws]),
        {"op": "log", "in": "loss", "name": "loss", "epoch": "e", "step": "t", "loc": 2},
    ]  # fmt: skip
    epoch: list[Json] = [
        {"op": "batches", "frame": "f", "ins": ["x", "y"], "out": "batches", "size": SIZE,
         "micro_batches": SHARDS, "seed": SEED, "shuffle": options.get("shuffle", True), "keys": keys,
         "owned": owned, "epoch": "e", "loc": 1},
        {"op": "steps", "in": "batches", "out": "n", "loc": 1},
        loop("t", 0, "n", [f"{w}.epoch" for w in ws], ws, [f"{w}.new" for w in ws], [f"{w}.after" for w in ws], body),
    ]  # fmt: skip
    if "save" in options:
        epoch.append({"op": "save", "ins": [f"{w}.after" for w in ws], "names": NAMES, "path": options["save"],
                      "epoch": "e", "model": "mlp", "seed": SEED, "loc": 3})  # fmt: skip
    first = [f"{w}.first" for w in ws]
    begin: list[Json] = [{"op": "parameters", "outs": first, "name": constant, "tensors": NAMES, "loc": 1}]
    start: int | str = 0
    if "load" in options:
        begin.append({"op": "load", "ins": first, "outs": [f"{w}.loaded" for w in ws], "out": "begin", "loc": 3,
                      "names": NAMES, "path": options["load"], "model": options.get("model", "mlp"),
                      "optional": options.get("optional", True)})  # fmt: skip
        first, start = [f"{w}.loaded" for w in ws], "begin"
    last = [f"{w}.last" for w in ws]
    predicted = xla(
        kernels.add(predict, I32, *shapes(), f32(32, 3)), ["rows", *last, "x"], ["p"],
        {"chunk": 32, "split": [1 + len(ws)], "outputs": ["rows"], "masked": None},
    )  # fmt: skip
    steps = [
        read, moved, *begin,
        {"op": "to_tensor", "in": "f", "outs": ["x", "y"], "columns": [["a", "b", "c"], "y"],
         "dtypes": ["f32", "f32"], "loc": 0},
        {"op": "rows", "in": "f", "out": "rows", "whole": owned == "all", "loc": 0},
        loop("e", start, options.get("epochs", EPOCHS), first, [f"{w}.epoch" for w in ws],
             [f"{w}.after" for w in ws], last, epoch),
        {"op": "history", "out": "curve", "loc": 2},
        predicted,
        {"op": "from_tensor", "in": "f", "tensors": ["p"], "columns": ["p"], "out": "with", "loc": 3},
        {"op": "gather", "in": "with", "out": "all", "root": 0, "loc": 3},
        {"op": "result", "in": "curve", "name": "curve", "loc": 3},
        {"op": "result", "in": "all", "name": "predictions", "loc": 3},
    ]  # fmt: skip
    results = [
        {"name": "curve", "schema": HISTORY},
        {"name": "predictions", "schema": [*SCHEMA, ["p", "f32"]]},
    ]
    return Plan(
        "training", ranks, [Gang("main", list(range(ranks)), steps)], results=results,
        locations=[["prog.py", line, 5, 9] for line in range(1, 5)],
        constants={f"{constant}.safetensors": packed}, kernels=kernels.texts,
    )  # fmt: skip


def xla(module: str, ins: list[str], outs: list[str], rows: Json | None = None) -> Json:
    fragment = {"kind": "xla", "version": 1, "inputs": len(ins), "outputs": len(outs), "module": module}
    return {"op": "run", "ins": ins, "outs": outs, "fragment": {**fragment, "rows": rows}, "loc": 1}


def loop(
    index: str, start: int | str, stop: int | str,
    ins: list[str], args: list[str], yields: list[str], outs: list[str], body: list[Json],
) -> Json:  # fmt: skip
    return {
        "op": "for", "index": index, "start": start, "stop": stop, "step": 1, "ins": ins, "args": args,
        "yields": yields, "outs": outs, "body": body, "loc": 1,
    }  # fmt: skip

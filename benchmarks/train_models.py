"""The three models of the training benchmarks: data, initial parameters, and the loss in JAX and in torch.

A network over tabular features, a small convolutional one over images, and a block of a transformer over
sequences. All of them start from the same NumPy arrays and see the same rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

STEPS = 64
"""Batches in a file of rows: an epoch."""

CLASSES, WIDTH, HEADS, LENGTH, INNER, TOKENS = 10, 128, 4, 32, 256, 64
RATE = 1e-3


@dataclass(frozen=True)
class Model:
    """Columns of the file and how they become tensors; `loss(params, x, y)` in JAX and in torch."""

    features: list[str]
    batch: int
    dtypes: tuple[str, str]
    initial: Callable[[], dict[str, np.ndarray]]
    loss: Callable[[Any, Any, Any], Any]
    torch_loss: Callable[[Any, Any, Any], Any]

    @property
    def columns(self) -> list[str | list[str]]:
        return [self.features, "y"]

    def arrays(self, path: Path) -> tuple[np.ndarray, np.ndarray]:
        """The rows of the file as the tensors that a step is fed with."""
        names = {"f32": np.float32, "i32": np.int32}
        frame = pl.read_parquet(path)
        x = frame.select(self.features).to_numpy().astype(names[self.dtypes[0]])
        return np.ascontiguousarray(x), frame["y"].to_numpy().astype(names[self.dtypes[1]])


def write(name: str, directory: Path, steps: int = STEPS) -> Path:
    """The rows of a model as a Parquet file in `directory`, made when missing."""
    model = MODELS[name]
    path = directory / f"{name}-{steps}.parquet"
    if path.exists():
        return path
    random = np.random.default_rng(5)
    rows, width = steps * model.batch, len(model.features)
    if model.dtypes[0] == "i32":
        x = random.integers(0, TOKENS, (rows, width), np.int32)
        y = x.sum(1) % CLASSES
    else:
        x = random.normal(size=(rows, width)).astype(np.float32)
        target = np.tanh(x @ random.normal(size=(width, CLASSES)) / math.sqrt(width))
        y = target.argmax(1) if model.dtypes[1] == "i32" else target.sum(1)
    columns = dict(zip(model.features, np.ascontiguousarray(x.T), strict=True))
    frame = pl.DataFrame({"id": np.arange(rows), **columns, "y": y})
    directory.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path, row_group_size=max(1, rows // 8))
    return path


def _names(count: int) -> list[str]:
    return [f"x{index}" for index in range(count)]


@cache
def _drawn(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Random arrays of these shapes, each divided by the root of the numbers that go into one output."""
    random = np.random.default_rng(11)
    return {
        name: (random.normal(size=shape) / math.sqrt(max(1, math.prod(shape[:-1])))).astype(np.float32)
        if len(shape) > 1
        else np.full(shape, name.endswith("scale"), np.float32)
        for name, shape in shapes.items()
    }


def mlp_initial() -> dict[str, np.ndarray]:
    return _drawn(w1=(64, 256), b1=(256,), w2=(256, 256), b2=(256,), w3=(256, 1), b3=(1,))


def mlp_loss(p, x, y):
    import jax.numpy as jnp

    h = jnp.maximum(x @ p["w1"] + p["b1"], 0)
    h = jnp.maximum(h @ p["w2"] + p["b2"], 0)
    return jnp.mean(((h @ p["w3"] + p["b3"])[:, 0] - y) ** 2)


def mlp_torch(p, x, y):
    import torch

    h = torch.relu(torch.addmm(p["b1"], x, p["w1"]))
    h = torch.relu(torch.addmm(p["b2"], h, p["w2"]))
    return torch.nn.functional.mse_loss(torch.addmm(p["b3"], h, p["w3"])[:, 0], y)


def cnn_initial() -> dict[str, np.ndarray]:
    shapes = {"k1": (3, 3, 1, 32), "c1": (32,), "k2": (3, 3, 32, 64), "c2": (64,), "w": (1600, CLASSES)}
    return _drawn(**shapes, b=(CLASSES,))


def cnn_loss(p, x, y):
    import jax

    def layer(x, kernel, bias):
        x = jax.lax.conv_general_dilated(
            x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = jax.nn.relu(x + bias)
        return jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    x = x.reshape(-1, 28, 28, 1)
    x = layer(layer(x, p["k1"], p["c1"]), p["k2"], p["c2"])
    return _cross_entropy(x.reshape(-1, 1600) @ p["w"] + p["b"], y)


def cnn_torch(p, x, y):
    import torch.nn.functional as f

    def layer(x, kernel, bias):
        return f.max_pool2d(f.relu(f.conv2d(x, kernel.permute(3, 2, 0, 1), bias)), 2)

    x = x.reshape(-1, 1, 28, 28)
    x = layer(layer(x, p["k1"], p["c1"]), p["k2"], p["c2"])
    return f.cross_entropy(f.linear(x.permute(0, 2, 3, 1).reshape(-1, 1600), p["w"].T, p["b"]), y.long())


def transformer_initial() -> dict[str, np.ndarray]:
    return {
        **_drawn(tokens=(TOKENS, WIDTH), places=(LENGTH, WIDTH)),
        **_drawn(qkv=(WIDTH, 3 * WIDTH), out=(WIDTH, WIDTH), up=(WIDTH, INNER), down=(INNER, WIDTH)),
        **_drawn(first_scale=(WIDTH,), first_shift=(WIDTH,), second_scale=(WIDTH,), second_shift=(WIDTH,)),
        **_drawn(up_bias=(INNER,), down_bias=(WIDTH,), head=(WIDTH, CLASSES), head_bias=(CLASSES,)),
    }


def transformer_loss(p, x, y):
    import jax
    import jax.numpy as jnp

    def normal(x, scale, shift):
        centred = x - x.mean(-1, keepdims=True)
        return centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * scale + shift

    h = p["tokens"][x] + p["places"]
    q, k, v = jnp.split(normal(h, p["first_scale"], p["first_shift"]) @ p["qkv"], 3, -1)
    q, k, v = (a.reshape(-1, LENGTH, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3) for a in (q, k, v))
    weights = jax.nn.softmax(q @ k.transpose(0, 1, 3, 2) / math.sqrt(WIDTH // HEADS), -1)
    h = h + (weights @ v).transpose(0, 2, 1, 3).reshape(-1, LENGTH, WIDTH) @ p["out"]
    inner = jax.nn.relu(normal(h, p["second_scale"], p["second_shift"]) @ p["up"] + p["up_bias"])
    h = h + inner @ p["down"] + p["down_bias"]
    return _cross_entropy(h.mean(1) @ p["head"] + p["head_bias"], y)


def transformer_torch(p, x, y):
    import torch
    import torch.nn.functional as f

    h = f.embedding(x.long(), p["tokens"]) + p["places"]
    mixed = f.layer_norm(h, (WIDTH,), p["first_scale"], p["first_shift"]) @ p["qkv"]
    q, k, v = (a.reshape(-1, LENGTH, HEADS, WIDTH // HEADS).transpose(1, 2) for a in mixed.chunk(3, -1))
    seen = f.scaled_dot_product_attention(q, k, v)
    h = h + seen.transpose(1, 2).reshape(-1, LENGTH, WIDTH) @ p["out"]
    inner = torch.relu(
        f.layer_norm(h, (WIDTH,), p["second_scale"], p["second_shift"]) @ p["up"] + p["up_bias"]
    )
    h = h + inner @ p["down"] + p["down_bias"]
    return f.cross_entropy(h.mean(1) @ p["head"] + p["head_bias"], y.long())


def _cross_entropy(logits, labels):
    import jax
    import jax.numpy as jnp

    return -jnp.mean(jnp.sum(jax.nn.log_softmax(logits) * jax.nn.one_hot(labels, CLASSES), -1))


MODELS = {
    "mlp": Model(_names(64), 1024, ("f32", "f32"), mlp_initial, mlp_loss, mlp_torch),
    "cnn": Model(_names(784), 64, ("f32", "i32"), cnn_initial, cnn_loss, cnn_torch),
    "transformer": Model(
        _names(LENGTH), 32, ("i32", "i32"), transformer_initial, transformer_loss, transformer_torch
    ),
}

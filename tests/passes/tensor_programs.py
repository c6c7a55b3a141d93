"""Random programs of tables, tensors and training, which Polars and JAX also run on whole frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from hypothesis import strategies as st

import dlc
from dlc import col
from dlc.frontends.program import Program
from dlc.passes.partition import costs, partition

Array = Any
FEATURES = ["a", "b", "c"]
ROWS = 200
WEIGHT = np.array([[1, -2, 0.5], [0, 1, 2], [-1, 0.5, 1]], np.float32)


def table() -> pl.DataFrame:
    """Whole numbers, whose sums are the same in any order; some keys have a single row."""
    random = np.random.default_rng(11)
    return pl.DataFrame(
        {
            "k": random.integers(0, 60, ROWS),
            "m": random.integers(0, 4, ROWS),
            **{name: random.integers(-4, 5, ROWS).astype(np.float32) for name in FEATURES},
        }
    )


@contextmanager
def machine(read: float, work: float, network: float) -> Iterator[None]:
    """What is cheap, in bytes a second, which decides how even tiny tables are spread."""
    wires = partition.DefaultNetwork(latency=0.0, bandwidth=network)
    with (
        patch.object(costs, "READ_RATE", read),
        patch.object(costs, "WORK_RATE", work),
        patch.object(costs, "COLLECTIVE_SECONDS", 0.0),
        patch.object(partition, "DefaultNetwork", lambda: wires),
    ):
        yield


MACHINES = {
    "as it is": (5e8, 1e9, 5e9),
    "reading is slow": (1e2, 1e9, 5e9),
    "work is slow": (1e2, 1e3, 5e9),
    "all but sending is slow": (1e2, 1e2, 1e12),
}


@dataclass(frozen=True)
class Piece:
    """The same step on a frame of a program and on one of Polars."""

    lazy: Callable[[dlc.Frame], dlc.Frame]
    eager: Callable[[pl.DataFrame], pl.DataFrame]


BEFORE = {
    "as it is": Piece(lambda f: f, lambda f: f),
    "filtered": Piece(lambda f: f.filter(col("a") > -2), lambda f: f.filter(pl.col("a") > -2)),
    "distinct": Piece(lambda f: f.unique(), lambda f: f.unique()),
    "grouped": Piece(
        lambda f: f.group_by("k").agg(col("m").max(), *(col(n).max() for n in FEATURES)),
        lambda f: f.group_by("k").agg(pl.col("m").max(), *(pl.col(n).max() for n in FEATURES)),
    ),
    "sorted": Piece(lambda f: f.sort("b", "k"), lambda f: f.sort("b", "k")),
    "joined": Piece(
        lambda f: f.join(f.group_by("m").agg(n=dlc.len()), on="m").filter(col("n") > 45).drop("n"),
        lambda f: f.join(f.group_by("m").agg(n=pl.len()), on="m").filter(pl.col("n") > 45).drop("n"),
    ),
}
"""What is done before columns become tensors."""

LAYERS: dict[str, Callable[[Array], Array]] = {
    "affine": lambda x: 2 * x - 1,
    "relu": jax.nn.relu,
    "dense": lambda x: x @ jnp.asarray(WEIGHT),
    "centred": lambda x: 3 * x - x.sum(axis=1, keepdims=True),
    "columns": lambda x: x[:, ::-1] + x[:, jnp.array([0, 0, 2])],
    "where": lambda x: jnp.where(x > 0, x, -2 * x),
    "largest": lambda x: x + x.max(axis=1, keepdims=True),
    "one hot": lambda x: x + jax.nn.one_hot(jnp.argmax(x, axis=1), 3),
    "clipped": lambda x: jnp.clip(x, -8, 8),
}
"""Row by row, on whole numbers and halves: exact in 32 bits."""

ENDS: dict[str, Callable[[Array], Array]] = {
    "sum": lambda x: x.sum(axis=1),
    "max": lambda x: x.max(axis=1),
    "first": lambda x: x[:, 0],
}
"""One number a row."""

TOTALS: dict[str, Callable[[Array], Array]] = {
    "sum": jnp.sum,
    "max": jnp.max,
    "min": jnp.min,
    "any": lambda x: (x > 5).any(),
    "all": lambda x: (x > -500).all(),
    "count": lambda x: (x > 0).sum(),
    "squares": lambda x: x @ x,
}
"""One number of all rows."""


@dataclass(frozen=True)
class Tensors:
    """Rows through some layers; a column, its sums by a key, or numbers of all rows come of it."""

    before: str
    layers: tuple[str, ...]
    end: str
    result: str

    def function(self, x: Array) -> Array:
        """One number for every row."""
        for layer in self.layers:
            x = LAYERS[layer](x)
        return ENDS[self.end](x)

    def program(self, path: str) -> Program:
        """The program on the rows of a file."""

        def program() -> dlc.Frame:
            frame = BEFORE[self.before].lazy(dlc.scan_parquet(path))
            column = dlc.jax(self.function)(frame.to_tensor(FEATURES))
            if self.result == "column":
                return frame.with_tensors(p=column)
            if self.result == "grouped":
                grouped = (
                    frame.with_tensors(p=column).group_by("k").agg(col("p").sum(), col("p").max().alias("q"))
                )
                return grouped.with_columns(col("p").fill_null(0.0), col("q").fill_null(0.0))
            totals = dlc.jax(lambda p: [total(p) for total in TOTALS.values()])(column)
            return dlc.scalars(**dict(zip([f"t{i}" for i in range(len(totals))], totals, strict=True)))

        return dlc.program(program)

    def expected(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What Polars and JAX make of all rows."""
        frame = BEFORE[self.before].eager(rows)
        column = np.asarray(self.function(jnp.asarray(frame.select(FEATURES).to_numpy())))
        if self.result == "column":
            return frame.with_columns(p=pl.Series(column))
        if self.result == "grouped":
            p = pl.col("p")
            return frame.with_columns(p=pl.Series(column)).group_by("k").agg(p.sum(), p.max().alias("q"))
        values = [total(column) for total in TOTALS.values()]
        return pl.DataFrame({f"t{i}": [np.asarray(v).item()] for i, v in enumerate(values)})


def tensor_programs() -> st.SearchStrategy[Tensors]:
    """Any of them, on rows that any operators leave."""
    return st.builds(
        Tensors,
        st.sampled_from(list(BEFORE)),
        st.lists(st.sampled_from(list(LAYERS)), max_size=3).map(tuple),
        st.sampled_from(list(ENDS)),
        st.sampled_from(["column", "grouped", "totals"]),
    )


@dataclass(frozen=True)
class Trainings:
    """Training of a linear model on all rows at a time, so that the order of the rows does not matter."""

    before: str
    micro_batches: int
    regularised: bool
    keys: tuple[str, ...] | None

    def loss(self, params: Any, x: Array, y: Array) -> Array:
        """Squares of the errors, and of the parameters."""
        errors = jnp.mean((x @ params["w"] + params["b"] - y) ** 2)
        return errors + 0.125 * jnp.sum(params["w"] ** 2) if self.regularised else errors

    def program(self, path: str, epochs: int = 3) -> Program:
        """The program on the rows of a file: the history, and what the model predicts."""

        def program() -> dict[str, dlc.Frame]:
            frame = BEFORE[self.before].lazy(dlc.scan_parquet(path))
            model = dlc.train(
                self.loss,
                PARAMS,
                frame,
                [["a", "b"], "c"],
                epochs=epochs,
                batch=self.micro_batches * ROWS,
                micro_batches=self.micro_batches,
                optimizer=dlc.SGD(RATE),
                keys=self.keys,
                metrics={"after": dlc.Metric(self.loss, frame, [["a", "b"], "c"])},
            )
            score = dlc.jax(lambda params, x: x @ params["w"] + params["b"])
            scored = frame.with_tensors(p=score(model.params, frame.to_tensor(["a", "b"])))
            return {"history": model.history, "scored": scored.select("k", "a", "b", "p")}

        return dlc.program(program)

    def expected(self, rows: pl.DataFrame, epochs: int = 3) -> tuple[list[float], list[float], pl.DataFrame]:
        """The losses before and after each step, and the predictions, of a plain loop over all rows."""
        frame = BEFORE[self.before].eager(rows)
        x, y = (jnp.asarray(frame.select(names).to_numpy()) for names in (["a", "b"], "c"))
        params: Any = PARAMS
        before, after = list[float](), list[float]()
        for _ in range(epochs):
            value, gradient = jax.value_and_grad(self.loss)(params, x, y[:, 0])
            params = jax.tree.map(lambda p, g: p - RATE * g, params, gradient)
            before.append(float(value))
            after.append(float(self.loss(params, x, y[:, 0])))
        scores = np.asarray(x @ params["w"] + params["b"])
        return before, after, frame.select("k", "a", "b", p=pl.Series(scores))


PARAMS = {"w": np.array([0.5, -1], np.float32), "b": np.float32(0.25)}
RATE = 0.0625


def training_programs() -> st.SearchStrategy[Trainings]:
    """Trainings with as many, fewer and more micro-batches than ranks."""
    return st.builds(
        Trainings,
        st.sampled_from(list(BEFORE)),
        st.sampled_from([1, 2, 3, 4, 6]),
        st.booleans(),
        st.sampled_from([None, ("k",), ("a", "b", "k")]),
    )

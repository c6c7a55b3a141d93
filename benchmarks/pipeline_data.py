"""The tables of the pipeline benchmark, and the numbers that dlc and its peer share."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

DATA = Path(os.environ.get("PIPELINE_DATA") or Path(__file__).resolve().parent / "data" / "pipeline")
OUT = os.environ.get("PIPELINE_OUT", "out")
CATEGORIES = 10
EPOCHS, BATCH, RATE = 3, 1024, 2e-3
HIDDEN = (128, 64)

# Mean and spread of each feature, roughly.
SCALES = {
    "age": (45.0, 16.0),
    "events": (15.0, 4.0),
    "spent": (600.0, 230.0),
    "mean_price": (20.0, 3.0),
    "max_price": (57.0, 21.0),
    "margin": (5.0, 3.0),
    "night": (0.25, 0.11),
    **{f"category_{number}": (0.1, 0.08) for number in range(CATEGORIES)},
}
FEATURES = list(SCALES)


def make(users: int, directory: Path = DATA) -> Path:
    """Users, items and 15 events a user as Parquet files in `directory`, made when missing."""
    target = directory / str(users)
    if target.is_dir():
        return target
    random = np.random.default_rng(3)
    items, count = 5000, 15 * users
    cost = random.gamma(4.0, 4.0, items)
    item = random.integers(0, items, count)
    price = cost[item] + random.normal(5, 12, count).clip(-15, 40)
    events = pl.DataFrame(
        {
            "user": random.integers(0, users, count).astype(np.int32),
            "item": item.astype(np.int32),
            "price": price,
            "quantity": random.integers(1, 4, count).astype(np.int32),
            "hour": random.integers(0, 24, count).astype(np.int32),
        }
    )
    spent = np.bincount(events["user"], price * (events["hour"].to_numpy() < 6), users)
    age = random.uniform(18, 72, users)
    logit = spent / 60 - 1.5 + np.sin(age / 8)
    people = pl.DataFrame(
        {
            "user": np.arange(users, dtype=np.int32),
            "age": age,
            "bought": random.random(users) < 1 / (1 + np.exp(-logit)),
        }
    )
    goods = pl.DataFrame(
        {
            "item": np.arange(items, dtype=np.int32),
            "cost": cost,
            "category": random.integers(0, CATEGORIES, items).astype(np.int32),
        }
    )
    target.mkdir(parents=True)
    for name, table in (("users", people), ("items", goods), ("events", events)):
        table.write_parquet(target / f"{name}.parquet", row_group_size=1 << 18)
    return target


def initial() -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights and biases of each layer."""
    random = np.random.default_rng(17)
    sizes = (len(FEATURES), *HIDDEN, 1)
    return [
        (random.normal(0, (2 / a) ** 0.5, (a, b)).astype(np.float32), np.zeros(b, np.float32))
        for a, b in pairwise(sizes)
    ]

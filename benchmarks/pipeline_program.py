"""From events to the probability that a user buys, in dlc: join, group-by, three epochs, predictions."""

import jax
import jax.numpy as jnp
from pipeline_data import BATCH, CATEGORIES, DATA, EPOCHS, FEATURES, OUT, RATE, SCALES, initial

import dlc
from dlc import col


def features() -> dlc.Frame:
    users, items, events = (
        dlc.scan_parquet(f"{DATA}/{name}.parquet") for name in ("users", "items", "events")
    )
    past = (
        events.join(items, on="item")
        .group_by("user")
        .agg(
            dlc.len().alias("events"),
            (col("price") * col("quantity")).sum().alias("spent"),
            col("price").mean().alias("mean_price"),
            col("price").max().alias("max_price"),
            (col("price") - col("cost")).mean().alias("margin"),
            (col("hour") < 6).mean().alias("night"),
            *((col("category") == number).mean().alias(f"category_{number}") for number in range(CATEGORIES)),
        )
    )
    return users.join(past, on="user", how="left").select(
        "user",
        "bought",
        *(
            ((col(name).fill_null(0) - mean) / spread).cast(dlc.Float32).alias(name)
            for name, (mean, spread) in SCALES.items()
        ),
    )


def logits(layers, x):
    *inner, (weight, bias) = layers
    for w, b in inner:
        x = jax.nn.relu(x @ w + b)
    return (x @ weight + bias)[:, 0]


def loss(layers, x, bought):
    z = logits(layers, x)
    return jnp.mean(jnp.logaddexp(0.0, z) - bought * z)


@dlc.program
def pipeline() -> None:
    frame = features()
    model = dlc.train(
        loss, initial(), frame, [FEATURES, "bought"], epochs=EPOCHS, batch=BATCH, optimizer=dlc.Adam(RATE),
        keys=["user"],
    )  # fmt: skip
    p = dlc.jax(lambda layers, x: jax.nn.sigmoid(logits(layers, x)))(model.params, frame.to_tensor(FEATURES))
    frame.with_tensors(p=p).select("user", "bought", "p").sink_parquet(f"{OUT}/predictions.parquet")

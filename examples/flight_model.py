"""How likely a flight out of New York is to arrive late, told before it leaves: tables, then a small network.

``dlc run -n 2 examples/flight_model.py`` joins the weather, the plane and the past of the carrier, of the
route and of the hour, learns from four days of five, and leaves a probability for every flight under
``out/``. It continues from a checkpoint there; without one the training begins anew.
"""

import os
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from flight_delays import scan

import dlc
from dlc import col

LATE = 15  # minutes after schedule
EPOCHS = int(os.environ.get("FLIGHT_EPOCHS", "6"))
HIDDEN = (64, 32)

# Mean and spread of each feature, roughly: networks learn best from numbers around 0.
SCALES = {
    "hour": (13.0, 5.0),
    "weekday": (4.0, 2.0),
    "winter": (0.0, 0.7),
    "spring": (0.0, 0.7),
    "distance": (1000.0, 700.0),
    "age": (12.0, 7.0),
    "seats": (140.0, 70.0),
    "temp": (57.0, 18.0),
    "dewp": (42.0, 19.0),
    "humid": (60.0, 20.0),
    "wind_speed": (11.0, 6.0),
    "precip": (0.0, 0.03),
    "pressure": (1018.0, 7.5),
    "visib": (9.3, 2.0),
    "carrier_late": (0.24, 0.06),
    "route_late": (0.24, 0.06),
    "hour_late": (0.24, 0.10),
}
FEATURES = list(SCALES)
BATCH = [FEATURES, "late"]


def flights() -> dlc.Frame:
    """Every flight that arrived, whether it was late, and on which days: every fifth one is held out."""
    season = (col("month") * 30 + col("day")).cast(dlc.Float64) * (np.pi / 180)
    return (
        scan("flights")
        .filter(col("arr_delay").is_not_null())
        .select(
            *("year", "month", "day", "carrier", "flight", "tailnum", "origin", "dest", "time_hour"),
            col("sched_dep_time").alias("scheduled"),
            col("hour"),
            col("distance"),
            col("time_hour").dt.weekday().alias("weekday"),
            season.cos().alias("winter"),
            season.sin().alias("spring"),
            (col("arr_delay") > LATE).alias("late"),
            ((col("month") * 31 + col("day")) % 5 == 0).alias("held_out"),
        )
    )


def with_history(frame: dlc.Frame, past: dlc.Frame, name: str, *keys: str) -> dlc.Frame:
    """The share of late flights among the past ones of the same keys."""
    share = past.group_by(*keys).agg(col("late").mean().alias(name))
    return frame.join(share, on=list(keys), how="left")


def features() -> dlc.Frame:
    """The features of every flight; what is not known stands at the mean."""
    weather = scan("weather").select(
        *("origin", "time_hour", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib")
    )
    planes = scan("planes").select("tailnum", col("year").alias("built"), "seats")
    frame = flights()
    past = frame.filter(~col("held_out"))
    joined = (
        frame.join(weather, on=["origin", "time_hour"], how="left")
        .join(planes, on="tailnum", how="left")
        .with_columns((col("year") - col("built")).alias("age"))
        .pipe(with_history, past, "carrier_late", "carrier")
        .pipe(with_history, past, "route_late", "origin", "dest")
        .pipe(with_history, past, "hour_late", "origin", "hour")
    )
    return joined.select(
        *("month", "day", "scheduled", "carrier", "flight", "held_out", "late"),
        *(
            ((col(name).fill_null(mean) - mean) / spread).cast(dlc.Float32).alias(name)
            for name, (mean, spread) in SCALES.items()
        ),
    )


def initial() -> list[dict[str, np.ndarray]]:
    """Layers with random weights, the same ones every time."""
    random = np.random.default_rng(2013)
    sizes = (len(FEATURES), *HIDDEN, 1)
    return [
        {
            "weight": random.normal(0, (2 / inputs) ** 0.5, (inputs, outputs)).astype(np.float32),
            "bias": np.zeros(outputs, np.float32),
        }
        for inputs, outputs in pairwise(sizes)
    ]


def logits(layers, x):
    for layer in layers[:-1]:
        x = jax.nn.relu(x @ layer["weight"] + layer["bias"])
    return (x @ layers[-1]["weight"] + layers[-1]["bias"])[:, 0]


def log_loss(layers, x, late):
    z = logits(layers, x)
    return jnp.mean(jnp.logaddexp(0.0, z) - late * z)


def decaying(step):
    return 2e-3 * 0.999 ** step.astype(jnp.float32)


def probability(layers, x):
    return jax.nn.sigmoid(logits(layers, x))


@dlc.program
def flight_model() -> dict[str, dlc.Frame]:
    """Trains on four days of five and measures the model on the fifth."""
    frame = features()
    held_out = frame.filter(col("held_out"))
    model = dlc.train(
        log_loss,
        initial(),
        frame.filter(~col("held_out")),
        BATCH,
        epochs=EPOCHS,
        batch=1024,
        optimizer=dlc.AdamW(decaying, weight_decay=0.1),
        seed=1,
        metrics={"held out": dlc.Metric(log_loss, held_out, BATCH)},
        checkpoint="out/checkpoint",
    )
    p = dlc.jax(probability)(model.params, frame.to_tensor(FEATURES))
    predicted = frame.with_tensors(p=p).sort("month", "day", "scheduled", "carrier", "flight")
    predicted.sink_parquet("out/predictions.parquet")
    model.history.sink_parquet("out/history.parquet")

    right = (col("p") > 0.5) == col("late")
    quality = (
        predicted.group_by("held_out")
        .agg(
            dlc.len().alias("flights"),
            col("late").mean().alias("share_late"),
            col("p").mean().alias("mean_p"),
            right.mean().alias("accuracy"),
        )
        .sort("held_out")
    )
    return {"quality": quality}

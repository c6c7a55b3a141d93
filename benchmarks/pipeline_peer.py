"""The pipeline of ``pipeline_program.py`` in one process of two threads: Polars for tables, then torch.

Prints the seconds after the imports.
"""

import time

import polars as pl
import torch
from pipeline_data import BATCH, CATEGORIES, DATA, EPOCHS, FEATURES, OUT, RATE, SCALES, initial
from polars import col


def features() -> pl.DataFrame:
    users, items, events = (
        pl.scan_parquet(f"{DATA}/{name}.parquet") for name in ("users", "items", "events")
    )
    past = (
        events.join(items, on="item")
        .group_by("user")
        .agg(
            pl.len().alias("events"),
            (col("price") * col("quantity")).sum().alias("spent"),
            col("price").mean().alias("mean_price"),
            col("price").max().alias("max_price"),
            (col("price") - col("cost")).mean().alias("margin"),
            (col("hour") < 6).mean().alias("night"),
            *((col("category") == number).mean().alias(f"category_{number}") for number in range(CATEGORIES)),
        )
    )
    return (
        users.join(past, on="user", how="left")
        .select(
            "user",
            "bought",
            *(
                ((col(name).fill_null(0) - mean) / spread).cast(pl.Float32).alias(name)
                for name, (mean, spread) in SCALES.items()
            ),
        )
        .collect()
    )


def network() -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    for weight, bias in initial():
        layer = torch.nn.Linear(*weight.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight.T))
            layer.bias.copy_(torch.from_numpy(bias))
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def main() -> None:
    frame = features()
    x = torch.from_numpy(frame.select(FEATURES).to_numpy())
    y = torch.from_numpy(frame["bought"].cast(pl.Float32).to_numpy())
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), RATE, fused=True)
    measure = torch.nn.BCEWithLogitsLoss()
    for _ in range(EPOCHS):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
        xs, ys = x[order], y[order]
        for start in range(0, len(x), BATCH):
            optimizer.zero_grad()
            loss = measure(model(xs[start : start + BATCH])[:, 0], ys[start : start + BATCH])
            loss.backward()
            optimizer.step()
            if not torch.isfinite(loss):
                raise SystemExit("the loss is not finite")
    with torch.no_grad():
        p = torch.sigmoid(model(x)[:, 0]).numpy()
    frame.select("user", "bought", p=p).write_parquet(f"{OUT}/predictions.parquet")


if __name__ == "__main__":
    start = time.perf_counter()
    torch.set_num_threads(2)
    main()
    print(time.perf_counter() - start)

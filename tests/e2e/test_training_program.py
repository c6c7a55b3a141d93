"""Programs that train: against a loop in JAX over batches dealt out by hand, and on any number of ranks."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest

import dlc
from dlc import col, driver
from dlc.frontends.program import Program, trace
from dlc.runtime import plan as plans
from dlc.runtime.executor import execute
from dlc.runtime.transport import run_local

USERS, EVENTS, BATCH, SHARDS, SEED, EPOCHS = 150, 1200, 32, 4, 9, 3
FEATURES = ["age", "events", "spent"]
COLUMNS = [FEATURES, "bought"]
OPTIMIZER = dlc.Adam(3e-3)
MASK = (1 << 64) - 1
random = np.random.default_rng(4)
PARAMS = {
    "w": random.normal(size=(3, 8)).astype(np.float32),
    "b": np.zeros(8, np.float32),
    "out": random.normal(size=8).astype(np.float32),
}


def score(params: Any, x: Any) -> Any:
    return jnp.tanh(x @ params["w"] + params["b"]) @ params["out"]


def loss(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((score(params, x) - y) ** 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Users and their events, in files of several row groups; the last users have none."""
    found = tmp_path_factory.mktemp("tables")
    random = np.random.default_rng(8)
    users = pl.DataFrame({"user": range(USERS), "age": random.normal(size=USERS)})
    users = users.with_columns(bought=(pl.col("age") + random.normal(size=USERS)) > 0)
    who, price = random.integers(0, USERS - 9, EVENTS), random.gamma(2, 1, EVENTS)
    users.write_parquet(found / "users.parquet", row_group_size=20)
    pl.DataFrame({"user": who, "price": price}).write_parquet(found / "events.parquet", row_group_size=100)
    return found


def features(folder: Path) -> dlc.Frame:
    """What each user has spent, from a join and a group-by."""
    users, events = (dlc.scan_parquet(str(folder / f"{name}.parquet")) for name in ("users", "events"))
    spent = events.group_by("user").agg(dlc.len().alias("events"), col("price").sum().alias("spent"))
    return users.join(spent, on="user", how="left").with_columns(
        (col("events").fill_null(0) / 8 - 1).alias("events"),
        (col("spent").fill_null(0.0) / 16).alias("spent"),
    )


def expected_features(folder: Path) -> pl.DataFrame:
    """The same rows from Polars."""
    users, events = (pl.read_parquet(folder / f"{name}.parquet") for name in ("users", "events"))
    spent = events.group_by("user").agg(events=pl.len(), spent=pl.col("price").sum())
    return users.join(spent, on="user", how="left").with_columns(
        events=pl.col("events").fill_null(0) / 8 - 1, spent=pl.col("spent").fill_null(0.0) / 16
    )


def training(folder: Path, epochs: int = EPOCHS, checkpoint: Path | None = None, **options: Any) -> Program:
    """Trains on the users below 120 and gives the history, and predictions for all."""

    def program() -> dict[str, dlc.Frame]:
        frame = features(folder)
        model = dlc.train(
            loss,
            PARAMS,
            frame.filter(col("user") < 120),
            COLUMNS,
            **{
                "epochs": epochs,
                "batch": BATCH,
                "seed": SEED,
                "optimizer": OPTIMIZER,
                "keys": ["user"],
                **options,
            },
            metrics={"others": dlc.Metric(loss, frame.filter(col("user") >= 120), COLUMNS)},
            checkpoint=None if checkpoint is None else str(checkpoint),
        )
        p = dlc.jax(score)(model.params, frame.to_tensor(FEATURES))
        predictions = frame.with_tensors(p=p).select("user", "p").sort("user")
        return {"history": model.history, "predictions": predictions}

    return dlc.program(program)


def run(program: Program, ranks: int = 1) -> dict[str, pl.DataFrame]:
    """The results of a program on ranks that are threads of this process."""
    plan = driver.build_plan(driver.compile_module(trace(program), None, ranks))
    loaded = plans.from_bytes(plans.to_bytes(plan))
    found = run_local(ranks, lambda transport: execute(loaded, transport), patience=60)[0]
    assert found is not None
    return found


def curve(found: dict[str, pl.DataFrame], name: str = "loss") -> list[float]:
    history = found["history"].filter(pl.col("name") == name)
    assert history.select("epoch", "step").rows() == sorted(history.select("epoch", "step").rows())
    return history["value"].to_list()


# The order of rows as it is documented: shards by the hash of the keys, rows by the hash of their bits.


def mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def content_hash(words: Sequence[int]) -> int:
    keys = [mix(number * 0x9E3779B97F4A7C15 & MASK) for number in range(1, 2 * len(words) + 3)]
    high, low = (
        keys[half] + sum(key * word for key, word in zip(keys[2 + half :: 2], words, strict=True))
        for half in (0, 1)
    )
    return (high & MASK) >> 32 << 32 | (low & MASK) >> 32


def batches(frame: pl.DataFrame, keys: Sequence[str], epoch: int) -> Iterator[tuple[Any, Any]]:
    """The batches of an epoch."""
    x = frame.select(FEATURES).to_numpy().astype(np.float32)
    y = frame["bought"].to_numpy().astype(np.float32)
    words = np.column_stack([x, y]).view(np.uint32).tolist()
    salt = mix((mix(epoch) + SEED) & MASK)
    order = sorted(range(len(y)), key=lambda row: mix((content_hash(words[row]) + salt) & MASK))
    first, *more = (frame[key].hash(0x5EED).to_list() for key in keys)
    dealt = [_dealt([first[row], *(other[row] for other in more)], SHARDS) for row in range(len(y))]
    shards = [[row for row in order if dealt[row] == shard] for shard in range(SHARDS)]
    micro = BATCH // SHARDS
    for start in range(0, max(map(len, shards)), micro):
        rows = [row for shard in shards for row in shard[start : start + micro]]
        yield x[rows], y[rows]


def _dealt(hashes: Sequence[int], shards: int) -> int:
    mixed = hashes[0]
    for other in hashes[1:]:
        mixed = (mixed * 0x9E3779B97F4A7C15 + other) & MASK
    return mixed % shards


def plain_loop(
    frame: pl.DataFrame, keys: Sequence[str], function: Callable[..., Any] = loss, params: Any = PARAMS
) -> tuple[list[float], list[Any]]:
    """The loss at every step, and the parameters after each epoch, of training in one process."""
    state, losses, after = OPTIMIZER.init(params), list[float](), list[Any]()
    for epoch in range(EPOCHS):
        for x, y in batches(frame, keys, epoch):
            value, gradients = jax.value_and_grad(function)(params, x, y)
            params, state = OPTIMIZER.update(params, state, gradients)
            losses.append(float(value))
        after.append(params)
    return losses, after


def test_a_program_trains_as_a_loop_in_jax_does(folder: Path) -> None:
    found = run(training(folder), 2)
    frame = expected_features(folder)
    known, others = frame.filter(pl.col("user") < 120), frame.filter(pl.col("user") >= 120)
    losses, after = plain_loop(known, ["user"])
    assert curve(found) == pytest.approx(losses, rel=1e-5)
    unseen = next(_whole(others))
    assert curve(found, "others") == pytest.approx(
        [float(loss(params, *unseen)) for params in after], rel=1e-5
    )
    x, _ = next(_whole(frame))
    np.testing.assert_allclose(found["predictions"]["p"], score(after[-1], x), rtol=1e-4, atol=1e-5)
    assert np.mean(losses[-4:]) < 0.7 * np.mean(losses[:4])


def _whole(frame: pl.DataFrame) -> Iterator[tuple[Any, Any]]:
    yield (
        frame.select(FEATURES).to_numpy().astype(np.float32),
        frame["bought"].to_numpy().astype(np.float32),
    )


def test_rows_are_dealt_out_by_all_columns_unless_keys_are_given(folder: Path) -> None:
    found = run(training(folder, keys=None), 2)
    # Polars adds in another order, and the hash of a float depends on its last bit.
    known = run(dlc.program(lambda: features(folder).filter(col("user") < 120)))["<lambda>"]
    losses, _ = plain_loop(known, [*FEATURES, "bought"])
    assert curve(found) == pytest.approx(losses, rel=1e-5)


def test_every_number_of_ranks_gives_the_same_bits(folder: Path) -> None:
    alone = run(training(folder))
    for ranks in (2, 3, 4):
        found = run(training(folder), ranks)
        for name, frame in alone.items():
            assert found[name].equals(frame), (ranks, name)


def test_the_keys_of_a_grouping_deal_out_the_rows(folder: Path) -> None:
    def program() -> dlc.Frame:
        events = dlc.scan_parquet(str(folder / "events.parquet"))
        spent = events.group_by("user").agg(
            col("price").max().alias("age"),
            (dlc.len() / 8).alias("events"),
            (col("price").sum() / 16).alias("spent"),
            (col("price").mean() > 2).alias("bought"),
        )
        options = {"epochs": EPOCHS, "batch": BATCH, "seed": SEED, "optimizer": OPTIMIZER}
        return dlc.train(loss, PARAMS, spent, COLUMNS, **options).history

    found = [run(dlc.program(program), ranks)["program"] for ranks in (1, 2, 4)]
    assert all(one.equals(other) for one, other in pairwise(found))
    events = pl.read_parquet(folder / "events.parquet")
    price = pl.col("price")
    spent = events.group_by("user").agg(
        age=price.max(), events=pl.len() / 8, spent=price.sum() / 16, bought=price.mean() > 2
    )
    losses, _ = plain_loop(spent, ["user"])
    assert found[0]["value"].to_list() == pytest.approx(losses, rel=1e-5)


def test_training_goes_on_from_a_checkpoint_on_other_ranks(folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint"
    begun = run(training(folder, 1, kept), 3)
    ended = run(training(folder, EPOCHS, kept), 2)
    whole = run(training(folder))
    assert curve(begun) + curve(ended) == curve(whole)
    assert ended["predictions"].equals(whole["predictions"])
    again = run(training(folder, EPOCHS, kept), 4)
    assert again["history"].is_empty()
    assert again["predictions"].equals(whole["predictions"])
    anew = run(training(folder, EPOCHS, kept, resume=False), 2)
    assert anew["history"].equals(whole["history"])


def test_a_module_of_torch_trains_as_torch_does(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(2)
    module = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    start = {name: value.clone() for name, value in module.state_dict().items()}

    def program() -> dlc.Frame:
        model = dlc.torch(module, (None, 3))
        options = {"epochs": EPOCHS, "batch": BATCH, "seed": SEED, "optimizer": OPTIMIZER, "keys": ["user"]}

        def squared(params: Any, x: Any, y: Any) -> Any:
            return jnp.mean((model(params, x)[:, 0] - y) ** 2)

        return dlc.train(squared, model.params, features(folder), COLUMNS, **options).history

    found = [run(dlc.program(program), ranks)["program"] for ranks in (1, 3)]
    assert found[0].equals(found[1])
    module.load_state_dict(start)
    optimizer = torch.optim.Adam(module.parameters(), OPTIMIZER.learning_rate)
    wanted: list[float] = []
    for epoch in range(EPOCHS):
        for x, y in batches(expected_features(folder), ["user"], epoch):
            optimizer.zero_grad()
            value = torch.nn.functional.mse_loss(module(torch.tensor(x))[:, 0], torch.tensor(y))
            value.backward()
            optimizer.step()
            wanted.append(value.item())
    assert found[0]["value"].to_list() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.mpi
@pytest.mark.slow
def test_processes_train_as_threads_do(folder: Path, tmp_path: Path, run_dlc: Any) -> None:
    program = tmp_path / "processes.py"
    program.write_text(f"""
import sys
from pathlib import Path
import dlc

sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from tests.e2e.test_training_program import training

@dlc.program
def processes():
    return training(Path({str(folder)!r})).function()
""")
    done = run_dlc("run", "-n", "2", program, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["history"]
    assert [row["value"] for row in rows] == run(training(folder))["history"]["value"].to_list()

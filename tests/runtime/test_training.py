"""Training gives the same bits on any number of ranks, equals a plain loop, and goes on from a checkpoint."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl
import pytest

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime import checkpoint
from dlc.runtime import plan as plans
from dlc.runtime.executor import execute
from dlc.runtime.launch import mpiexec_command
from dlc.runtime.plan import Plan
from dlc.runtime.trace import Recorder
from dlc.runtime.transport import Transport, run_local
from tests.runtime import training_programs as programs
from tests.runtime.training_programs import EPOCHS, MICRO, RATE, SEED, SHARDS, training

RANKS = pytest.mark.parametrize("ranks", [2, 3, 4, 5])
MASK = (1 << 64) - 1


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("table") / "points.parquet"
    programs.table().write_parquet(found)
    return found


@pytest.fixture(scope="module")
def alone(path: Path) -> dict[str, pl.DataFrame]:
    """What one rank gives."""
    return run(training(path, 1))


def run(plan: Plan) -> dict[str, pl.DataFrame]:
    """The results of a plan that went through its file form."""
    loaded = plans.from_bytes(plans.to_bytes(plan))
    found = run_local(plan.world_size, lambda t: execute(loaded, t), patience=60)[0]
    assert found is not None
    return {name: frame.sort(frame.columns) for name, frame in found.items()}


def fails(plan: Plan) -> DlcError:
    with pytest.raises(DlcError) as caught:
        run(plan)
    return caught.value


def same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> bool:
    return one.keys() == other.keys() and all(one[name].equals(other[name]) for name in one)


# The documented order, in Python's integers.


def mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def content_hash(row: bytes) -> int:
    words = [int.from_bytes(row[start : start + 4], "little") for start in range(0, len(row), 4)]
    keys = [mix((index + 1) * 0x9E3779B97F4A7C15 & MASK) for index in range(2 * len(words) + 2)]
    halves = [
        (keys[half] + sum(keys[2 * index + 2 + half] * word for index, word in enumerate(words))) & MASK
        for half in (0, 1)
    ]
    return (halves[0] >> 32) << 32 | halves[1] >> 32


def shards(epoch: int, by_key: bool = True) -> list[list[int]]:
    """The rows of each shard in the order of an epoch."""
    x, y = tensors()
    hashes = [content_hash(x[row].tobytes() + y[row].tobytes()) for row in range(len(y))]
    salt = mix((mix(epoch) + SEED) & MASK)
    order = sorted(range(len(y)), key=lambda row: mix((hashes[row] + salt) & MASK))
    keys = programs.table()["k"].hash(0x5EED).to_list() if by_key else hashes
    return [[row for row in order if keys[row] % SHARDS == shard] for shard in range(SHARDS)]


def tensors() -> tuple[Any, Any]:
    frame = programs.table()
    x = frame.select("a", "b", "c").to_numpy().astype(np.float32)
    y = frame["y"].to_numpy().astype(np.float32)
    return x, y


def batches(epoch: int, by_key: bool = True) -> Iterator[tuple[Any, Any]]:
    """The global batches of an epoch."""
    (x, y), dealt = tensors(), shards(epoch, by_key)
    for start in range(0, max(map(len, dealt)), MICRO):
        rows = [row for shard in dealt for row in shard[start : start + MICRO]]
        yield x[rows], y[rows]


def plain_loop(
    epochs: int = EPOCHS, by_key: bool = True, shuffle: bool = True
) -> tuple[list[float], list[Any]]:
    """The loss at each step and the last parameters, one whole batch at a time."""
    parameters = list(programs.initial().values())
    losses: list[float] = []
    for epoch in range(epochs):
        for x, y in batches(epoch if shuffle else 0, by_key):
            loss, gradients = jax.value_and_grad(programs.loss)(parameters, x, y, np.float32(len(y)))
            losses.append(float(loss))
            parameters = [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]
    return losses, parameters


def test_it_equals_a_plain_loop_over_the_same_batches(alone: dict[str, pl.DataFrame]) -> None:
    losses, parameters = plain_loop()
    curve = alone["curve"]
    assert curve["value"].to_list() == pytest.approx(losses, rel=1e-6)
    steps = len(losses) // EPOCHS
    assert curve["epoch"].to_list() == [epoch for epoch in range(EPOCHS) for _ in range(steps)]
    assert curve["step"].to_list() == [*range(steps)] * EPOCHS
    frame = alone["predictions"]
    x = frame.select("a", "b", "c").to_numpy().astype(np.float32)
    expected = programs.predict(None, *parameters, x)
    np.testing.assert_allclose(frame["p"].to_numpy(), expected, rtol=1e-5, atol=1e-6)
    assert losses[-1] < 0.3 * losses[0]


@RANKS
@pytest.mark.parametrize("owned", ["hash", "all"])
def test_bits_do_not_depend_on_the_number_of_ranks(
    path: Path, alone: dict[str, pl.DataFrame], ranks: int, owned: str
) -> None:
    assert same(run(training(path, ranks, owned=owned)), alone)


def test_rows_without_keys_are_dealt_out_by_their_content(path: Path) -> None:
    found = [run(training(path, ranks, owned="all", keys=None)) for ranks in (1, 3)]
    assert same(*found)
    losses, _ = plain_loop(by_key=False)
    assert found[0]["curve"]["value"].to_list() == pytest.approx(losses, rel=1e-6)


def test_without_shuffling_epochs_are_alike(path: Path) -> None:
    found = [run(training(path, ranks, shuffle=False)) for ranks in (1, 2)]
    assert same(*found)
    losses, _ = plain_loop(shuffle=False)
    assert found[0]["curve"]["value"].to_list() == pytest.approx(losses, rel=1e-6)


def test_a_reduction_may_end_at_once(path: Path, alone: dict[str, pl.DataFrame]) -> None:
    assert same(run(training(path, 3, later=False)), alone)


@RANKS
def test_any_order_gives_nearly_the_same(path: Path, alone: dict[str, pl.DataFrame], ranks: int) -> None:
    found = run(training(path, ranks, "any"))
    np.testing.assert_allclose(found["curve"]["value"], alone["curve"]["value"], rtol=1e-5)


@RANKS
def test_each_rank_may_keep_its_rows(path: Path, ranks: int) -> None:
    curve = run(training(path, ranks, "any", owned="local"))["curve"]["value"]
    assert curve[-1] < 0.5 * curve[0]


def whole_epoch(path: Path, ranks: int, chunk: int) -> Plan:
    """Loss and gradients over all rows, a chunk of a micro-batch at a time."""
    plan = training(path, ranks)
    gang = plan.gangs[0]
    rows = gang.instructions[:4]
    kernels = programs.Kernels()
    shaped = (programs.I32, programs.f32(chunk, 3), programs.f32(chunk), *programs.shapes())
    modules = kernels.add(programs.step, *shaped), kernels.add(programs.masked_step, *shaped, programs.I32)
    fragment = {"kind": "xla", "version": 1, "inputs": 6, "outputs": 4, "rows": {"chunk": chunk}}
    fragment |= {"module": modules[0], "masked": modules[1]}
    parameters = next(code for code in gang.instructions if code["op"] == "parameters")
    dealt = next(code for code in gang.instructions if code["op"] == "for")["body"][0]
    names = ["loss", "g1", "g2", "g3"]
    gang.instructions = [
        *rows,
        parameters,
        {**dealt, "epoch": None},
        {"op": "micro", "in": "batches", "step": None, "ins": parameters["outs"], "outs": names,
         "fragment": fragment, "loc": 0},
        {"op": "reduce", "ins": names, "outs": [f"{name}.all" for name in names], "combine": "sum",
         "order": "tree", "async": False, "loc": 0},
        {"op": "log", "in": "loss.all", "name": "loss", "epoch": None, "step": None, "loc": 0},
        {"op": "history", "out": "curve", "loc": 0},
        {"op": "result", "in": "curve", "name": "curve", "loc": 0},
        {"op": "save", "ins": [f"{name}.all" for name in names], "names": names, "epoch": "zero",
         "path": str(path.parent / "whole"), "model": "m", "loc": 0},
    ]  # fmt: skip
    gang.instructions.insert(0, programs.loop("i", 0, 0, [], [], [], [], []))
    gang.instructions[-1:] = [programs.loop("zero", 0, 1, [], [], [], [], gang.instructions[-1:])]
    plan.results, plan.kernels = plan.results[:1], kernels.texts
    return plan


@pytest.mark.parametrize("chunk", [MICRO, 5, 64])
def test_all_batches_at_once_give_the_gradient_of_the_whole(path: Path, chunk: int) -> None:
    x, y = tensors()
    parameters = list(programs.initial().values())
    loss, gradients = jax.value_and_grad(programs.loss)(parameters, x, y, np.float32(len(y)))
    found: list[dict[str, Any]] = []
    for ranks in (1, 2, 3):
        curve = run(whole_epoch(path, ranks, chunk))["curve"]
        assert curve["value"].to_list() == pytest.approx([float(loss)], rel=1e-6)
        kept = checkpoint.read(str(path.parent / "whole"), "m", None)
        assert kept is not None
        found.append(checkpoint.unpack(kept[1]) or {})
    for name, gradient in zip(["g1", "g2", "g3"], gradients, strict=True):
        np.testing.assert_allclose(found[0][name], gradient, rtol=1e-4, atol=1e-6)
        assert all(np.array_equal(found[0][name], other[name]) for other in found)


@pytest.mark.parametrize("ranks", [2, 3])
def test_mpi_gives_the_same_bits(
    path: Path, tmp_path: Path, alone: dict[str, pl.DataFrame], ranks: int
) -> None:
    plans.save(training(path, ranks), tmp_path / "p.dlc")
    (tmp_path / "out").mkdir()
    worker = ["-m", "dlc.runtime.worker", str(tmp_path / "p.dlc"), "--results", str(tmp_path / "out")]
    command, environment = mpiexec_command(ranks, [*worker, "--record", str(tmp_path / "record.json")])
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    names = json.loads((tmp_path / "out" / "results.json").read_text())
    frames = [pl.read_ipc(tmp_path / "out" / f"{number}.arrow") for number in range(len(names))]
    found = {name: frame.sort(frame.columns) for name, frame in zip(names, frames, strict=True)}
    assert same(found, alone)


def test_a_loss_that_is_not_finite_ends_the_run(path: Path, tmp_path: Path) -> None:
    frame = programs.table()
    poison = pl.when(pl.int_range(pl.len()) == 77).then(float("nan")).otherwise(pl.col("a"))
    frame.with_columns(a=poison).write_parquet(tmp_path / "bad.parquet")
    error = fails(training(tmp_path / "bad.parquet", 2, save=str(tmp_path / "kept")))
    assert (error.code, error.exit_code, error.loc) == ("DLC610", 5, SourceLoc("prog.py", 3, 5, 9))
    assert "epoch 0, step" in error.message
    assert "rank" in error.message
    assert not (tmp_path / "kept").exists()


def test_under_mpi_one_rank_reports_a_loss_that_is_not_finite(tmp_path: Path) -> None:
    programs.table().with_columns(y=pl.lit(1e30)).write_parquet(tmp_path / "bad.parquet")
    plans.save(training(tmp_path / "bad.parquet", 2), tmp_path / "p.dlc")
    command, environment = mpiexec_command(2, ["-m", "dlc.runtime.worker", str(tmp_path / "p.dlc")])
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 5
    assert done.stderr.count("DLC610") == 1


def test_the_last_checkpoint_survives_a_failure(path: Path, tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    run(training(path, 1, epochs=2, save=kept))
    before = {file.name: file.read_bytes() for file in Path(kept).iterdir()}
    programs.table().with_columns(y=pl.lit(1e30)).write_parquet(tmp_path / "bad.parquet")
    assert fails(training(tmp_path / "bad.parquet", 2, load=kept, save=kept)).code == "DLC610"
    assert {file.name: file.read_bytes() for file in Path(kept).iterdir()} == before


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_checkpoint_of_two_ranks_goes_on_with_the_same_bits(
    path: Path, tmp_path: Path, alone: dict[str, pl.DataFrame], ranks: int
) -> None:
    kept = str(tmp_path / "kept")
    first = run(training(path, 2, epochs=2, save=kept, load=kept))
    rest = run(training(path, ranks, save=kept, load=kept))
    assert same(
        {"curve": pl.concat([first["curve"], rest["curve"]]), "predictions": rest["predictions"]}, alone
    )
    assert set(rest["curve"]["epoch"]) == {2}


def test_a_finished_training_is_only_read_again(
    path: Path, tmp_path: Path, alone: dict[str, pl.DataFrame]
) -> None:
    kept = str(tmp_path / "kept")
    run(training(path, 2, save=kept))
    again = run(training(path, 2, load=kept))
    assert again["curve"].is_empty()
    assert again["predictions"].equals(alone["predictions"])


def test_a_checkpoint_of_another_model_is_refused(path: Path, tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    run(training(path, 1, epochs=1, save=kept))
    error = fails(training(path, 2, load=kept, model="another"))
    assert (error.code, error.loc) == ("DLC613", SourceLoc("prog.py", 4, 5, 9))


def test_a_checkpoint_that_must_be_there_is_missed(path: Path, tmp_path: Path) -> None:
    assert fails(training(path, 2, load=str(tmp_path / "none"), optional=False)).code == "DLC614"


def test_the_record_adds_up_the_iterations_of_a_loop(path: Path) -> None:
    plan = training(path, 2)

    def work(t: Transport) -> Any:
        recorder = Recorder()
        execute(plan, t, recorder=recorder)
        return recorder.merge(plan.program, t)

    record = run_local(2, work)[0]
    sizes = [-(-len(rows) // MICRO) for rows in shards(0)]
    for rank in record["ranks"]:
        outer = next(entry for entry in rank["instructions"] if entry["op"] == "for")
        inner = next(entry for entry in outer["body"] if entry["op"] == "for")
        body = {entry["op"]: entry for entry in inner["body"]}
        steps = EPOCHS * max(sizes)
        assert (outer["count"], inner["count"], body["reduce"]["count"]) == (1, EPOCHS, steps)
        # Loss and three tensors, each in a place of its own of whole 64 bytes, while this rank has rows.
        size, own = 4 * (16 + 32 + 16 + 16), max(sizes[rank["rank"] :: 2])
        assert body["reduce"]["sent_bytes"] == EPOCHS * own * size
        assert inner["seconds"] >= sum(entry["seconds"] for entry in inner["body"])

"""Training ahead of time: rounds of loops, what ranks do before they begin, and one answer at every stage."""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.dialects.scf import ForOp

import dlc
from dlc import col, driver, hwspec
from dlc.dialects import dist
from dlc.frontends.program import trace
from dlc.predict import Prediction, simulate
from dlc.predict.prediction import START, Step
from dlc.runtime.plan import Json, Plan
from tests.predict.machines import cluster, group, make_plan, read
from tests.runtime.training_programs import EPOCHS, SIZE, table, training

jnp = pytest.importorskip("jax").numpy

LAPTOP = hwspec.load("laptop")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    table().write_parquet(tmp_path / "points.parquet")
    found = training(tmp_path / "points.parquet", 2)
    next(code for code in found.gangs[0].instructions if code["op"] == "read")["pieces"] = [[0, 0, 500]]
    return found


def by_op(found: Prediction, op: str) -> int:
    return next(step.times for step in found.steps if step.op == op)


def test_an_epoch_has_as_many_steps_as_its_largest_shard_has_micro_batches(plan: Plan) -> None:
    """A hash deals 500 rows to 4 shards as chance would: the largest is 1.05 deviations above 125."""
    found = simulate(plan, LAPTOP)
    steps = math.ceil((125 + 1.05 * math.sqrt(125 * 3 / 4)) / (SIZE / 4))
    assert steps > math.ceil(500 / SIZE)
    assert [span.rounds for span in found.spans if span.rounds] == [steps, EPOCHS]
    assert by_op(found, "micro") == by_op(found, "reduce") == EPOCHS * steps


def test_ranks_load_xla_and_compile_every_kernel_before_they_begin(plan: Plan) -> None:
    found = simulate(plan, LAPTOP)
    first, *others = found.steps
    assert (first.index, first.op, first.start) == (START, "start", 0.0)
    assert calls(first)["import"] == 1
    assert calls(first)["compile"] == len(plan.kernels)
    assert min(step.start for step in others) == first.seconds.value


def test_kernels_that_were_compiled_before_are_loaded(plan: Plan) -> None:
    name, *others = plan.kernels
    first = simulate(plan, LAPTOP, compiled=[name]).steps[0]
    assert (calls(first)["load"], calls(first)["compile"]) == (1, len(others))


def test_ranks_without_kernels_build_their_queries_and_begin() -> None:
    first = simulate(make_plan(1, [read(), group("sales", "t", 9)]), LAPTOP).steps[0]
    assert first.op == "start"
    assert set(calls(first)) == {"prepare"}


def calls(step: Step) -> Counter[str]:
    """How often a rank does work of each class."""
    counted = Counter[str]()
    for demand in step.demands:
        counted[demand.kind] += int(demand.calls)
    return counted


def test_spans_in_a_loop_are_those_of_its_first_round() -> None:
    loop: Json = {"op": "for", "index": "i", "start": 0, "stop": 5, "step": 1, "loc": -1}
    loop |= {"ins": [], "args": [], "yields": [], "outs": [], "body": [group("sales", "t", 9)] * 2}
    found = simulate(make_plan(2, [read(), loop, group("sales", "u", 9)]), cluster(1))
    spans = {span.path: span for span in found.spans}
    first, second, whole, after = spans[1, 0], spans[1, 1], spans[1,], spans[2,]
    assert whole.start == first.start
    assert first.finish == second.start
    assert whole.finish - whole.start == pytest.approx(5 * (second.finish - first.start))
    assert after.start == whole.finish
    assert after.finish == found.seconds.value


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("points") / "points.parquet"
    random = np.random.default_rng(1)
    pl.DataFrame({"site": ["a", "b"] * 500, "x": random.normal(size=1000), "y": [0.0] * 1000}).write_parquet(
        path
    )
    return str(path)


def learn(path: str) -> dlc.Frame:
    """A join with what groups of the same rows have in common goes into 4 epochs of batches of 64."""
    rows = dlc.scan_parquet(path)
    means = rows.group_by("site").agg(level=col("x").mean())
    rows = rows.join(means, on="site").select("x", "y", "level")

    def loss(w: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return jnp.mean((x @ w["w"] - y) ** 2)

    w = {"w": np.ones(2, np.float32)}
    return dlc.train(loss, w, rows, [["x", "level"], "y"], epochs=4, batch=64).history


def instructions(steps: list[Json]) -> Iterator[Json]:
    for step in steps:
        yield step
        yield from instructions(step.get("body", []))


def test_the_placed_program_the_plan_and_its_prediction_tell_the_same_time(points: str) -> None:
    module = driver.compile_module(trace(dlc.program(lambda: learn(points))), LAPTOP, 2, "placed")
    (gang,) = (op for op in module.walk() if isinstance(op, dist.GangOp))
    loops = [op.attributes["rounds"] for op in module.walk() if isinstance(op, ForOp)]
    assert [found.value.data for found in loops if isinstance(found, IntegerAttr)] == [
        4,
        17,  # 16 batches, if the four shards were equal
    ]

    compiled = driver.compile_module(trace(dlc.program(lambda: learn(points))), LAPTOP, 2)
    plan = driver.build_plan(compiled)
    found = simulate(plan, LAPTOP)
    told = gang.attributes["seconds"]
    assert isinstance(told, FloatAttr)
    assert told.value.data == plan.requires["seconds"] == pytest.approx(found.seconds.value)
    steps = plan.gangs[0].instructions
    assert {step["predicted"]["rounds"] for step in instructions(steps) if step["op"] == "for"} == {4, 17}
    inside = sum(step.get("predicted", {}).get("seconds", 0.0) for step in steps)
    assert inside + found.steps[0].seconds.value == pytest.approx(found.seconds.value, rel=0.01)

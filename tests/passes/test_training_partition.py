"""Random programs of tensors give what Polars and JAX give, and the same bits on 1 to 4 ranks.

Every compilation runs `verify-dist`, which works out layouts by rules of its own.
"""

from __future__ import annotations

import jax.numpy as jnp
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import dlc
from dlc import driver
from dlc.dialects import dist, nn
from dlc.frontends.program import Program, trace
from dlc.runtime.executor import execute
from dlc.runtime.transport import run_local
from tests.passes.tensor_programs import (
    MACHINES,
    Tensors,
    Trainings,
    machine,
    table,
    tensor_programs,
    training_programs,
)

RANKS = (1, 2, 3, 4)
FEW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The table in many row groups, so that every rank can read some."""
    found = tmp_path_factory.mktemp("table") / "rows.parquet"
    table().write_parquet(found, row_group_size=17)
    return str(found)


def run(program: Program, kind: str, ranks: int, *, fast_math: bool = False) -> dict[str, pl.DataFrame]:
    """The results of a program on a machine of some kind."""
    with machine(*MACHINES[kind]):
        module = driver.compile_module(trace(program), None, ranks, fast_math=fast_math)
        plan = driver.build_plan(module)
    found = run_local(ranks, lambda transport: execute(plan, transport), patience=60)[0]
    assert found is not None
    return found


def ordered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort(frame.columns)


@FEW
@given(tensor_programs(), st.sampled_from(list(MACHINES)))
@example(Tensors("grouped", ("dense", "relu"), "sum", "grouped"), "work is slow")
@example(Tensors("filtered", ("largest",), "max", "totals"), "reading is slow")
def test_tensors_of_any_rows_are_those_of_jax(path: str, program: Tensors, kind: str) -> None:
    wanted = ordered(program.expected(table()))
    found = [ordered(run(program.program(path), kind, ranks)["program"]) for ranks in RANKS]
    assert_frame_equal(found[0], wanted, check_dtypes=False, check_exact=True)
    for ranks, other in zip(RANKS[1:], found[1:], strict=True):
        assert other.equals(found[0]), f"{ranks} ranks"


@FEW
@given(training_programs(), st.sampled_from(list(MACHINES)))
@example(Trainings("grouped", 4, True, None), "work is slow")
@example(Trainings("joined", 1, False, None), "all but sending is slow")
def test_training_is_a_loop_over_all_rows(path: str, program: Trainings, kind: str) -> None:
    before, after, scored = program.expected(table())
    found = [run(program.program(path), kind, ranks) for ranks in RANKS]
    check(found[0], before, after, scored)
    for ranks, other in zip(RANKS[1:], found[1:], strict=True):
        for name, frame in found[0].items():
            assert ordered(other[name]).equals(ordered(frame)), f"{name} on {ranks} ranks"


@pytest.mark.parametrize("ranks", RANKS)
def test_fast_math_is_the_same_training_but_for_last_bits(path: str, ranks: int) -> None:
    program = Trainings("grouped", 4, True, None)
    check(
        run(program.program(path), "work is slow", ranks, fast_math=True),
        *program.expected(table()),
    )


def check(
    found: dict[str, pl.DataFrame], before: list[float], after: list[float], scored: pl.DataFrame
) -> None:
    history = found["history"].sort("epoch")
    losses = {name: history.filter(pl.col("name") == name)["value"].to_list() for name in ("loss", "after")}
    assert losses["loss"] == pytest.approx(before, rel=1e-5)
    assert losses["after"] == pytest.approx(after, rel=1e-5)
    keys = ["k", "a", "b"]
    assert_frame_equal(
        found["scored"].sort(*keys, "p"),
        scored.sort(*keys, "p"),
        check_dtypes=False,
        rel_tol=1e-4,
        abs_tol=1e-5,
    )


@pytest.mark.parametrize("ranks", RANKS)
def test_the_mean_of_all_rows_differs_in_last_bits_at_most(path: str, ranks: int) -> None:
    def program() -> dlc.Frame:
        frame = dlc.scan_parquet(path)
        return dlc.scalars(mean=dlc.jax(jnp.mean)(frame.to_tensor(["a", "b", "c"])))

    found = run(dlc.program(program), "reading is slow", ranks)["program"]["mean"].item()
    assert found == pytest.approx(table().select("a", "b", "c").to_numpy().mean(), rel=1e-6)


@pytest.mark.parametrize(
    ("ranks", "micro_batches", "fast_math", "owned", "shuffles"),
    [
        (1, 4, False, "all", []),
        (2, 4, False, "hash", [0]),
        (4, 4, False, "hash", [0]),
        (3, 4, False, "hash", [0, 4]),
        (3, 6, False, "hash", [0]),
        (4, 6, False, "hash", [0, 6]),
        (4, 2, False, "hash", [0, 2]),
        (3, 4, True, "local", [0]),
    ],
)
def test_groups_move_again_only_where_ranks_do_not_divide_the_shards(
    path: str, ranks: int, micro_batches: int, fast_math: bool, owned: str, shuffles: list[int]
) -> None:
    program = Trainings("grouped", micro_batches, False, None).program(path)
    with machine(*MACHINES["all but sending is slow"]):
        module = driver.compile_module(trace(program), None, ranks, until="dist", fast_math=fast_math)
    dealt = [op for op in module.walk() if isinstance(op, nn.BatchesOp)]
    assert {op.owned.data for op in dealt if op.owned is not None} == {owned}
    moved = [op for op in module.walk() if isinstance(op, dist.ShuffleOp)]
    assert [0 if op.shards is None else op.shards.value.data for op in moved] == shuffles
    for op in module.walk():
        if isinstance(op, dist.AllReduceTensorsOp):
            assert op.order.data == ("any" if fast_math else "tree")

"""A plan gives the same results and outputs on any number of ranks, and all of them or none."""

import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.executor import execute
from dlc.runtime.plan import Gang, Plan
from dlc.runtime.trace import Recorder
from dlc.runtime.transport import LocalTransport, Transport, run_local
from tests.runtime import programs
from tests.runtime.programs import make_plan
from tests.runtime.trees import call, col, fragment, project

ROWS = 1000
RANKS = pytest.mark.parametrize("ranks", [1, 2, 3, 4])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "sales.parquet"
    programs.sales(ROWS).write_parquet(found, row_group_size=100)
    return found


def run(plan: Plan, ranks: int | None = None, **parameters: Any) -> dict[str, pl.DataFrame]:
    """The results on rank 0; the other ranks must give none."""
    first, *others = run_local(ranks or plan.world_size, lambda t: execute(plan, t, parameters), patience=30)
    assert first is not None
    assert others == [None] * len(others)
    return first


def fails(plan: Plan, ranks: int | None = None, **parameters: Any) -> DlcError:
    with pytest.raises(DlcError) as caught:
        run(plan, ranks, **parameters)
    return caught.value


@RANKS
def test_results_are_the_same_on_any_number_of_ranks(path: Path, ranks: int) -> None:
    steps = [*programs.totals_instructions(path, ROWS), programs.result()]
    found = run(make_plan(ranks, steps))["totals"]
    assert found.equals(programs.totals(programs.sales(ROWS)))
    assert found.schema["total"] == pl.Decimal(38, 2)


@RANKS
def test_outputs_appear_together_after_the_last_instruction(path: Path, ranks: int) -> None:
    out = path.parent
    steps = [
        *programs.totals_instructions(path, ROWS),
        programs.write("totals", out / "parts", "directory"),
        programs.write("sorted", out / "new" / "totals.parquet", "file"),
    ]
    assert run(make_plan(ranks, steps)) == {}
    expected = programs.totals(programs.sales(ROWS))
    assert pl.read_parquet(out / "new" / "totals.parquet").equals(expected)
    assert pl.read_parquet(out / "parts" / "*.parquet").sort("s", nulls_last=False).equals(expected)
    assert sorted(p.name for p in (out / "parts").iterdir()) == [
        f"part-{rank:05}.parquet" for rank in range(ranks)
    ]
    assert sorted(p.name for p in out.iterdir()) == ["new", "parts", "sales.parquet"]


@RANKS
def test_a_failed_run_leaves_old_outputs_and_nothing_else(path: Path, ranks: int) -> None:
    out = path.parent
    (out / "totals.parquet").write_text("old")
    steps = [
        *programs.totals_instructions(path, ROWS),
        programs.write("totals", out / "parts", "directory"),
        programs.write("sorted", out / "totals.parquet", "file"),
        programs.read(path, ROWS, out="again"),
        programs.run("again", "broken", programs.divide_by(0)),
    ]
    assert fails(make_plan(ranks, steps)).code == "DLC601"
    assert sorted(p.name for p in out.iterdir()) == ["sales.parquet", "totals.parquet"]
    assert (out / "totals.parquet").read_text() == "old"


def test_outputs_replace_what_was_there(path: Path) -> None:
    out = path.parent
    steps = [
        *programs.totals_instructions(path, ROWS),
        programs.write("totals", out / "parts", "directory"),
        programs.write("sorted", out / "totals.parquet", "file"),
    ]
    run(make_plan(3, steps))
    run(make_plan(1, steps))
    assert [p.name for p in (out / "parts").iterdir()] == ["part-00000.parquet"]
    assert sorted(p.name for p in out.iterdir()) == ["parts", "sales.parquet", "totals.parquet"]


def test_an_output_that_cannot_be_written_undoes_the_others(path: Path) -> None:
    out = path.parent
    (out / "blocked").write_text("a file where a directory should be")
    steps = [
        *programs.totals_instructions(path, ROWS),
        programs.write("sorted", out / "totals.parquet", "file"),
        programs.write("sorted", out / "blocked" / "totals.parquet", "file"),
    ]
    assert fails(make_plan(2, steps)).code == "DLC605"
    assert sorted(p.name for p in out.iterdir()) == ["blocked", "sales.parquet"]


@RANKS
def test_a_sort_by_ranges(path: Path, ranks: int) -> None:
    by = [["v", True, False], ["k", False, False]]
    order = {"op": "sort", "in": 0, "by": by, "limit": None}
    keep = project(v=col("v", "f64"), k=col("k", "i64"))
    steps = [
        programs.read(path, ROWS),
        programs.run("sales", "mine", keep, {**order, "in": 1}),
        programs.run("mine", "sampled", {"op": "sample", "in": 0, "columns": ["v", "k"], "n": 20}),
        {"op": "all_gather", "in": "sampled", "out": "samples", "loc": 0},
        programs.run("samples", "splitters", order),
        {"op": "range_shuffle", "in": "mine", "splitters": "splitters", "out": "range", "by": by, "loc": 0},
        programs.run("range", "ordered", order),
        {"op": "gather", "in": "ordered", "out": "all", "root": 0, "loc": 0},
        programs.result("all"),
    ]
    plan = make_plan(ranks, steps, results=[{"name": "totals", "schema": [["v", "f64"], ["k", "i64"]]}])
    expected = programs.sales(ROWS).select("v", "k").sort("v", "k", descending=[True, False])
    assert run(plan)["totals"].equals(expected)


@RANKS
def test_an_all_reduce_gives_every_rank_the_same_row(path: Path, ranks: int) -> None:
    largest = {"op": "aggregate", "in": 0, "keys": [], "aggs": [["m", "max", "k", "i64?"]]}
    combine = {**largest, "aggs": [["m", "max", "m", "i64?"]]}
    scaled = call(
        "sub", "i64?", {"f": "scalar", "input": 1, "name": "m", "type": "i64?"}, col("k", "i64"), checked=True
    )
    steps = [
        programs.read(path, ROWS),
        programs.run("sales", "part", largest),
        {"op": "all_reduce", "in": "part", "out": "most", "combine": fragment(combine), "loc": 0},
        {
            "op": "run",
            "ins": ["sales", "most"],
            "outs": ["x"],
            "fragment": fragment(project(x=scaled), inputs=2),
            "loc": 0,
        },
        {"op": "gather", "in": "x", "out": "all", "root": 0, "loc": 0},
        programs.result("all"),
    ]
    plan = make_plan(ranks, steps, results=[{"name": "totals", "schema": [["x", "i64?"]]}])
    assert run(plan)["totals"]["x"].to_list() == [96 - k for k in programs.sales(ROWS)["k"]]


def test_gangs_pass_frames_on_to_each_other(path: Path) -> None:
    keep = project(k=col("k", "i64"))
    first = [
        programs.read(path, ROWS),
        programs.run("sales", "mine", keep),
        {"op": "gather", "in": "mine", "out": "all", "root": 0, "loc": 0},
    ]
    reader = Gang("reader", [0, 1], first)
    courier = Gang(
        "courier",
        [0],
        [
            programs.read(path, ROWS),
            programs.run("sales", "half", keep, {"op": "head", "in": 1, "n": 10}),
            {"op": "send", "in": "half", "peer": 2, "tag": 4, "loc": 0},
        ],
    )
    taker = Gang(
        "taker", [2], [{"op": "recv", "out": "got", "peer": 0, "tag": 4, "loc": 0}, programs.result("got")]
    )
    plan = make_plan(3, [], results=[{"name": "totals", "schema": [["k", "i64"]]}])
    plan.gangs = [reader, courier, taker]
    assert run(plan)["totals"]["k"].to_list() == list(range(10))


@RANKS
def test_constants_are_on_every_rank(ranks: int) -> None:
    buffer = io.BytesIO()
    frame = programs.sales(5).select("d")
    frame.write_ipc_stream(buffer)
    steps = [
        {"op": "constant", "out": "c", "name": "c0", "loc": 0},
        {"op": "all_gather", "in": "c", "out": "all", "loc": 0},
        programs.result("all"),
    ]
    schema = [["d", "decimal(15,2)"]]
    plan = make_plan(
        ranks,
        steps,
        results=[{"name": "totals", "schema": schema}],
        constants={"c0.arrow": buffer.getvalue()},
    )
    assert run(plan)["totals"].equals(pl.concat([frame] * ranks))


def test_parameters_reach_the_kernels(path: Path) -> None:
    day = {"f": "param", "name": "least", "type": "decimal(15,2)"}
    keep = {"op": "filter", "in": 0, "predicate": call("ge", "bool", col("d", "decimal(15,2)"), day)}
    steps = [
        programs.read(path, ROWS),
        programs.run("sales", "kept", keep),
        {"op": "gather", "in": "kept", "out": "all", "root": 0, "loc": 0},
        programs.result("all"),
    ]
    parameters = [{"name": "least", "type": "decimal(15,2)", "default": "998"}]
    plan = make_plan(2, steps, results=[{"name": "totals", "schema": programs.SALES}], parameters=parameters)
    assert run(plan)["totals"].height == 2
    assert run(plan, least="9.90")["totals"].height == 10
    assert fails(plan, least="much").code == "DLC110"
    assert fails(plan, most=1).code == "DLC110"


def test_a_failure_has_the_users_line(path: Path) -> None:
    steps = [programs.read(path, ROWS), programs.run("sales", "x", project(x=col("nowhere", "i64")))]
    error = fails(make_plan(2, steps))
    assert error.code == "DLC603"
    assert error.loc == SourceLoc("prog.py", 2, 5, 9)
    assert "nowhere" in error.message


def test_too_few_ranks(path: Path) -> None:
    steps = [*programs.totals_instructions(path, ROWS), programs.result()]
    assert fails(make_plan(4, steps), ranks=2).code == "DLC504"


def test_ranks_beyond_the_plans_world_are_idle(path: Path) -> None:
    steps = [*programs.totals_instructions(path, ROWS), programs.result()]
    assert run(make_plan(2, steps), ranks=4)["totals"].height == 14


def test_a_machine_that_is_too_small(path: Path) -> None:
    plan = make_plan(1, [programs.read(path, ROWS)], requires={"memory_bytes_per_rank": 1 << 60})
    assert fails(plan).code == "DLC503"


def test_a_run_record_has_every_instruction_of_every_rank(path: Path) -> None:
    steps = [*programs.totals_instructions(path, ROWS), programs.result()]
    plan = make_plan(2, steps)

    def work(t: Transport) -> Any:
        recorder = Recorder()
        execute(plan, t, recorder=recorder)
        return recorder.merge(plan.program, t)

    record, nothing = run_local(2, work)
    assert nothing is None
    assert [rank["rank"] for rank in record["ranks"]] == [0, 1]
    for rank in record["ranks"]:
        assert [entry["op"] for entry in rank["instructions"]] == [step["op"] for step in steps]
        assert all(entry["seconds"] >= 0 and entry["peak_bytes"] > 0 for entry in rank["instructions"])
    assert sum(rank["instructions"][3]["rows"] for rank in record["ranks"]) == 14


def test_one_rank_needs_neither_mpi_nor_threads(path: Path) -> None:
    steps = [*programs.totals_instructions(path, ROWS), programs.result()]
    found = execute(make_plan(1, steps), LocalTransport())
    assert found is not None
    assert found["totals"].height == 14

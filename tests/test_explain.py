"""A plan that trains is drawn as a tree in which loops stand with what they do."""

from pathlib import Path

from dlc.explain import draw
from tests.runtime.programs import make_plan, read, run
from tests.runtime.training_programs import table, training


def test_a_training_loop_is_one_step_with_its_body_below(tmp_path: Path) -> None:
    table().write_parquet(tmp_path / "points.parquet")
    plan = training(tmp_path / "points.parquet", 2, save=str(tmp_path / "kept"))
    loop = next(code for code in plan.gangs[0].instructions if code["op"] == "for")
    body = next(code for code in loop["body"] if code["op"] == "for")["body"]
    body[0]["fragment"]["functions"] = ["forward", "backward"]
    body[1]["predicted"] = {"bytes": 1320, "moved": 2640, "seconds": 2e-4}
    loop["predicted"] = {"rounds": 3, "seconds": 0.5}
    next(code for code in loop["body"] if code["op"] == "for")["predicted"] = {"rounds": 10, "seconds": 0.1}
    plan.requires["seconds"] = 0.75
    lines = draw(plan).splitlines()
    at = next(index for index, line in enumerate(lines) if " for e from 0 to 3" in line)
    assert lines[at].split("─ ")[1] == (
        "w1.last, b1.last, w2.last for e from 0 to 3 "
        "[3 rounds, 500 ms; a round moves 26.4 kB in 10 collectives]  (prog.py:2)"
    )
    assert "predicted time 750 ms, 250 ms of it to load XLA and compile kernels" in lines
    # 3 epochs of 10 steps, and two collectives around them of whose bytes nothing is told.
    assert "predicted traffic 79.2 kB in 32 collectives" in lines
    told = "[10 rounds, 100 ms; a round moves 2.6 kB in 1 collective]"
    reduced = "loss, w1.gradient, b1.gradient, w2.gradient"
    indents = {
        line.strip(" │├└─").split("  (")[0].split(" → loss.parts")[0]: len(line) - len(line.lstrip(" │"))
        for line in lines[at + 1 : at + 8]
    }
    assert [*indents] == [
        "batches of 64 rows in 4 micro-batches, shuffled by seed 42 → batches",
        f"for t from 0 to n → w1.after, b1.after, w2.after {told}",
        "on each micro-batch forward, backward (16 rows at a time)",
        f"all-reduce sum in a fixed order → {reduced} [1.3 kB, moves 2.6 kB, 200 µs]",
        f"run kernel {body[3]['fragment']['module'][:8]} → w1.new, b1.new, w2.new",
        "log loss",
        f"save checkpoint {tmp_path / 'kept'}",
    ]
    first, *_ = indents.values()
    assert [indent - first for indent in indents.values()] == [0, 0, 4, 4, 4, 4, 0]


def test_a_step_that_gives_several_values_is_drawn_once(tmp_path: Path) -> None:
    steps = [read(tmp_path / "sales.parquet", 10), run("sales", "a")]
    steps[1] |= {"outs": ["a", "b"], "fragment": {"version": 1, "inputs": 1, "ops": [], "outputs": [0, 0]}}
    steps.append(
        {"op": "run", "ins": ["a", "b"], "outs": ["c"], "fragment": {**steps[1]["fragment"]}, "loc": 1}
    )
    steps.append({"op": "result", "in": "c", "name": "totals", "loc": 2})
    assert draw(make_plan(1, steps)).splitlines()[3:] == [
        "result totals  (prog.py:3)",
        "└─ c run",
        "   └─ a, b run",
        "      └─ sales read sales.parquet (k, v, d, s)  (prog.py:1)",
    ]


def test_a_history_stands_on_the_loop_that_noted_it() -> None:
    note = {"op": "log", "in": "w", "name": "loss", "epoch": "e", "step": None, "loc": 1}
    loop = {"op": "for", "index": "e", "start": 0, "stop": 3, "step": 1, "loc": 1}
    loop |= {"ins": ["w0"], "args": ["w"], "yields": ["w"], "outs": ["w1"], "body": [note]}
    parameters = {"op": "parameters", "outs": ["w0"], "name": "p", "tensors": ["w"], "loc": 0}
    history = {"op": "history", "out": "h", "loc": 1}
    end = {"op": "result", "in": "h", "name": "history", "loc": 2}
    drawn = "\n".join(draw(make_plan(1, [parameters, loop, history, end])).splitlines()[3:])
    assert drawn == (
        "result history  (prog.py:3)\n"
        "└─ h history  (prog.py:2)\n"
        "   └─ w1 for e from 0 to 3  (prog.py:2)\n"
        "      │    log loss  (prog.py:2)\n"
        "      └─ w0 parameters  (prog.py:1)"
    )

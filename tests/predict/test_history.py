"""Runs are held against their predictions, remembered, and learned from."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dlc.diagnostics import DlcError
from dlc.predict import Coefficients, history, simulate
from dlc.predict.accuracy import compare
from dlc.predict.calibration import fit
from dlc.predict.coefficients import DEFAULTS, load
from tests.conftest import Dlc
from tests.predict.machines import cluster, totals

Json = dict[str, Any]

PROGRAM = """
import dlc
from dlc import col

@dlc.program
def total():
    return dlc.scan_parquet("sales.parquet").group_by("k").agg(col("v").sum().alias("t")).sort("k")
"""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "state" / "history.jsonl"
    monkeypatch.setenv("DLC_HISTORY", str(file))
    return file


@pytest.fixture
def program(tmp_path: Path) -> Path:
    pl.DataFrame({"k": [1, 2, 1], "v": [1, 2, 3]}).write_parquet(tmp_path / "sales.parquet")
    (tmp_path / "prog.py").write_text(PROGRAM)
    return tmp_path / "prog.py"


def record(slower: float) -> Json:
    """What a run of `totals` on two ranks would leave, on which everything takes `slower` times as long."""
    predicted = simulate(totals(2), cluster(1))
    entries = [
        {
            "gang": step.gang, "index": step.index, "op": step.op, "start": slower * step.start,
            "seconds": slower * step.seconds.value, "rows": 0, "bytes": 0, "count": 1,
        }
        for step in predicted.steps
    ]  # fmt: skip
    rank = {"rank": 0, "seconds": 1.0, "peak_bytes": 300 << 20, "instructions": entries}
    return {"version": 1, "program": "sales", "ranks": [rank, {**rank, "rank": 1}]}


def test_a_run_twice_as_slow_is_off_by_all_of_its_time() -> None:
    found = compare(totals(2), cluster(1), record(2.0), Coefficients())
    assert found.error == pytest.approx(1.0)
    assert all(
        step.seconds[1] == pytest.approx(2 * step.seconds[0]) for step in found.steps if step.seconds[0]
    )
    assert found.memory == 300 << 20
    assert "+100%" in found.line()


def test_what_ranks_do_before_the_first_instruction_counts() -> None:
    run = record(1.0)
    for rank in run["ranks"]:
        rank["instructions"] = [{**entry, "start": entry["start"] + 0.5} for entry in rank["instructions"]]
    found = compare(totals(2), cluster(1), run, Coefficients())
    assert found.measured == pytest.approx(found.prediction.seconds.value + 0.5)


def test_the_history_tells_how_good_predictions_were(kept: Path) -> None:
    runs = [
        compare(totals(2), cluster(1), record(slower), Coefficients()) for slower in (1.0, 1.1, 1.2, 9.0, 0.5)
    ]
    for run in runs:
        history.keep(run)
    with kept.open("a") as stream:
        stream.write("not json\n{}\n[1]\n")
    assert len(history.read()) == 5
    summary = history.summary()
    assert summary.total.runs == 5
    assert summary.total.median == pytest.approx(1.2)
    assert summary.total.p90 == pytest.approx(9.0)
    assert {quality.name for quality in summary.instructions} >= {"shuffle", "run"}
    inside = sum(run.measured in run.prediction.seconds for run in runs)
    assert 0 < inside < len(runs), "or this tells nothing"
    assert summary.total.inside == pytest.approx(inside / len(runs))
    assert summary.instructions[0].inside is None, "steps have no interval in the history"
    assert json.loads(json.dumps(summary.to_json()))["total"]["runs"] == 5


def run_of(truth: Callable[[str, float, float], float]) -> Json:
    """A run whose classes of work take what `truth` says, with an outlier now and then."""
    steps: list[Json] = []
    for amount in (1e5, 1e6, 1e7, 1e8):
        for threads in (0.5, 1.0, 2.0, 4.0):
            for kind in ("probe", "read"):
                demands = [["query", 1.0, 0.0, threads], [kind, 0.0, amount, threads]]
                measured = truth(kind, amount, threads) * (10 if len(steps) % 7 == 5 else 1)
                steps.append({"op": "run", "measured": measured, "moving": 0.0, "demands": demands})
    return {"machine": {"clock": 2e9}, "steps": steps, "measured": sum(step["measured"] for step in steps)}


def test_calibration_finds_the_figures_behind_the_runs() -> None:
    rates, serial = {"probe": 0.4e8, "read": 3e9}, 0.1

    def truth(kind: str, amount: float, threads: float) -> float:
        crowd = max(1.0, 1 / threads)
        return crowd * (5e-3 + amount / rates[kind] * (serial + (1 - serial) / max(1.0, threads)))

    entries = [run_of(truth)] * 2
    found = fit(entries)
    assert found.of("probe").rate == pytest.approx(rates["probe"], rel=0.15)
    assert found.of("read").rate == pytest.approx(rates["read"], rel=0.25)
    assert found.of("probe").serial == pytest.approx(serial, abs=0.07)
    assert found.of("query").seconds == pytest.approx(5e-3, rel=0.15)
    assert found.of("probe").spread < DEFAULTS["probe"].spread
    assert found.provenance["steps"] == 2 * len(entries[0]["steps"])


def test_what_no_run_tells_stays_as_it_was() -> None:
    found = fit([])
    for name, entry in DEFAULTS.items():
        assert found.of(name).rate == pytest.approx(entry.rate)
        assert found.of(name).seconds == pytest.approx(entry.seconds)
    assert math.isinf(found.of("start").rate)


def test_coefficients_survive_their_file(kept: Path, tmp_path: Path) -> None:
    history.keep(compare(totals(2), cluster(1), record(2.0), Coefficients()))
    fitted = history.recalibrate()
    again = history.latest_coefficients()
    assert again.of("aggregate") == fitted.of("aggregate")
    assert again.provenance["runs"] == 1
    assert kept.with_name("history.coefficients.json").is_file()
    assert load(tmp_path / "none.json") == Coefficients()


def damaged(**changes: Any) -> Json:
    """An entry of which something is not as it is written."""
    entry = {
        "version": history.VERSION,
        **compare(totals(2), cluster(1), record(1.0), Coefficients()).to_json(),
    }
    return {**json.loads(json.dumps(entry)), **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 0}, {"program": []}, {"ranks": "2"}, {"measured": None}, {"measured": -1.0}, {"low": "a"},
        {"predicted": float("nan")}, {"measured": float("inf")}, {"machine": "x"}, {"machine": {}},
        {"steps": 3}, {"steps": [3]}, {"steps": [{}]},
    ],
)  # fmt: skip
def test_a_damaged_line_is_left_out(kept: Path, changes: Json) -> None:
    kept.parent.mkdir()
    kept.write_text(f"{json.dumps(damaged(**changes))}\n{json.dumps(damaged())}\n")
    assert len(history.read()) == 1
    assert history.summary().total.runs == 1
    assert history.recalibrate().provenance["runs"] == 1


@pytest.mark.parametrize(
    "demand", [[], ["read"], [3, 1.0, 1.0, 1.0, 1.0], ["read", None, 1.0, 1.0, 1.0], "read"]
)
def test_so_is_one_with_damaged_demands(kept: Path, demand: Any) -> None:
    entry = damaged()
    entry["steps"][0]["demands"] = [demand]
    kept.parent.mkdir()
    kept.write_text(json.dumps(entry) + "\n")
    assert history.read() == []


@pytest.mark.parametrize("text", ["", '{"version": 0}', "\x00"])
def test_coefficients_that_cannot_be_used_are_fitted_again(kept: Path, text: str) -> None:
    """They follow from the history, so that a newer version needs nobody's help."""
    history.keep(compare(totals(2), cluster(1), record(2.0), Coefficients()))
    file = kept.with_name("history.coefficients.json")
    file.write_text(text)
    assert history.latest_coefficients() == Coefficients(), "a run has no time for it"
    assert history.coefficients().provenance["runs"] == 1
    assert load(file) == history.latest_coefficients()
    file.write_text(text)
    kept.write_text("")
    with pytest.raises(DlcError) as caught:
        history.coefficients()
    assert caught.value.code == "DLC521"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 99}', '{"version": 1, "classes": 3}', "\x00"])
def test_damaged_coefficients_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "c.json"
    file.write_text(text)
    with pytest.raises(DlcError) as caught:
        load(file)
    assert caught.value.code == "DLC521"


def test_there_is_nothing_to_learn_without_runs(kept: Path) -> None:
    with pytest.raises(DlcError) as caught:
        history.recalibrate()
    assert caught.value.code == "DLC523"


def test_dlc_run_says_how_far_off_the_prediction_was(run_dlc: Dlc, program: Path, tmp_path: Path) -> None:
    file = tmp_path / "h.jsonl"
    done = run_dlc("run", program, "--record", "r.json", DLC_HISTORY=str(file))
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("predicted ") and " took " in line
    (entry,) = history.read(file)
    assert entry["program"] == "total"
    details = json.loads((tmp_path / "r.json").read_text())
    assert details["comparison"]["measured"] == entry["measured"] > 0
    assert {"read", "run", "result"} <= {step["op"] for step in entry["steps"]}
    shown = run_dlc("predict", "--history", "--json", DLC_HISTORY=str(file))
    assert json.loads(shown.stdout)["total"]["runs"] == 1


def test_nothing_is_said_or_kept_when_there_is_no_history(run_dlc: Dlc, program: Path) -> None:
    assert run_dlc("run", program, DLC_HISTORY="").stderr == ""


def test_a_history_that_cannot_be_written_fails_no_run(run_dlc: Dlc, program: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_dlc("run", program, DLC_HISTORY=str(tmp_path / "file" / "h.jsonl"))
    assert done.returncode == 0
    assert "warning: the run history" in done.stderr

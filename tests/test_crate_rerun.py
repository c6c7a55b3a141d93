"""A crate is enough to do the run again, and to find out that something is not as it was."""

import contextlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import Dlc
from test_crate import FILES

from dlc import crate as crates
from dlc.crate.digest import file_digest
from dlc.diagnostics import DlcError
from dlc.runtime.launch import mpiexec_command


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on one rank, recorded once for all tests."""
    folder = tmp_path_factory.mktemp("run")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    with contextlib.chdir(folder):
        crates.record(crates.Request(Path("prog.py"), parameters={"least": "2"}), folder / "crate")
    return folder


@pytest.fixture
def crate(files: Path, recorded: Path) -> Path:
    shutil.copytree(recorded / "crate", files / "crate")
    return files / "crate"


def failure(crate: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> DlcError:
    monkeypatch.chdir(crate.parent)
    with pytest.raises(DlcError) as caught:
        crates.rerun(crate, **options)
    return caught.value


def change(crate: Path, edit: Any) -> None:
    """Change `run.json` and say so in the metadata, which fits all files again, as a forger would."""
    run = json.loads((crate / "run.json").read_text())
    edit(run)
    (crate / "run.json").write_text(json.dumps(run))
    metadata = json.loads((crate / "ro-crate-metadata.json").read_text())
    for entity in metadata["@graph"]:
        if entity["@id"] in ("run.json", "environment.json"):
            entity["sha256"] = file_digest(crate / entity["@id"])
    (crate / "ro-crate-metadata.json").write_text(json.dumps(metadata))


@pytest.mark.mpi
@pytest.mark.parametrize("options", [(), ("-n", "2"), ("-n", "3"), ("--plan",)])
def test_a_run_gives_the_same_again(crate: Path, run_dlc: Dlc, options: tuple[str, ...]) -> None:
    (crate.parent / "prog.py").unlink()  # the crate has its own
    (crate.parent / "helper.py").unlink()
    result = run_dlc("rerun", "crate", *options)
    assert result.returncode == 0, result.stderr
    assert "the same: by city, bag, out.parquet" in result.stdout


def test_a_rerun_leaves_outputs_alone(crate: Path, run_dlc: Dlc) -> None:
    (crate.parent / "out.parquet").write_text("mine")
    assert run_dlc("rerun", "crate").returncode == 0
    assert (crate.parent / "out.parquet").read_text() == "mine"


def test_a_crate_can_be_moved(crate: Path, run_dlc: Dlc) -> None:
    shutil.move(crate, crate.parent / "moved")
    assert run_dlc("rerun", "moved").returncode == 0


def test_a_plan_leaves_a_crate_too(files: Path, run_dlc: Dlc) -> None:
    assert run_dlc("compile", "prog.py", "-o", "plan.dlc").returncode == 0
    assert run_dlc("run", "--crate", "crate", "plan.dlc").returncode == 0
    shutil.copy2(files / "sales.csv", files / "copy.csv")
    (files / "sales.csv").unlink()
    (files / "copy.csv").rename(files / "sales.csv")
    (files / "sales.csv").touch()  # another time, the same content
    again = run_dlc("rerun", "crate")
    assert (again.returncode, "its plan run again" in again.stdout) == (0, True), again.stderr


@pytest.mark.mpi
def test_ranks_that_mpiexec_has_started_write_one_crate(files: Path, run_dlc: Dlc) -> None:
    command, environment = mpiexec_command(2, ["-m", "dlc", "run", "--crate", "crate", "prog.py"])
    result = subprocess.run(command, cwd=files, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads((files / "crate" / "run.json").read_text())["ranks"] == 2
    assert run_dlc("rerun", "crate", "-n", "1").returncode == 0


def test_other_input_is_refused(crate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sales = crate.parent / "sales.csv"
    sales.write_text(sales.read_text().replace("7", "8"))
    error = failure(crate, monkeypatch)
    assert (error.code, "sales.csv is not the one" in error.message) == ("DLC511", True)
    sales.unlink()
    assert "sales.csv is not here" in failure(crate, monkeypatch).message


@pytest.mark.parametrize(
    "file", ["program/prog.py", "plan.dlc", "run.json", "ir/flow.mlir", "results/0.parquet"]
)
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_crate_that_is_not_whole_is_refused(
    crate: Path, monkeypatch: pytest.MonkeyPatch, file: str, damage: str
) -> None:
    if damage == "changed":
        (crate / file).write_bytes((crate / file).read_bytes() + b" ")
    else:
        (crate / file).unlink()
    error = failure(crate, monkeypatch)
    assert error.code == "DLC510"
    assert file in error.message


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"@graph": 3}', '{"@graph": [1, {"@id": 2}]}', "[" * 100_000]
)
def test_metadata_that_is_none_is_refused(crate: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (crate / "ro-crate-metadata.json").write_text(text)
    assert failure(crate, monkeypatch).code == "DLC510"


@pytest.mark.parametrize("place", ["../prog.py", "/etc/passwd", "program/../../prog.py"])
def test_a_crate_leads_to_nothing_outside(crate: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    change(crate, lambda run: run.update(source=place))
    error = failure(crate, monkeypatch)
    assert (error.code, "leads out of it" in error.message) == ("DLC510", True)


def other_value(run: Any) -> None:
    run["results"]["by city"]["bag"] = "0" * 64


def other_order(run: Any) -> None:
    run["results"]["by city"]["sequence"] = "0" * 64


def other_rows(run: Any) -> None:
    run["outputs"]["out.parquet"]["rows"] = 9


def one_more(run: Any) -> None:
    run["results"]["more"] = run["results"]["bag"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (other_value, "the result by city has other values"),
        (other_order, "the rows of the result by city are in another order"),
        (other_rows, "the output out.parquet has 3 rows instead of 9"),
        (one_more, "there is no result more"),
    ],
)
def test_what_differs_is_named(crate: Path, monkeypatch: pytest.MonkeyPatch, edit: Any, words: str) -> None:
    change(crate, edit)
    error = failure(crate, monkeypatch)
    assert error.code == "DLC512"
    assert words in error.message


def test_rows_that_nothing_orders_may_come_in_any_order(crate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(crate, lambda run: run["results"]["bag"].update(sequence="0" * 64))
    monkeypatch.chdir(crate.parent)
    assert crates.rerun(crate).tables == ("by city", "bag", "out.parquet")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("program", None),
        ("ranks", 0),
        ("ranks", True),
        ("parameters", {"least": 2}),
        ("inputs", 3),
        ("inputs", [{"path": "sales.csv"}]),
        ("results", {"by city": {"rows": 1}}),
        ("outputs", []),
        ("checkpoints", {"ck": "nowhere"}),
        ("source", "program/other.py"),
    ],
)
def test_a_record_of_another_shape_is_refused(
    crate: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: Any
) -> None:
    change(crate, lambda run: run.update({key: value}))
    assert failure(crate, monkeypatch).code == "DLC510"


def test_what_changed_in_the_environment_is_told_beside_what_differs(
    crate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(crate, other_value)
    facts = json.loads((crate / "environment.json").read_text())
    facts["packages"]["polars"] = "0.1"
    (crate / "environment.json").write_text(json.dumps(facts))
    change(crate, lambda run: run.update(ranks=1))
    notes = [note.text for note in failure(crate, monkeypatch).notes]
    assert notes == [f"polars was 0.1, and is {pl.__version__}"]


LEARN = """
import dlc
import jax.numpy as jnp
import numpy as np


def loss(w, x, y):
    return jnp.mean((x @ w - y) ** 2)


@dlc.program
def learn() -> dlc.Frame:
    rows = dlc.scan_csv("points.csv")
    model = dlc.train(loss, np.zeros(2), rows, [["a", "b"], "y"], epochs=1, batch=4, checkpoint="ck")
    return model.history
"""


def test_training_is_done_again_from_where_it_began(tmp_path: Path, run_dlc: Dlc) -> None:
    """A rerun neither goes on from the checkpoint that the run has left, nor touches it."""
    lines = "".join(f"{i},{i * i % 7},{3 * i}\n" for i in range(16))
    (tmp_path / "points.csv").write_text(f"a,b,y\n{lines}")
    (tmp_path / "learn.py").write_text(LEARN)
    assert run_dlc("run", "--crate", "first", "learn.py").returncode == 0
    (tmp_path / "learn.py").write_text(LEARN.replace("epochs=1", "epochs=2"))
    assert run_dlc("run", "--crate", "second", "learn.py").returncode == 0
    left = {path.name: path.read_bytes() for path in (tmp_path / "ck").iterdir()}
    epochs = [
        pl.read_parquet(tmp_path / name / "results/0.parquet")["epoch"].unique()
        for name in ("first", "second")
    ]
    assert [epoch.to_list() for epoch in epochs] == [[0], [1]], "the second went on after the first"
    assert (tmp_path / "second/checkpoints/0/manifest.json").is_file()
    for arguments in (["first"], ["second"], ["second", "--plan"], ["second", "-n", "2"]):
        again = run_dlc("rerun", *arguments)
        assert again.returncode == 0, again.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "ck").iterdir()} == left


def test_a_newer_crate_is_for_a_newer_dlc(crate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(crate, lambda run: run.update(version=99))
    assert failure(crate, monkeypatch).code == "DLC514"


def test_a_plan_runs_on_its_own_number_of_ranks(crate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert failure(crate, monkeypatch, from_plan=True, ranks=3).code == "DLC504"


def test_a_program_that_reads_other_files_than_it_did_is_refused(
    files: Path, run_dlc: Dlc, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = FILES["prog.py"].replace(
        '"sales.csv"', 'str(__import__("pathlib").Path(__file__).parent / "sales.csv")'
    )
    (files / "prog.py").write_text(own, encoding="utf-8")
    assert run_dlc("run", "--crate", "crate", "prog.py").returncode == 0
    shutil.copy(files / "sales.csv", files / "crate" / "program" / "sales.csv")
    error = failure(files / "crate", monkeypatch)
    assert error.code == "DLC511"
    assert "--plan" in (error.help or "")
    assert run_dlc("rerun", "crate", "--plan").returncode == 0


def test_there_is_no_crate_where_there_is_no_directory(run_dlc: Dlc) -> None:
    result = run_dlc("rerun", "nowhere")
    assert (result.returncode, "DLC201" in result.stderr) == (1, True)


def test_the_results_in_a_crate_are_those_of_the_program(crate: Path) -> None:
    frame = pl.read_parquet(crate / "results/0.parquet")
    expected = {"Bern": 7 / 3 * 2, "Oslo": 4 / 3 * 2, "Rome": 2 / 3 * 2}
    assert dict(frame.iter_rows()) == expected

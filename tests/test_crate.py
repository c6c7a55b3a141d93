"""What a crate holds: everything that led to the results, in terms that other tools read."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import Dlc

from dlc.crate.digest import file_digest, table_digest
from dlc.runtime.plan import load as load_plan

PROGRAM = """
import dlc
from dlc import col
from helper import double


@dlc.program
def total(least: int = 1) -> dict[str, dlc.Frame]:
    sales = dlc.scan_csv("sales.csv").filter(col("amount") >= least)
    sums = sales.group_by("city").agg(double(col("amount")).sum().alias("total"))
    sums.sink_parquet("out.parquet")
    return {"by city": sums.sort("city"), "bag": sums}
"""
AGENT = "Ada Lovelace <https://orcid.org/0000-0001-2345-6789>"
FILES = {
    "prog.py": PROGRAM,
    "helper.py": "def double(x):\n    return x / 3 * 2\n",
    "sales.csv": "city,amount\nOslo,1\nRome,2\nOslo,4\nBern,7\n",
}


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The crate of a run on two ranks with a parameter."""
    folder = tmp_path_factory.mktemp("run")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = ["dlc", "run", "--crate", "crate", "-n", "2", "--param", "least=2"]
    command += ["--agent", AGENT, "--license", "CC-BY-4.0"]
    result = subprocess.run(
        [sys.executable, "-m", *command, "--record", "record.json", str(folder / "prog.py")],
        cwd=folder,
        env={**os.environ, "DLC_HISTORY": str(folder / "history.jsonl"), "OMP_PROC_BIND": "close"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "Bern" in result.stdout, "the results are shown as without a crate"
    assert result.stderr.startswith("predicted "), "and so is the prediction"
    return folder / "crate"


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def graph(crate: Path) -> dict[str, dict[str, Any]]:
    return {entity["@id"]: entity for entity in load(crate / "ro-crate-metadata.json")["@graph"]}


def references(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [entry["@id"] for entry in values]


@pytest.mark.mpi
def test_a_crate_holds_all_that_led_to_the_results(crate: Path) -> None:
    files = {path.relative_to(crate).as_posix() for path in crate.rglob("*") if path.is_file()}
    assert files == {
        *("program/prog.py", "program/helper.py", "machine.hw", "plan.dlc"),
        *(f"ir/{stage}.mlir" for stage in ("flow", "opt", "dist", "placed", "plan")),
        *("environment.json", "run.json", "prediction.json", "results/0.parquet", "results/1.parquet"),
        "ro-crate-metadata.json",
    }
    assert (crate / "program/prog.py").read_text(encoding="utf-8") == PROGRAM


@pytest.mark.mpi
def test_every_file_is_described_with_its_size_and_checksum(crate: Path) -> None:
    described = graph(crate)
    for path in crate.rglob("*"):
        if path.is_file() and path.name != "ro-crate-metadata.json":
            entity = described[path.relative_to(crate).as_posix()]
            assert entity["@type"] == "File"
            assert entity["sha256"] == file_digest(path)
            assert entity["contentSize"] == str(path.stat().st_size)
            assert entity["description"]
            assert entity["encodingFormat"]


@pytest.mark.mpi
def test_the_metadata_is_an_ro_crate(crate: Path) -> None:
    described = graph(crate)
    descriptor, root = described["ro-crate-metadata.json"], described["./"]
    # The profile asks for 1.1; checksums and files outside of the crate are terms of 1.2.
    assert references(descriptor["conformsTo"]) == [f"https://w3id.org/ro/crate/{v}" for v in ("1.1", "1.2")]
    assert references(root["conformsTo"]) == ["https://w3id.org/ro/wfrun/process/0.5"]
    assert descriptor["about"] == {"@id": "./"}
    assert {"name", "description", "datePublished"} <= set(root)
    assert root["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    assert root["author"] == {"@id": "https://orcid.org/0000-0001-2345-6789"}
    assert set(references(root["hasPart"])) == {i for i, e in described.items() if e["@type"] == "File"}
    # What is referred to is described, so that the file reads without a network.
    for entity in described.values():
        for key, value in entity.items():
            entries = value if isinstance(value, list) else [value]
            for entry in (e for e in entries if isinstance(e, dict)):
                assert entry["@id"] in described or key == "conformsTo", (key, entry)


@pytest.mark.mpi
def test_the_run_is_an_action_with_agent_instrument_object_and_result(crate: Path) -> None:
    described = graph(crate)
    action = described["#run"]
    assert action["@type"] == "CreateAction"
    person = {"@id": "https://orcid.org/0000-0001-2345-6789", "@type": "Person", "name": "Ada Lovelace"}
    assert described[action["agent"]["@id"]] == person
    instrument = described[action["instrument"]["@id"]]
    assert (instrument["@type"], instrument["name"]) == ("SoftwareApplication", "dlc")
    objects = [described[name] for name in references(action["object"])]
    assert [entity["name"] for entity in objects] == ["program/prog.py", "sales.csv", "least"]
    assert objects[1]["localPath"] == "sales.csv", "an input stays where it is"
    assert objects[1]["@id"].startswith("#")
    assert objects[2]["value"] == "2"
    assert [described[name]["name"] for name in references(action["result"])] == [
        "by city",
        "bag",
        "out.parquet",
        "run.json",
    ]
    assert action["startTime"] <= action["endTime"]


@pytest.mark.mpi
def test_measurements_have_units_of_ucum(crate: Path) -> None:
    described = graph(crate)
    usage = {described[n]["name"]: described[n] for n in references(described["#run"]["resourceUsage"])}
    assert (usage["duration"]["unitCode"], usage["ranks"]["value"]) == ("s", 2)
    assert usage["peak memory of a rank"]["unitCode"] == "By"
    measured = [described[name] for name in references(described["run.json"]["variableMeasured"])]
    assert {entity["name"]: entity["unitCode"] for entity in measured}["bytes"] == "By"


@pytest.mark.mpi
def test_the_prediction_is_kept_beside_the_measurement(crate: Path) -> None:
    told, run = load(crate / "prediction.json"), load(crate / "run.json")
    assert told["seconds"]["value"] == run["comparison"]["predicted"]
    assert told["steps"] and told["memory"]["host"] > 0
    (file,) = (entity for i, entity in graph(crate).items() if i == "prediction.json")
    units = {
        graph(crate)[name]["name"]: graph(crate)[name]["unitCode"]
        for name in references(file["variableMeasured"])
    }
    assert (units["memory"], units["energy"]) == ("By", "J")


@pytest.mark.mpi
def test_the_record_has_what_each_instruction_took_on_each_rank(crate: Path) -> None:
    run = load(crate / "run.json")
    assert run["parameters"] == {"least": "2"}
    assert [rank["rank"] for rank in run["steps"]["ranks"]] == [0, 1]
    steps = run["steps"]["ranks"][0]["instructions"]
    assert {"op", "seconds", "rows", "bytes"} <= set(steps[0])
    assert run["comparison"]["steps"], "each step stands beside its prediction"
    assert run["results"]["by city"]["ordered"] is True
    assert run["results"]["bag"]["ordered"] is False


@pytest.mark.mpi
def test_results_are_kept_as_they_were_shown(crate: Path) -> None:
    run = load(crate / "run.json")
    for name, told in run["results"].items():
        frame = pl.read_parquet(crate / told["file"])
        assert table_digest(frame).sequence == told["sequence"], name
    assert pl.read_parquet(crate / "results/0.parquet")["city"].to_list() == ["Bern", "Oslo", "Rome"]


@pytest.mark.mpi
def test_the_environment_names_what_the_run_stood_on(crate: Path) -> None:
    facts = load(crate / "environment.json")
    assert re.fullmatch(r"3\.\d+\.\d+\S*", facts["python"])
    assert facts["packages"]["polars"] == pl.__version__
    assert facts["mpi"]
    assert facts["cores"] >= 1


@pytest.mark.mpi
def test_the_run_is_accounted_for_as_without_a_crate(crate: Path) -> None:
    comparison = load(crate / "run.json")["comparison"]
    assert load(crate.parent / "record.json")["comparison"] == comparison
    (entry,) = (crate.parent / "history.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(entry)["steps"] == comparison["steps"]


@pytest.mark.mpi
def test_a_crate_does_not_tell_where_it_was_made(crate: Path) -> None:
    place = str(crate.parent).encode()
    texts = {path: path.read_bytes() for path in crate.rglob("*") if path.is_file() and path.suffix != ".dlc"}
    with zipfile.ZipFile(crate / "plan.dlc") as plan:
        texts |= {Path(name): plan.read(name) for name in plan.namelist()}
    assert not [path for path, text in texts.items() if place in text]
    variables = load(crate / "environment.json")["variables"]
    assert "DLC_HISTORY" not in variables
    assert variables["OMP_PROC_BIND"] == "close"


def test_files_and_lines_are_told_by_relative_paths(tmp_path: Path) -> None:
    """Even where the program names them by absolute ones, and lies elsewhere."""
    programs, data = tmp_path / "programs", tmp_path / "data"
    for folder in (programs, data):
        folder.mkdir()
    for name, text in FILES.items():
        place = (data if name.endswith("csv") else programs) / name
        place.write_text(text.replace('"sales', f'"{data}/sales'), encoding="utf-8")
    for command in (["run", "--crate", "crate", "../programs/prog.py"], ["rerun", "crate"]):
        result = subprocess.run(
            [sys.executable, "-m", "dlc", *command], cwd=data, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
    assert [entry["path"] for entry in load(data / "crate/run.json")["inputs"]] == ["sales.csv"]
    plan = load_plan(data / "crate/plan.dlc")
    assert {file for file, *_ in plan.locations} == {"program/prog.py", "program/helper.py"}
    assert "agent" not in graph(data / "crate")["#run"], "nobody is named who is not given"
    assert graph(data / "crate")["./"]["license"] == {"@id": "#licence"}, "nor is a licence"


def test_names_of_files_are_uris_in_the_metadata(run_dlc: Dlc, tmp_path: Path) -> None:
    name = "50% of #1: möbel.py"
    for file, text in FILES.items():
        (tmp_path / file.replace("prog.py", name)).write_text(text, encoding="utf-8")
    assert run_dlc("run", "--crate", "crate", name).returncode == 0
    assert "program/50%25%20of%20%231%3A%20m%C3%B6bel.py" in graph(tmp_path / "crate")
    assert run_dlc("rerun", "crate").returncode == 0
    with (tmp_path / "crate/program" / name).open("a") as stream:
        stream.write("# changed")
    assert "DLC510" in run_dlc("rerun", "crate").stderr


def test_a_record_that_cannot_be_written_is_refused_before_the_run(run_dlc: Dlc, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    result = run_dlc("run", "--record", "no/such/record.json", "--crate", "crate", "prog.py")
    assert (result.returncode, "DLC605" in result.stderr) == (4, True)
    assert not (tmp_path / "out.parquet").exists()


def test_a_crate_never_replaces_what_is_there(run_dlc: Dlc, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "crate").mkdir()
    for place in ("crate", "no/such/place"):
        result = run_dlc("run", "--crate", place, "prog.py")
        assert result.returncode == 4
        assert "DLC605" in result.stderr
    assert not list((tmp_path / "crate").iterdir())
    assert not (tmp_path / "out.parquet").exists(), "it is refused before the run"


def test_a_run_that_fails_leaves_no_crate(run_dlc: Dlc, tmp_path: Path) -> None:
    text = "import dlc\n@dlc.program\ndef p() -> dlc.Frame:\n    f = dlc.scan_csv('a.csv')\n"
    (tmp_path / "p.py").write_text(
        f"{text}    return f.select(x=dlc.col('a') // dlc.col('b'))\n", encoding="utf-8"
    )
    (tmp_path / "a.csv").write_text("a,b\n1,0\n", encoding="utf-8")
    result = run_dlc("run", "--crate", "crate", "p.py")
    assert "DLC601" in result.stderr
    assert not list(tmp_path.glob("*crate*"))


FRAME = pl.DataFrame(
    {
        "i": [1, None, 3],
        "f": [0.5, None, float("nan")],
        "s": ["a", None, "bé"],
        "d": pl.Series(["1.10", None, "2.20"]).cast(pl.Decimal(10, 2)),
        "t": pl.Series(["2024-01-01", None, "2025-01-01"]).str.to_date(),
        "b": [True, None, False],
    }
)


def test_a_digest_is_of_values_and_not_of_how_they_are_held() -> None:
    pieces = pl.concat([FRAME.head(1), FRAME.slice(1)], rechunk=False)
    assert table_digest(pieces) == table_digest(FRAME)
    hidden = FRAME.with_columns(pl.when(pl.col("i") < 9).then("i").alias("i"))
    assert table_digest(hidden) == table_digest(FRAME)


@pytest.mark.parametrize("column", FRAME.columns)
def test_a_digest_sees_every_change(column: str) -> None:
    changed = FRAME.with_columns(pl.col(column).shift(1))
    assert table_digest(changed).bag != table_digest(FRAME).bag
    assert table_digest(FRAME.rename({column: "other"})).bag != table_digest(FRAME).bag
    assert table_digest(FRAME.with_columns(pl.col(column).fill_null(strategy="forward"))) != table_digest(
        FRAME
    )


def test_a_digest_tells_order_and_content_apart() -> None:
    turned = table_digest(FRAME.reverse())
    assert turned.bag == table_digest(FRAME).bag
    assert turned.sequence != table_digest(FRAME).sequence


def test_floats_count_by_their_bits() -> None:
    zero, minus = pl.DataFrame({"x": [0.0]}), pl.DataFrame({"x": [-0.0]})
    assert table_digest(zero).bag != table_digest(minus).bag
    assert table_digest(pl.DataFrame({"x": []}, schema={"x": pl.Float64})).rows == 0


def test_a_module_whose_file_is_nowhere_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import ModuleType

    from dlc.crate import recording

    program = tmp_path / "prog.py"
    program.write_text("")
    module = ModuleType("made_up")
    module.__file__ = "_made_up.py"
    monkeypatch.setitem(sys.modules, "made_up", module)
    monkeypatch.chdir(tmp_path)
    assert [place for place, _ in recording._sources(program)] == ["program/prog.py"]

"""The model of flight delays: its features are those of Polars, and held-out days tell it nothing."""

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from dlc import driver
from dlc.runtime.executor import execute
from dlc.runtime.plan import Plan
from dlc.runtime.transport import run_local

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "examples" / "flight_model.py"
sys.path.append(str(PROGRAM.parent))

import flight_data  # noqa: E402
import flight_model  # noqa: E402
import flight_model_check  # noqa: E402
import loss_curve  # noqa: E402

KEYS = ["month", "day", "scheduled", "carrier", "flight"]


@pytest.fixture(scope="module")
def data() -> Path:
    return flight_data.make()


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Path]:
    """Where a run on two ranks, of one epoch, has written."""
    folder = tmp_path_factory.mktemp("flights")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(flight_model, "EPOCHS", 1)
        run(compiled(2))
    yield folder / "out"


def compiled(ranks: int) -> Plan:
    from dlc.frontends.program import trace

    return driver.build_plan(driver.compile_module(trace(flight_model.flight_model), None, ranks))


def run(plan: Plan) -> dict[str, pl.DataFrame]:
    found = run_local(plan.world_size, lambda transport: execute(plan, transport), patience=100)[0]
    assert found is not None
    return found


def expected(data: Path) -> pl.DataFrame:
    """The features before they are scaled, from Polars."""
    tables = {name: pl.read_parquet(data / f"{name}.parquet") for name in ("flights", "weather", "planes")}
    flights = (
        tables["flights"]
        .drop_nulls("arr_delay")
        .with_columns(
            late=pl.col("arr_delay") > flight_model.LATE,
            held_out=(pl.col("month") * 31 + pl.col("day")) % 5 == 0,
            weekday=pl.col("time_hour").dt.weekday(),
            winter=((pl.col("month") * 30 + pl.col("day")).cast(pl.Float64).radians()).cos(),
            spring=((pl.col("month") * 30 + pl.col("day")).cast(pl.Float64).radians()).sin(),
            scheduled="sched_dep_time",
        )
    )
    past = flights.filter(~pl.col("held_out"))
    histories = {
        "carrier_late": ["carrier"],
        "route_late": ["origin", "dest"],
        "hour_late": ["origin", "hour"],
    }
    planes = tables["planes"].select("tailnum", "seats", built="year")
    joined = (
        flights.join(
            tables["weather"].drop("year", "month", "day", "hour"), on=["origin", "time_hour"], how="left"
        )
        .join(planes, on="tailnum", how="left")
        .with_columns(age=pl.col("year") - pl.col("built"))
    )
    for name, keys in histories.items():
        joined = joined.join(past.group_by(keys).agg(pl.col("late").mean().alias(name)), on=keys, how="left")
    return joined.select(*KEYS, "held_out", "late", *flight_model.FEATURES).sort(KEYS)


def test_the_features_are_those_of_polars(out: Path, data: Path) -> None:
    found, wanted = pl.read_parquet(out / "predictions.parquet"), expected(data)
    assert found.select(KEYS).equals(found.select(KEYS).sort(KEYS))
    assert found.select(*KEYS, "held_out", "late").equals(wanted.select(*KEYS, "held_out", "late"))
    for name, (mean, spread) in flight_model.SCALES.items():
        scaled = (wanted[name].cast(pl.Float64).fill_null(mean) - mean) / spread
        assert (found[name].cast(pl.Float64) - scaled).abs().max() < 1e-5, name


def test_one_epoch_foretells_better_than_the_mean(out: Path) -> None:
    found = flight_model_check.compare(pl.read_parquet(out / "predictions.parquet"), trees=False)
    assert found["network of dlc"]["log-loss"] < found["the same for all"]["log-loss"] - 0.02
    assert found["network of dlc"]["AUC"] > 0.65
    assert found["the same for all"]["AUC"] == 0.5
    held_out = pl.read_parquet(out / "history.parquet").filter(pl.col("name") == "held out")["value"]
    assert found["network of dlc"]["log-loss"] == pytest.approx(held_out[-1], rel=1e-4)


def test_a_checkpoint_stands_beside_the_predictions(out: Path) -> None:
    assert (out / "checkpoint" / "manifest.json").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 3, 4])
def test_every_number_of_ranks_writes_the_same_bytes(
    out: Path, ranks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(flight_model, "EPOCHS", 1)
    run(compiled(ranks))
    for name in ("predictions.parquet", "history.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (out / name).read_bytes(), name


def test_the_loss_is_drawn_as_svg(out: Path) -> None:
    loss_curve.draw(pl.read_parquet(out / "history.parquet"), out / "loss.svg")
    root = ElementTree.parse(out / "loss.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    steps = pl.read_parquet(out / "history.parquet").filter(pl.col("name") == "loss").height
    curves = [element.attrib["points"].split() for element in root.iter() if "points" in element.attrib]
    assert [len(points) for points in curves] == [steps, steps, 1]
    assert "held out" in {element.text for element in root.iter()}

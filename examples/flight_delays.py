"""Which airlines, hours and routes out of New York were late in 2013, and what the weather had to do with it.

``dlc run -n 2 examples/flight_delays.py`` (the tables come from ``python examples/flight_data.py``) shows the
carriers and the worst routes, and leaves all three tables as Parquet files under ``out/``.
"""

import os
from pathlib import Path

import dlc
from dlc import col

DATA = os.environ.get("FLIGHT_DATA") or Path(__file__).resolve().parent / "data"


def scan(table: str) -> dlc.Frame:
    return dlc.scan_parquet(f"{DATA}/{table}.parquet")


def flown_flights() -> dlc.Frame:
    """Every flight that arrived, with the weather at departure, the plane and the airline."""
    weather = scan("weather").select("origin", "time_hour", "wind_speed", "precip", "visib")
    planes = scan("planes").select("tailnum", col("year").alias("built"), "seats")
    airlines = scan("airlines").rename({"name": "airline"})
    rough = (col("wind_speed") > 20.0) | (col("precip") > 0.0) | (col("visib") < 3.0)
    return (
        scan("flights")
        .filter(col("arr_delay").is_not_null())
        .join(weather, on=["origin", "time_hour"], how="left")
        .join(planes, on="tailnum", how="left")
        .join(airlines, on="carrier")
        .with_columns(
            rough.fill_null(False).alias("rough"),
            (col("distance") / (col("air_time") / 60)).alias("speed"),
            (col("dep_delay") - col("arr_delay")).alias("made_up"),
            (col("year") - col("built")).alias("age"),
        )
    )


@dlc.program
def flight_delays(late: int = 15, fewest: int = 100) -> dict[str, dlc.Frame]:
    """Delays in minutes, speeds in miles per hour, ages in years.

    A flight is late when it arrives more than `late` minutes after schedule; a route counts from `fewest`
    flights a year on.
    """
    flights = flown_flights()
    is_late = col("arr_delay") > late

    hours = (
        flights.group_by("carrier", "airline", "hour")
        .agg(
            dlc.len().alias("flights"),
            col("arr_delay").mean().alias("mean_delay"),
            col("arr_delay").std().alias("std_delay"),
            is_late.mean().alias("share_late"),
            col("made_up").mean().alias("mean_made_up"),
            col("speed").mean().alias("mean_speed"),
        )
        .sort("carrier", "hour")
    )
    carriers = (
        flights.group_by("carrier", "airline")
        .agg(
            dlc.len().alias("flights"),
            is_late.mean().alias("share_late"),
            col("arr_delay").mean().alias("mean_delay"),
            dlc.when(col("rough")).then(col("arr_delay")).mean().alias("mean_delay_rough"),
            col("arr_delay").max().alias("max_delay"),
            col("age").mean().alias("mean_age"),
            col("seats").sum().alias("seats"),
            col("tailnum").n_unique().alias("planes"),
        )
        .sort("share_late", descending=True)
    )
    routes = (
        flights.group_by("origin", "dest")
        .agg(
            dlc.len().alias("flights"),
            col("arr_delay").mean().alias("mean_delay"),
            is_late.mean().alias("share_late"),
            col("speed").max().alias("max_speed"),
        )
        .filter(col("flights") >= fewest)
        .sort("mean_delay", descending=True)
        .head(15)
    )

    hours.sink_parquet("out/hours.parquet")
    carriers.sink_parquet("out/carriers.parquet")
    routes.sink_parquet("out/routes.parquet")
    return {"carriers": carriers, "routes": routes}

"""TPC-H query 1: the pricing summary of everything shipped up to 90 days before the last day."""

from datetime import date

from tables import scan

import dlc
from dlc import col


@dlc.program
def q01() -> dlc.Frame:
    """One row per return flag and line status."""
    discounted = col("l_extendedprice") * (1 - col("l_discount"))
    return (
        scan("lineitem")
        .filter(col("l_shipdate") <= date(1998, 9, 2))
        .group_by("l_returnflag", "l_linestatus")
        .agg(
            col("l_quantity").sum().alias("sum_qty"),
            col("l_extendedprice").sum().alias("sum_base_price"),
            discounted.sum().alias("sum_disc_price"),
            (discounted * (1 + col("l_tax"))).sum().alias("sum_charge"),
            col("l_quantity").mean().alias("avg_qty"),
            col("l_extendedprice").mean().alias("avg_price"),
            col("l_discount").mean().alias("avg_disc"),
            dlc.len().alias("count_order"),
        )
        .sort("l_returnflag", "l_linestatus")
    )

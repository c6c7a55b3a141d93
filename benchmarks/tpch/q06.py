"""TPC-H query 6: the revenue gained had small discounts not been given in 1994."""

from datetime import date

from tables import scan

import dlc
from dlc import col


@dlc.program
def q06() -> dlc.Frame:
    """One row."""
    return (
        scan("lineitem")
        .filter(
            (col("l_shipdate") >= date(1994, 1, 1))
            & (col("l_shipdate") < date(1995, 1, 1))
            & col("l_discount").is_between(0.05, 0.07)
            & (col("l_quantity") < 24)
        )
        .select((col("l_extendedprice") * col("l_discount")).sum().alias("revenue"))
    )

"""TPC-H query 14: the share of revenue from promoted parts in September 1995, in per cent."""

from datetime import date

from tables import scan

import dlc
from dlc import col


@dlc.program
def q14() -> dlc.Frame:
    """One row."""
    revenue = col("l_extendedprice") * (1 - col("l_discount"))
    promoted = dlc.when(col("p_type").str.starts_with("PROMO")).then(revenue).otherwise(0)
    return (
        scan("lineitem")
        .filter((col("l_shipdate") >= date(1995, 9, 1)) & (col("l_shipdate") < date(1995, 10, 1)))
        .join(scan("part"), left_on="l_partkey", right_on="p_partkey")
        .select((100 * promoted.sum() / revenue.sum()).alias("promo_revenue"))
    )

"""TPC-H query 12: whether cheaper ship modes delay urgent orders."""

from datetime import date

from tables import scan

import dlc
from dlc import col


@dlc.program
def q12() -> dlc.Frame:
    """Late items of 1994 per ship mode, those of urgent orders apart from the others."""
    late = scan("lineitem").filter(
        col("l_shipmode").is_in(["MAIL", "SHIP"])
        & (col("l_commitdate") < col("l_receiptdate"))
        & (col("l_shipdate") < col("l_commitdate"))
        & (col("l_receiptdate") >= date(1994, 1, 1))
        & (col("l_receiptdate") < date(1995, 1, 1))
    )
    urgent = col("o_orderpriority").is_in(["1-URGENT", "2-HIGH"])
    return (
        late.join(scan("orders"), left_on="l_orderkey", right_on="o_orderkey")
        .group_by("l_shipmode")
        .agg(
            dlc.when(urgent).then(1).otherwise(0).sum().alias("high_line_count"),
            dlc.when(urgent).then(0).otherwise(1).sum().alias("low_line_count"),
        )
        .sort("l_shipmode")
    )

"""TPC-H query 3: the ten unshipped orders of the highest value."""

from datetime import date

from tables import scan

import dlc
from dlc import col


@dlc.program
def q03() -> dlc.Frame:
    """Orders of the BUILDING segment placed before, and not yet shipped on, 15 March 1995."""
    customer = scan("customer").filter(col("c_mktsegment") == "BUILDING")
    orders = scan("orders").filter(col("o_orderdate") < date(1995, 3, 15))
    lineitem = scan("lineitem").filter(col("l_shipdate") > date(1995, 3, 15))
    return (
        lineitem.join(
            orders.join(customer, left_on="o_custkey", right_on="c_custkey"),
            left_on="l_orderkey",
            right_on="o_orderkey",
        )
        .group_by("l_orderkey", "o_orderdate", "o_shippriority")
        .agg((col("l_extendedprice") * (1 - col("l_discount"))).sum().alias("revenue"))
        .select("l_orderkey", "revenue", "o_orderdate", "o_shippriority")
        .sort("revenue", "o_orderdate", descending=[True, False])
        .head(10)
    )

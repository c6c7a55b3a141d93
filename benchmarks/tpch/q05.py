"""TPC-H query 5: the revenue from local suppliers in Asia in 1994."""

from datetime import date

from tables import scan

import dlc
from dlc import col


@dlc.program
def q05() -> dlc.Frame:
    """One row per nation: what customers bought from suppliers of their own nation."""
    nation = scan("nation").join(
        scan("region").filter(col("r_name") == "ASIA"), left_on="n_regionkey", right_on="r_regionkey"
    )
    customer = scan("customer").join(nation, left_on="c_nationkey", right_on="n_nationkey")
    orders = (
        scan("orders")
        .filter((col("o_orderdate") >= date(1994, 1, 1)) & (col("o_orderdate") < date(1995, 1, 1)))
        .join(customer, left_on="o_custkey", right_on="c_custkey")
    )
    return (
        scan("lineitem")
        .join(orders, left_on="l_orderkey", right_on="o_orderkey")
        .join(scan("supplier"), left_on=["l_suppkey", "c_nationkey"], right_on=["s_suppkey", "s_nationkey"])
        .group_by("n_name")
        .agg((col("l_extendedprice") * (1 - col("l_discount"))).sum().alias("revenue"))
        .sort("revenue", descending=True)
    )

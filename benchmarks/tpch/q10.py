"""TPC-H query 10: the twenty customers whose returned goods cost the most."""

from datetime import date

from tables import scan

import dlc
from dlc import col


@dlc.program
def q10() -> dlc.Frame:
    """Customers with the revenue lost on items of the last quarter of 1993 that came back."""
    orders = scan("orders").filter(
        (col("o_orderdate") >= date(1993, 10, 1)) & (col("o_orderdate") < date(1994, 1, 1))
    )
    customer = scan("customer").join(scan("nation"), left_on="c_nationkey", right_on="n_nationkey")
    return (
        scan("lineitem")
        .filter(col("l_returnflag") == "R")
        .join(orders, left_on="l_orderkey", right_on="o_orderkey")
        .join(customer, left_on="o_custkey", right_on="c_custkey")
        .rename({"o_custkey": "c_custkey"})
        .group_by("c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment")
        .agg((col("l_extendedprice") * (1 - col("l_discount"))).sum().alias("revenue"))
        .select("c_custkey", "c_name", "revenue", "c_acctbal", "n_name", "c_address", "c_phone", "c_comment")
        .sort("revenue", descending=True)
        .head(20)
    )

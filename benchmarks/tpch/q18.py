"""TPC-H query 18: the hundred largest orders of more than 300 items."""

from tables import scan

import dlc
from dlc import col


@dlc.program
def q18() -> dlc.Frame:
    """Large orders with their customer and the number of items."""
    large = (
        scan("lineitem")
        .group_by("l_orderkey")
        .agg(col("l_quantity").sum().alias("sum_quantity"))
        .filter(col("sum_quantity") > 300)
    )
    return (
        scan("orders")
        .join(large, left_on="o_orderkey", right_on="l_orderkey")
        .join(scan("customer"), left_on="o_custkey", right_on="c_custkey")
        .rename({"o_custkey": "c_custkey"})
        .select("c_name", "c_custkey", "o_orderkey", "o_orderdate", "o_totalprice", "sum_quantity")
        .sort("o_totalprice", "o_orderdate", descending=[True, False])
        .head(100)
    )

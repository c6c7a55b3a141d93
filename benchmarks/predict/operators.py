"""Single operators on the TPC-H tables, as programs: a filter, a projection, a grouping, a join, a sort."""

from __future__ import annotations

import os

import dlc
from dlc import col


def scan(table: str) -> dlc.Frame:
    return dlc.scan_parquet(f"{os.environ['TPCH_DATA']}/{table}.parquet")


@dlc.program
def keep() -> dlc.Frame:
    """A filter that leaves little."""
    lines = scan("lineitem").select("l_orderkey", "l_partkey", "l_suppkey")
    return lines.filter(col("l_suppkey") == 1)


@dlc.program
def few_groups() -> dlc.Frame:
    """Totals of a handful of groups."""
    return scan("lineitem").group_by("l_linenumber").agg(col("l_partkey").sum().alias("total"))


@dlc.program
def many_groups() -> dlc.Frame:
    """Totals of a quarter as many groups as rows, of which the first are given."""
    totals = scan("lineitem").group_by("l_orderkey").agg(col("l_partkey").sum().alias("total"))
    return totals.sort("total", descending=True).head(10)


@dlc.program
def join() -> dlc.Frame:
    """Lines with their orders, counted by customer."""
    lines = scan("lineitem").select("l_orderkey", "l_suppkey")
    orders = scan("orders").select("o_orderkey", "o_custkey")
    joined = lines.join(orders, left_on="l_orderkey", right_on="o_orderkey")
    return joined.group_by("o_custkey").agg(col("l_suppkey").max().alias("last")).sort("o_custkey").head(10)


@dlc.program
def order() -> dlc.Frame:
    """Lines in a new order, of which the first are given."""
    lines = scan("lineitem").select("l_orderkey", "l_partkey", "l_suppkey")
    return lines.sort("l_partkey").head(100)


@dlc.program
def words() -> dlc.Frame:
    """Lines by the words that they hold."""
    lines = scan("lineitem").group_by("l_shipmode", "l_shipinstruct").agg(dlc.len().alias("lines"))
    return lines.sort("l_shipmode", "l_shipinstruct")


@dlc.program
def amounts() -> dlc.Frame:
    """Arithmetic on decimals, and totals of it."""
    lines = scan("lineitem")
    net = col("l_extendedprice") * (1 - col("l_discount"))
    return lines.select(net=net, gross=net * (1 + col("l_tax"))).select(
        dlc.len().alias("lines"), col("net").max().alias("most"), col("gross").min().alias("least")
    )


@dlc.program
def distinct() -> dlc.Frame:
    """Pairs of parts and suppliers that have been ordered, counted by supplier."""
    pairs = scan("lineitem").select("l_partkey", "l_suppkey").unique()
    return pairs.group_by("l_suppkey").agg(dlc.len().alias("parts")).sort("l_suppkey").head(10)


@dlc.program
def matching() -> dlc.Frame:
    """Orders that have a line which was shipped by air."""
    air = scan("lineitem").filter(col("l_shipmode") == "AIR").select("l_orderkey")
    orders = scan("orders").join(air, left_on="o_orderkey", right_on="l_orderkey", how="semi")
    return orders.group_by("o_orderpriority").agg(dlc.len().alias("orders")).sort("o_orderpriority")


@dlc.program
def floats() -> dlc.Frame:
    """Sums and means of floats, exact to the last bit."""
    price = (col("l_extendedprice").cast(dlc.Float64) / 7).alias("price")
    lines = scan("lineitem").select("l_suppkey", price)
    totals = lines.group_by("l_suppkey").agg(
        col("price").sum().alias("total"), col("price").mean().alias("mean")
    )
    return totals.sort("l_suppkey").head(10)


@dlc.program
def written() -> None:
    """A table that is filtered and written again."""
    lines = scan("lineitem").filter(col("l_quantity") > 25)
    lines.select("l_orderkey", "l_partkey", "l_shipdate", "l_shipmode").sink_parquet(
        f"{os.environ['TPCH_OUT']}/written.parquet"
    )

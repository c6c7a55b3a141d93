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

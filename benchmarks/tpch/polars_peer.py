"""The eight queries in lazy Polars, written as a Polars user would: the peer of the dlc programs beside it.

Polars rounds a product of decimals to the scale of its left factor, which would make the revenue wrong, so
the columns that enter a product are cast to Float64. (The published Polars TPC-H benchmark goes the same way:
its tables hold Float64 prices.) Decimals that are only compared or summed stay exact.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
from polars import col


def _float(name: str) -> pl.Expr:
    return col(name).cast(pl.Float64)


REVENUE = _float("l_extendedprice") * (1 - _float("l_discount"))


def q01(scan: Callable[[str], pl.LazyFrame]) -> pl.LazyFrame:
    return (
        scan("lineitem")
        .filter(col("l_shipdate") <= date(1998, 9, 2))
        .group_by("l_returnflag", "l_linestatus")
        .agg(
            col("l_quantity").sum().alias("sum_qty"),
            col("l_extendedprice").sum().alias("sum_base_price"),
            REVENUE.sum().alias("sum_disc_price"),
            (REVENUE * (1 + _float("l_tax"))).sum().alias("sum_charge"),
            _float("l_quantity").mean().alias("avg_qty"),
            _float("l_extendedprice").mean().alias("avg_price"),
            _float("l_discount").mean().alias("avg_disc"),
            pl.len().alias("count_order"),
        )
        .sort("l_returnflag", "l_linestatus")
    )


def q03(scan: Callable[[str], pl.LazyFrame]) -> pl.LazyFrame:
    customer = scan("customer").filter(col("c_mktsegment") == "BUILDING")
    orders = scan("orders").filter(col("o_orderdate") < date(1995, 3, 15))
    lineitem = scan("lineitem").filter(col("l_shipdate") > date(1995, 3, 15))
    return (
        customer.join(orders, left_on="c_custkey", right_on="o_custkey")
        .join(lineitem, left_on="o_orderkey", right_on="l_orderkey")
        .group_by("o_orderkey", "o_orderdate", "o_shippriority")
        .agg(REVENUE.sum().alias("revenue"))
        .select(col("o_orderkey").alias("l_orderkey"), "revenue", "o_orderdate", "o_shippriority")
        .sort("revenue", "o_orderdate", descending=[True, False])
        .head(10)
    )


def q05(scan: Callable[[str], pl.LazyFrame]) -> pl.LazyFrame:
    orders = scan("orders").filter(
        col("o_orderdate") >= date(1994, 1, 1), col("o_orderdate") < date(1995, 1, 1)
    )
    return (
        scan("region")
        .filter(col("r_name") == "ASIA")
        .join(scan("nation"), left_on="r_regionkey", right_on="n_regionkey")
        .join(scan("customer"), left_on="n_nationkey", right_on="c_nationkey")
        .join(orders, left_on="c_custkey", right_on="o_custkey")
        .join(scan("lineitem"), left_on="o_orderkey", right_on="l_orderkey")
        .join(scan("supplier"), left_on=["l_suppkey", "n_nationkey"], right_on=["s_suppkey", "s_nationkey"])
        .group_by("n_name")
        .agg(REVENUE.sum().alias("revenue"))
        .sort("revenue", descending=True)
    )


def q06(scan: Callable[[str], pl.LazyFrame]) -> pl.LazyFrame:
    return (
        scan("lineitem")
        .filter(
            col("l_shipdate") >= date(1994, 1, 1),
            col("l_shipdate") < date(1995, 1, 1),
            col("l_discount").is_between(Decimal("0.05"), Decimal("0.07")),
            col("l_quantity") < 24,
        )
        .select((_float("l_extendedprice") * _float("l_discount")).sum().alias("revenue"))
    )


def q10(scan: Callable[[str], pl.LazyFrame]) -> pl.LazyFrame:
    orders = scan("orders").filter(
        col("o_orderdate") >= date(1993, 10, 1), col("o_orderdate") < date(1994, 1, 1)
    )
    lineitem = scan("lineitem").filter(col("l_returnflag") == "R")
    return (
        scan("customer")
        .join(orders, left_on="c_custkey", right_on="o_custkey")
        .join(lineitem, left_on="o_orderkey", right_on="l_orderkey")
        .join(scan("nation"), left_on="c_nationkey", right_on="n_nationkey")
        .group_by("c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment")
        .agg(REVENUE.sum().alias("revenue"))
        .select("c_custkey", "c_name", "revenue", "c_acctbal", "n_name", "c_address", "c_phone", "c_comment")
        .sort("revenue", descending=True)
        .head(20)
    )


def q12(scan: Callable[[str], pl.LazyFrame]) -> pl.LazyFrame:
    late = scan("lineitem").filter(
        col("l_shipmode").is_in(["MAIL", "SHIP"]),
        col("l_commitdate") < col("l_receiptdate"),
        col("l_shipdate") < col("l_commitdate"),
        col("l_receiptdate") >= date(1994, 1, 1),
        col("l_receiptdate") < date(1995, 1, 1),
    )
    urgent = col("o_orderpriority").is_in(["1-URGENT", "2-HIGH"])
    return (
        scan("orders")
        .join(late, left_on="o_orderkey", right_on="l_orderkey")
        .group_by("l_shipmode")
        .agg(urgent.sum().alias("high_line_count"), (~urgent).sum().alias("low_line_count"))
        .sort("l_shipmode")
    )


def q14(scan: Callable[[str], pl.LazyFrame]) -> pl.LazyFrame:
    promoted = pl.when(col("p_type").str.starts_with("PROMO")).then(REVENUE).otherwise(0.0)
    return (
        scan("lineitem")
        .filter(col("l_shipdate") >= date(1995, 9, 1), col("l_shipdate") < date(1995, 10, 1))
        .join(scan("part"), left_on="l_partkey", right_on="p_partkey")
        .select((100 * promoted.sum() / REVENUE.sum()).alias("promo_revenue"))
    )


def q18(scan: Callable[[str], pl.LazyFrame]) -> pl.LazyFrame:
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
        .select(
            "c_name",
            col("o_custkey").alias("c_custkey"),
            "o_orderkey",
            "o_orderdate",
            "o_totalprice",
            "sum_quantity",
        )
        .sort("o_totalprice", "o_orderdate", descending=[True, False])
        .head(100)
    )


QUERIES = {query.__name__: query for query in (q01, q03, q05, q06, q10, q12, q14, q18)}


def answer(query: str, data: Path) -> pl.DataFrame:
    """The answer to `query` over the Parquet files in `data`."""
    return QUERIES[query](lambda table: pl.scan_parquet(data / f"{table}.parquet")).collect()

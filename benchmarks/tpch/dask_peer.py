"""The eight queries in Dask DataFrame, written as a careful Dask user would: a peer of the dlc programs.

pandas has neither fast decimals nor kernels for the string views that these files hold, so Dask reads its own
copy of the tables, made beforehand, with Float64 prices as in the published benchmarks. Each read names the
columns and the row filters that its query needs.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from data import TABLES

Filter = tuple[str, str, Any]


def copy_tables(data: Path) -> Path:
    """Write Dask's copy of the tables in `data` beside them, once, and return its directory."""
    target = data / "dask"
    if not target.is_dir():
        partial = data / "dask.partial"
        partial.mkdir(exist_ok=True)
        for table in TABLES:
            rows = pq.read_table(data / f"{table}.parquet")
            schema = pa.schema([(field.name, _plain(field.type)) for field in rows.schema])
            pq.write_table(rows.cast(schema), partial / f"{table}.parquet", row_group_size=1 << 17)
        partial.rename(target)
    return target


def _plain(dtype: pa.DataType) -> pa.DataType:
    if pa.types.is_decimal(dtype):
        return pa.float64()
    return pa.large_string() if pa.types.is_string_view(dtype) else dtype


class Tables:
    """Reads the Parquet files of one directory."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def __call__(self, table: str, columns: list[str], *filters: Filter) -> Any:
        return dd.read_parquet(
            self.data / f"{table}.parquet",
            columns=columns,
            filters=list(filters) or None,
            dtype_backend="pyarrow",
            split_row_groups="adaptive",
            blocksize="64 MiB",
        )


def _with_revenue(lineitem: Any) -> Any:
    return lineitem.assign(revenue=lineitem.l_extendedprice * (1 - lineitem.l_discount))


def q01(read: Tables) -> pd.DataFrame:
    columns = ["l_returnflag", "l_linestatus", "l_quantity", "l_extendedprice", "l_discount", "l_tax"]
    lineitem = _with_revenue(read("lineitem", columns, ("l_shipdate", "<=", date(1998, 9, 2))))
    lineitem = lineitem.assign(charge=lineitem.revenue * (1 + lineitem.l_tax))
    groups = lineitem.groupby(["l_returnflag", "l_linestatus"])
    result = groups.agg(
        sum_qty=("l_quantity", "sum"),
        sum_base_price=("l_extendedprice", "sum"),
        sum_disc_price=("revenue", "sum"),
        sum_charge=("charge", "sum"),
        avg_qty=("l_quantity", "mean"),
        avg_price=("l_extendedprice", "mean"),
        avg_disc=("l_discount", "mean"),
        count_order=("l_quantity", "size"),
    )
    return result.compute().reset_index().sort_values(["l_returnflag", "l_linestatus"])


def q03(read: Tables) -> pd.DataFrame:
    customer = read("customer", ["c_custkey"], ("c_mktsegment", "==", "BUILDING"))
    orders = read(
        "orders",
        ["o_orderkey", "o_custkey", "o_orderdate", "o_shippriority"],
        ("o_orderdate", "<", date(1995, 3, 15)),
    )
    lineitem = _with_revenue(
        read(
            "lineitem",
            ["l_orderkey", "l_extendedprice", "l_discount"],
            ("l_shipdate", ">", date(1995, 3, 15)),
        )
    )
    joined = lineitem[["l_orderkey", "revenue"]].merge(
        orders.merge(customer, left_on="o_custkey", right_on="c_custkey"),
        left_on="l_orderkey",
        right_on="o_orderkey",
    )
    groups = joined.groupby(["l_orderkey", "o_orderdate", "o_shippriority"]).agg({"revenue": "sum"})
    result = (
        groups.reset_index()
        .compute()
        .sort_values(["revenue", "o_orderdate"], ascending=[False, True])
        .head(10)
    )
    return result[["l_orderkey", "revenue", "o_orderdate", "o_shippriority"]]


def q05(read: Tables) -> pd.DataFrame:
    region = read("region", ["r_regionkey"], ("r_name", "==", "ASIA"))
    nation = read("nation", ["n_nationkey", "n_name", "n_regionkey"])
    customer = read("customer", ["c_custkey", "c_nationkey"])
    supplier = read("supplier", ["s_suppkey", "s_nationkey"])
    orders = read(
        "orders",
        ["o_orderkey", "o_custkey"],
        ("o_orderdate", ">=", date(1994, 1, 1)),
        ("o_orderdate", "<", date(1995, 1, 1)),
    )
    lineitem = _with_revenue(read("lineitem", ["l_orderkey", "l_suppkey", "l_extendedprice", "l_discount"]))
    nation = nation.merge(region, left_on="n_regionkey", right_on="r_regionkey")[["n_nationkey", "n_name"]]
    customer = customer.merge(nation, left_on="c_nationkey", right_on="n_nationkey")
    orders = orders.merge(customer, left_on="o_custkey", right_on="c_custkey")
    joined = (
        lineitem[["l_orderkey", "l_suppkey", "revenue"]]
        .merge(orders[["o_orderkey", "c_nationkey", "n_name"]], left_on="l_orderkey", right_on="o_orderkey")
        .merge(supplier, left_on=["l_suppkey", "c_nationkey"], right_on=["s_suppkey", "s_nationkey"])
    )
    result = joined.groupby("n_name").agg({"revenue": "sum"}).reset_index().compute()
    return result.sort_values("revenue", ascending=False)


def q06(read: Tables) -> pd.DataFrame:
    lineitem = read(
        "lineitem",
        ["l_extendedprice", "l_discount", "l_quantity"],
        ("l_shipdate", ">=", date(1994, 1, 1)),
        ("l_shipdate", "<", date(1995, 1, 1)),
    )
    # Whole cents compare safely as floats only with a margin.
    chosen = lineitem[lineitem.l_discount.between(0.0499, 0.0701) & (lineitem.l_quantity < 24)]
    return pd.DataFrame({"revenue": [(chosen.l_extendedprice * chosen.l_discount).sum().compute()]})


def q10(read: Tables) -> pd.DataFrame:
    names = ["c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment"]
    customer = read("customer", [*(name for name in names if name != "n_name"), "c_nationkey"])
    nation = read("nation", ["n_nationkey", "n_name"])
    orders = read(
        "orders",
        ["o_orderkey", "o_custkey"],
        ("o_orderdate", ">=", date(1993, 10, 1)),
        ("o_orderdate", "<", date(1994, 1, 1)),
    )
    lineitem = _with_revenue(
        read("lineitem", ["l_orderkey", "l_extendedprice", "l_discount"], ("l_returnflag", "==", "R"))
    )
    joined = (
        lineitem[["l_orderkey", "revenue"]]
        .merge(orders, left_on="l_orderkey", right_on="o_orderkey")
        .merge(customer, left_on="o_custkey", right_on="c_custkey")
        .merge(nation, left_on="c_nationkey", right_on="n_nationkey")
    )
    groups = joined.groupby(names).agg({"revenue": "sum"}).reset_index()
    result = groups.compute().sort_values("revenue", ascending=False).head(20)
    return result[
        ["c_custkey", "c_name", "revenue", "c_acctbal", "n_name", "c_address", "c_phone", "c_comment"]
    ]


def q12(read: Tables) -> pd.DataFrame:
    lineitem = read(
        "lineitem",
        ["l_orderkey", "l_shipmode", "l_shipdate", "l_commitdate", "l_receiptdate"],
        ("l_shipmode", "in", ["MAIL", "SHIP"]),
        ("l_receiptdate", ">=", date(1994, 1, 1)),
        ("l_receiptdate", "<", date(1995, 1, 1)),
    )
    late = lineitem[
        (lineitem.l_commitdate < lineitem.l_receiptdate) & (lineitem.l_shipdate < lineitem.l_commitdate)
    ]
    orders = read("orders", ["o_orderkey", "o_orderpriority"])
    joined = late[["l_orderkey", "l_shipmode"]].merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    urgent = joined.o_orderpriority.isin(["1-URGENT", "2-HIGH"])
    joined = joined.assign(high_line_count=urgent.astype("int64"), low_line_count=(~urgent).astype("int64"))
    groups = joined.groupby("l_shipmode").agg({"high_line_count": "sum", "low_line_count": "sum"})
    return groups.reset_index().compute().sort_values("l_shipmode")


def q14(read: Tables) -> pd.DataFrame:
    lineitem = _with_revenue(
        read(
            "lineitem",
            ["l_partkey", "l_extendedprice", "l_discount"],
            ("l_shipdate", ">=", date(1995, 9, 1)),
            ("l_shipdate", "<", date(1995, 10, 1)),
        )
    )
    part = read("part", ["p_partkey", "p_type"])
    joined = lineitem[["l_partkey", "revenue"]].merge(part, left_on="l_partkey", right_on="p_partkey")
    sums = joined.assign(promo=joined.p_type.str.startswith("PROMO")).groupby("promo").revenue.sum().compute()
    return pd.DataFrame({"promo_revenue": [100 * sums.get(True, 0.0) / sums.sum()]})


def q18(read: Tables) -> pd.DataFrame:
    lineitem = read("lineitem", ["l_orderkey", "l_quantity"])
    orders = read("orders", ["o_orderkey", "o_custkey", "o_orderdate", "o_totalprice"])
    customer = read("customer", ["c_custkey", "c_name"])
    # A million groups and more: keep the result spread over partitions.
    sums = lineitem.groupby("l_orderkey").agg({"l_quantity": "sum"}, split_out=True, shuffle_method="tasks")
    large = sums.reset_index().rename(columns={"l_quantity": "sum_quantity"})
    large = large[large.sum_quantity > 300]
    joined = orders.merge(large, left_on="o_orderkey", right_on="l_orderkey").merge(
        customer, left_on="o_custkey", right_on="c_custkey"
    )
    result = joined.compute().sort_values(["o_totalprice", "o_orderdate"], ascending=[False, True]).head(100)
    return result[["c_name", "c_custkey", "o_orderkey", "o_orderdate", "o_totalprice", "sum_quantity"]]


QUERIES = {query.__name__: query for query in (q01, q03, q05, q06, q10, q12, q14, q18)}


def answer(query: str, data: Path) -> pl.DataFrame:
    """The answer to `query` over the Parquet files in `data`, on the current Dask client."""
    result = QUERIES[query](Tables(copy_tables(data)))
    return pl.from_pandas(result.reset_index(drop=True))

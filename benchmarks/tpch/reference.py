"""The eight TPC-H queries as SQL text with the specification's validation parameters, answered by DuckDB.

DuckDB multiplies and sums decimals exactly: its answers are the reference for every other implementation.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
from data import TABLES
from polars.testing import assert_frame_equal

SQL = {
    "q01": """
        select l_returnflag, l_linestatus,
               sum(l_quantity) as sum_qty,
               sum(l_extendedprice) as sum_base_price,
               sum(l_extendedprice * (1 - l_discount)) as sum_disc_price,
               sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge,
               avg(l_quantity) as avg_qty,
               avg(l_extendedprice) as avg_price,
               avg(l_discount) as avg_disc,
               count(*) as count_order
        from lineitem
        where l_shipdate <= date '1998-12-01' - interval '90' day
        group by l_returnflag, l_linestatus
        order by l_returnflag, l_linestatus""",
    "q03": """
        select l_orderkey, sum(l_extendedprice * (1 - l_discount)) as revenue, o_orderdate, o_shippriority
        from customer, orders, lineitem
        where c_mktsegment = 'BUILDING'
          and c_custkey = o_custkey and l_orderkey = o_orderkey
          and o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15'
        group by l_orderkey, o_orderdate, o_shippriority
        order by revenue desc, o_orderdate
        limit 10""",
    "q05": """
        select n_name, sum(l_extendedprice * (1 - l_discount)) as revenue
        from customer, orders, lineitem, supplier, nation, region
        where c_custkey = o_custkey and l_orderkey = o_orderkey and l_suppkey = s_suppkey
          and c_nationkey = s_nationkey and s_nationkey = n_nationkey and n_regionkey = r_regionkey
          and r_name = 'ASIA'
          and o_orderdate >= date '1994-01-01' and o_orderdate < date '1994-01-01' + interval '1' year
        group by n_name
        order by revenue desc""",
    "q06": """
        select sum(l_extendedprice * l_discount) as revenue
        from lineitem
        where l_shipdate >= date '1994-01-01' and l_shipdate < date '1994-01-01' + interval '1' year
          and l_discount between 0.06 - 0.01 and 0.06 + 0.01
          and l_quantity < 24""",
    "q10": """
        select c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) as revenue,
               c_acctbal, n_name, c_address, c_phone, c_comment
        from customer, orders, lineitem, nation
        where c_custkey = o_custkey and l_orderkey = o_orderkey
          and o_orderdate >= date '1993-10-01' and o_orderdate < date '1993-10-01' + interval '3' month
          and l_returnflag = 'R' and c_nationkey = n_nationkey
        group by c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment
        order by revenue desc
        limit 20""",
    "q12": """
        select l_shipmode,
               sum(case when o_orderpriority in ('1-URGENT', '2-HIGH') then 1 else 0 end)
                   as high_line_count,
               sum(case when o_orderpriority not in ('1-URGENT', '2-HIGH') then 1 else 0 end)
                   as low_line_count
        from orders, lineitem
        where o_orderkey = l_orderkey and l_shipmode in ('MAIL', 'SHIP')
          and l_commitdate < l_receiptdate and l_shipdate < l_commitdate
          and l_receiptdate >= date '1994-01-01' and l_receiptdate < date '1994-01-01' + interval '1' year
        group by l_shipmode
        order by l_shipmode""",
    "q14": """
        select 100.00 * sum(case when p_type like 'PROMO%' then l_extendedprice * (1 - l_discount) else 0 end)
               / sum(l_extendedprice * (1 - l_discount)) as promo_revenue
        from lineitem, part
        where l_partkey = p_partkey
          and l_shipdate >= date '1995-09-01' and l_shipdate < date '1995-09-01' + interval '1' month""",
    "q18": """
        select c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) as sum_quantity
        from customer, orders, lineitem
        where o_orderkey in (select l_orderkey from lineitem group by l_orderkey having sum(l_quantity) > 300)
          and c_custkey = o_custkey and o_orderkey = l_orderkey
        group by c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice
        order by o_totalprice desc, o_orderdate
        limit 100""",
}
QUERIES = tuple(SQL)

# The columns of each query's ORDER BY: beyond them the specification leaves the order of rows open.
ORDER = {
    "q01": ["l_returnflag", "l_linestatus"],
    "q03": ["revenue", "o_orderdate"],
    "q05": ["revenue"],
    "q06": [],
    "q10": ["revenue"],
    "q12": ["l_shipmode"],
    "q14": [],
    "q18": ["o_totalprice", "o_orderdate"],
}


def answer(query: str, data: Path) -> pl.DataFrame:
    """The answer to `query` ("q01" …) over the Parquet files in `data`."""
    with duckdb.connect() as connection:
        for table in TABLES:
            connection.read_parquet(str(data / f"{table}.parquet")).create_view(table)
        return connection.sql(SQL[query]).pl()


def check(query: str, actual: pl.DataFrame, expected: pl.DataFrame) -> None:
    """Raise AssertionError unless `actual` is the answer: floats to 1e-9, all else exactly, in order.

    The columns of `expected` first take the types of `actual`: a peer may compute decimals as floats.
    """
    expected = expected.cast(dict(actual.schema))
    assert_frame_equal(actual, expected, check_row_order=False, check_exact=False, rel_tol=1e-9, abs_tol=0)
    ordered = actual.select(ORDER[query]), expected.select(ORDER[query])
    assert_frame_equal(*ordered, check_exact=False, rel_tol=1e-9, abs_tol=0)

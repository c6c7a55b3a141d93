"""Small plans over a file of sales, for specs of the executor."""

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from dlc.runtime.plan import Gang, Json, Plan
from tests.runtime.trees import call, col, fragment, lit

SALES = [["k", "i64"], ["v", "f64"], ["d", "decimal(15,2)"], ["s", "string?"]]
TOTALS = [["s", "string?"], ["total", "decimal(38,2)?"], ["n", "i64"]]


def sales(rows: int = 1000) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "k": [i % 97 for i in range(rows)],
            "v": [i * 0.5 for i in range(rows)],
            "d": pl.Series([Decimal(i) / 100 for i in range(rows)], dtype=pl.Decimal(15, 2)),
            "s": [f"region {i % 13}" if i % 5 else None for i in range(rows)],
        }
    )


def totals(frame: pl.DataFrame) -> pl.DataFrame:
    """What the program of `totals_plan` computes, in one line of Polars."""
    grouped = frame.group_by("s").agg(
        total=pl.col("d").sum().cast(pl.Decimal(38, 2)), n=pl.len().cast(pl.Int64)
    )
    return grouped.sort("s", nulls_last=False)


def read(path: Path, rows: int, pieces: int = 7, out: str = "sales") -> Json:
    bounds = [rows * i // pieces for i in range(pieces + 1)]
    cuts = [[0, start, end - start] for start, end in pairwise(bounds)]
    return {
        "op": "read",
        "out": out,
        "format": "parquet",
        "paths": [str(path)],
        "schema": SALES,
        "pieces": cuts,
        "loc": 0,
    }


def run(source: str, out: str, *ops: Json) -> Json:
    return {"op": "run", "ins": [source], "outs": [out], "fragment": fragment(*ops), "loc": 1}


def group(*aggs: list[Any]) -> Json:
    return {"op": "aggregate", "in": 0, "keys": ["s"], "aggs": list(aggs)}


def divide_by(number: int) -> Json:
    """A fragment operator that fails when `number` is 0."""
    quotient = call("floordiv", "i64", col("k", "i64"), call("sub", "i64", lit(number, "i64"), lit(0, "i64")))
    return {"op": "project", "in": 0, "columns": [["q", quotient]]}


def totals_instructions(path: Path, rows: int) -> list[Json]:
    """Totals by region: combine, shuffle, reduce, then gathered and sorted as `sorted`."""
    return [
        read(path, rows),
        run("sales", "parts", group(["total", "sum", "d", "decimal(38,2)?"], ["n", "len", None, "i64"])),
        {"op": "shuffle", "in": "parts", "out": "met", "keys": ["s"], "loc": 1},
        run(
            "met",
            "totals",
            group(["total", "sum", "total", "decimal(38,2)?"], ["n", "merge_count", "n", "i64"]),
        ),
        {"op": "gather", "in": "totals", "out": "all", "root": 0, "loc": 2},
        run("all", "sorted", {"op": "sort", "in": 0, "by": [["s", False, False]], "limit": None}),
        {"op": "free", "values": ["sales", "parts", "met"], "loc": -1},
    ]


def write(value: str, path: Path, layout: str) -> Json:
    return {
        "op": "write",
        "in": value,
        "format": "parquet",
        "path": str(path),
        "layout": layout,
        "schema": TOTALS,
        "loc": 2,
    }


def result(value: str = "sorted") -> Json:
    return {"op": "result", "in": value, "name": "totals", "loc": 2}


def make_plan(ranks: int, instructions: list[Json], **fields: Any) -> Plan:
    outputs = [step["path"] for step in instructions if step["op"] == "write"]
    inputs = [path for step in instructions if step["op"] == "read" for path in step["paths"]]
    stats = [(path, Path(path).stat()) for path in inputs if Path(path).exists()]
    defaults: dict[str, Any] = {
        "results": [{"name": "totals", "schema": TOTALS}],
        "outputs": outputs,
        "inputs": [{"path": p, "bytes": s.st_size, "mtime_ns": s.st_mtime_ns} for p, s in stats],
        "locations": [["prog.py", 1, 5, 9], ["prog.py", 2, 5, 9], ["prog.py", 3, 5, 9]],
    }
    return Plan("totals", ranks, [Gang("main", list(range(ranks)), instructions)], **{**defaults, **fields})

"""Random pipelines over random tables, each as a dlc frame and as SQL for an independent engine."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import strategies as st

import dlc
from dlc import col

SCHEMA = {
    "i": pl.Int64,
    "k": pl.Int32,
    "f": pl.Float64,
    "s": pl.String,
    "d": pl.Date,
    "m": pl.Decimal(10, 2),
    "b": pl.Boolean,
}
VALUES = {
    "i": st.integers(-50, 50),
    "k": st.integers(0, 5),
    "f": st.integers(-40, 40).map(lambda x: x / 8) | st.sampled_from([0.1, 1e10, -1e10, 1e-7]),
    "s": st.sampled_from(["", "a", "ab", "b", "é", "zz"]),
    "d": st.integers(0, 400).map(lambda x: dt.date(2020, 1, 1) + dt.timedelta(days=x)),
    "m": st.integers(-9999, 9999).map(lambda x: Decimal(x) / 100),
    "b": st.booleans(),
}
ROWS = st.integers(0, 40).flatmap(
    lambda n: st.fixed_dictionaries(
        {name: st.lists(st.none() | values, min_size=n, max_size=n) for name, values in VALUES.items()}
    )
)
DIMENSION = st.lists(st.tuples(st.none() | st.integers(0, 5), st.integers(0, 9)), min_size=0, max_size=8)


@dataclass
class Program:
    """A pipeline in both languages; `columns` maps the names at hand to the kinds of `SCHEMA`."""

    frame: dlc.Frame
    sql: str
    columns: dict[str, str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)

    def then(self, frame: dlc.Frame, sql: str, columns: dict[str, str], step: str) -> Program:
        """The program with one more step; `{}` in the SQL stands for what was before."""
        return Program(frame, sql.format(f"({self.sql})"), columns, [*self.steps, step])

    def of_kind(self, *kinds: str) -> list[str]:
        """Columns of these kinds."""
        return [name for name, kind in self.columns.items() if kind in kinds]


@st.composite
def predicates(draw: Any, program: Program) -> tuple[dlc.Expr, str]:
    """A condition in both languages."""
    options = []
    for name in program.of_kind("i", "k"):
        bound = draw(st.integers(-20, 20))
        options += [
            (col(name) > bound, f"{name} > {bound}"),
            (col(name) + 1 <= bound, f"{name} + 1 <= {bound}"),
        ]
    for name in program.of_kind("f"):
        options.append((col(name) < 1.5, f"{name} < 1.5"))
    for name in program.of_kind("s"):
        options += [
            (col(name).is_in(["a", "b"]), f"{name} IN ('a', 'b')"),
            (col(name).str.starts_with("a"), f"{name} LIKE 'a%'"),
        ]
    for name in program.of_kind("d"):
        options.append((col(name).dt.month() == 3, f"month({name}) = 3"))
        options.append((col(name) >= dt.date(2020, 6, 1), f"{name} >= DATE '2020-06-01'"))
    for name in program.of_kind("m"):
        options.append((col(name) * 2 > 10.5, f"{name} * 2 > 10.5"))
    for name in program.of_kind("b"):
        options.append((col(name), name))
    for name in program.columns:
        options.append((col(name).is_null(), f"{name} IS NULL"))
    expression, sql = draw(st.sampled_from(options))
    if draw(st.booleans()):
        other, other_sql = draw(st.sampled_from(options))
        if draw(st.booleans()):
            return expression & ~other, f"({sql}) AND NOT ({other_sql})"
        return expression | other, f"({sql}) OR ({other_sql})"
    return expression, sql


@st.composite
def computed(draw: Any, program: Program) -> tuple[dlc.Expr, str, str]:
    """An expression in both languages, and its kind."""
    options = [(dlc.lit(7), "CAST(7 AS BIGINT)", "i")]
    for name in program.of_kind("i"):
        options += [
            (col(name) * 3 - 1, f"{name} * 3 - 1", "i"),
            (
                dlc.when(col(name) > 0).then(col(name)).otherwise(-1),
                f"CASE WHEN {name} > 0 THEN {name} ELSE -1 END",
                "i",
            ),
            (col(name).fill_null(0).abs(), f"abs(coalesce({name}, 0))", "i"),
        ]
    for name in program.of_kind("f"):
        options.append((col(name) / 4, f"{name} / 4", "f"))
    for name in program.of_kind("s"):
        options += [
            (col(name).str.to_uppercase(), f"upper({name})", "s"),
            (col(name).str.len_chars(), f"CAST(length({name}) AS BIGINT)", "i"),
        ]
    for name in program.of_kind("m"):
        options.append((col(name) + 1, f"CAST({name} + 1 AS DECIMAL(12, 2))", "m"))
    for name in program.of_kind("d"):
        options.append((col(name).dt.year(), f"CAST(year({name}) AS BIGINT)", "i"))
    return draw(st.sampled_from(options))


AGGREGATES = {
    "i": ("sum", "min", "max", "count", "mean", "n_unique"),
    "k": ("sum", "min", "max", "count", "mean"),
    "f": ("sum", "min", "max", "count", "mean", "var"),
    "m": ("sum", "min", "max", "mean"),
    "s": ("min", "max", "count", "n_unique"),
    "d": ("min", "max"),
    "b": ("count",),
}
SQL_AGGREGATES = {
    "sum": "sum({})",
    "mean": "avg({})",
    "n_unique": "count(DISTINCT {})",
    "var": "var_samp({})",
}


@st.composite
def pipelines(draw: Any, frame: dlc.Frame, dimension: dlc.Frame) -> Program:
    """A pipeline of a few random steps over the tables `t` and `dim` (columns dk, w)."""
    program = Program(frame, "SELECT * FROM t", {name: name for name in SCHEMA})
    for number in range(draw(st.integers(1, 4))):
        program = draw(st.sampled_from(STEPS))(draw, program, dimension, number)
    return program


def _filter(draw: Any, program: Program, _: dlc.Frame, __: int) -> Program:
    condition, sql = draw(predicates(program))
    return program.then(
        program.frame.filter(condition), f"SELECT * FROM {{}} WHERE {sql}", program.columns, f"filter {sql}"
    )


def _compute(draw: Any, program: Program, _: dlc.Frame, number: int) -> Program:
    expression, sql, kind = draw(computed(program))
    name = f"c{number}"
    return program.then(
        program.frame.with_columns(expression.alias(name)),
        f"SELECT *, {sql} AS {name} FROM {{}}",
        {**program.columns, name: kind},
        f"compute {sql}",
    )


def _group(draw: Any, program: Program, _: dlc.Frame, number: int) -> Program:
    keys = draw(st.lists(st.sampled_from(list(program.columns)), unique=True, max_size=2))
    keys = [key for key in keys if program.columns[key] not in ("f", "x")]
    expressions, sql, columns = (
        [dlc.len().alias(f"n{number}")],
        [f"count(*) AS n{number}"],
        {f"n{number}": "i"},
    )
    for name, kind in program.columns.items():
        if name in keys or kind not in AGGREGATES or draw(st.booleans()):
            continue
        function = draw(st.sampled_from(AGGREGATES[kind]))
        out = f"{function}{number}_{name}"
        expressions.append(getattr(col(name), function)().alias(out))
        sql.append(f"{SQL_AGGREGATES.get(function, function + '({})').format(name)} AS {out}")
        # Sums, means and wide decimals are only compared, not computed with further.
        columns[out] = (
            kind if function in ("min", "max") else "i" if function in ("count", "n_unique") else "x"
        )
    kept = {key: program.columns[key] for key in keys}
    if keys:
        frame = program.frame.group_by(*keys).agg(*expressions)
        text = f"SELECT {', '.join([*keys, *sql])} FROM {{}} GROUP BY {', '.join(keys)}"
    else:
        frame, text = program.frame.select(*expressions), f"SELECT {', '.join(sql)} FROM {{}}"
    return program.then(frame, text, {**kept, **columns}, f"group {keys}: {sql}")


def _join(draw: Any, program: Program, dimension: dlc.Frame, number: int) -> Program:
    keys = program.of_kind("k")
    if not keys or f"w{number}" in program.columns:
        return program
    key, how = draw(st.sampled_from(keys)), draw(st.sampled_from(["inner", "left", "semi", "anti"]))
    right = dimension.rename({"w": f"w{number}"})
    frame = program.frame.join(right, left_on=key, right_on="dk", how=how)
    condition = f"l.{key} = r.dk"
    if how in ("semi", "anti"):
        exists = "EXISTS" if how == "semi" else "NOT EXISTS"
        sql = f"SELECT * FROM {{}} l WHERE {exists} (SELECT 1 FROM dim r WHERE {condition})"
        return program.then(frame, sql, program.columns, f"{how} join on {key}")
    sql = f"SELECT l.*, r.w AS w{number} FROM {{}} l {how} JOIN dim r ON {condition}"
    return program.then(frame, sql, {**program.columns, f"w{number}": "i"}, f"{how} join on {key}")


def _unique(draw: Any, program: Program, _: dlc.Frame, __: int) -> Program:
    names = [name for name, kind in program.columns.items() if kind != "x"]
    if not names:
        return program
    kept = draw(st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=3))
    return program.then(
        program.frame.select(kept).unique(),
        f"SELECT DISTINCT {', '.join(kept)} FROM {{}}",
        {name: program.columns[name] for name in kept},
        f"unique {kept}",
    )


def _top(draw: Any, program: Program, _: dlc.Frame, __: int) -> Program:
    # All columns are keys, so that the first rows are the same for both engines.
    names = [name for name in program.columns if program.columns[name] != "x"]
    if not names or len(names) < len(program.columns):
        return program
    first = draw(st.permutations(names))
    down, count = draw(st.booleans()), draw(st.integers(0, 10))
    frame = program.frame.sort(first, descending=[down, *[False] * (len(first) - 1)]).head(count)
    order = [
        f"{first[0]} {'DESC NULLS FIRST' if down else 'NULLS FIRST'}",
        *(f"{n} NULLS FIRST" for n in first[1:]),
    ]
    sql = f"SELECT * FROM {{}} ORDER BY {', '.join(order)} LIMIT {count}"
    return program.then(frame, sql, program.columns, f"top {count} by {order}")


def _concat(_: Any, program: Program, __: dlc.Frame, ___: int) -> Program:
    doubled = dlc.concat([program.frame, program.frame])
    sql = "SELECT * FROM {0} UNION ALL SELECT * FROM {0}"
    return program.then(doubled, sql, program.columns, "concat with itself")


STEPS = [_filter, _filter, _compute, _group, _join, _unique, _top, _concat]

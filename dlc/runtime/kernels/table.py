"""Runs a table fragment as one lazy Polars query."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from dlc.diagnostics import DlcError
from dlc.runtime.kernels.aggregate import Aggregate, canonical_zeros
from dlc.runtime.kernels.call import Json, Locate
from dlc.runtime.kernels.checks import Failures
from dlc.runtime.kernels.expressions import Bindings, Expression

Frame = pl.DataFrame | pl.LazyFrame
_Step = Callable[[Sequence[pl.LazyFrame], Bindings], pl.LazyFrame]


class TableFragment:
    """A fragment ready to run: its expressions are built, and each run only strings them together."""

    def __init__(self, tree: Json, locate: Locate) -> None:
        self._locate = locate
        self._failures = Failures()
        self._inputs: int = tree["inputs"]
        self._outputs: list[int] = tree["outputs"]
        self._scalars: set[int] = set()
        self._steps = [self._step(operator) for operator in tree["ops"]]

    def __call__(self, inputs: Sequence[Frame], parameters: Mapping[str, Any]) -> list[Frame]:
        """The outputs for these inputs; an output that is an input is passed on as it is.

        Raises the DlcError of a row check, and Polars' own errors.
        """
        if not self._steps:
            return [inputs[index] for index in self._outputs]
        scalars = {index: collect(inputs[index]) for index in self._scalars}
        frames: list[Frame] = [scalars.get(index, frame) for index, frame in enumerate(inputs)]
        bindings = Bindings(parameters, scalars)
        values = [frame.lazy() for frame in frames]
        computed = [index for index in dict.fromkeys(self._outputs) if index >= self._inputs]
        try:
            for step in self._steps:
                values.append(step(values, bindings))
            results: dict[int, Frame] = dict(zip(computed, _collect_all(values, computed), strict=True))
        except Exception:
            failure = self._failures.take()
            if failure is None:
                raise
            raise failure from None
        return [results[index] if index in results else frames[index] for index in self._outputs]

    def _expression(self, tree: Json) -> Expression:
        expression = Expression(tree, self._locate, self._failures)
        self._scalars |= expression.scalar_inputs
        return expression

    def _step(self, operator: Json) -> _Step:
        build: Callable[[Json], _Step] | None = {
            "filter": self._filter,
            "project": self._project,
            "join": _join,
            "aggregate": self._aggregate,
            "sort": _sort,
            "unique": _unique,
            "head": _head,
            "concat": _concat,
            "sample": _sample,
        }.get(operator["op"])
        if build is None:
            raise DlcError(
                "DLC501", f"the plan uses the table operator {operator['op']!r}, which this dlc does not know"
            )
        return build(operator)

    def _filter(self, operator: Json) -> _Step:
        source: int = operator["in"]
        predicate = self._expression(operator["predicate"])
        return lambda values, bindings: keep(values[source], predicate.bind(bindings), predicate.may_fail)

    def _project(self, operator: Json) -> _Step:
        source: int = operator["in"]
        columns = [(name, self._expression(tree)) for name, tree in operator["columns"]]
        if all(expression.reads_columns for _, expression in columns):
            return lambda values, bindings: values[source].select(
                expression.bind(bindings).alias(name) for name, expression in columns
            )

        def step(values: Sequence[pl.LazyFrame], bindings: Bindings) -> pl.LazyFrame:
            # select would give one row for constants alone, whatever the number of rows.
            exprs = [expression.bind(bindings).alias(name) for name, expression in columns]
            return values[source].with_columns(exprs).select(name for name, _ in columns)

        return step

    def _aggregate(self, operator: Json) -> _Step:
        source: int = operator["in"]
        aggregate = Aggregate(operator, self._locate, self._failures)
        return lambda values, _: aggregate(values[source])


def keep(frame: pl.LazyFrame, predicate: pl.Expr, may_fail: bool) -> pl.LazyFrame:
    """The rows for which the predicate is true."""
    if not may_fail:
        return frame.filter(predicate)
    # As a column of its own, so that Polars neither merges it with a filter before, which guards it, nor
    # tries it on the least and the largest value of a part of a file.
    return frame.with_columns(_keep=predicate).filter(pl.col("_keep")).drop("_keep")


def collect(frame: Frame) -> pl.DataFrame:
    """The rows of a frame. The streaming engine is the faster one for all but the smallest queries."""
    return frame.collect(engine="streaming") if isinstance(frame, pl.LazyFrame) else frame


def _collect_all(values: Sequence[pl.LazyFrame], indices: Sequence[int]) -> Sequence[pl.DataFrame]:
    if len(indices) == 1:
        return [collect(values[indices[0]])]
    return pl.collect_all([values[index] for index in indices], engine="streaming")


def _join(operator: Json) -> _Step:
    left: int = operator["left"]
    right: int = operator["right"]
    left_on, right_on, how = operator["left_on"], operator["right_on"], operator["how"]
    if not left_on:
        return lambda values, _: values[left].join(values[right], how="cross")
    return lambda values, _: values[left].join(
        values[right], left_on=left_on, right_on=right_on, how=how, coalesce=True
    )


def _sort(operator: Json) -> _Step:
    source: int = operator["in"]
    limit: int | None = operator.get("limit")
    names = [name for name, *_ in operator["by"]]
    descending = [entry[1] for entry in operator["by"]]
    nulls_last = [entry[2] for entry in operator["by"]]

    def step(values: Sequence[pl.LazyFrame], _: Bindings) -> pl.LazyFrame:
        frame = values[source]
        if limit is not None:
            return frame.sort(names, descending=descending, nulls_last=nulls_last).head(limit)
        # The streaming engine is good at the best few rows, but three times slower at sorting all of them.
        return collect(frame).sort(names, descending=descending, nulls_last=nulls_last).lazy()

    return step


def _unique(operator: Json) -> _Step:
    source: int = operator["in"]
    on: list[str] | None = operator.get("on")
    if on is None:
        return lambda values, _: values[source].with_columns(canonical_zeros()).unique()
    return lambda values, _: (
        collect(values[source].with_columns(canonical_zeros())).sort(pl.all()).lazy().unique(on, keep="first")
    )


def _head(operator: Json) -> _Step:
    source: int = operator["in"]
    rows: int = operator["n"]
    return lambda values, _: values[source].head(rows)


def _concat(operator: Json) -> _Step:
    sources: list[int] = operator["ins"]
    return lambda values, _: pl.concat([values[index] for index in sources])


def _sample(operator: Json) -> _Step:
    source: int = operator["in"]
    columns: list[str] = operator["columns"]
    rows = pl.len().cast(pl.Int64)
    taken = pl.min_horizontal(pl.lit(operator["n"], dtype=pl.Int64), rows)
    # The middle of each of n equal stretches.
    positions = (pl.int_range(taken) * 2 + 1) * rows // (2 * taken)
    return lambda values, _: values[source].select(columns).select(pl.all().gather(positions))

"""`expand-aggregates`: means and variances become sums and counts, which ranks can combine.

mean = sum / count. The sum is exact for integers and decimals (64-bit integers are summed as decimals, so
that a mean never overflows), and a sum in f64 for floats.

var = Σ(x - m)² / (n - 1) around the mean m of the group itself, which is brought back to the rows: by
`expr.scalar` without keys, by a join on the keys otherwise. Squares around any other pivot cancel, and lose
2·log₂(|m - pivot| / σ) bits: all of them for groups that lie far apart. What remains is the rounding of the
squares, and that of m: (2⁻⁵³·|m| / σ)² relative, below 10⁻¹² while σ > 10⁻¹⁰·|m|.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, f64
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from dlc.dialects import datatypes as t
from dlc.dialects.expr import (
    CallOp,
    CaseOp,
    CoalesceOp,
    CompareOp,
    DivOp,
    IsNullOp,
    MulOp,
    NullOp,
    ScalarOp,
    SubOp,
)
from dlc.dialects.frame import AggregateAttr, frame_of
from dlc.dialects.table import AggregateOp, JoinOp
from dlc.passes.projection import Projection, fresh

OpT = TypeVar("OpT", bound=Operation)

EXPANDED = ("mean", "var", "std")


@dataclass(frozen=True)
class ExpandAggregatesPass(ModulePass):
    """Rewrite `mean`, `var` and `std` in terms of `sum` and `count`."""

    name = "expand-aggregates"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, AggregateOp) and any(a.function.data in EXPANDED for a in inner.aggregates):
                _Expansion(inner).run()


class _Expansion:
    """The rewrite of one aggregate op."""

    def __init__(self, op: AggregateOp):
        self.op = op
        self.keys = [key.data for key in op.keys]
        self.types = frame_of(op.frame).columns
        self.taken = {*self.types, *(a.output.data for a in op.aggregates)}
        self.new = list[Operation]()
        self.means = self._columns("mean")
        self.spreads = self._columns("var", "std")

    def run(self) -> None:
        """Replace the op."""
        frame, summands = self._with_summands()
        squares = dict[str, str]()
        if self.spreads:
            frame, squares = self._with_squares(frame, summands)
        total = _Aggregation(self.keys, self.taken)
        for agg in self.op.aggregates:
            if agg.function.data not in EXPANDED:
                total.user(agg)
        for column in self.means:
            total.output("sum", summands[column])
        for column in squares.values():
            total.output("sum", column)
        for column in {**dict.fromkeys(self.means), **squares}:
            self._count(total, column)
        aggregate = self._append(total.build(frame))
        final = Projection(aggregate.results[0], self.op.location)
        final.keep(self.keys)
        for agg in self.op.aggregates:
            name, column = agg.output.data, agg.column.data
            match agg.function.data:
                case "mean":
                    final.outputs[name] = self._mean(final, total, summands[column], column)
                case "var":
                    final.outputs[name] = self._variance(final, total, squares[column], column)
                case "std":
                    variance = self._variance(final, total, squares[column], column)
                    final.outputs[name] = final.add(CallOp("sqrt", [variance], variance.type))
                case _:
                    final.keep([name])
        self._append(final.build())
        Rewriter.replace_op(self.op, self.new)

    def _columns(self, *functions: str) -> list[str]:
        found = (a.column.data for a in self.op.aggregates if a.function.data in functions)
        return list(dict.fromkeys(found))

    def _append(self, op: OpT) -> OpT:
        op.location = self.op.location
        self.new.append(op)
        return op

    def _project(self, projection: Projection) -> SSAValue:
        return self._append(projection.build()).result

    def _kept(self) -> list[str]:
        """Columns of the input that later steps read."""
        return list(
            dict.fromkeys([*self.keys, *(a.column.data for a in self.op.aggregates if a.column.data)])
        )

    def _with_summands(self) -> tuple[SSAValue, dict[str, str]]:
        """The input, and for each column of a mean the column to sum up: itself, or cast to a wider type."""
        columns = dict.fromkeys([*self.means, *self.spreads])
        wider = {column: wide for column in columns if (wide := _wider(self.types[column])) is not None}
        summands = {column: column for column in columns}
        if not wider:
            return self.op.frame, summands
        projection = Projection(self.op.frame, self.op.location)
        projection.keep(self._kept())
        for column, wide in wider.items():
            summands[column] = fresh(f"{column}.wide", self.taken)
            projection.outputs[summands[column]] = projection.cast(projection.column(column), wide)
        return self._project(projection), summands

    def _with_squares(self, frame: SSAValue, summands: dict[str, str]) -> tuple[SSAValue, dict[str, str]]:
        """The frame with a column (x - mean of the group)² for each x whose spread is asked for."""
        means, names = self._group_means(frame, summands)
        if self.keys:
            frame = self._join(frame, means)
        projection = Projection(frame, self.op.location)
        projection.keep([*self._kept(), *summands.values()])
        squares = dict[str, str]()
        for column, mean in names.items():
            if self.keys:
                centre = projection.column(mean)
            else:
                centre = projection.add(ScalarOp(means, mean, frame_of(means).columns[mean]))
            distance = projection.arithmetic(SubOp, projection.cast(projection.column(column), f64), centre)
            squares[column] = fresh(f"{column}.square", self.taken)
            projection.outputs[squares[column]] = projection.arithmetic(MulOp, distance, distance)
        return self._project(projection), squares

    def _group_means(self, frame: SSAValue, summands: dict[str, str]) -> tuple[SSAValue, dict[str, str]]:
        """A frame of keys and mean columns, and the name of each mean."""
        total = _Aggregation(self.keys, self.taken)
        for column in self.spreads:
            total.output("sum", summands[column])
            self._count(total, column)
        aggregate = self._append(total.build(frame))
        projection = Projection(aggregate.results[0], self.op.location)
        projection.keep(self.keys)
        names = {column: fresh(f"{column}.mean", self.taken) for column in self.spreads}
        for column, name in names.items():
            projection.outputs[name] = self._mean(projection, total, summands[column], column)
        return self._project(projection), names

    def _join(self, frame: SSAValue, means: SSAValue) -> SSAValue:
        """Rows with the means of their group. Nulls are one group, but no key of a join matches a null."""
        nullable = [key for key in self.keys if t.is_nullable(self.types[key])]
        stand_ins = {
            key: (fresh(f"{key}.value", self.taken), fresh(f"{key}.null", self.taken)) for key in nullable
        }
        if stand_ins:
            frame = self._without_nulls(frame, stand_ins, list(frame_of(frame).columns))
            rest = [name for name in frame_of(means).columns if name not in stand_ins]
            means = self._without_nulls(means, stand_ins, rest)
        on = [name for key in self.keys for name in stand_ins.get(key, (key,))]
        return self._append(JoinOp("inner", frame, means, on, on)).result

    def _without_nulls(
        self, frame: SSAValue, stand_ins: dict[str, tuple[str, str]], kept: Iterable[str]
    ) -> SSAValue:
        projection = Projection(frame, self.op.location)
        projection.keep(kept)
        for key, (value, null) in stand_ins.items():
            column = projection.column(key)
            filler = projection.literal(_filler(column.type), t.strip(column.type))
            projection.outputs[value] = projection.add(CoalesceOp([column, filler]))
            projection.outputs[null] = projection.add(IsNullOp(column))
        return self._project(projection)

    def _count(self, total: _Aggregation, column: str) -> str:
        """Number of values; rows are counted where none can be null, once for all such columns."""
        if t.is_nullable(self.types[column]):
            return total.output("count", column)
        return total.output("len", "")

    def _mean(self, projection: Projection, total: _Aggregation, summand: str, column: str) -> SSAValue:
        whole = projection.cast(projection.column(total.output("sum", summand)), f64)
        count = projection.cast(projection.column(self._count(total, column)), f64)
        return projection.arithmetic(DivOp, whole, count)

    def _variance(self, projection: Projection, total: _Aggregation, square: str, column: str) -> SSAValue:
        count = projection.cast(projection.column(self._count(total, column)), f64)
        others = projection.arithmetic(SubOp, count, projection.literal(1.0, f64))
        value = projection.arithmetic(DivOp, projection.column(total.output("sum", square)), others)
        enough = projection.add(CompareOp("ge", count, projection.literal(2.0, f64)))
        return projection.add(CaseOp([enough, value, projection.add(NullOp(value.type))], value.type))


class _Aggregation:
    """An aggregate op in the making: each function of a column once."""

    def __init__(self, keys: list[str], taken: set[str]):
        self._keys = keys
        self._taken = taken
        self._aggregates = list[AggregateAttr]()
        self._outputs = dict[tuple[str, str], str]()

    def user(self, agg: AggregateAttr) -> None:
        """Add an aggregate under the name it has."""
        self._aggregates.append(agg)
        self._outputs.setdefault((agg.function.data, agg.column.data), agg.output.data)

    def output(self, function: str, column: str) -> str:
        """Name of the column with this aggregate."""
        if (function, column) not in self._outputs:
            name = fresh(f"{column}.{function}" if column else "rows", self._taken)
            self.user(AggregateAttr.of(name, function, column))
        return self._outputs[function, column]

    def build(self, frame: SSAValue) -> AggregateOp:
        """The op, not yet in any block."""
        return AggregateOp(frame, self._keys, self._aggregates)


def _wider(type_: t.DataType) -> t.DataType | None:
    """The type in which a column is summed up for its mean, None for its own."""
    base = t.strip(type_)
    if t.is_float(base):
        return None if base == f64 else f64
    if t.is_integer(base) and t.integer_bounds(base)[1] >= 2**62:
        return t.as_decimal(base)
    return None


def _filler(type_: t.DataType) -> float | str | bool:
    """Any constant of a type."""
    base = t.strip(type_)
    if base == t.string:
        return ""
    if t.is_decimal(base):
        return "0"
    return 0.0 if t.is_float(base) else 0

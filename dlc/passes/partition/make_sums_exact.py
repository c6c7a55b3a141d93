"""`make-sums-exact`: sums of floats give the same bits whatever the order, the ranks and the threads.

Let M be the largest magnitude of a column over all rows, M < 2ᵉ, and n ≤ 2ᵍ the number of rows. `exact_part`
rounds a value v to the nearest multiple p of the quantum 2^(k-52), k = e + g + 2, as (v + 1.5·2ᵏ) - 1.5·2ᵏ:

- p does not depend on other rows, and v - p is exact (the error of a float sum is a float), at most 2^(k-53);
- any sum of up to n parts is a multiple of the quantum and at most n·2ᵉ ≤ 2^(k-2), hence has 51 bits at
  most: it is a float, so no addition rounds, and the order does not matter.

The remainders are split the same way with e - 50 + g in place of e, twice. What is left after three parts is
below 2^(e - 151 + 3g), and zero for all but tiny values: among 10⁶ rows, those below 10⁻¹¹·M. Remainders are
summed as they are, and bring in infinities and NaN, whose parts are zero. So the values of a group that lies
that far below M are summed no worse than plainly, but the last bits may then follow the order.

Near the end of the range, sums of parts could overflow although the total does not: columns with M ≥ 2⁹⁰⁰ are
scaled by 2⁻¹⁰⁰ first. Below the normal range the quantum is 2⁻¹⁰⁷⁴, of which every float is a multiple. No
rows, or no finite value: M is taken for 0, and parts are 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, f64, i1, i64
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from dlc.dialects import datatypes as t
from dlc.dialects.expr import (
    AbsOp,
    AddOp,
    CallOp,
    CaseOp,
    CoalesceOp,
    CompareOp,
    DivOp,
    MulOp,
    NullOp,
    ScalarOp,
    SubOp,
)
from dlc.dialects.frame import AggregateAttr, frame_of
from dlc.dialects.table import AggregateOp, ProjectOp
from dlc.passes.estimates import estimate
from dlc.passes.optimize.selectivity import width
from dlc.passes.projection import Projection, fresh

PARTS = 3
HUGE = 2.0**900
SCALE = 2.0**-100


@dataclass(frozen=True)
class MakeSumsExactPass(ModulePass):
    """Split floats into parts that sum up without rounding; with `fast-math`, leave sums as they are."""

    name = "make-sums-exact"
    fast_math: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.fast_math:
            return
        by_frame = dict[SSAValue, list[AggregateOp]]()
        for inner in op.walk():
            if isinstance(inner, AggregateOp) and summed_floats(inner):
                by_frame.setdefault(inner.frame, []).append(inner)
        for frame, aggregates in by_frame.items():
            sizes = _Sizes(frame, aggregates)
            for aggregate in aggregates:
                _rewrite(aggregate, sizes)


def summed_floats(op: AggregateOp) -> list[str]:
    """The float columns that an aggregate sums up, each once."""
    types = frame_of(op.frame).columns
    sums = (a.column.data for a in op.aggregates if a.function.data == "sum")
    return list(dict.fromkeys(name for name in sums if t.is_float(types[name])))


class _Sizes:
    """One row, before the first aggregate of a frame: rows, and for each summed column scale and scaled M."""

    rows = "rows"

    def __init__(self, frame: SSAValue, aggregates: list[AggregateOp]):
        names = dict.fromkeys(name for op in aggregates for name in summed_floats(op))
        first = aggregates[0]
        taken = {self.rows}
        self.largest = {name: fresh(f"{name}.largest", taken) for name in names}
        self.scale = {name: fresh(f"{name}.scale", taken) for name in names}
        magnitudes = Projection(frame, first.location)
        for name in names:
            value = magnitudes.cast(magnitudes.column(name), f64)
            magnitudes.outputs[self.largest[name]] = _finite_magnitude(magnitudes, value)
        projected = magnitudes.build()
        reduced = AggregateOp(
            projected.result,
            [],
            [
                AggregateAttr.of(self.rows, "len"),
                *(AggregateAttr.of(column, "max", column) for column in self.largest.values()),
            ],
        )
        reduced.location = first.location
        sizes = Projection(reduced.result, first.location)
        sizes.keep([self.rows])
        for name in names:
            largest = sizes.add(CoalesceOp([sizes.column(self.largest[name]), sizes.literal(0.0, f64)]))
            huge = sizes.add(CompareOp("ge", largest, sizes.literal(HUGE, f64)))
            scale = sizes.add(CaseOp([huge, sizes.literal(SCALE, f64), sizes.literal(1.0, f64)], f64))
            sizes.outputs[self.largest[name]] = sizes.arithmetic(MulOp, largest, scale)
            sizes.outputs[self.scale[name]] = scale
        result = sizes.build()
        rows = estimate(frame, "rows")
        for op, count in ((projected, rows), (reduced, 1), (result, 1)):
            _estimate(op, None if rows is None else count)
        Rewriter.insert_op([projected, reduced, result], InsertPoint.before(first))
        self._frame = result.result

    def read(self, projection: Projection, column: str) -> SSAValue:
        """A column of the row, in expressions over another frame."""
        return projection.add(ScalarOp(self._frame, column, frame_of(self._frame).columns[column]))


def _finite_magnitude(projection: Projection, value: SSAValue) -> SSAValue:
    magnitude = projection.add(AbsOp(value))
    finite = projection.add(CallOp("is_finite", [value], t.nullable(i1, t.is_nullable(value.type))))
    nothing = projection.add(NullOp(t.nullable(f64)))
    return projection.add(CaseOp([finite, magnitude, nothing], t.nullable(f64)))


def _rewrite(op: AggregateOp, sizes: _Sizes) -> None:
    """Replace one aggregate by the split, the aggregate of the parts, and their total."""
    keys = [key.data for key in op.keys]
    summed = summed_floats(op)
    others = [a for a in op.aggregates if not (a.function.data == "sum" and a.column.data in summed)]
    split = Projection(op.frame, op.location)
    split.keep([*keys, *(a.column.data for a in others if a.column.data)])
    taken = {*split.outputs, *(a.output.data for a in op.aggregates)}
    parts = {name: _split(split, name, sizes, taken) for name in summed}
    projected = split.build()
    sums = [AggregateAttr.of(part, "sum", part) for names in parts.values() for part in names]
    types = frame_of(op.result).columns
    narrowed = {a.output.data: types[a.output.data] for a in others}
    aggregate = AggregateOp(projected.result, keys, [*others, *sums], narrowed)
    aggregate.location = op.location
    aggregate.attributes.update(op.attributes)
    total = Projection(aggregate.result, op.location)
    total.keep(keys)
    for agg in op.aggregates:
        if agg in others:
            total.keep([agg.output.data])
        else:
            value = _total(total, agg.column.data, parts[agg.column.data], sizes)
            total.outputs[agg.output.data] = total.cast(value, types[agg.output.data])
    result = total.build()
    _estimate(projected, estimate(op.frame, "rows"))
    for new in (aggregate, result):
        _estimate(new, estimate(op.result, "rows"))
    Rewriter.replace_op(op, [projected, aggregate, result])


def _split(projection: Projection, name: str, sizes: _Sizes, taken: set[str]) -> list[str]:
    """Add the parts of a column to the outputs, the largest first, then the remainder; their names."""
    value = projection.cast(projection.column(name), f64)
    value = projection.arithmetic(MulOp, value, sizes.read(projection, sizes.scale[name]))
    largest = sizes.read(projection, sizes.largest[name])
    rows = sizes.read(projection, sizes.rows)
    names, rest = list[str](), value
    for index in range(PARTS):
        call = CallOp("exact_part", [value, largest, rows], value.type, index=IntegerAttr(index, i64))
        part = projection.add(call)
        rest = projection.arithmetic(SubOp, rest, part)
        names.append(fresh(f"{name}.part{index}", taken))
        projection.outputs[names[-1]] = part
    names.append(fresh(f"{name}.rest", taken))
    projection.outputs[names[-1]] = rest
    return names


def _total(projection: Projection, name: str, parts: list[str], sizes: _Sizes) -> SSAValue:
    """The parts added from the smallest to the largest, then the remainder, in the scale of the column."""
    *exact, rest = [projection.column(part) for part in parts]
    value = exact.pop()
    while exact:
        value = projection.arithmetic(AddOp, value, exact.pop())
    value = projection.arithmetic(AddOp, value, rest)
    return projection.arithmetic(DivOp, value, sizes.read(projection, sizes.scale[name]))


def _estimate(op: ProjectOp | AggregateOp, rows: int | None) -> None:
    """State the size of a new op, where that of the rows it comes from is known."""
    if rows is not None:
        size = rows * sum(width(type_) for type_ in frame_of(op.result).columns.values())
        op.attributes["rows"] = IntegerAttr(rows, i64)
        op.attributes["bytes"] = IntegerAttr(round(size), i64)

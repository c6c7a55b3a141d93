"""Range analysis is sound: rows, values and proofs hold in every run of random programs."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerAttr, ModuleOp, StringAttr, UnitAttr, i64
from xdsl.ir import Attribute, Operation

import dlc
from dlc import col
from dlc.dialects import context, expr, table
from dlc.dialects import datatypes as t
from dlc.dialects.expr import literal_attribute
from dlc.dialects.flow import ProgramOp, ReturnOp
from dlc.dialects.frame import StatisticsAttr, frame_of
from dlc.passes.optimize.infer_ranges import Facts, Inference, InferRangesPass
from tests.passes.optimize import interpreter
from tests.passes.optimize.interpreter import Frame, Row, RunError
from tests.passes.optimize.programs import programs, tables
from tests.passes.running import collect, scan


def state_files(module: ModuleOp, files: dict[str, list[Row]]) -> None:
    """Give every scan the pieces and statistics of its rows."""
    for op in module.walk():
        if isinstance(op, table.ScanOp):
            rows = [row for path in op.paths for row in files[path.data]]
            op.pieces = DenseArrayBase.from_list(i64, [0, 0, len(rows)])
            columns = frame_of(op.result).columns
            op.statistics = ArrayAttr([_bounds(name, type_, rows) for name, type_ in columns.items()])


def _bounds(name: str, type_: t.DataType, rows: Iterable[Row]) -> StatisticsAttr:
    values = [row[name] for row in rows if row[name] is not None]
    ends: list[Attribute] = [UnitAttr(), UnitAttr()]
    if values:
        ends = [literal_attribute(end(values), t.strip(type_)) for end in (min, max)]
    return StatisticsAttr(StringAttr(name), *ends, *[IntegerAttr(-1, i64)] * 3)


def hold(facts: Facts, frame: Frame) -> None:
    """Every fact is true of the rows."""
    assert facts.rows is None or len(frame.rows) <= facts.rows
    for name, interval in facts.columns.items():
        assert all(row[name] is None or row[name] in interval for row in frame.rows), name
    for keys in facts.unique:
        seen = [tuple(row[key] for key in sorted(keys)) for row in frame.rows]
        assert len(set(seen)) == len(seen), keys


@settings(max_examples=300, deadline=None)
@given(programs(), tables())
def test_facts_and_proofs_hold(module: ModuleOp, files: dict[str, list[Row]]) -> None:
    state_files(module, files)
    program = next(op for op in module.walk() if isinstance(op, ProgramOp))
    inference = Inference()
    inference.run(program)
    module.verify()
    known: dict[Any, Frame] = {}

    def checked(op: Operation, *values: int) -> int:
        try:
            return plain(op, *values)
        except RunError:
            assert isinstance(op, expr.AddOp | expr.SubOp | expr.MulOp | expr.FloorDivOp)
            assert op.proven is None, op
            raise

    plain = interpreter._integer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpreter, "_integer", checked)
        for op in program.body.block.ops:
            if isinstance(op, ReturnOp):
                return
            try:
                known[op.results[0]] = interpreter._operator(op, known, files)
            except RunError:
                return
            hold(inference.facts[op.results[0]], known[op.results[0]])


NARROW_COLUMNS = st.lists(
    st.tuples(st.sampled_from("ab"), st.none() | st.integers(-(10**4), 10**4), st.integers(1, 10**3)),
    max_size=20,
)


@settings(max_examples=15, deadline=None)
@given(NARROW_COLUMNS)
def test_narrow_decimals_compute_what_wide_ones_do(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    """Every kind of expression that a narrow decimal can meet, against Python's own decimals."""
    frame = pl.DataFrame(
        [(k, None if x is None else Decimal(x) / 100, Decimal(y) / 1000) for k, x, y in rows],
        schema={"k": pl.String, "x": pl.Decimal(15, 2), "y": pl.Decimal(20, 3)},
        orient="row",
    )
    source = scan(tmp_path_factory.mktemp("rows"), frame)
    product = col("x") * col("y")
    wide = source.with_columns(
        p=product,
        q=(product * (1 - col("y"))).abs() - product,
        c=dlc.when(col("k") == "a").then(product).otherwise(0),
        f=dlc.coalesce(product, col("x") * 0 * col("y")),
        r=product % col("y"),
        d=product // col("y"),
    )
    for ranks in (1, 2):
        found = collect(wide, ranks)
        sums = collect(wide.group_by("k").agg(col("p").sum().alias("p"), col("q").sum().alias("q")), ranks)
        totals: dict[str, list[Decimal | None]] = {}
        expected = [_row(*row) for row in frame.iter_rows()]
        assert sorted(found.rows(), key=repr) == sorted(expected, key=repr)
        for row in expected:
            entry = totals.setdefault(row[0], [None, None])
            for index, value in enumerate(row[3:5]):
                if value is not None:
                    entry[index] = (entry[index] or Decimal(0)) + value
        assert {k: [p, q] for k, p, q in sums.iter_rows()} == totals


def _row(k: str, x: Decimal | None, y: Decimal) -> tuple[Any, ...]:
    if x is None:
        return k, x, y, None, None, None if k == "a" else Decimal(0), None, None, None
    p = x * y
    quotient = (p / y).to_integral_value("ROUND_FLOOR")
    return k, x, y, p, abs(p * (1 - y)) - p, p if k == "a" else Decimal(0), p, p - quotient * y, quotient


def test_types_at_the_end_of_a_program_stay(tmp_path: Path) -> None:
    rows = pl.DataFrame({"x": [Decimal("1.25")]}, schema={"x": pl.Decimal(15, 2)})
    total = collect(scan(tmp_path, rows).select(s=(col("x") * col("x")).sum()))
    assert total.schema == {"s": pl.Decimal(38, 4)}
    assert total["s"].to_list() == [Decimal("1.5625")]


def test_the_pass_visits_programs_only() -> None:
    module = ModuleOp([])
    InferRangesPass().apply(context(), module)
    assert not list(module.ops)

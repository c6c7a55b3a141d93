"""What bounds say a predicate can be, against what it is for rows within them."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from xdsl.dialects.builtin import StringAttr, f32, f64, i1
from xdsl.ir import Block, Region, SSAValue

from dlc.diagnostics import DlcError
from dlc.dialects import datatypes as t
from dlc.dialects import expr, table
from dlc.passes.optimize.files import Bounds, footer, union
from dlc.passes.optimize.outcomes import Outcomes, Predicate
from tests.passes.optimize.interpreter import evaluate
from tests.passes.optimize.programs import Expressions

i8, i64 = t.integers["i8"], t.integers["i64"]
COLUMNS: dict[str, t.DataType] = {
    "n": t.nullable(i8),
    "m": i8,
    "s": t.nullable(t.string),
    "x": t.nullable(f64),
}


def bounds(values: list[Any]) -> Bounds:
    present = [v for v in values if v is not None and v == v]
    low, high = (min(present), max(present)) if present else (None, None)
    return Bounds(len(values), low, high, values.count(None))


def drawn_rows(random: Random) -> list[dict[str, Any]]:
    """Rows from a narrow part of the values, so that predicates are often decided."""

    def values(choices: tuple[Any, ...], nulls: bool) -> list[Any]:
        chosen = random.sample(choices, 2) + [None] * (nulls and random.random() < 0.4)
        return random.choices(chosen, k=4)

    columns = {
        "n": values((-2, -1, 0, 1, 2, 3, 60), True),
        "m": values((-2, -1, 0, 1, 2, 3, 60), False),
        "s": values(("", "a", "ab", "b"), True),
        "x": values((-1.0, 0.0, 2.5, math.inf, math.nan), True),
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def comparison(expressions: Expressions) -> SSAValue:
    """A comparison of floats, which the other expressions leave out."""
    random = expressions.random
    literal = expr.LiteralOp(random.choice((-1.0, 0.0, 2.5, math.nan)), f64)
    sides = [expressions.add(expr.ColumnOp("x", t.nullable(f64))), expressions.add(literal)]
    random.shuffle(sides)
    return expressions.add(expr.CompareOp(random.choice(expr.COMPARISONS), *sides))


def test_nothing_happens_that_was_ruled_out() -> None:
    decided = 0
    for seed in range(1500):
        random = Random(seed)
        expressions = Expressions(random, {c: type_ for c, type_ in COLUMNS.items() if c != "x"})
        root = expressions.truth() if random.random() < 0.8 else comparison(expressions)
        if any(expr.may_fail(op) for op in expressions.block.ops):
            continue
        region = expressions.region(root)
        rows = drawn_rows(random)
        known = {c: bounds([row[c] for row in rows]) for c in COLUMNS}
        possible = Predicate(root).outcomes(known)
        found = [evaluate(region, row)[0] for row in rows]
        assert possible.true or True not in found, f"{region.block}\n{rows}"
        assert possible.false or False not in found, f"{region.block}\n{rows}"
        assert possible.null or None not in found, f"{region.block}\n{rows}"
        decided += not possible.true
    assert decided > 100, "the bounds should rule out something"


def outcomes(type_: t.DataType, value: Any, predicate: str, known: Bounds) -> Outcomes:
    """Of `column <predicate> value`."""
    block = Block([column := expr.ColumnOp("c", type_), literal := expr.LiteralOp(value, t.strip(type_))])
    block.add_op(compare := expr.CompareOp(predicate, column.result, literal.result))
    block.add_op(table.YieldOp([compare.result]))
    region = Region(block)
    assert region.blocks
    return Predicate(compare.result).outcomes({"c": known})


def test_nan_lies_above_every_bound() -> None:
    known = Bounds(10, 1.0, 2.0, 0)
    assert outcomes(f64, 5.0, "gt", known).true
    assert not outcomes(f64, 0.5, "le", known).true
    assert not outcomes(f64, 5.0, "eq", known).true
    assert outcomes(f64, math.nan, "eq", known).true


def test_single_precision_is_compared_in_single_precision() -> None:
    tenth = 0.10000000149011612
    assert outcomes(f32, 0.1, "le", Bounds(1, tenth, tenth, 0)).true
    assert outcomes(f32, 0.1, "eq", Bounds(1, tenth, tenth, 0)).true


def test_rows_that_are_all_null_are_never_true_nor_false() -> None:
    assert outcomes(t.nullable(i64), 1, "eq", Bounds(3, None, None, 3)) == (False, False, True)


def test_unknown_bounds_decide_nothing() -> None:
    assert outcomes(t.nullable(i64), 1, "lt", Bounds(3)) == (True, True, True)
    assert outcomes(i64, 1, "lt", Bounds(3)) == (True, True, False)


def test_decimals_are_aligned() -> None:
    price = t.DecimalType.of(10, 2)
    block = Block(
        [column := expr.ColumnOp("c", price), literal := expr.LiteralOp("5", t.DecimalType.of(1, 0))]
    )
    block.add_op(compare := expr.CompareOp("gt", column.result, literal.result))
    assert not Predicate(compare.result).outcomes({"c": Bounds(2, 100, 500, 0)}).true
    assert Predicate(compare.result).outcomes({"c": Bounds(2, 100, 501, 0)}).true


@pytest.mark.parametrize(
    ("low", "high", "possible"), [("PA", "PZ", True), ("A", "PO", False), ("PROMP", "Z", False)]
)
def test_prefixes(low: str, high: str, possible: bool) -> None:
    block = Block([column := expr.ColumnOp("c", t.string)])
    block.add_op(like := expr.CallOp("like", [column.result], i1, pattern=StringAttr("PROMO%")))
    assert Predicate(like.result).outcomes({"c": Bounds(2, low, high, 0)}).true is possible


def test_union_knows_no_more_than_its_parts() -> None:
    assert union([Bounds(2, 1, 3, 0), Bounds(1, None, None, 1)]) == Bounds(3, 1, 3, 1)
    assert union([Bounds(2, 1, 3, 0), Bounds(1, None, None, None)]) == Bounds(3, None, None, None)
    assert union([]) == Bounds(0, None, None, 0)


def written(path: Path, array: pa.Array) -> Path:
    pq.write_table(pa.table({"c": array}), path)
    return path


@pytest.mark.parametrize(
    ("array", "type_", "low", "high"),
    [
        (pa.array([3, None, -2], pa.int16()), t.integers["i16"], -2, 3),
        (pa.array([1, 2**64 - 1], pa.uint64()), t.integers["ui64"], 1, 2**64 - 1),
        (pa.array([1, 2**31], pa.uint32()), t.integers["ui32"], 1, 2**31),
        (pa.array([1, 2], pa.uint32()), t.integers["i64"], None, None),
        (pa.array(["b", "ä"]), t.string, "b", "ä"),
        (pa.array([-1, 1], pa.date32()), t.date, -1, 1),
        (pa.array([5, 7], pa.timestamp("ms")), t.TimestampType(StringAttr("ms"), StringAttr("")), 5, 7),
        (pa.array([5, 7], pa.timestamp("ms")), t.TimestampType(StringAttr("us"), StringAttr("")), None, None),
        (pa.array([True, False]), i1, False, True),
        (pa.array([1.5, math.nan, -2.0]), f64, -2.0, 1.5),
        (pa.array([1, -2], pa.int64()).cast(pa.decimal128(38, 3)), t.DecimalType.of(38, 3), -2000, 1000),
        (pa.array([1, -2], pa.int64()).cast(pa.decimal128(38, 3)), t.DecimalType.of(38, 2), None, None),
    ],
)
def test_footers_give_bounds_in_the_terms_of_the_type(
    tmp_path: Path, array: pa.Array, type_: t.DataType, low: Any, high: Any
) -> None:
    path = written(tmp_path / "c.parquet", array)
    (found,) = footer(str(path)).bounds("c", t.nullable(type_))
    assert (found.low, found.high) == (low, high)
    assert found.nulls == array.null_count


def test_a_footer_is_read_again_when_the_file_changes(tmp_path: Path) -> None:
    path = written(tmp_path / "c.parquet", pa.array([1, 2]))
    assert footer(str(path)) is footer(str(path))
    written(path, pa.array([1, 2, 3]))
    assert footer(str(path)).groups == [(0, 3)]


@pytest.mark.parametrize(
    ("content", "code"), [(None, "DLC201"), (b"", "DLC202"), (b"PAR1 nonsense", "DLC203")]
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "c.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DlcError) as caught:
        footer(str(path))
    assert caught.value.code == code

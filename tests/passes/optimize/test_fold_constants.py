"""Constants are folded to what evaluation gives, and not at all where it fails."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest
from xdsl.dialects.builtin import f32, f64, i1
from xdsl.ir import Block, SSAValue

from dlc.dialects import datatypes as t
from dlc.dialects import expr
from dlc.passes.optimize.constants import NULL, Constant, constant
from dlc.passes.optimize.fold_constants import fold, fold_block
from tests.passes.optimize.interpreter import RunError, evaluate
from tests.passes.optimize.programs import Expressions

i8, i64 = t.integers["i8"], t.integers["i64"]


def test_folding_agrees_with_evaluation() -> None:
    for seed in range(800):
        expressions = Expressions(Random(seed), {})
        root = expressions.truth(3)
        region = expressions.region(root)
        try:
            expected = evaluate(region, {})[0]
        except RunError:
            continue
        fold_block(region.block)
        last = region.block.last_op
        assert last is not None
        found = constant(last.operands[0])
        assert found is None or found.value is expected
        region.block.verify()


def literal(value: Any, type_: t.DataType) -> SSAValue:
    return expr.NullOp(t.nullable(type_)).result if value is None else expr.LiteralOp(value, type_).result


def folded(op: Any) -> Constant | None:
    found = fold(op)
    assert op.results[0].type is not None
    return found


@pytest.mark.parametrize(
    ("a", "b", "type_", "op", "expected"),
    [
        (127, 1, i8, expr.AddOp, None),
        (-128, 1, i8, expr.SubOp, None),
        (-128, -1, i8, expr.FloorDivOp, None),
        (1, 0, i64, expr.FloorDivOp, None),
        (1, 0, i64, expr.ModOp, None),
        (-7, 2, i64, expr.FloorDivOp, Constant(-4)),
        (7, -2, i64, expr.ModOp, Constant(-1)),
        (None, 0, i64, expr.FloorDivOp, NULL),
        (16777216.0, 1.0, f32, expr.AddOp, Constant(16777216.0)),
        (-0.0, 0.0, f64, expr.AddOp, Constant(0.0)),
    ],
)
def test_arithmetic(a: Any, b: Any, type_: t.DataType, op: Any, expected: Constant | None) -> None:
    left, right = literal(a, type_), literal(b, type_)
    assert folded(op(left, right, t.nullable(type_, a is None))) == expected


def test_division_of_floats_follows_ieee() -> None:
    def divided(a: float, b: float) -> Any:
        found = folded(expr.DivOp(literal(a, f64), literal(b, f64), f64))
        assert found is not None
        return found.value

    assert divided(-1.0, 0.0) == -math.inf
    assert divided(1.0, -0.0) == -math.inf
    assert math.isnan(divided(0.0, 0.0))


def test_decimals_keep_their_scale_and_their_bounds() -> None:
    cents, whole = t.DecimalType.of(4, 2), t.DecimalType.of(2, 0)
    product = expr.MulOp(literal("1234", cents), literal("-3", whole), t.DecimalType.of(6, 2))
    assert folded(product) == Constant(-3702)
    narrowed = expr.MulOp(literal("1234", cents), literal("99", whole), t.DecimalType.of(5, 2))
    assert folded(narrowed) is None
    assert folded(expr.CompareOp("lt", literal("199", cents), literal("2", whole))) == Constant(True)


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (300, i64, i8, None),
        (5, i64, t.DecimalType.of(4, 2), Constant(500)),
        (500, i64, t.DecimalType.of(4, 2), None),
        (True, i1, i64, Constant(1)),
        (2**53 + 1, i64, f64, Constant(2.0**53)),
        (1.5, f64, i64, None),
    ],
)
def test_casts(value: Any, source: t.DataType, target: t.DataType, expected: Constant | None) -> None:
    assert folded(expr.CastOp(literal(value, source), target)) == expected


def test_a_constant_made_nullable_is_known() -> None:
    block = Block([one := expr.LiteralOp(1, i64), wide := expr.CastOp(one.result, t.nullable(i64))])
    fold_block(block)
    assert constant(wide.result) == Constant(1)
    assert len(block.ops) == 2

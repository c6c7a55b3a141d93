"""The algebra of column types, and constants of every type through text."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import IndexType, ModuleOp, StringAttr, f32, f64, i1, i64
from xdsl.ir import Attribute

from dlc.dialects import context
from dlc.dialects import datatypes as t
from dlc.dialects.expr import LiteralOp
from dlc.dialects.functions import FUNCTIONS
from dlc.passes.text import parse_module, print_module

DECIMALS = [t.DecimalType.of(4, 0), t.DecimalType.of(15, 2), t.DecimalType.of(38, 38)]
TIMES: list[Attribute] = [
    *(t.TimestampType(StringAttr(unit), StringAttr(zone)) for unit in t.TIME_UNITS for zone in ("", "UTC")),
    *(t.DurationType(StringAttr(unit)) for unit in t.TIME_UNITS),
]
BASES = [i1, f32, f64, t.string, t.date, *t.integers.values(), *DECIMALS, *TIMES]
TYPES = [*BASES, *map(t.nullable, BASES)]
NUMBERS = [type_ for type_ in TYPES if t.is_numeric(type_)]


@pytest.mark.parametrize("type_", TYPES, ids=t.text)
def test_the_text_of_a_type_says_all_of_it(type_: Attribute) -> None:
    assert t.is_data_type(type_)
    assert t.parse_text(t.text(type_)) == type_


@pytest.mark.parametrize(
    "text", ["", "?", "int", "i65", "decimal(2)", "decimal(2,3)", "timestamp", "duration[us,UTC]"]
)
def test_other_text_is_no_type(text: str) -> None:
    with pytest.raises(Exception, match=r"unknown type|decimal scale"):
        t.parse_text(text)


def test_types_of_other_dialects_are_no_column_types() -> None:
    assert not t.is_data_type(IndexType())


@pytest.mark.parametrize("a", TYPES, ids=t.text)
def test_the_common_type_does_not_depend_on_the_order_and_keeps_nulls(a: Attribute) -> None:
    for b in TYPES:
        common = t.common_type(a, b)
        assert t.common_type(b, a) == common
        if common is not None:
            assert t.is_nullable(common) == (t.is_nullable(a) or t.is_nullable(b))
            assert t.common_type(common, a) == t.common_type(common, b) == common


@pytest.mark.parametrize(("a", "b"), list(product(t.integers.values(), t.integers.values())), ids=str)
def test_the_common_type_of_integers_holds_both(a: Attribute, b: Attribute) -> None:
    common = t.common_type(a, b)
    assert common is not None
    if t.is_integer(common):
        low, high = t.integer_bounds(common)
        for bounds in (t.integer_bounds(a), t.integer_bounds(b)):
            assert low <= bounds[0] <= bounds[1] <= high
    else:
        assert common == t.DecimalType.of(20, 0)


@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "floordiv", "mod", "pow"])
def test_arithmetic_leaves_column_types_and_keeps_nulls(op: str) -> None:
    for a, b in product(TYPES, TYPES):
        result = t.arithmetic_type(op, a, b)
        if result is not None:
            assert t.is_data_type(result)
            assert t.is_nullable(result) == (t.is_nullable(a) or t.is_nullable(b))


@pytest.mark.parametrize(
    ("op", "a", "b", "result"),
    [
        ("add", "decimal(15,2)", "decimal(4,0)", "decimal(16,2)"),
        ("mul", "decimal(15,2)", "decimal(15,2)", "decimal(30,4)"),
        ("mul", "decimal(38,2)", "decimal(38,2)", "decimal(38,4)"),
        ("div", "decimal(15,2)", "decimal(15,2)", "f64"),
        ("div", "i32", "i32", "f64"),
        ("div", "f32", "f32", "f32"),
        ("sub", "date", "date", "duration[us]"),
        ("add", "date", "duration[us]", "date"),
        ("sub", "timestamp[ns,UTC]", "timestamp[ns,UTC]", "duration[ns]"),
        ("add", "i64?", "i64", "i64?"),
        ("add", "i64", "i32", None),
        ("add", "string", "string", None),
        ("mul", "decimal(38,20)", "decimal(38,20)", None),
        ("add", "date", "date", None),
    ],
)
def test_results_of_arithmetic(op: str, a: str, b: str, result: str | None) -> None:
    found = t.arithmetic_type(op, t.parse_text(a), t.parse_text(b))
    assert (None if found is None else t.text(found)) == result


@pytest.mark.parametrize(
    ("function", "type_", "result"),
    [
        ("sum", "i8", "i64?"),
        ("sum", "ui8", "ui64?"),
        ("sum", "f32", "f32?"),
        ("sum", "bool", "i64?"),
        ("sum", "decimal(15,2)", "decimal(38,2)?"),
        ("sum", "string", None),
        ("count", "string?", "i64"),
        ("mean", "decimal(15,2)", "f64?"),
        ("min", "string", "string?"),
        ("quantile:0.5", "i64", "f64?"),
        ("mode", "i64", None),
    ],
)
def test_results_of_aggregates(function: str, type_: str, result: str | None) -> None:
    found = t.aggregate_type(function, t.parse_text(type_))
    assert (None if found is None else t.text(found)) == result


def test_only_a_count_of_rows_needs_no_column() -> None:
    assert t.aggregate_type("len", None) == i64
    assert t.aggregate_type("sum", None) is None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_a_result_for_some_types_and_refuse_others(name: str) -> None:
    function = FUNCTIONS[name]
    least, most = function.arity
    candidates = [*([type_] * least for type_ in BASES), [f64, f64, i64]]
    results = [result for arguments in candidates if (result := function.result_type(arguments))]
    assert results
    assert all(t.is_data_type(result) and not t.is_nullable(result) for result in results)
    assert function.result_type([t.string] * (most + 1)) is None
    assert function.summary


def through_text(value: float | str | bool, type_: Attribute, generic: bool) -> float | str | bool:
    module = ModuleOp([LiteralOp(value, type_)])
    (op,) = parse_module(print_module(module, generic=generic), "test.mlir", context()).ops
    assert isinstance(op, LiteralOp)
    assert op.result.type == type_
    return op.python_value


@given(st.floats(allow_nan=False), st.booleans())
def test_floats_go_through_text_unchanged(value: float, generic: bool) -> None:
    found = through_text(value, f64, generic)
    assert found == value
    assert math.copysign(1, float(found)) == math.copysign(1, value)


@given(st.integers(-(2**63), 2**63 - 1), st.booleans())
def test_integers_go_through_text_unchanged(value: int, generic: bool) -> None:
    assert through_text(value, i64, generic) == value


@given(st.integers(0, 2**64 - 1), st.booleans())
def test_unsigned_integers_go_through_text_unchanged(value: int, generic: bool) -> None:
    assert through_text(value, t.integers["ui64"], generic) == value


@given(st.text(), st.booleans())
def test_strings_go_through_text_unchanged(value: str, generic: bool) -> None:
    assert through_text(value, t.string, generic) == value


@pytest.mark.parametrize("value", [True, False])
def test_booleans_go_through_text_unchanged(value: bool) -> None:
    assert through_text(value, i1, False) is value


def test_nan_goes_through_text() -> None:
    assert all(math.isnan(float(through_text(math.nan, f64, generic))) for generic in (False, True))

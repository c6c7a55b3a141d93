"""Scalar functions that `expr.call` may name: arity, options and result types, in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from xdsl.dialects.builtin import f32, f64, i1, i64

from . import datatypes as t

ResultRule = Callable[[list[t.DataType]], t.DataType | None]
"""From the stripped argument types to the stripped result type; None when they do not fit."""


@dataclass(frozen=True)
class Function:
    """Signature of one scalar function.

    `arity` counts arguments (least, most); `options` names the constants it takes with their Python type.
    A null argument gives null, except where `null_result` says otherwise: `never`, or `if_all_null`.
    """

    arity: tuple[int, int]
    result: ResultRule
    options: dict[str, type] = field(default_factory=dict[str, type])
    null_result: str = "any"
    summary: str = ""

    def result_type(self, arguments: list[t.DataType]) -> t.DataType | None:
        """Full result type with nullability, None when the arguments do not fit."""
        least, most = self.arity
        if not least <= len(arguments) <= most:
            return None
        base = self.result([t.strip(a) for a in arguments])
        if base is None or self.null_result == "never":
            return base
        nulls = [t.is_nullable(a) for a in arguments]
        return t.nullable(base, all(nulls) if self.null_result == "if_all_null" else any(nulls))


def _strings(result: t.DataType) -> ResultRule:
    return lambda args: result if all(a == t.string for a in args) else None


def _floating(args: list[t.DataType]) -> t.DataType | None:
    if not all(t.is_numeric(a) for a in args):
        return None
    return f32 if all(a == f32 for a in args) else f64


def _float_test(args: list[t.DataType]) -> t.DataType | None:
    return i1 if t.is_float(args[0]) else None


def _same_number(args: list[t.DataType]) -> t.DataType | None:
    return args[0] if t.is_numeric(args[0]) else None


def _part(args: list[t.DataType]) -> t.DataType | None:
    return i64 if t.is_temporal(args[0]) else None


def _clock(args: list[t.DataType]) -> t.DataType | None:
    return i64 if isinstance(args[0], t.TimestampType) else None


def _temporal(args: list[t.DataType]) -> t.DataType | None:
    return args[0] if t.is_temporal(args[0]) else None


def _common(args: list[t.DataType]) -> t.DataType | None:
    return args[0] if all(a == args[0] for a in args) else None


def _exact_part(args: list[t.DataType]) -> t.DataType | None:
    return f64 if args == [f64, f64, i64] else None


ONE = (1, 1)
MANY = (1, 1 << 16)

FUNCTIONS: dict[str, Function] = {
    "str_len": Function(ONE, _strings(i64), summary="number of characters"),
    "str_upper": Function(ONE, _strings(t.string), summary="upper case"),
    "str_lower": Function(ONE, _strings(t.string), summary="lower case"),
    "str_strip": Function(ONE, _strings(t.string), summary="without white space at both ends"),
    "str_slice": Function(
        ONE, _strings(t.string), {"offset": int, "length": int}, summary="characters from an offset"
    ),
    "str_concat": Function(MANY, _strings(t.string), summary="arguments joined"),
    "str_contains": Function(
        ONE, _strings(i1), {"pattern": str, "literal": bool}, summary="whether a pattern occurs"
    ),
    "str_starts_with": Function(ONE, _strings(i1), {"pattern": str}, summary="whether it begins so"),
    "str_ends_with": Function(ONE, _strings(i1), {"pattern": str}, summary="whether it ends so"),
    "like": Function(ONE, _strings(i1), {"pattern": str}, summary="SQL LIKE with % and _"),
    "year": Function(ONE, _part, summary="calendar year"),
    "quarter": Function(ONE, _part, summary="1 to 4"),
    "month": Function(ONE, _part, summary="1 to 12"),
    "day": Function(ONE, _part, summary="day of the month"),
    "weekday": Function(ONE, _part, summary="1 (Monday) to 7"),
    "hour": Function(ONE, _clock, summary="0 to 23"),
    "minute": Function(ONE, _clock, summary="0 to 59"),
    "second": Function(ONE, _clock, summary="0 to 59"),
    "date_trunc": Function(ONE, _temporal, {"unit": str}, summary="start of the unit (1h, 1d, 1mo …)"),
    "add_months": Function(ONE, _temporal, {"months": int}, summary="the same day some months later"),
    "to_date": Function(ONE, lambda a: t.date if t.is_temporal(a[0]) else None, summary="its calendar day"),
    "sqrt": Function(ONE, _floating, summary="square root"),
    "exp": Function(ONE, _floating, summary="natural exponential"),
    "log": Function(ONE, _floating, summary="natural logarithm"),
    "sin": Function(ONE, _floating, summary="sine"),
    "cos": Function(ONE, _floating, summary="cosine"),
    "floor": Function(ONE, _same_number, summary="next whole number below"),
    "ceil": Function(ONE, _same_number, summary="next whole number above"),
    "round": Function(ONE, _same_number, {"digits": int}, summary="to digits, halves away from zero"),
    "is_nan": Function(ONE, _float_test, summary="whether not a number"),
    "is_finite": Function(ONE, _float_test, summary="whether neither infinite nor NaN"),
    "min_horizontal": Function(MANY, _common, null_result="if_all_null", summary="least argument"),
    "max_horizontal": Function(MANY, _common, null_result="if_all_null", summary="largest argument"),
    "exact_part": Function(
        (3, 3),
        _exact_part,
        {"index": int},
        summary="part of a value whose sums are exact: (value, largest magnitude, row count)",
    ),
}

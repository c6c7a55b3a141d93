"""A second, slow implementation of expression trees in plain Python: what the kernels must agree with."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

from dlc.runtime.types import ColumnType, parse_type


class Overflow(Exception):
    """DLC602."""


class DivisionByZero(Exception):
    """DLC601."""


class CannotCast(Exception):
    """DLC607."""


def evaluate(tree: dict[str, Any], row: dict[str, Any]) -> Any:
    """The value of a tree for one row; decimals are Decimal, dates are days."""
    kind, name = parse_type(tree["type"]), tree["f"]
    if name == "col":
        return row[tree["name"]]
    if name == "lit":
        value = tree["value"]
        return Decimal(int(value)).scaleb(-kind.scale) if kind.is_decimal and value is not None else value
    if name == "case":
        *pairs, default = tree["args"]
        for condition, value in zip(pairs[::2], pairs[1::2], strict=True):
            if evaluate(condition, row):
                return evaluate(value, row)
        return evaluate(default, row)
    if name == "coalesce":
        return next(
            (value for value in (evaluate(arg, row) for arg in tree["args"]) if value is not None), None
        )
    values = [evaluate(arg, row) for arg in tree["args"]]
    if name == "and":
        return False if False in values else None if None in values else True
    if name == "or":
        return True if True in values else None if None in values else False
    if name == "is_null":
        return values[0] is None
    if name == "eq_missing":
        return values[0] == values[1]
    if any(value is None for value in values):
        return None
    return _apply(name, values, kind)


def _apply(name: str, values: list[Any], kind: ColumnType) -> Any:
    a, b = values[0], values[-1]
    exact = not any(isinstance(value, float) for value in values)
    if name in ("div", "floordiv", "mod") and exact and b == 0:
        raise DivisionByZero
    match name:
        case "add":
            return _fit(a + b, kind)
        case "sub":
            return _fit(a - b, kind)
        case "mul":
            return _fit(a * b, kind)
        case "div":
            return float(a) / float(b)
        case "floordiv":
            return _fit(math.floor(Fraction(a) / Fraction(b)), kind)
        case "mod":
            return _fit(type(a)(a - b * math.floor(Fraction(a) / Fraction(b))), kind)
        case "neg":
            return _fit(-a, kind)
        case "abs":
            return _fit(abs(a), kind)
        case "not":
            return not a
        case "cast":
            return _cast(a, kind)
        case "eq" | "ne" | "lt" | "le" | "gt" | "ge":
            return getattr(a, f"__{name}__")(b)
    raise AssertionError(name)


def _fit(value: Any, kind: ColumnType) -> Any:
    if kind.is_float:
        return value
    scaled = int(value.scaleb(kind.scale)) if isinstance(value, Decimal) else value * 10**kind.scale
    if not kind.bounds[0] <= scaled <= kind.bounds[1]:
        raise Overflow
    return Decimal(scaled).scaleb(-kind.scale) if kind.is_decimal else value


def _cast(value: Any, kind: ColumnType) -> Any:
    try:
        return (
            float(value) if kind.is_float else _fit(Decimal(value) if kind.is_decimal else int(value), kind)
        )
    except Overflow as error:
        raise CannotCast from error

"""Arithmetic and comparison: operands meet in one type, and integer results that may overflow are checked."""

import operator
from collections.abc import Callable
from typing import Any

import polars as pl

from dlc.runtime.kernels.call import Call, Value, walk
from dlc.runtime.kernels.decimals import rescale, to_float
from dlc.runtime.kernels.division import divide
from dlc.runtime.types import ColumnType

_SAFE = 1.6e38  # a little below 2**127, the end of Int128; the slack covers the rounding of float64
_NAMES = {
    "add": "addition",
    "sub": "subtraction",
    "mul": "multiplication",
    "neg": "negation",
    "abs": "abs",
    "floordiv": "division",
    "mod": "remainder",
    "pow": "power",
}


def convert(value: Value, kind: ColumnType) -> pl.Expr:
    """The operand in the physical form of a type that holds all its values."""
    old = value.type
    if kind.is_decimal:
        if old.is_float:
            return rescale_float(value.expr, kind)
        return rescale(value.expr, old.scale, kind.scale, kind.physical)
    if kind.is_float and old.is_decimal:
        return to_float(value.expr, old.scale).cast(kind.physical)
    return value.expr if old.physical == kind.physical else value.expr.cast(kind.physical)


def rescale_float(expr: pl.Expr, kind: ColumnType) -> pl.Expr:
    """The scaled integer nearest to a float; null where it has none."""
    scaled = (expr.cast(pl.Float64) * 10.0**kind.scale).round(0)
    return scaled.cast(kind.physical, strict=False)


def exceeds(expr: pl.Expr, kind: ColumnType) -> pl.Expr:
    """Where an integer lies outside the values of `kind`."""
    least, largest = kind.bounds
    return (expr < pl.lit(least, dtype=pl.Int128)) | (expr > pl.lit(largest, dtype=pl.Int128))


def _overflow(call: Call, value: pl.Expr, bad: pl.Expr) -> pl.Expr:
    what = call.type.kind if not call.type.is_decimal else f"decimal({call.type.precision},{call.type.scale})"
    return call.verify(
        value,
        bad,
        "DLC602",
        f"the {_NAMES[call.name]} overflows {what}",
        "cast an operand to a wider type or to f64 first",
    )


def _narrow(call: Call, wide: pl.Expr) -> pl.Expr:
    """An Int128 result in the call's type, checked."""
    narrowed = wide.cast(call.type.physical, strict=False)
    bad = exceeds(wide, call.type) if call.type.is_decimal else narrowed.is_null() & wide.is_not_null()
    return _overflow(call, narrowed, bad)


def _sum(call: Call) -> pl.Expr:
    """Add and sub."""
    apply: Callable[[Any, Any], pl.Expr] = operator.add if call.name == "add" else operator.sub
    kind = call.type
    if not (kind.is_integer or kind.is_decimal or kind.is_float):  # dates, timestamps, durations
        return apply(*call.exprs).cast(kind.physical)
    a, b = (convert(value, kind) for value in call.args)
    result = apply(a, b)
    if not call.checked or kind.is_float:
        return result
    if kind.is_decimal:
        # Two operands of 38 digits cannot leave Int128 without showing a wrong sign or too many digits.
        wraps = ((a ^ result) & ((b if call.name == "add" else ~b) ^ result)) < 0
        return _overflow(call, result, wraps | exceeds(result, kind))
    if kind.physical == pl.Int64:
        wraps = ((a ^ result) & ((b if call.name == "add" else ~b) ^ result)) < 0
        return _overflow(call, result, wraps)
    if kind.physical == pl.UInt64:
        return _overflow(call, result, result < a if call.name == "add" else b > a)
    return _narrow(call, apply(a.cast(pl.Int64), b.cast(pl.Int64)))


def _mul(call: Call) -> pl.Expr:
    kind = call.type
    if kind.kind == "duration":
        return operator.mul(*call.exprs).cast(kind.physical)
    if kind.is_decimal:
        scale = sum(value.type.scale for value in call.args)
        a, b = (value.expr.cast(kind.physical) for value in call.args)
        result = rescale(a * b, scale, kind.scale, kind.physical)
        if not call.checked:
            return result
        far = (a.cast(pl.Float64) * b.cast(pl.Float64)).abs() > _SAFE
        return _overflow(call, result, far | exceeds(result, kind))
    a, b = (convert(value, kind) for value in call.args)
    if not call.checked or kind.is_float:
        return a * b
    if kind.physical == pl.UInt64:
        wide = a.cast(pl.UInt128) * b.cast(pl.UInt128)
        return _overflow(call, a * b, wide > pl.lit(kind.bounds[1], dtype=pl.UInt128))
    return _narrow(call, a.cast(pl.Int128) * b.cast(pl.Int128))


def _nonzero(call: Call, value: pl.Expr, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    divisor = call.trees[1]
    if divisor["f"] == "lit" and divisor.get("value") not in (0, "0", None):
        return value
    return call.verify(
        value,
        (b == 0) & a.is_not_null(),
        "DLC601",
        "division by zero",
        "filter these rows out, guard the division with a condition, or cast to f64 to get inf",
    )


def _div(call: Call) -> pl.Expr:
    x, y = call.args
    if x.type.kind == "duration":
        return (x.expr / y.expr).cast(call.type.physical)
    result = divide(convert(x, call.type), convert(y, call.type))
    return result if x.type.is_float or y.type.is_float else _nonzero(call, result, x.expr, y.expr)


def _floor(call: Call) -> pl.Expr:
    """Floordiv and mod."""
    apply = pl.Expr.floordiv if call.name == "floordiv" else pl.Expr.mod
    kind = call.type
    if kind.is_float:
        a, b = (convert(value, kind) for value in call.args)
        # Not Polars' own remainder, which comes from a rounded quotient; it has the sign of the divisor.
        quotient = divide(a, b).floor()
        return quotient if call.name == "floordiv" else a - quotient * b
    x, y = call.args
    if x.type.is_decimal or y.type.is_decimal:
        scale = max(x.type.scale, y.type.scale)
        a, b = (rescale(value.expr, value.type.scale, scale, pl.Int128()) for value in call.args)
        old = scale if call.name == "mod" else 0
        wide = apply(a, b)
        result = rescale(wide, old, kind.scale, pl.Int128())
        return _nonzero(call, _narrow(call, result) if call.checked else result.cast(kind.physical), a, b)
    a, b = (convert(value, kind) for value in call.args)
    result = apply(a, b)
    if call.checked and call.name == "floordiv" and kind.bounds[0] < 0:
        result = _overflow(call, result, (a == kind.bounds[0]) & (b == -1))
    return _nonzero(call, result, a, b)


def _sign(call: Call) -> pl.Expr:
    """Neg and abs."""
    kind = call.type
    if kind.kind == "duration":
        return -call.exprs[0] if call.name == "neg" else call.exprs[0].abs()
    value = convert(call.args[0], kind)
    if kind.is_integer and kind.bounds[0] == 0:  # unsigned
        if call.name == "abs":
            return value
        zero = pl.lit(0, dtype=kind.physical)
        return _overflow(call, zero - value, value > 0) if call.checked else zero - value
    result = 0 - value if call.name == "neg" else value.abs()
    if call.checked and kind.is_integer:
        return _overflow(call, result, value == kind.bounds[0])
    return result


def _pow(call: Call) -> pl.Expr:
    kind = call.type
    a, b = (convert(value, kind) for value in call.args)
    if not kind.is_integer or not call.checked:
        return a.pow(b)
    magnitude = a.cast(pl.Float64).pow(b.cast(pl.Float64)).abs()
    # Float64 cannot tell the last integer from the first that overflows; both count as too large.
    return _overflow(call, a.pow(b), magnitude >= float(kind.bounds[1]))


def common_type(types: list[ColumnType]) -> ColumnType:
    """The type in which values of these types can be compared exactly (floats: in float64)."""
    kinds = {kind.kind for kind in types}
    if any(kind.is_float for kind in types):
        return ColumnType("f32" if kinds == {"f32"} else "f64")
    if "decimal" in kinds:
        scale = max(kind.scale for kind in types)
        whole = max(kind.precision - kind.scale if kind.is_decimal else 19 for kind in types)
        return ColumnType("decimal", precision=min(38, whole + scale), scale=scale)
    if all(kind.is_integer for kind in types) and len(kinds) > 1:
        return ColumnType("decimal", precision=38) if "ui64" in kinds else ColumnType("i64")
    return next((kind for kind in types if kind.kind == "timestamp"), types[0])


def _compare(name: str) -> Callable[[Call], pl.Expr]:
    mirrored = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}.get(name, name)

    def build(call: Call) -> pl.Expr:
        kind = common_type([value.type for value in call.args])
        a, b = (convert(value, kind) for value in call.args)
        # Polars 2.1 loses rows of `constant < column` where the column holds one value, not of `column >
        # constant`.
        if is_constant(call.trees[0]):
            return getattr(b, mirrored)(a)
        return getattr(a, name)(b)

    return build


def is_constant(tree: dict[str, Any]) -> bool:
    """Whether an expression has the same value in all rows, because it reads no column."""
    return all(node["f"] != "col" for node in walk(tree))


FUNCTIONS: dict[str, Callable[[Call], pl.Expr]] = {
    "add": _sum,
    "sub": _sum,
    "mul": _mul,
    "div": _div,
    "floordiv": _floor,
    "mod": _floor,
    "neg": _sign,
    "abs": _sign,
    "pow": _pow,
    "eq": _compare("eq"),
    "ne": _compare("ne"),
    "lt": _compare("lt"),
    "le": _compare("le"),
    "gt": _compare("gt"),
    "ge": _compare("ge"),
    "eq_missing": _compare("eq_missing"),
    "ne_missing": _compare("ne_missing"),
}

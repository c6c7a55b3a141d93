"""Functions on strings, dates and floats, and on nulls and rows of values."""

import math
import re
from collections.abc import Callable

import polars as pl

from dlc.diagnostics import DlcError
from dlc.runtime.kernels.arithmetic import common_type, convert
from dlc.runtime.kernels.call import Call
from dlc.runtime.kernels.decimals import rescale
from dlc.runtime.kernels.division import divide


def unsupported(call: Call, what: str) -> DlcError:
    """The error for a plan that asks for something this executor does not know."""
    return DlcError(
        "DLC501",
        f"the plan uses {what}, which this dlc does not know",
        loc=call.builder.locate(call.tree.get("loc", -1)),
        help="run it with the dlc that compiled it, or compile the program again",
    )


def _pattern(call: Call) -> pl.Expr:
    """The text to look for: an argument, or fixed in the plan."""
    return call.exprs[1] if len(call.trees) > 1 else pl.lit(call.tree["pattern"])


def _contains(call: Call) -> pl.Expr:
    return call.exprs[0].str.contains(_pattern(call), literal=call.tree.get("literal", True))


def _like(call: Call) -> pl.Expr:
    """SQL's LIKE: % stands for any text, _ for one character."""
    text, pattern = call.exprs[0].str, str(call.tree["pattern"])
    inner = pattern.strip("%")
    if not any(wild in inner for wild in "%_"):
        if pattern == inner:
            return call.exprs[0] == inner
        if pattern == f"{inner}%":
            return text.starts_with(inner)
        if pattern == f"%{inner}":
            return text.ends_with(inner)
        return text.contains(inner, literal=True)
    wild = {"%": ".*", "_": "."}
    return text.contains(
        "(?s)^" + "".join(wild.get(character, re.escape(character)) for character in pattern) + "$"
    )


def _slice(call: Call) -> pl.Expr:
    return call.exprs[0].str.slice(call.tree["offset"], call.tree.get("length"))


def _part(call: Call) -> pl.Expr:
    part = call.tree.get("part", call.tree.get("unit")) if call.name == "date_part" else call.name
    if part in ("hour", "minute", "second") and call.args[0].type.kind == "date":
        return pl.when(call.exprs[0].is_not_null()).then(pl.lit(0, dtype=call.type.physical))
    names = {"day_of_year": "ordinal_day", "day_of_week": "weekday"}
    part = names.get(str(part), part)
    if part not in (
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "weekday",
        "quarter",
        "week",
        "ordinal_day",
    ):
        raise unsupported(call, f"the date part {part!r}")
    found: pl.Expr = getattr(call.exprs[0].dt, part)()
    return found.cast(call.type.physical)


def _date_trunc(call: Call) -> pl.Expr:
    return call.exprs[0].dt.truncate(call.tree["unit"]).cast(call.type.physical)


def _add_months(call: Call) -> pl.Expr:
    months = call.exprs[1] if len(call.trees) > 1 else pl.lit(call.tree["months"])
    return call.exprs[0].dt.offset_by(pl.format("{}mo", months))


def _round(call: Call) -> pl.Expr:
    """To so many digits after the point, halves away from zero; negative digits round to tens and up."""
    source, digits = call.args[0], call.tree.get("digits", 0)
    if source.type.is_float:
        shift = 10.0 ** max(0, -digits)
        rounded = divide(source.expr, pl.lit(shift)).round(max(0, digits), mode="half_away_from_zero")
        return rounded * shift if digits < 0 else rounded
    scale = source.type.scale
    kept = rescale(source.expr, scale, min(digits, scale), pl.Int128())
    return rescale(kept, min(digits, scale), call.type.scale, call.type.physical)


def _whole(call: Call) -> pl.Expr:
    """Floor and ceil."""
    source = call.args[0]
    if not source.type.is_decimal:
        value = source.expr
        if source.type.is_float:
            value = value.floor() if call.name == "floor" else value.ceil()
        return value.cast(call.type.physical)
    wide, unit = source.expr.cast(pl.Int128), pl.lit(10**source.type.scale, dtype=pl.Int128)
    whole = wide // unit if call.name == "floor" else 0 - (0 - wide) // unit
    return rescale(whole, 0, call.type.scale, call.type.physical)


def _float(apply: Callable[[pl.Expr], pl.Expr]) -> Callable[[Call], pl.Expr]:
    return lambda call: apply(convert(call.args[0], call.type))


def _text(apply: Callable[[pl.Expr], pl.Expr]) -> Callable[[Call], pl.Expr]:
    return lambda call: apply(call.exprs[0]).cast(call.type.physical)


def _horizontal(apply: Callable[[list[pl.Expr]], pl.Expr]) -> Callable[[Call], pl.Expr]:
    def build(call: Call) -> pl.Expr:
        kind = common_type([value.type for value in call.args])
        return apply([convert(value, kind) for value in call.args]).cast(call.type.physical)

    return build


def _exact_part(call: Call) -> pl.Expr:
    """Part `index` of a float that is split so that sums of up to n parts are exact in any order.

    Adding and taking away a power of two larger than any partial sum rounds every value to one common
    quantum (Rump's error-free extraction); what is left goes to the next part, 52 bits less the guard bits
    further down.
    """
    largest, rows = (call.builder.number(tree) for tree in call.trees[1:3])
    value = call.exprs[0]
    rest = pl.when(value.is_finite()).then(value).otherwise(pl.when(value.is_not_null()).then(0.0))
    if not largest or not rows or not math.isfinite(largest):
        return rest * 0.0
    guard = math.ceil(math.log2(rows)) + 2
    exponent = math.frexp(largest)[1]
    part = rest
    for _ in range(call.tree["index"] + 1):
        # At the lower end every float is a multiple of the quantum; at the upper end the compiler scales
        # values.
        extractor = 1.5 * 2.0 ** max(-1022, min(1022, exponent + guard))
        part = (rest + extractor) - extractor
        rest, exponent = rest - part, exponent + guard - 52
    return part


FUNCTIONS: dict[str, Callable[[Call], pl.Expr]] = {
    "str_len": _text(lambda text: text.str.len_chars()),
    "str_upper": _text(lambda text: text.str.to_uppercase()),
    "str_lower": _text(lambda text: text.str.to_lowercase()),
    "str_strip": _text(lambda text: text.str.strip_chars()),
    "str_contains": _contains,
    "str_starts_with": lambda call: call.exprs[0].str.starts_with(_pattern(call)),
    "str_ends_with": lambda call: call.exprs[0].str.ends_with(_pattern(call)),
    "str_slice": _slice,
    "str_concat": lambda call: pl.concat_str(call.exprs),
    "like": _like,
    **dict.fromkeys(
        ("year", "month", "day", "hour", "minute", "second", "weekday", "quarter", "date_part"), _part
    ),
    "date_trunc": _date_trunc,
    "to_date": lambda call: call.exprs[0].cast(pl.Date),
    "add_months": _add_months,
    "sqrt": _float(lambda x: x.sqrt()),
    "exp": _float(lambda x: x.exp()),
    "log": _float(lambda x: x.log()),
    "sin": _float(lambda x: x.sin()),
    "cos": _float(lambda x: x.cos()),
    "floor": _whole,
    "ceil": _whole,
    "round": _round,
    "exact_part": _exact_part,
    "min_horizontal": _horizontal(pl.min_horizontal),
    "max_horizontal": _horizontal(pl.max_horizontal),
    "is_null": lambda call: call.exprs[0].is_null(),
    "is_not_null": lambda call: call.exprs[0].is_not_null(),
    "is_nan": lambda call: call.exprs[0].is_nan(),
    "is_finite": lambda call: call.exprs[0].is_finite(),
    "and": lambda call: pl.Expr.and_(*call.exprs),
    "or": lambda call: pl.Expr.or_(*call.exprs),
    "not": lambda call: call.exprs[0].not_(),
}

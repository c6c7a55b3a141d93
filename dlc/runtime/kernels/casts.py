"""Casts. A strict cast that cannot keep a value ends the run (DLC607); a lenient one gives null."""

import polars as pl

from dlc.runtime.kernels.arithmetic import exceeds, rescale_float
from dlc.runtime.kernels.call import Call, Value
from dlc.runtime.kernels.decimals import from_decimal, rescale, to_decimal, to_float
from dlc.runtime.types import ColumnType

_MOMENTS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d")


def cast(call: Call) -> pl.Expr:
    """The argument in the call's type; fractions are cut when an integer is asked for."""
    source, kind = call.args[0], call.type
    result = _lenient(source, kind)
    if not call.tree.get("strict", True) or _always_fits(source.type, kind):
        return result
    return call.verify(
        result,
        result.is_null() & source.expr.is_not_null(),
        "DLC607",
        f"a value cannot be cast from {source.type.kind} to {kind.kind}",
        "use a cast that gives null for such values (strict=False), or filter them out first",
    )


def _always_fits(old: ColumnType, new: ColumnType) -> bool:
    if old.is_integer and new.is_integer:
        return new.bounds[0] <= old.bounds[0] and old.bounds[1] <= new.bounds[1]
    if new.is_float or new.kind == "string":
        return old.kind != "string" or new.kind == "string"
    return old.kind == "bool" or (new.kind == "bool" and old.kind != "string")


def _lenient(source: Value, kind: ColumnType) -> pl.Expr:
    """The cast value, null where there is none."""
    expr, old = source.expr, source.type
    if kind.is_decimal:
        return _to_decimal(expr, old, kind)
    if old.is_decimal:
        return _from_decimal(expr, old, kind)
    if kind.kind == "bool":
        if old.kind == "string":
            lowered = expr.str.to_lowercase()
            return pl.when(lowered == "true").then(True).when(lowered == "false").then(False)
        return expr if old.kind == "bool" else expr != 0
    if old.kind == "string" and kind.kind == "date":
        return expr.str.to_date("%Y-%m-%d", strict=False)
    if old.kind == "string" and kind.kind == "timestamp":
        moments = [expr.str.to_datetime(text, time_unit=kind.unit, strict=False) for text in _MOMENTS]
        moment = pl.coalesce(moments)
        return moment.dt.replace_time_zone(kind.zone) if kind.zone else moment
    if old.kind == "string" and kind.kind != "string":
        expr = expr.str.strip_chars()
    return expr.cast(kind.physical, strict=False)


def _to_decimal(expr: pl.Expr, old: ColumnType, kind: ColumnType) -> pl.Expr:
    if old.kind == "string":
        return from_decimal(expr.str.strip_chars().cast(kind.logical, strict=False), kind)
    if old.is_float:
        wide = rescale_float(expr, ColumnType("decimal", precision=38, scale=kind.scale))
    else:
        # What would leave Int128 on the way up is too large for the new type as well.
        largest = pl.lit(10 ** max(0, 38 - max(0, kind.scale - old.scale)), dtype=pl.Int128)
        small = expr.cast(pl.Int128)
        small = pl.when(small.abs() < largest).then(small) if kind.scale > old.scale else small
        wide = rescale(small, old.scale, kind.scale, pl.Int128())
    return pl.when(~exceeds(wide, kind)).then(wide).cast(kind.physical)


def _from_decimal(expr: pl.Expr, old: ColumnType, kind: ColumnType) -> pl.Expr:
    if kind.is_float:
        return to_float(expr, old.scale).cast(kind.physical)
    if kind.kind == "string":
        return to_decimal(expr, old).cast(pl.String)
    if kind.kind == "bool":
        return expr != 0
    wide = expr.cast(pl.Int128)
    whole = wide.abs() // pl.lit(10**old.scale, dtype=pl.Int128)
    return pl.when(wide < 0).then(0 - whole).otherwise(whole).cast(kind.physical, strict=False)

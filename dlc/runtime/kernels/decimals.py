"""Decimals as scaled integers: 1.25 of scale 2 is 125. Int64 up to 18 digits, Int128 beyond."""

import polars as pl

from dlc.runtime.kernels.division import divide
from dlc.runtime.types import ColumnType, Schema

DIGITS = 38


def rescale(expr: pl.Expr, old: int, new: int, kind: pl.DataType) -> pl.Expr:
    """Another scale in the integer type `kind`; digits that are lost round half away from zero."""
    if new >= old:
        wide = expr.cast(kind)
        return wide * pl.lit(10 ** (new - old), dtype=kind) if new > old else wide
    # Narrow only after the division: the old value may not fit the new type.
    wide, unit = expr.cast(pl.Int128), 10 ** (old - new)
    rounded = (wide.abs() + unit // 2) // pl.lit(unit, dtype=pl.Int128)
    return pl.when(wide < 0).then(0 - rounded).otherwise(rounded).cast(kind)


def to_float(expr: pl.Expr, scale: int) -> pl.Expr:
    """The nearest float64 for up to 15 digits, within one unit in the last place beyond."""
    value = expr.cast(pl.Float64)
    return divide(value, pl.lit(10.0**scale)) if scale else value


def to_decimal(expr: pl.Expr, kind: ColumnType) -> pl.Expr:
    """The Polars decimal that a scaled integer stands for."""
    return expr.cast(pl.Int128).reinterpret(dtype=pl.Decimal(kind.precision, kind.scale))


def from_decimal(expr: pl.Expr, kind: ColumnType) -> pl.Expr:
    """The scaled integer of a Polars decimal of the same scale."""
    return expr.to_physical().cast(kind.physical)


def to_logical(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """A frame for people: decimals become decimals, and the columns have the schema's types and order."""
    return frame.select(
        to_decimal(pl.col(name), kind) if kind.is_decimal else pl.col(name).cast(kind.logical)
        for name, kind in schema
    )


def to_physical(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame for the executor: decimals become scaled integers."""
    decimals: dict[str, pl.DataType] = {
        name: pl.Int64() if (kind.precision or DIGITS) <= 18 else pl.Int128()
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Decimal)
    }
    return frame.with_columns(pl.col(name).to_physical().cast(kind) for name, kind in decimals.items())

"""Division of floats that rounds correctly, whatever the number of rows."""

import polars as pl


def divide(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    """The quotient of two float expressions.

    Polars multiplies by the reciprocal of a constant, which can be one unit in the last place off, but
    divides a single row by it: the same value would differ with the number of ranks. So a constant becomes a
    column, in a way that Polars does not see through.
    """
    if not divisor.meta.root_names():
        divisor = dividend.is_nan().cast(pl.Int8) * 0 + divisor
    return dividend / divisor

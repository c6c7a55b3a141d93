"""Division of floats that rounds correctly, whatever the number of rows."""

import polars as pl


def divide(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    """The quotient of two float expressions.

    Polars multiplies by the reciprocal of a constant, which can be one unit in the last place off, but divides a
    single row by it: the same value would differ with the number of ranks. A constant is therefore spread to a column.
    """
    if not divisor.meta.root_names():
        divisor = pl.when(dividend.is_not_null()).then(divisor)
    return dividend / divisor

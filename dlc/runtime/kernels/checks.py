"""Row checks inside a lazy query: the first row that fails one ends the query with a coded error."""

from collections.abc import Callable, Sequence

import polars as pl

from dlc.diagnostics import DlcError


class _CheckFailed(Exception):
    """Stops the query. Polars raises exceptions anew with its own text, so this cannot carry the error."""


class Failures:
    """The errors of the checks that failed during a query."""

    def __init__(self) -> None:
        self._errors: list[DlcError] = []

    def verify(
        self, value: pl.Expr, bad: pl.Expr, kind: pl.DataType, error: Callable[[], DlcError]
    ) -> pl.Expr:
        """`value` of type `kind`, or the error where `bad` is true in any row."""

        def look(columns: Sequence[pl.Series]) -> pl.Series:
            if columns[1].any():
                self._errors.append(error())
                raise _CheckFailed
            return columns[0]

        return pl.map_batches([value, bad], look, return_dtype=kind, is_elementwise=True)

    def take(self) -> DlcError | None:
        """The first error since the last call."""
        first = self._errors[0] if self._errors else None
        self._errors.clear()
        return first

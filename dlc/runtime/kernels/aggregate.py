"""Group-by and whole-frame aggregation with SQL's nulls and with checked sums."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.kernels.arithmetic import convert, exceeds
from dlc.runtime.kernels.call import Json, Locate, Value
from dlc.runtime.kernels.checks import Failures
from dlc.runtime.types import ColumnType, parse_type

_INT128 = 1.6e38  # a little below 2**127


def canonical_zeros(columns: list[str] | None = None) -> pl.Expr:
    """Float columns with 0.0 for its equal -0.0: which of them a group shows must not depend on row order."""
    floats = (cs.float() if columns is None else cs.by_name(*columns) & cs.float()).as_expr()
    return pl.when(floats == 0.0).then(0.0).otherwise(floats).name.keep()


@dataclass(frozen=True)
class _Aggregation:
    """One result column; a checked sum runs in Int128, beside a float sum that tells if that is enough."""

    out: str
    function: str
    column: str | None
    type: ColumnType
    proven: bool
    source: ColumnType | None  # of the column

    @property
    def is_checked(self) -> bool:
        return self.function == "sum" and not self.proven and (self.type.is_integer or self.type.is_decimal)

    @property
    def magnitude(self) -> str | None:
        """The helper column with the float sum, which only sums of wide decimals need."""
        return f"_size_{self.out}" if self.is_checked and self.type.precision > 18 else None

    def exprs(self) -> Iterator[pl.Expr]:
        yield self._value().alias(self.out)
        if self.magnitude is not None and self.column is not None:
            yield pl.col(self.column).cast(pl.Float64).abs().sum().alias(self.magnitude)

    def _value(self) -> pl.Expr:
        kind, column = self.type.physical, pl.col(self.column or "")
        match self.function.partition(":"):
            case ("sum", _, _):
                total = column.cast(pl.Int128 if self.is_checked else kind).sum()
                return pl.when(column.count() > 0).then(total) if self.type.nullable else total
            case ("min", _, _):
                return column.min()
            case ("max", _, _):
                return column.nan_max() if self.type.is_float else column.max()
            case ("merge_count", _, _):
                return column.sum().cast(kind)
            case ("count", _, _):
                return column.count().cast(kind)
            case ("len", _, _):
                return pl.len().cast(kind)
            case ("n_unique", _, _):
                return column.drop_nulls().n_unique().cast(kind)
            case ("median", _, _):
                return self._number().median()
            case ("quantile", _, level):
                return self._number().quantile(float(level), interpolation="linear")
            case ("first", _, _):
                return column.first()
            case (name, _, _):
                raise DlcError(
                    "DLC501", f"the plan uses the aggregation {name!r}, which this dlc does not know"
                )

    def _number(self) -> pl.Expr:
        """The column in the type of the result, a float."""
        column = pl.col(self.column or "")
        return (
            convert(Value(column, self.source), self.type) if self.source else column.cast(self.type.physical)
        )


class Aggregate:
    """The aggregate operator: keys, then one column for each aggregation."""

    def __init__(self, operator: Json, locate: Locate, failures: Failures) -> None:
        self._keys: list[str] = operator["keys"]
        self._aggregations = [
            _Aggregation(
                out,
                function,
                column,
                parse_type(kind),
                more[:1] == ["proven"],
                parse_type(more[1]) if more[1:] and more[1] else None,
            )
            for out, function, column, kind, *more in operator["aggs"]
        ]
        self._exprs = [expr for aggregation in self._aggregations for expr in aggregation.exprs()]
        loc = locate(operator.get("loc", -1))
        self._checks = [
            _check(aggregation, loc, failures) for aggregation in self._aggregations if aggregation.is_checked
        ]
        read = [
            aggregation.column for aggregation in self._aggregations if aggregation.function in ("min", "max")
        ]
        self._zeroed = list(dict.fromkeys([*self._keys, *(name for name in read if name is not None)]))
        self._columns = [*self._keys, *(aggregation.out for aggregation in self._aggregations)]

    def __call__(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        frame = frame.with_columns(canonical_zeros(self._zeroed)) if self._zeroed else frame
        result = frame.group_by(self._keys).agg(self._exprs) if self._keys else frame.select(self._exprs)
        return result.with_columns(self._checks).select(self._columns) if self._checks else result


def _check(aggregation: _Aggregation, loc: SourceLoc | None, failures: Failures) -> pl.Expr:
    """The sum in its own type, or the error where it does not fit."""
    total, kind, name = pl.col(aggregation.out), aggregation.type, aggregation.out
    bad = exceeds(total, kind)
    if aggregation.magnitude is not None:
        bad = bad | (pl.col(aggregation.magnitude) > _INT128)
    fix = "cast the column to a wider type or to f64 first"
    narrowed = total.cast(kind.physical, strict=False)
    return failures.verify(
        narrowed,
        bad,
        kind.physical,
        lambda: DlcError("DLC602", f"the sum {name!r} overflows", loc=loc, help=fix),
    ).alias(name)

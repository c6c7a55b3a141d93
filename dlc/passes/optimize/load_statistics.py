"""`load-statistics`: what is read, piece by piece, and what footers tell of the columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.ir import Attribute
from xdsl.passes import ModulePass

from dlc.dialects import datatypes as t
from dlc.dialects.expr import ColumnOp, literal_attribute
from dlc.dialects.frame import StatisticsAttr, frame_of
from dlc.dialects.table import ScanOp
from dlc.passes.locations import source_loc
from dlc.passes.lower.expressions import plain_options

from .constants import Value
from .dictionaries import Contents
from .distinct_values import column_contents
from .files import Bounds, Footer, csv_rows, footer

Piece = tuple[int, int, int]
"""(file, first row, rows)."""


def columns_of(scan: ScanOp) -> dict[str, t.DataType]:
    """Types of the columns that a scan reads, for its result or for its predicate."""
    columns = frame_of(scan.result).columns
    for op in scan.predicate.block.ops if scan.predicate is not None else ():
        if isinstance(op, ColumnOp):
            columns.setdefault(op.column.data, op.result.type)
    return columns


def footers_of(scan: ScanOp) -> list[Footer]:
    """The footers of the files of a Parquet scan. Raises DLC201, DLC202 and DLC203."""
    loc = source_loc(scan)
    return [footer(path.data, loc) for path in scan.paths]


def groups_of(footers: Iterable[Footer]) -> Iterator[tuple[Piece, Footer, int]]:
    """Every row group: the piece that it makes, its file and its number there."""
    for file, found in enumerate(footers):
        for group, (first, rows) in enumerate(found.groups):
            yield (file, first, rows), found, group


def set_pieces(scan: ScanOp, pieces: Iterable[Piece]) -> None:
    """State what a scan reads."""
    scan.pieces = DenseArrayBase.from_list(i64, [number for piece in pieces for number in piece])


def set_statistics(scan: ScanOp, groups: Iterable[tuple[Footer, int]]) -> None:
    """State what is known of the columns of a scan in these row groups."""
    types = columns_of(scan)
    scan.statistics = ArrayAttr(
        [
            _statistics(column, bounds, contents, t.strip(types[column]))
            for column, (bounds, contents) in column_contents(list(groups), types).items()
        ]
    )


def _statistics(column: str, bounds: Bounds, contents: Contents, type_: t.DataType) -> StatisticsAttr:
    return StatisticsAttr(
        StringAttr(column),
        _literal(bounds.low, type_),
        _literal(bounds.high, type_),
        _number(bounds.nulls),
        _number(contents.distinct),
        _number(contents.width),
    )


def _number(found: float | None) -> IntegerAttr:
    return IntegerAttr(-1 if found is None else round(found), i64)


def _literal(value: Value | None, type_: t.DataType) -> Attribute:
    if value is None:
        return UnitAttr()
    return literal_attribute(str(value) if t.is_decimal(type_) else value, type_)


@dataclass(frozen=True)
class LoadStatisticsPass(ModulePass):
    """Looks into the files of every scan that does not state its pieces yet."""

    name = "load-statistics"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for scan in op.walk():
            if not isinstance(scan, ScanOp) or scan.pieces is not None:
                continue
            if scan.format.data == "csv":
                options, loc = plain_options(scan.options), source_loc(scan)
                rows = [csv_rows(path.data, options, loc) for path in scan.paths]
                set_pieces(scan, [(file, 0, count) for file, count in enumerate(rows)])
            else:
                groups = list(groups_of(footers_of(scan)))
                set_pieces(scan, [piece for piece, _, _ in groups])
                set_statistics(scan, [(file, group) for _, file, group in groups])

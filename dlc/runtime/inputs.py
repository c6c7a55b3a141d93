"""Reads a rank's share of input files as a lazy frame, and says what is wrong with an unreadable file."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.kernels.call import Locate
from dlc.runtime.kernels.checks import Failures
from dlc.runtime.kernels.decimals import from_decimal
from dlc.runtime.kernels.expressions import Bindings, Expression, columns_read
from dlc.runtime.kernels.table import keep
from dlc.runtime.plan import Json
from dlc.runtime.types import ColumnType, parse_schema

Piece = tuple[int, int, int]  # file index, first row, rows
_MANY = 16  # pieces a rank; with more of them, shares are made of whole pieces


def share(pieces: Sequence[Piece], rank: int, size: int) -> list[Piece]:
    """The pieces of one rank: contiguous, in order, and balanced by rows; neighbours in a file are merged."""
    total = sum(rows for _, _, rows in pieces)
    start, end = total * rank // size, total * (rank + 1) // size
    whole = len(pieces) >= _MANY * size
    taken: list[Piece] = []
    position = 0
    for file, offset, rows in pieces:
        if whole:  # a piece belongs to the rank in whose share its middle lies
            first, last = (0, rows) if start <= position + rows // 2 < end else (0, 0)
        else:
            first, last = max(start - position, 0), min(end - position, rows)
        if first < last:
            piece = (file, offset + first, last - first)
            if taken and taken[-1][0] == file and sum(taken[-1][1:]) == piece[1]:
                taken[-1] = (file, taken[-1][1], taken[-1][2] + piece[2])
            else:
                taken.append(piece)
        position += rows
    return taken


def check_inputs(inputs: Sequence[Json], loc: SourceLoc | None = None) -> None:
    """Every input file is there and is the one that was compiled for. Raises DLC201 and DLC506."""
    for entry in inputs:
        found = _stat(entry["path"], loc)
        if (found.st_size, found.st_mtime_ns) != (entry["bytes"], entry["mtime_ns"]):
            raise DlcError(
                "DLC506",
                f"{entry['path']} has changed since the plan was compiled",
                loc=loc,
                help="compile the program again",
            )


def _stat(path: str, loc: SourceLoc | None) -> os.stat_result:
    try:
        return Path(path).stat()
    except OSError as error:
        raise DlcError(
            "DLC201",
            f"cannot find the input {path}: {error.strerror}",
            loc=loc,
            help="every rank reads the file under this name, from the directory in which the run starts",
        ) from error


class Reader:
    """The `read` instruction of one rank. A frame that it gives is read only when a query needs it."""

    def __init__(self, instruction: Json, rank: int, size: int, locate: Locate) -> None:
        self._paths: list[str] = instruction["paths"]
        self._is_csv = instruction["format"] == "csv"
        self._schema = parse_schema(instruction["schema"])
        self._options: Json = instruction.get("options") or {}
        self._pieces: list[Piece] = [(file, offset, rows) for file, offset, rows in instruction["pieces"]]
        # A small file may be read whole by every rank, which saves a collective.
        self._rank, self._size = (0, 1) if instruction.get("replicated") else (rank, size)
        self._locate = locate
        self._predicate: Json | None = instruction.get("predicate")
        self._tested = columns_read(self._predicate) if self._predicate is not None else []
        self._loc = locate(instruction["loc"])
        self._failures = Failures()

    def __call__(self, parameters: Mapping[str, Any]) -> pl.LazyFrame:
        """The rows of this rank in physical types. Raises DLC201, DLC202, DLC203 and DLC204."""
        pieces = [self._counted(piece) for piece in self._pieces]
        parts = [self._part(piece, parameters) for piece in share(pieces, self._rank, self._size)]
        if not parts:
            return pl.LazyFrame(schema={name: kind.physical for name, kind in self._schema})
        return parts[0] if len(parts) == 1 else pl.concat(parts)

    def explain(self, error: Exception) -> DlcError:
        """The error behind a query that failed while it read: a row check, or a file that is unreadable."""
        failure = self._failures.take()
        if failure is not None:
            return failure
        reason = str(error).splitlines()[0][:300]
        if self._is_csv:
            return DlcError(
                "DLC205",
                f"cannot read {self._name()}: {reason}",
                loc=self._loc,
                help="mend the value, name it in null_values, or read the column as text",
            )
        return _damaged(self._name(), reason, self._loc)

    def _name(self) -> str:
        return self._paths[0] if len(self._paths) == 1 else f"one of {self._paths[0]} … {self._paths[-1]}"

    def _counted(self, piece: Piece) -> Piece:
        """A piece of which the number of rows is known."""
        file, offset, rows = piece
        if rows >= 0:
            return piece
        counted = self._scan(self._paths[file]).select(pl.len()).collect(engine="streaming").item()
        return file, offset, max(0, counted - offset)

    def _part(self, piece: Piece, parameters: Mapping[str, Any]) -> pl.LazyFrame:
        file, offset, rows = piece
        path = self._paths[file]
        scan = self._scan(path)
        try:
            found = scan.collect_schema()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _damaged(path, str(error).splitlines()[0][:300], self._loc) from error
        converted = {
            name: _convert(name, found.get(name), kind, path, self._loc) for name, kind in self._schema
        }
        part = scan.slice(offset, rows)
        if self._predicate is not None:
            # It may read columns that are then dropped.
            read = {
                name: _convert(name, found.get(name), kind, path, self._loc) for name, kind in self._tested
            }
            predicate = Expression(self._predicate, self._locate, self._failures, read)
            part = keep(part, predicate.bind(Bindings(parameters)), predicate.checks > 0)
        return part.select(expr.alias(name) for name, expr in converted.items())

    def _scan(self, path: str) -> pl.LazyFrame:
        if not _stat(path, self._loc).st_size:
            raise DlcError(
                "DLC202", f"{path} is empty", loc=self._loc, help="write it again, or leave it out"
            )
        if not self._is_csv:
            return pl.scan_parquet(path, glob=False, hive_partitioning=False)
        return pl.scan_csv(
            path,
            glob=False,
            infer_schema=False,
            schema_overrides={name: kind.logical for name, kind in [*self._tested, *self._schema]},
            separator=self._options.get("separator", ","),
            quote_char=self._options.get("quote_char", '"'),
            has_header=self._options.get("has_header", True),
            null_values=self._options.get("null_values"),
            skip_rows=self._options.get("skip_rows", 0),
            new_columns=self._options.get("columns"),
        )


def _convert(
    name: str, found: pl.DataType | None, kind: ColumnType, path: str, loc: SourceLoc | None
) -> pl.Expr:
    """The column of a file in its physical type; bare if types agree, so that Polars prunes by it."""
    column = pl.col(name)
    if found is None or (
        kind.is_decimal and not (isinstance(found, pl.Decimal) and found.scale == kind.scale)
    ):
        what = "has no column" if found is None else f"has type {found} in column"
        raise DlcError(
            "DLC204",
            f"{path} {what} {name!r}, unlike the files before",
            loc=loc,
            help="give all files one schema",
        )
    if kind.is_decimal:
        return from_decimal(column, kind)
    return column if found == kind.physical else column.cast(kind.physical)


def _damaged(path: str, reason: str, loc: SourceLoc | None) -> DlcError:
    return DlcError("DLC203", f"cannot read {path}: {reason}", loc=loc, help="copy or write the file again")

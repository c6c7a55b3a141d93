"""Checksums of files and of tables.

A table is told by its values alone: the file format, the number of parts and what lies under a null do not
count.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

_BLOCK = 1 << 20


@dataclass(frozen=True)
class TableDigest:
    """A table: its schema, and SHA-256 of its rows as they stand and of its rows in sorted order."""

    schema: list[tuple[str, str]]
    rows: int
    sequence: str
    bag: str

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "schema": [list(column) for column in self.schema]}


def file_digest(path: Path) -> str:
    """SHA-256 of the content of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def table_digest(frame: pl.DataFrame) -> TableDigest:
    """The digest of a table. Floats count by their bits, so that 0 and -0 differ."""
    plain = frame.select(
        expression
        for index, (name, kind) in enumerate(frame.schema.items())
        for expression in (pl.col(name).is_null().alias(f"{index}n"), _plain(name, kind).alias(f"{index}v"))
    )
    schema = [(name, str(kind)) for name, kind in frame.schema.items()]
    rows = plain.sort(plain.columns) if plain.width else plain
    return TableDigest(schema, frame.height, _hash(schema, plain), _hash(schema, rows))


def _plain(name: str, kind: pl.DataType) -> pl.Expr:
    """A column as integers or text, with one value for all nulls."""
    column = pl.col(name)
    match kind:
        case pl.Float32():
            return column.fill_null(0.0).map_batches(lambda s: pl.Series(s.to_numpy().view("i4")), pl.Int32)
        case pl.Float64():
            return column.fill_null(0.0).map_batches(lambda s: pl.Series(s.to_numpy().view("i8")), pl.Int64)
        case pl.Decimal():
            return column.cast(pl.String).fill_null("")
        case pl.String():
            return column.fill_null("")
        case pl.Boolean():
            return column.fill_null(False).cast(pl.UInt8)
        case _:
            return column.to_physical().fill_null(0)


def _hash(schema: list[tuple[str, str]], plain: pl.DataFrame) -> str:
    digest = hashlib.sha256(repr((schema, plain.height)).encode())
    for series in plain.get_columns():
        if series.dtype == pl.String:
            digest.update(series.str.len_bytes().to_numpy().tobytes())
            for start in range(0, series.len(), _BLOCK):
                digest.update("".join(series.slice(start, _BLOCK).to_list()).encode())
        else:
            values = series.cast(pl.UInt8) if series.dtype == pl.Boolean else series
            digest.update(values.to_numpy().tobytes())
    return digest.hexdigest()

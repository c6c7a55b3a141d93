"""What the footers of Parquet files tell: row groups, and the bounds of each column in each of them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from xdsl.dialects.builtin import f32, f64, i1

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import datatypes as t

from .constants import Value
from .dictionaries import Contents, contents


@dataclass(frozen=True)
class Bounds:
    """What is known of a column in some rows; None is unknown. Neither null nor NaN counts for the bounds."""

    rows: int
    low: Value | None = None
    high: Value | None = None
    nulls: int | None = None

    @property
    def all_null(self) -> bool:
        """Whether every row is known to be null."""
        return self.nulls == self.rows


def union(parts: Iterable[Bounds]) -> Bounds:
    """What is known of all these rows together."""
    parts = list(parts)
    valued = [part for part in parts if not part.all_null]
    lows = [part.low for part in valued if part.low is not None]
    highs = [part.high for part in valued if part.high is not None]
    nulls = [part.nulls for part in parts if part.nulls is not None]
    return Bounds(
        sum(part.rows for part in parts),
        min(lows) if lows and len(lows) == len(valued) else None,
        max(highs) if highs and len(highs) == len(valued) else None,
        sum(nulls) if len(nulls) == len(parts) else None,
    )


class Footer:
    """The metadata of one Parquet file."""

    def __init__(self, path: str, metadata: Any):
        self._path = path
        self._metadata = metadata
        self.groups = list[tuple[int, int]]()
        """(first row, rows) of each row group."""
        first = 0
        for index in range(metadata.num_row_groups):
            rows: int = metadata.row_group(index).num_rows
            self.groups.append((first, rows))
            first += rows

        self._bounds = dict[tuple[str, t.DataType], list[Bounds]]()
        self._contents = dict[tuple[str, int], Contents]()

    @cached_property
    def _columns(self) -> dict[str, int]:
        # Columns inside lists and structures have other paths; no frame holds them.
        schema = self._metadata.schema
        return {schema.column(index).path: index for index in range(len(schema))}

    def bounds(self, column: str, type_: t.DataType) -> list[Bounds]:
        """What is known of a column, which the program holds as `type_`, in each row group."""
        key = column, type_
        if key not in self._bounds:
            self._bounds[key] = self._load(column, type_)
        return self._bounds[key]

    def contents(self, group: int, columns: Iterable[str]) -> dict[str, Contents]:
        """What the dictionaries of a row group tell of columns; of a file that has gone by now, nothing."""
        unseen = [column for column in columns if (column, group) not in self._contents]
        if unseen:
            self._contents |= self._look(group, unseen)
        return {column: self._contents[column, group] for column in columns}

    def _look(self, group: int, columns: Iterable[str]) -> dict[tuple[str, int], Contents]:
        found = {(column, group): Contents() for column in columns}
        chunks = self._metadata.row_group(group)
        try:
            with Path(self._path).open("rb", buffering=0) as file:
                for column, _ in found:
                    index = self._columns.get(column)
                    if index is not None:
                        found[column, group] = contents(file.fileno(), chunks.column(index))
        except OSError:
            return {key: Contents() for key in found}
        return found

    def _load(self, column: str, type_: t.DataType) -> list[Bounds]:
        index = self._columns.get(column)
        if index is None:
            return [Bounds(rows) for _, rows in self.groups]
        stored = self._metadata.schema.column(index)
        convert = _converter(stored.physical_type, stored.logical_type.to_json(), type_)
        found = list[Bounds]()
        for group, (_, rows) in enumerate(self.groups):
            statistics = self._metadata.row_group(group).column(index).statistics
            low = high = nulls = None
            if statistics is not None:
                nulls = statistics.null_count if statistics.has_null_count else None
                if convert is not None and statistics.has_min_max:
                    low, high = convert(statistics.min_raw), convert(statistics.max_raw)
            found.append(Bounds(rows, low, high, nulls))
        return found


def footer(path: str, loc: SourceLoc | None = None) -> Footer:
    """The footer of a Parquet file, read once as long as the file stays the same.

    Raises DLC201 without the file, DLC202 and DLC203 if it cannot be a Parquet file.
    """
    found = _stat(path, loc)
    try:
        return _read_footer(path, found.st_mtime_ns, found.st_size)
    except (OSError, ValueError) as error:
        raise _damaged(path, error, loc) from error


def csv_rows(path: str, options: Mapping[str, Any], loc: SourceLoc | None = None) -> int:
    """The number of records of a CSV file. Raises DLC201, DLC202 and DLC203."""
    _stat(path, loc)
    import polars as pl

    relevant = ("separator", "quote_char", "has_header", "skip_rows")
    chosen = {name: value for name, value in options.items() if name in relevant}
    try:
        frame = pl.scan_csv(path, glob=False, infer_schema=False, **chosen)
        return frame.select(pl.len()).collect(engine="streaming").item()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _damaged(path, error, loc) from error


def _stat(path: str, loc: SourceLoc | None) -> os.stat_result:
    try:
        found = Path(path).stat()
    except OSError as error:
        raise DlcError(
            "DLC201",
            f"cannot find the input {path}: {error.strerror}",
            loc=loc,
            help="paths are taken from the directory in which dlc runs",
        ) from error
    if not found.st_size:
        raise DlcError("DLC202", f"{path} is empty", loc=loc, help="write it again, or leave it out")
    return found


def _damaged(path: str, error: Exception, loc: SourceLoc | None) -> DlcError:
    reason = (str(error).splitlines() or [type(error).__name__])[0][:300]
    return DlcError("DLC203", f"cannot read {path}: {reason}", loc=loc, help="copy or write the file again")


@lru_cache(maxsize=4096)
def _read_footer(path: str, modified: int, size: int) -> Footer:
    del modified, size  # part of the key
    import pyarrow.parquet

    parquet: Any = pyarrow.parquet  # its types are incomplete
    return Footer(path, parquet.read_metadata(path))


@lru_cache(maxsize=256)
def _converter(physical: str, logical_type: str, type_: t.DataType) -> Callable[[Any], Value | None] | None:
    """From a raw statistic to a value of the type; None when the file stores something else."""
    base = t.strip(type_)
    logical = json.loads(logical_type)
    kind: str = logical["Type"]
    if physical in ("INT32", "INT64") and t.is_integer(base) and kind in ("None", "Int"):
        signed = t.integer_bounds(base)[0] < 0
        if logical.get("isSigned", True) == signed:
            return int if signed else _unsigned(physical)
    if isinstance(base, t.DecimalType) and kind == "Decimal" and logical["scale"] == base.scale.data:
        return int if physical in ("INT32", "INT64") else _big_endian
    if isinstance(base, t.TimestampType) and kind == "Timestamp":
        unit = {"milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}[logical["timeUnit"]]
        return int if unit == base.unit.data else None
    simple: dict[tuple[str, str], tuple[t.DataType, Callable[[Any], Value | None]]] = {
        ("INT32", "Date"): (t.date, int),
        ("BOOLEAN", "None"): (i1, bool),
        ("FLOAT", "None"): (f32, _number),
        ("DOUBLE", "None"): (f64, _number),
        ("BYTE_ARRAY", "String"): (t.string, _text),
    }
    stored, convert = simple.get((physical, kind), (None, None))
    return convert if stored == base else None


def _unsigned(physical: str) -> Callable[[int], int]:
    width = 32 if physical == "INT32" else 64
    return lambda raw: raw % 2**width


def _big_endian(raw: bytes) -> int:
    return int.from_bytes(raw, "big", signed=True)


def _number(raw: float) -> float | None:
    return None if math.isnan(raw) else raw


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:  # a long bound is cut off, perhaps inside a character
        return None

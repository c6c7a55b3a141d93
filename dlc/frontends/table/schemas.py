"""Schemas of files, read with pyarrow and Polars; both are imported only when a file is scanned."""

from __future__ import annotations

import os
from codecs import getincrementaldecoder
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import StringAttr, f32, f64, i1

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import datatypes as t

from .errors import listed

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Unsupported:
    """A type in a file that no column of a frame can have."""

    spelling: str


FileSchema = dict[str, t.DataType | Unsupported]


def parquet(path: str, loc: SourceLoc) -> FileSchema:
    """The schema in a Parquet file's footer; DLC202 for an empty file, DLC203 for a damaged one."""
    status = _status(path, loc)
    try:
        fields = _parquet_fields(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise _damaged(path, error, loc, "Parquet") from None
    schema = dict[str, t.DataType | Unsupported]()
    for name, type_ in fields:
        if name in schema:
            raise DlcError(
                "DLC105", f"'{path}' has two columns named '{name}'", loc=loc, help="write the file again"
            )
        schema[name] = type_
    return schema


@lru_cache(maxsize=1024)
def _parquet_fields(path: str, _size: int, _time: int) -> tuple[tuple[str, t.DataType | Unsupported], ...]:
    try:
        schema = _arrow("pyarrow.parquet").read_schema(path)
    except _arrow("pyarrow").ArrowException as error:
        raise OSError(str(error)) from None
    return tuple((field.name, _from_arrow(field.type, field.nullable)) for field in schema)


def _arrow(module: str) -> Any:
    # pyarrow has no type stubs.
    return import_module(module)


def _from_arrow(type_: Any, nullable: bool) -> t.DataType | Unsupported:
    kinds = _arrow("pyarrow.types")
    if kinds.is_dictionary(type_):
        type_ = type_.value_type
    base: t.DataType | None = None
    if kinds.is_boolean(type_):
        base = i1
    elif kinds.is_integer(type_):
        base = t.integers[str(type_).replace("uint", "ui").replace("int", "i")]
    elif kinds.is_float32(type_):
        base = f32
    elif kinds.is_float64(type_):
        base = f64
    elif kinds.is_string(type_) or kinds.is_large_string(type_) or kinds.is_string_view(type_):
        base = t.string
    elif kinds.is_date32(type_):
        base = t.date
    elif (
        kinds.is_decimal(type_) and type_.precision <= t.MAX_PRECISION and 0 <= type_.scale <= type_.precision
    ):
        base = t.DecimalType.of(type_.precision, type_.scale)
    elif kinds.is_timestamp(type_) and type_.unit in t.TIME_UNITS:
        base = t.TimestampType(StringAttr(type_.unit), StringAttr(type_.tz or ""))
    elif kinds.is_duration(type_) and type_.unit in t.TIME_UNITS:
        base = t.DurationType(StringAttr(type_.unit))
    return Unsupported(str(type_)) if base is None else t.nullable(base, nullable)


def csv(
    path: str,
    stated: Mapping[str, t.DataType],
    separator: str,
    has_header: bool,
    null_values: Sequence[str],
    loc: SourceLoc,
) -> FileSchema:
    """The schema of a CSV file: stated types, else what its whole text shows. DLC101, DLC202 and DLC203."""
    import polars as pl

    _status(path, loc)

    def inferred(rows: int | None) -> Mapping[str, pl.DataType]:
        return pl.scan_csv(
            path,
            separator=separator,
            has_header=has_header,
            null_values=list(null_values) or None,
            infer_schema_length=rows,
            try_parse_dates=True,
            glob=False,
        ).collect_schema()

    try:
        found = inferred(0)
        if not set(found) <= set(stated):
            _require_utf8(path)
            found = inferred(None)
    except pl.exceptions.NoDataError:
        raise _empty(path, loc) from None
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        raise _damaged(path, error, loc, "CSV") from None
    for name in stated:
        if name not in found:
            raise DlcError(
                "DLC101",
                f"the schema names a column '{name}' that '{path}' does not have",
                loc=loc,
                help=f"its columns are {listed(list(found))}",
            )
    return {name: stated.get(name) or _from_polars(type_) for name, type_ in found.items()}


def _require_utf8(path: str) -> None:
    """UnicodeError unless the whole file is UTF-8, which Polars asks of values but not of names."""
    decoder = getincrementaldecoder("utf-8")()
    with Path(path).open("rb") as file:
        while chunk := file.read(1 << 20):
            decoder.decode(chunk)
    decoder.decode(b"", final=True)


def _from_polars(type_: pl.DataType) -> t.DataType:
    import polars as pl

    match type_:
        case pl.Datetime():
            base = t.TimestampType(StringAttr(type_.time_unit), StringAttr(type_.time_zone or ""))
        case pl.Date():
            base = t.date
        case pl.Boolean():
            base = i1
        case pl.Int64():
            base = t.integers["i64"]
        case pl.Float64():
            base = f64
        case _:
            # Whatever else Polars guesses, such as a time of day, can be read as the text that it is.
            base = t.string
    return t.nullable(base)


def _status(path: str, loc: SourceLoc) -> os.stat_result:
    try:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
    except OSError as error:
        raise DlcError(
            "DLC201", f"'{path}' cannot be read: {error.strerror}", loc=loc, help="check its permissions"
        ) from None
    if status.st_size == 0:
        raise _empty(path, loc)
    return status


def _empty(path: str, loc: SourceLoc) -> DlcError:
    return DlcError(
        "DLC202", f"'{path}' is empty", loc=loc, help="write it again, or leave it out of the pattern"
    )


def _damaged(path: str, error: Exception, loc: SourceLoc, kind: str) -> DlcError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return DlcError(
        "DLC203",
        f"'{path}' is not a readable {kind} file: {reason}",
        loc=loc,
        help="copy or write the file again",
    )

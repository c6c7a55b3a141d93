"""Frames of files: Parquet has its schema in the footers, CSV what the user states or the text shows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, BoolAttr, DictionaryAttr, StringAttr
from xdsl.ir import Attribute

from dlc.diagnostics import DlcError, SourceLoc, suggest
from dlc.dialects import datatypes as t
from dlc.dialects.frame import FrameType
from dlc.dialects.table import ScanOp
from dlc.frontends.location import attribute, caller

from . import schemas
from .builder import name_value
from .errors import bad_argument, listed
from .frame import Frame
from .paths import expand, sources
from .schemas import FileSchema, Unsupported
from .types import data_type

Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def scan_parquet(source: Source, *, columns: Iterable[str] | None = None) -> Frame:
    """Rows of Parquet files: a path, a pattern such as `tx/*.parquet`, a directory, or a list of them.

    Only the footers are read now. `columns` leaves out the others, which then may have any type.
    """
    return _parquet(source, columns, caller())


def scan_csv(
    source: Source,
    *,
    schema: Mapping[str, object] | None = None,
    columns: Iterable[str] | None = None,
    separator: str = ",",
    has_header: bool = True,
    null_values: str | Sequence[str] = (),
) -> Frame:
    """Rows of CSV files: a path, a pattern, a directory, or a list of them.

    `schema` states types by column; others are found by reading the files as a whole. An empty field and the
    words in `null_values` are null. Without a header the columns are `column_0`, `column_1` and so on.
    """
    return _csv(source, schema, columns, separator, has_header, null_values, caller())


def scan_input(source: object, loc: SourceLoc) -> Frame:
    """Rows of the files that stand for a frame parameter of the program at `loc`."""
    if all(path.endswith(".csv") for path in sources(source, loc)):
        return _csv(source, None, None, ",", True, (), loc)
    return _parquet(source, None, loc)


def _parquet(source: object, columns: Iterable[str] | None, loc: SourceLoc) -> Frame:
    paths = expand(source, ".parquet", loc)
    schema = _common_schema(paths, schemas.parquet, loc)
    return _scan("parquet", paths, _chosen(schema, columns, paths[0], loc), None, loc)


def _csv(
    source: object,
    schema: Mapping[str, object] | None,
    columns: Iterable[str] | None,
    separator: str,
    has_header: bool,
    null_values: str | Sequence[str],
    loc: SourceLoc,
) -> Frame:
    paths = expand(source, ".csv", loc)
    if not isinstance(separator, str) or len(separator.encode()) != 1 or separator in '"\n\r':  # pyright: ignore[reportUnnecessaryIsInstance]
        raise bad_argument(f"separator={separator!r} is not one character", loc, "as in separator=';'")
    nulls = _strings("null_values", null_values, loc)
    if schema is not None and not isinstance(schema, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise bad_argument("schema is not a dict", loc, "as in schema={'amount': dlc.Float64}")
    stated = {name: t.nullable(data_type(type_)) for name, type_ in (schema or {}).items()}
    found = _common_schema(
        paths, lambda path, where: schemas.csv(path, stated, separator, has_header, nulls, where), loc
    )
    options: dict[str, Attribute] = {
        "separator": StringAttr(separator),
        "has_header": BoolAttr.from_bool(has_header),
        "null_values": ArrayAttr([StringAttr(word) for word in nulls]),
    }
    return _scan("csv", paths, _chosen(found, columns, paths[0], loc), DictionaryAttr(options), loc)


def _common_schema(
    paths: Sequence[str], read: Callable[[str, SourceLoc], FileSchema], loc: SourceLoc
) -> FileSchema:
    """The schema on which all files agree, nullable where any is; DLC204 names the first that differs."""
    first = read(paths[0], loc)
    for path in paths[1:]:
        other = read(path, loc)
        for name in [*first, *other]:
            if first.get(name) == other.get(name):
                continue
            ours, theirs = first.get(name), other.get(name)
            if (
                isinstance(ours, t.DataType)
                and isinstance(theirs, t.DataType)
                and t.strip(ours) == t.strip(theirs)
            ):
                first[name] = t.nullable(ours)
                continue
            x, y = ("absent" if type_ is None else _text(type_) for type_ in (ours, theirs))
            raise DlcError(
                "DLC204",
                f"column '{name}' is {x} in '{paths[0]}' and {y} in '{path}'",
                loc=loc,
                help="state the types with schema={…}"
                if path.endswith(".csv")
                else "scan the files apart, cast, and concat the frames",
            )
        if list(first) != list(other):
            raise DlcError(
                "DLC204",
                f"the columns of '{path}' stand in another order than those of '{paths[0]}'",
                loc=loc,
                help="scan the files apart, select the columns in one order, and concat the frames",
            )
    return first


def _chosen(
    schema: FileSchema, columns: Iterable[str] | None, path: str, loc: SourceLoc
) -> dict[str, t.DataType]:
    names = list(schema) if columns is None else _strings("columns", columns, loc)
    result = dict[str, t.DataType]()
    for name in names:
        if name not in schema:
            near = suggest(name, schema)
            raise DlcError(
                "DLC101",
                f"there is no column '{name}' in '{path}'",
                loc=loc,
                help=f"did you mean '{near}'?" if near else f"its columns are {listed(list(schema))}",
            )
        if name in result:
            raise DlcError("DLC105", f"column '{name}' is named twice", loc=loc, help="name each column once")
        type_ = schema[name]
        if isinstance(type_, Unsupported):
            others = [other for other, kind in schema.items() if not isinstance(kind, Unsupported)]
            raise DlcError(
                "DLC108",
                f"column '{name}' of '{path}' has type {type_.spelling}, which dlc cannot carry",
                loc=loc,
                help=f"read only the columns that are needed: columns={others[:4]}",
            )
        result[name] = type_
    if not result:
        raise DlcError("DLC106", "no column is left to scan", loc=loc, help="name at least one column")
    return result


def _strings(option: str, given: object, loc: SourceLoc) -> list[str]:
    if isinstance(given, str):
        return [given]
    items = list(cast("Iterable[object]", given)) if isinstance(given, Iterable) else [None]
    if not all(isinstance(item, str) for item in items):
        raise bad_argument(f"{option}={given!r} is not a list of strings", loc, f"as in {option}=['a', 'b']")
    return cast("list[str]", items)


def _text(type_: t.DataType | Unsupported) -> str:
    return type_.spelling if isinstance(type_, Unsupported) else t.text(t.strip(type_))


def _scan(
    format_: str,
    paths: Sequence[str],
    schema: Mapping[str, t.DataType],
    options: DictionaryAttr | None,
    loc: SourceLoc,
) -> Frame:
    op = ScanOp(format_, paths, FrameType.of(schema), options=options)
    op.location = attribute(loc)
    name_value(op.result, Path(paths[0]).stem)
    return Frame(op.result)

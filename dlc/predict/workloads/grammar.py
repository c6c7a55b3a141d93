"""Reads descriptions of workloads: TOML tables into checked dataclasses.

A field of type `Seconds`, `Bytes` or `Rate` takes a number in the base unit, or text such as `17 h` or `1
MiB`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

from dlc.diagnostics import DlcError, SourceLoc, suggest
from dlc.hwspec.units import UNITS, scale

Seconds = Annotated[float, "s"]
Bytes = Annotated[float, "B"]
Rate = Annotated[float, "B/s"]
T = TypeVar("T")

_LONG = {"min": 60.0, "h": 3600.0, "day": 86400.0, "days": 86400.0, "week": 604800.0, "weeks": 604800.0}
_QUANTITY = re.compile(r"\s*([-+0-9.eE]+)\s*([^\s\d].*?)\s*")
_MOST_BYTES = 16 << 20


def parse(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises DLC524 where it is none."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise wrong("the file is larger than 16 MiB", SourceLoc(str(path), 0))
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        end = len(path.read_bytes().splitlines())
        line, column = (int(place[1]), int(place[2])) if place else (end, 0)
        reason = str(error).partition(" (at ")[0]
        raise wrong(reason, SourceLoc(str(path), line, column)) from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise wrong(f"cannot read it: {error}", SourceLoc(str(path), 0)) from error


def wrong(message: str, loc: SourceLoc | None, help: str = "see docs/predict.md") -> DlcError:
    """The error of a workload."""
    return DlcError("DLC524", message, loc=loc, help=help)


def build(class_: type[T], table: Mapping[str, Any], loc: SourceLoc, where: str = "") -> T:
    """A dataclass from a table; raises DLC524 for unknown keys, missing ones and values of the wrong type."""
    hints = get_type_hints(class_, include_extras=True)
    known: dict[str, Field[Any]] = {field.name: field for field in fields(cast("Any", class_))}
    for key in table:
        if key not in known:
            guess = suggest(key, list(known))
            fix = f"did you mean `{guess}`?" if guess else f"known: {', '.join(known)}"
            raise wrong(f"unknown key `{where}{key}`", _line(loc, key), fix)
    values: dict[str, Any] = {}
    for name, field in known.items():
        if name in table:
            values[name] = _value(hints[name], table[name], _line(loc, name), f"{where}{name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise wrong(f"`{where}{name}` is missing", loc, f"add `{name} = …`")
    return class_(**values)


def _value(hint: Any, value: Any, loc: SourceLoc, where: str) -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise wrong(f"`{where}` is a list", loc)
        inner = get_args(hint)[0]
        items = cast("list[Any]", value)
        return tuple(_value(inner, item, loc, f"{where}[{number}]") for number, item in enumerate(items))
    if is_dataclass(hint):
        if not isinstance(value, dict):
            raise wrong(f"`{where}` is a table", loc)
        return build(cast("type[Any]", hint), cast("dict[str, Any]", value), loc, f"{where}.")
    unit = get_args(hint)[1] if get_origin(hint) is Annotated else None
    if unit is not None and isinstance(value, str):
        return _quantity(value, unit, loc, where)
    plain = get_args(hint)[0] if unit else hint
    if plain is float and isinstance(value, int | float) and not isinstance(value, bool):
        if value < 0 or value != value:
            raise wrong(f"`{where}` must not be {value}", loc)
        return float(value)
    if not isinstance(value, plain) or (plain is int and (isinstance(value, bool) or cast("int", value) < 0)):
        raise wrong(f"`{where}` is no {_NAMES.get(plain, plain)}", loc)
    return value


_NAMES = {float: "number", int: "whole number from 0", str: "text", bool: "true or false"}


def _quantity(text: str, base: str, loc: SourceLoc, where: str) -> float:
    match = _QUANTITY.fullmatch(text)
    try:
        number = Fraction(match[1] if match else text)
    except (ValueError, ZeroDivisionError):
        raise wrong(
            f"`{where}` is no quantity: '{text}'", loc, f"write a number and a unit of {base}"
        ) from None
    symbol = match[2] if match else ""
    if base == "s" and symbol in _LONG:
        return float(number) * _LONG[symbol]
    unit = UNITS.get(symbol)
    if unit is None or unit.base != base:
        raise wrong(f"`{where}` has no unit of {base}: '{text}'", loc, f"write a number and a unit of {base}")
    return scale(number, unit)


def _line(loc: SourceLoc, key: str) -> SourceLoc:
    """The first line of the file that gives the key a value; TOML readers tell no lines."""
    try:
        lines: Sequence[str] = Path(loc.file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return loc
    pattern = re.compile(
        rf"\s*(?:\[\[?)?(?:[\w.-]+\.)?{re.escape(key)}\s*(?:=|\])|.*[{{,]\s*{re.escape(key)}\s*="
    )
    return next(
        (SourceLoc(loc.file, number) for number, line in enumerate(lines, 1) if pattern.match(line)), loc
    )

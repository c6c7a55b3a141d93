"""Reads descriptions of workloads: TOML tables into checked dataclasses.

A field says by its type what it takes. One of type `Seconds` or `Bytes` takes a number in the base unit, or
text such as `17 h` or `1 MiB`.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

from dlc.diagnostics import DlcError, SourceLoc, suggest
from dlc.hwspec.units import UNITS, scale

_MOST = 1e30
"""No quantity is larger, so that products of a few of them stay finite."""


@dataclass(frozen=True)
class Range:
    """What a number may be: of which unit, and from `least` (without it if `above`) to `most`."""

    unit: str = ""
    least: float = 0.0
    most: float = _MOST
    above: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number is in the range."""
        return (self.least < value if self.above else self.least <= value) and value <= self.most

    def __str__(self) -> str:
        low = f"more than {self.least:g}" if self.above else f"at least {self.least:g}"
        return low if self.most == _MOST else f"{low}, and at most {self.most:,.10g}"


Seconds = Annotated[float, Range("s")]
Duration = Annotated[float, Range("s", above=True)]
Bytes = Annotated[float, Range("B")]
Positive = Annotated[float, Range(above=True)]
Share = Annotated[float, Range(most=1, above=True)]
Count = Annotated[int, Range(least=1, most=1e9)]
T = TypeVar("T")

_LONG = {"min": 60.0, "h": 3600.0, "day": 86400.0, "days": 86400.0, "week": 604800.0, "weeks": 604800.0}
_QUANTITY = re.compile(r"\s*([-+]?[0-9.]{1,40}(?:[eE][-+]?[0-9]{1,3})?)\s*([^\s\d].*?)\s*")
_MOST_BYTES = 16 << 20
_NAMES = {float: "number", int: "whole number", str: "text", bool: "true or false"}


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
    except (OSError, ValueError, RecursionError) as error:
        raise wrong(f"cannot read it: {error}", SourceLoc(str(path), 0)) from error


def wrong(message: str, loc: SourceLoc | None, help: str = "see docs/predict.md") -> DlcError:
    """The error of a workload."""
    return DlcError("DLC524", message, loc=loc, help=help)


def build(class_: type[T], table: Mapping[str, Any], loc: SourceLoc, where: str = "") -> T:
    """A dataclass from a table; raises DLC524 for unknown keys, missing ones and values that do not fit."""
    hints = get_type_hints(class_, include_extras=True)
    known: dict[str, Field[Any]] = {field.name: field for field in fields(cast("Any", class_))}
    for key in table:
        if key not in known:
            guess = suggest(key, list(known))
            fix = f"did you mean `{guess}`?" if guess else f"known: {', '.join(known)}"
            raise wrong(f"unknown key `{where}{key}`", line_of(loc, f"{where}{key}"), fix)
    values: dict[str, Any] = {}
    for name, field in known.items():
        if name in table:
            values[name] = _value(hints[name], table[name], loc, f"{where}{name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise wrong(f"`{where}{name}` is missing", line_of(loc, where.rstrip(".")), f"add `{name} = …`")
    return class_(**values)


def _value(hint: Any, value: Any, loc: SourceLoc, where: str) -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(value, list) or not value:
            raise wrong(f"`{where}` is a list of at least one entry", line_of(loc, where))
        inner = get_args(hint)[0]
        items = cast("list[Any]", value)
        return tuple(_value(inner, item, loc, f"{where}[{number}]") for number, item in enumerate(items))
    if is_dataclass(hint):
        if not isinstance(value, dict):
            raise wrong(f"`{where}` is a table", line_of(loc, where))
        return build(cast("type[Any]", hint), cast("dict[str, Any]", value), loc, f"{where}.")
    plain, *rules = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if isinstance(value, str) and any(rule.unit for rule in rules):
        value = _quantity(value, rules[0].unit, loc, where)
    fits = isinstance(value, (int, float) if plain is float else plain)
    if not fits or (isinstance(value, bool) and plain is not bool):
        raise wrong(f"`{where}` is no {_NAMES[plain]}", line_of(loc, where))
    if isinstance(value, int | float) and plain is not bool:
        limits: Range = rules[0] if rules else Range()
        if not limits.holds(value):
            raise wrong(f"`{where}` must not be {str(value)[:40]}", line_of(loc, where), f"give {limits}")
    return float(value) if plain is float else value


def _quantity(text: str, base: str, loc: SourceLoc, where: str) -> float:
    """A number with a unit in base units."""
    match = _QUANTITY.fullmatch(text)
    fix = f"write a number and a unit of {base}"
    try:
        number = Fraction(match[1]) if match else Fraction(0)
    except (ValueError, ZeroDivisionError):
        match = None
        number = Fraction(0)
    if match is None:
        raise wrong(f"`{where}` is no quantity: '{text[:60]}'", line_of(loc, where), fix)
    symbol = match[2]
    unit = UNITS.get(symbol)
    if (unit is None or unit.base != base) and not (base == "s" and symbol in _LONG):
        raise wrong(f"`{where}` has no unit of {base}: '{text[:60]}'", line_of(loc, where), fix)
    try:
        return float(number) * _LONG[symbol] if unit is None else scale(number, unit)
    except OverflowError:
        return math.inf


def line_of(loc: SourceLoc, where: str) -> SourceLoc:
    """The line of the file that gives a key its value; TOML readers tell no lines.

    Of a key that many tables of a list have, it is taken to be the one of the same number.
    """
    key = where.rpartition(".")[2].partition("[")[0]
    numbers = re.findall(r"\[(\d+)\]", where)
    pattern = re.compile(
        rf"(?:^\s*(?:\[\[?)?(?:[\w.-]+\.)?|[{{,]\s*)[\"']?{re.escape(key)}[\"']?\s*(?:=|\])" if key else "$^"
    )
    found = [number for number, line in enumerate(_lines(loc.file), 1) for _ in pattern.findall(line)]
    index = int(numbers[0]) if numbers and int(numbers[0]) < len(found) else 0
    return SourceLoc(loc.file, found[index]) if found else loc


@lru_cache(maxsize=1)
def _lines(file: str) -> tuple[str, ...]:
    try:
        return tuple(Path(file).read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        return ()

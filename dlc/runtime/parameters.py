"""Checks the parameters of a run and turns them into the plan's form of literals."""

import datetime
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from dlc.diagnostics import DlcError, suggest
from dlc.runtime.plan import Json
from dlc.runtime.types import ColumnType, parse_type

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_PER_SECOND = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def bind_parameters(declared: list[Json], given: Mapping[str, Any]) -> dict[str, Any]:
    """The literal of each declared parameter; given values are Python values or text. Raises DLC110."""
    names = [parameter["name"] for parameter in declared]
    for name in given:
        if name not in names:
            raise DlcError("DLC110", f"the program has no parameter {name!r}", help=_hint(name, names))
    bound: dict[str, Any] = {}
    for parameter in declared:
        name = parameter["name"]
        if name in given:
            bound[name] = to_literal(name, given[name], parse_type(parameter["type"]), parameter["type"])
        elif "default" in parameter:
            bound[name] = parameter["default"]
        else:
            raise DlcError(
                "DLC110", f"the parameter {name!r} is missing", help=f"give it with --param {name}=VALUE"
            )
    return bound


def _hint(name: str, names: list[str]) -> str:
    close = suggest(name, names)
    if close is not None:
        return f"did you mean {close!r}?"
    return f"it has {', '.join(map(repr, names))}" if names else "it takes none"


def to_literal(name: str, value: Any, kind: ColumnType, text: str) -> Any:
    """Integers of the unit for dates and times, scaled integers for decimals. Raises DLC110."""
    try:
        literal = None if value is None and kind.nullable else _literal(value, kind)
    except (ValueError, TypeError, ArithmeticError) as error:
        message = f"the parameter {name!r} is {str(value)[:80]!r}, which is no {text}"
        raise DlcError("DLC110", message, help=f"it takes {_example(kind)}") from error
    return literal


def _literal(value: Any, kind: ColumnType) -> Any:
    if kind.kind == "string":
        if not isinstance(value, str):
            raise TypeError
        return value
    if isinstance(value, str):
        value = value.strip()
    if kind.kind == "bool":
        lowered = str(value).lower()
        if lowered not in ("true", "false"):
            raise ValueError
        return lowered == "true"
    if isinstance(value, bool):
        raise TypeError
    if kind.is_float:
        return float(value)
    if kind.is_integer:
        if isinstance(value, float):
            raise TypeError
        return _within(int(value), kind)
    if kind.is_decimal:
        return _within(_scaled(value, kind.scale), kind)
    return _moment(value, kind)


def _within(value: int, kind: ColumnType) -> int:
    least, largest = kind.bounds
    if not least <= value <= largest:
        raise ValueError
    return value


def _scaled(value: Any, scale: int) -> int:
    """The scaled integer of an exact decimal; a float stands for its shortest text."""
    try:
        scaled = Decimal(str(value)).scaleb(scale)
    except InvalidOperation as error:
        raise ValueError from error
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError
    return int(scaled)


def _moment(value: Any, kind: ColumnType) -> int:
    if kind.kind == "duration":
        if not isinstance(value, datetime.timedelta):
            value = datetime.timedelta(seconds=float(value))
        return value // datetime.timedelta(microseconds=1) * _PER_SECOND[kind.unit] // 1_000_000
    if kind.kind == "date":
        if isinstance(value, str):
            value = datetime.date.fromisoformat(value)
        if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
            raise TypeError
        return value.toordinal() - _EPOCH.toordinal()
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value)
    # Timestamps without a zone count as if they were UTC.
    value = value.astimezone(datetime.UTC) if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    return (value - _EPOCH) // datetime.timedelta(microseconds=1) * _PER_SECOND[kind.unit] // 1_000_000


def _example(kind: ColumnType) -> str:
    if kind.is_decimal:
        return f"a number with at most {kind.scale} digits after the point and {kind.precision} in all"
    if kind.is_integer:
        return f"a whole number from {kind.bounds[0]} to {kind.bounds[1]}"
    examples = {
        "bool": "true or false",
        "date": "a date such as 2024-12-31",
        "timestamp": "a time such as 2024-12-31T23:59:59",
        "duration": "a number of seconds",
        "string": "text",
    }
    return examples.get(kind.kind, "a number")

"""Machines as `.hw` text: the inverse of parsing, except for comments and the order of properties."""

from collections.abc import Iterator
from decimal import Decimal

from dlc.hwspec import schema
from dlc.hwspec.formatting import canonical
from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Counts, Part, Properties, Quantity, Table, Value
from dlc.hwspec.units import text

_QUOTED = ("text", "texts")
_HEAD = ("ends", "directed", "topology", "arguments")
"""Properties that stand in the head of a part."""


def write(machine: Machine) -> str:
    """The text from which `loads` makes an equal machine."""
    lines: list[str] = []
    for type_ in machine.types:
        part = type_.part
        base = f" extends {type_.base}" if type_.base else ""
        lines += _block(f"type {part.kind} {part.name}{base}", part.kind, part.properties, part.parts, "")
    lines.append(f"machine {machine.name} {{")
    if machine.meta:
        lines += ["  meta {", *(f"    {name} = {_quoted(words)}" for name, words in machine.meta), "  }"]
    if machine.total:
        lines += _block("total", "total", machine.total, (), "  ")
    for part in machine.parts:
        lines += _part(part, "  ")
    return canonical("\n".join([*lines, "}"]) + "\n")


def _part(part: Part, indent: str) -> Iterator[str]:
    properties = dict(part.properties)
    type_ = f" : {part.type}" if part.type else ""
    if part.kind == "link":
        first, second = part.texts("ends")
        head = f"link {first} {'->' if properties.get('directed') else '<->'} {second}{type_}"
    else:
        copies = "" if part.count is None else f"[0..{part.count - 1}]"
        head = f"{part.kind} {part.name}{copies}"
        if part.kind == "network":
            head += f" : {part.text('topology')}{_arguments(properties.get('arguments'))}"
            properties |= {"via": part.type} if part.type else {}
        else:
            head += type_
    inner = tuple((name, value) for name, value in properties.items() if name not in _HEAD)
    yield from _block(head, part.kind, inner, part.parts, indent)


def _arguments(arguments: Value | None) -> str:
    if not isinstance(arguments, Table):
        return ""
    words = (f"{name} = {_value(entry, '')}" for name, entry in arguments.entries)
    return f"({', '.join(words)})"


def _block(
    head: str, kind: str, properties: Properties, parts: tuple[Part, ...], indent: str
) -> Iterator[str]:
    """A part with its properties in the order of the schema."""
    known = schema.TOTALS if kind == "total" else schema.KINDS[kind].properties
    order = list(known)
    yield f"{indent}{head} {{"
    for name, value in sorted(properties, key=lambda entry: order.index(entry[0])):
        yield f"{indent}  {name} = {_value(value, known[name].form)}"
    for part in parts:
        yield from _part(part, indent + "  ")
    yield indent + "}"


def _value(value: Value, form: str) -> str:
    match value:
        case Quantity():
            return text(value.value, value.unit) + _mark(value)
        case Counts():
            return f"[{', '.join(_value(item, '') for item in value.items)}]"
        case Table():
            entries = (f"{name}: {_value(entry, '')}" for name, entry in value.entries)
            return f"{{ {', '.join(entries)} }}"
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value) if form in _QUOTED else value
        case tuple():
            items = [_quoted(str(item)) if form in _QUOTED else str(item) for item in value]
            return items[0] if form == "paths" and len(items) == 1 else f"[{', '.join(items)}]"


def _mark(quantity: Quantity) -> str:
    """Where a number comes from; that it is assumed is said, too, though it need not be."""
    origin = quantity.provenance
    notes = [_quoted(origin.source)] if origin.source else []
    if origin.spread:
        notes.append(f"{(Decimal(repr(origin.spread)) * 100).normalize():f} %")
    return f" @{origin.kind}" + (f"({', '.join(notes)})" if notes else "")


def _quoted(words: str) -> str:
    """Strings have no escapes; what cannot stand in one is left out."""
    return '"' + words.replace('"', "'").replace("\n", " ") + '"'

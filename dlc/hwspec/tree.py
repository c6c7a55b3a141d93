"""Draws a machine as a tree of text for the terminal."""

from collections.abc import Iterable, Iterator

from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Counts, Part, Quantity, Table, Value, quantities
from dlc.hwspec.schema import KINDS
from dlc.hwspec.units import rate_text, text

_MARKS = {"spec": "", "measured": "*", "assumed": "~"}

_IN_HEAD = ("ends", "directed", "topology", "arguments")


def draw(machine: Machine) -> str:
    """The machine with its types filled in, one line a part, and how far its figures can be trusted."""
    marks = [
        quantity.provenance.kind
        for placed in machine.placed
        for quantity in quantities(placed.part.properties)
    ]
    legend = ", ".join(
        f"{marks.count(kind)} {kind}{f' ({mark})' if mark else ''}" for kind, mark in _MARKS.items()
    )
    return "\n".join(
        [
            f"{machine.name}: {summary(machine)}",
            *(f"{name}: {content}" for name, content in machine.meta),
            *([f"stated in total: {_figures(machine.total)}"] if machine.total else []),
            *_branches(machine.tree, ""),
            f"figures: {legend}",
        ]
    )


def summary(machine: Machine) -> str:
    """How large a machine is, in one line."""
    accelerators = [
        f"{count} {kind}{'' if count == 1 else 's'}"
        for kind in ("gpu", "accel")
        if (count := machine.count(kind))
    ]
    nodes = machine.count("node")
    memory = f"{text(float(machine.memory_bytes), 'B')} of memory a node"
    return ", ".join(
        [f"{nodes} node{'' if nodes == 1 else 's'}", f"{machine.cores} cores", *accelerators, memory]
    )


def _branches(parts: tuple[Part, ...], indent: str) -> Iterator[str]:
    for part in parts:
        last = part is parts[-1]
        yield f"{indent}{'└─ ' if last else '├─ '}{_line(part)}"
        yield from _branches(part.parts, indent + ("   " if last else "│  "))


def _line(part: Part) -> str:
    copies = "" if part.count is None else f"[0..{part.count - 1}]"
    arguments = part.get("arguments")
    shape = part.text("topology") + (
        f"({_figures(arguments.entries)})" if isinstance(arguments, Table) else ""
    )
    named = part.label + copies + "".join(f" : {word}" for word in (shape, part.type) if word)
    if part.get("directed"):
        named = named.replace(" <-> ", " -> ")
    order = list(KINDS[part.kind].properties)
    # Properties that come from a type of another kind, as a nic's from an interconnect, stand at the end.
    values = sorted(
        (entry for entry in part.properties if entry[0] not in _IN_HEAD),
        key=lambda e: order.index(e[0]) if e[0] in order else len(order),
    )
    figures = _figures(values)
    return f"{named}: {figures}" if figures else named


def _figures(properties: Iterable[tuple[str, Value]]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in properties)


def _value(value: Value) -> str:
    match value:
        case Quantity():
            return text(value.value, value.unit) + _MARKS[value.provenance.kind]
        case Table():
            return "{" + ", ".join(f"{name} {_rate(name, entry)}" for name, entry in value.entries) + "}"
        case Counts():
            return " ".join(_value(item) for item in value.items)
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case tuple():
            return " ".join(str(item) for item in value)


def _rate(name: str, value: Value) -> str:
    if isinstance(value, Quantity) and value.unit == "FLOP/s":
        return rate_text(name, value.value) + _MARKS[value.provenance.kind]
    return _value(value)

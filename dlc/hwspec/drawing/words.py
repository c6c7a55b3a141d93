"""What the picture of a machine says of a part in a few words, and all of it for who asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dlc.hwspec.parts import Counts, Part, Quantity, Table, Value
from dlc.hwspec.units import text

MARKS = {"spec": "", "measured": "*", "assumed": "~"}
_LONG = 11


def figure(part: Part, name: str) -> str:
    """A figure with the mark of where it comes from, "" without one."""
    value = part.get(name)
    return quantity(value) if isinstance(value, Quantity) else ""


def quantity(value: Quantity) -> str:
    """A quantity, a long one to four digits, and its mark."""
    exact = text(value.value, value.unit)
    short = exact if len(exact) <= _LONG else text(float(f"{value.value:.4g}"), value.unit)
    return short + MARKS[value.provenance.kind]


def rates(part: Part) -> Iterator[str]:
    """The f64 rate of a processor, or its first one, and its fastest."""
    compute = part.get("compute")
    entries = dict(compute.entries) if isinstance(compute, Table) else {}
    found = {name: rate for name, rate in entries.items() if isinstance(rate, Quantity)}
    if not found:
        return
    fastest = max(found, key=lambda name: found[name].value)
    names = ("f64", fastest) if "f64" in found and fastest != "f64" else (fastest,)
    for name in names:
        rate = quantity(found[name])
        shown = rate.replace("FLOP/s", "OP/s") if name.startswith("i") else rate
        yield f"{shown} {name.replace('_tensor', ' tensor')}"


def lines(part: Part) -> list[str]:
    """The figures that say what a part is."""
    match part.kind:
        case "cpu" | "gpu" | "accel":
            threads = part.number("smt") or 1
            cores = f"{figure(part, 'cores')} cores" + (f" of {threads:.0f} threads" if threads > 1 else "")
            clock = figure(part, "clock")
            own = ([cores] if part.get("cores") else []) + ([clock] if clock and part.kind == "cpu" else [])
            return [
                *([", ".join(own)] if own else []),
                *rates(part),
                *(f"{inner.name} {', '.join(lines(inner))}" for inner in part.parts),
            ]
        case "memory":
            return _together([figure(part, "capacity"), figure(part, "bandwidth")])
        case "cache":
            share = f"for {part.number('shared_by'):.0f} cores" if part.get("shared_by") else ""
            per = f"a {part.text('per')}" if part.get("per") else ""
            return _together([figure(part, "capacity"), share or per], " ")
        case "disk" | "store":
            operations = [figure(part, f"{way}_operations") for way in ("read", "write")]
            moved = [f"{way} {rate}" for way in ("read", "write") if (rate := figure(part, way))]
            client = figure(part, "client")
            return [
                *_together([part.text("kind"), figure(part, "capacity")]),
                *_together(moved),
                *([f"{client} a client"] if client else []),
                *([f"{' / '.join(filter(None, operations))}"] if any(operations) else []),
            ]
        case "network":
            return [*_topology(part), *_channel(part)]
        case "nic" | "interconnect" | "link":
            return list(_channel(part))
        case "switch":
            ports = part.number("ports")
            return _together([f"{ports:.0f} ports" if ports else "", figure(part, "latency")])
        case _:
            return _together(
                [f"{name} {found}" for name in ("power", "idle", "price") if (found := figure(part, name))]
            )


def _together(words: Iterable[str], between: str = ", ") -> list[str]:
    found = between.join(filter(None, words))
    return [found] if found else []


def _topology(network: Part) -> list[str]:
    arguments = network.get("arguments")
    entries = arguments.entries if isinstance(arguments, Table) else ()
    words = ", ".join(f"{name} {_value(value)}" for name, value in entries)
    bisection = figure(network, "bisection")
    return _together(
        [
            network.text("topology").replace("_", " "),
            words,
            f"bisection {bisection}" if bisection else "",
        ]
    )


def _channel(part: Part) -> Iterator[str]:
    sustained = figure(part, "sustained")
    yield from _together(
        [
            figure(part, "bandwidth"),
            f"{sustained} sustained" if sustained else "",
            figure(part, "latency"),
            part.text("sharing").replace("shared", ""),
            "half duplex" if part.text("duplex") == "half" else "",
        ]
    )


def all_figures(part: Part) -> str:
    """Every property, one a line."""
    entries = (entry for entry in part.properties if entry[0] != "directed")
    return "\n".join([part.label, *(f"{name}: {_value(value)}" for name, value in entries)])


def _value(value: Value) -> str:
    match value:
        case Quantity():
            return quantity(value)
        case Table():
            return ", ".join(f"{name} {_value(entry)}" for name, entry in value.entries)
        case Counts():
            return " × ".join(_value(item) for item in value.items)
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case tuple():
            words = " ".join(map(str, value))
            return words if len(words) <= 60 else words[:59] + "…"

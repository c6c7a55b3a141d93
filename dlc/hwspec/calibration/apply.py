"""Puts measured figures into the description of a machine.

Whatever the types of the description say, a figure lands in the part it was measured on, as an override. A
memory or channel whose published peak lies above the measurement keeps it and gets `sustained` besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dlc.diagnostics import DlcError
from dlc.hwspec.calibration.fit import segments_text
from dlc.hwspec.calibration.record import Messages, Record
from dlc.hwspec.calibration.samples import Figure, rounded
from dlc.hwspec.check import check
from dlc.hwspec.model import Machine, cores_below
from dlc.hwspec.parts import Part, Placed, Properties, Provenance, Quantity, Table, Value, walk
from dlc.hwspec.units import text

_ACCELERATORS = ("gpu", "accel")


def matching(machine: Machine, cores: int) -> list[Placed]:
    """The nodes with so many cores, which are taken for the one at hand; raises DLC412 when there is none."""
    nodes = machine.of_kind("node")
    found = [node for node in nodes if cores_below(node.part) == cores]
    if not found:
        known = sorted({cores_below(node.part) for node in nodes})
        raise DlcError(
            "DLC412",
            f"no node of {machine.name} has {cores} cores, as the one at hand has",
            loc=machine.loc,
            help=f"calibrate on a node of the machine, which has {' or '.join(map(str, known))} cores",
        )
    return found


def apply(machine: Machine, record: Record, cores: int, disk: str = "") -> Machine:
    """The machine with the figures of `record`, measured on a node with `cores` cores and its disk `disk`.

    All nodes with so many cores get them. Raises DLC412 when there is none.
    """
    parts = machine.parts
    for node in matching(machine, cores):
        for names, kinds, properties in _figures(node, record, cores, disk):
            parts = _override(parts, names, kinds, properties)
    if record.remote is not None:
        for entry in machine.of_kind("network"):
            way = (*entry.parents, entry.part)
            if not any(part.kind == "node" for part in way):
                channel = _channel(entry.part, record.remote, record)
                parts = _override(parts, _names(way), _kinds(way), channel)
    meta = tuple(sorted({**dict(machine.meta), **_notes(record)}.items()))
    return check(replace(machine, parts=parts, meta=meta))


def _names(way: tuple[Part, ...]) -> tuple[str, ...]:
    return tuple(part.name for part in way)


def _kinds(way: tuple[Part, ...]) -> tuple[str, ...]:
    return tuple(part.kind for part in way)


Override = tuple[tuple[str, ...], tuple[str, ...], dict[str, Value]]


def _figures(node: Placed, record: Record, cores: int, disk: str) -> list[Override]:
    """What a node's parts get: the names and kinds that lead to each, and its properties."""
    found: list[Override] = []
    inner = [
        placed
        for placed in walk((node.part,), parents=node.parents)
        if not any(parent.kind in _ACCELERATORS for parent in placed.parents)
    ]
    banks = sum(placed.copies for placed in inner if placed.part.kind == "memory") // node.part.copies
    medium = next((placed for placed in inner if placed.part.kind == "interconnect"), None)
    for placed in inner:
        part, properties = placed.part, dict[str, Value]()
        if part.kind == "cpu":
            properties = _compute(part, record, min(cores, record.node_ranks))
        elif part.kind == "memory" and record.node_ranks >= cores:  # fewer ranks would not fill it
            share = replace(record.node_stream, value=record.node_stream.value / banks)
            properties = _rate(part, _measured(share, "B/s", _source("triad", record)))
        elif part.kind == "disk" and part.name == disk:
            for name, figure in (("read", record.read), ("write", record.write)):
                if figure is not None:
                    properties[name] = _measured(figure, "B/s", "file and fsync")
        elif placed is medium and record.local is not None:
            properties = _channel(part, record.local, record)
        if properties:
            way = (*placed.parents, part)
            found.append((_names(way), _kinds(way), properties))
    if medium is None and record.local is not None:
        shared = Part("interconnect", "shm")
        way = (*node.parents, node.part, shared)
        found.append((_names(way), _kinds(way), {"scope": "core", **_channel(shared, record.local, record)}))
    return found


def _compute(cpu: Part, record: Record, busy: int) -> dict[str, Value]:
    """Rates of all cores of a processor, from the `busy` cores that ran at the same time."""
    known = cpu.get("compute")
    rates = dict(known.entries) if isinstance(known, Table) else {}
    share = (cpu.number("cores", 1) or 1) / busy
    for dtype, figure in record.node_gemm.items():
        rates[dtype] = _measured(
            replace(figure, value=figure.value * share), "FLOP/s", _source("gemm", record)
        )
    return {"compute": Table(tuple(sorted(rates.items())))}


def _rate(part: Part, measured: Quantity) -> dict[str, Value]:
    """A published peak above the measurement stays, with what is reached beside it; a guess goes."""
    peak = part.get("bandwidth")
    published = isinstance(peak, Quantity) and peak.provenance.kind == "spec" and peak.value >= measured.value
    if published:
        return {"sustained": measured}
    # A lower rate that the text sustains would contradict the new one.
    return {"bandwidth": measured, **({"sustained": measured} if part.get("sustained") is not None else {})}


def _channel(part: Part, messages: Messages, record: Record) -> dict[str, Value]:
    """Latency, overhead and bandwidth: the ends of the fit, which agree with it at both ends of the sizes."""
    source = _source("ping-pong", record)
    shortest, spread = messages.fit.latency, messages.spread
    overhead = min(messages.overhead.value, shortest)
    bandwidth = Figure(messages.fit.bandwidth, spread, 0)
    return {
        **_rate(part, _measured(bandwidth, "B/s", source)),
        "latency": _measured(Figure(shortest - overhead, spread, 0), "s", source),
        "overhead": _measured(replace(messages.overhead, value=overhead), "s", _source("burst", record)),
    }


def _source(what: str, record: Record) -> str:
    return f"{what}, {_counted(record.node_ranks, 'rank')}" + (
        " on fewer cores" if record.oversubscribed else ""
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _measured(figure: Figure, unit: str, source: str) -> Quantity:
    return Quantity(rounded(figure.value), unit, Provenance("measured", source, rounded(figure.spread, 2)))


def _override(
    parts: tuple[Part, ...], names: tuple[str, ...], kinds: tuple[str, ...], properties: Mapping[str, Value]
) -> tuple[Part, ...]:
    """The parts with properties set on the one that the names lead to, laid over its type where need be."""
    own = next((part for part in parts if part.name == names[0]), None)
    changed = own or Part(kinds[0], names[0])
    if len(names) == 1:
        laid: Properties = tuple(sorted({**dict(changed.properties), **properties}.items()))
        changed = replace(changed, properties=laid)
    else:
        changed = replace(changed, parts=_override(changed.parts, names[1:], kinds[1:], properties))
    if own is None:
        return (*parts, changed)
    return tuple(changed if part is own else part for part in parts)


def _notes(record: Record) -> dict[str, str]:
    """What the language has no property for: the segments of the fits, one core alone, collectives."""
    notes = {
        "calibration": f"{_counted(record.ranks, 'rank')} on {_counted(record.nodes, 'node')} "
        f"in {record.seconds:.0f} s" + (", more ranks than cores" if record.oversubscribed else ""),
        "core_stream": _note(record.core_stream, "B/s"),
        "core_copy": _note(record.core_copy, "B/s"),
        "node_stream": _note(record.node_stream, "B/s"),
        **{f"core_gemm_{dtype}": _note(figure, "FLOP/s") for dtype, figure in record.core_gemm.items()},
    }
    for name, figure in (("file_read", record.read), ("file_write", record.write)):
        if figure is not None:
            notes[name] = _note(figure, "B/s")
    for name, messages in (("local", record.local), ("remote", record.remote)):
        if messages is not None:
            notes[f"messages_{name}"] = segments_text(messages.fit.segments)
            notes[f"messages_{name}_fit"] = (
                f"R2 {messages.fit.r2:.4f}, +- {rounded(100 * messages.spread, 2):g} %"
            )
    for entry in record.collectives:
        key, size = f"{entry.name}_{entry.ranks}", f"{text(entry.size, 'B')}: " if entry.size else ""
        told = f"{notes[key]}; " if key in notes else ""
        notes[key] = f"{told}{size}{_note(entry.seconds, 's')}"
    return notes


def _note(figure: Figure, unit: str) -> str:
    return f"{text(rounded(figure.value), unit)} +- {rounded(100 * figure.spread, 2):g} %"

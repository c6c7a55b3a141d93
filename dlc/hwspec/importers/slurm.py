"""Slurm's configuration: nodes of slurm.conf, generic resources of gres.conf, and the tree of topology.conf.

Slurm counts cores, memory and devices, and knows no rates: those are assumed. Its switches become a fat tree,
switches with links where the tree is uneven, or one star where no topology is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dlc.diagnostics import DlcError, SourceLoc
from dlc.hwspec.check import check
from dlc.hwspec.detection.slurm import expand
from dlc.hwspec.importers.building import (
    CLOCK,
    DISK_RATE,
    MEMORY_BANDWIDTH,
    NIC_BANDWIDTH,
    NIC_LATENCY,
    assumed,
    configured,
    every,
    link,
    name_of,
    part,
)
from dlc.hwspec.importers.slurm_topology import Switch, network
from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Part, Value

_SOURCE = "slurm.conf"
_MIB = 1 << 20
_ENTRY = re.compile(r'([A-Za-z]\w*)\s*=\s*("[^"]*"|[^\s"]*)')
_HOSTS = re.compile(r"(?:[^\s\[\]]|\[[\d,-]+\])+")
_MAX_LINE = 1 << 20


@dataclass(frozen=True)
class Line:
    """One line of a file: its first word, the names that it is about, and all entries in small letters."""

    kind: str
    entries: Mapping[str, str]
    loc: SourceLoc

    def names(self, key: str) -> tuple[str, ...]:
        """The names that a host list stands for. Raises DLC415 for what is none, and too long ones."""
        if key not in self.entries:
            return ()
        names = expand(self.entries[key]) if _HOSTS.fullmatch(self.entries[key]) else ()
        if not names:
            raise DlcError(
                "DLC415",
                f"`{self.entries[key][:60]}` is no list of names",
                loc=self.loc,
                help="write it as Slurm does, `n[001-128,130]`, with at most a million names",
            )
        return names

    def count(self, key: str, default: int = 0) -> int:
        """A whole number. Raises DLC415."""
        text = self.entries.get(key, "")
        if not text:
            return default
        if not re.fullmatch(r"\d{1,12}", text):
            raise DlcError("DLC415", f"{key} is `{text[:40]}`, not a whole number", loc=self.loc)
        return int(text)


@dataclass
class _Nodes:
    """Nodes of one line; `devices` counts the generic resources of one node by kind and type."""

    names: tuple[str, ...]
    line: Line
    devices: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])


def read(texts: Mapping[str, str]) -> Machine:
    """The checked machine that these files describe together, in any order.

    Raises DLC415 for a line that Slurm would not read, DLC416 without nodes, DLC417 for files that disagree.
    """
    lines = [line for file, text in texts.items() for line in _lines(text, file)]
    groups = _nodes(lines)
    for line in lines:
        if line.kind == "name":
            _add_devices(line, groups)
    switches = [Switch(line.entries["switchname"], line) for line in lines if line.kind == "switchname"]
    parts, places = _parts(groups)
    parts += network(parts, places, [inner for switch in switches for inner in switch.each()])
    cluster = next((line.entries["clustername"] for line in lines if line.kind == "clustername"), "cluster")
    hosts = (
        (f"slurm_{each.name}", group.line.entries["nodename"])
        for each, group in zip(parts, groups, strict=False)
    )
    meta = (("manager", "slurm"), ("source", ", ".join(texts)), *hosts)
    texts_of_meta = tuple(sorted((key, text.replace('"', "'")) for key, text in meta))
    return check(
        Machine(name_of(cluster, "cluster"), (), tuple(parts), texts_of_meta, loc=groups[0].line.loc)
    )


def _lines(text: str, file: str) -> Iterator[Line]:
    """The lines that speak of nodes, switches and resources; all others are Slurm's own affair."""
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        start = start or number
        content = raw.partition("#")[0].rstrip()
        if content.endswith("\\") and len(pending) < _MAX_LINE:
            pending += content[:-1] + " "
            continue
        entries = {key.lower(): value.strip('"') for key, value in _ENTRY.findall(pending + content)}
        kind = next(iter(entries), "")
        if kind == "nodename" and "name" in entries:
            kind = "name"  # gres.conf names the nodes first
        if kind in ("nodename", "switchname", "name", "clustername"):
            yield Line(kind, entries, SourceLoc(file, start))
        pending, start = "", 0


def _nodes(lines: list[Line]) -> list[_Nodes]:
    defaults: dict[str, str] = {}
    groups: list[_Nodes] = []
    seen: set[str] = set()
    for line in lines:
        if line.kind != "nodename":
            continue
        if line.entries["nodename"].upper() == "DEFAULT":
            defaults |= line.entries
            continue
        complete = Line(line.kind, defaults | dict(line.entries), line.loc)
        names = complete.names("nodename")
        twice = next((name for name in names if name in seen), None)
        if twice is not None:
            raise DlcError("DLC417", f"the node {twice} is described twice", loc=line.loc)
        seen.update(names)
        groups.append(_Nodes(names, complete, _declared(complete)))
    if not groups:
        raise DlcError(
            "DLC416",
            "no line describes a node",
            help="import slurm.conf, or the file with its NodeName lines, together with the others",
        )
    return groups


def _declared(line: Line) -> dict[tuple[str, str], int]:
    """`gpu:v100:4,nvme:1` of slurm.conf."""
    found: dict[tuple[str, str], int] = {}
    for entry in filter(None, line.entries.get("gres", "").split(",")):
        kind, *rest = re.sub(r"\(.*\)", "", entry).split(":")
        last = rest[-1] if rest and re.fullmatch(r"\d{1,6}", rest[-1]) else ""
        type_ = rest[0] if rest and rest[0] != last else ""
        found[kind.lower(), type_] = int(last or 1)
    return found


def _add_devices(line: Line, groups: list[_Nodes]) -> None:
    """A line of gres.conf: it counts again what slurm.conf may have counted, and then it wins."""
    concerned = set(line.names("nodename"))
    known = {name for group in groups for name in group.names}
    if unknown := concerned - known:
        raise DlcError("DLC417", f"no line describes the node {min(unknown)}", loc=line.loc)
    key = (line.entries["name"].lower(), line.entries.get("type", ""))
    copies = line.count("count") or len(line.names("file")) or 1
    for group in groups:
        if concerned and not concerned >= set(group.names):
            if concerned & set(group.names):
                message = f"this names some of the nodes of {group.line.entries['nodename'][:60]} only"
                fix = "give nodes with other devices a NodeName line of their own"
                raise DlcError("DLC417", message, loc=line.loc, help=fix)
            continue
        # Without names a line is for every node that slurm.conf gives such devices.
        if (concerned and "gres" not in group.line.entries) or key in group.devices:
            group.devices[key] = copies


def _parts(groups: list[_Nodes]) -> tuple[list[Part], dict[str, tuple[str, int]]]:
    """The node parts, and where each host is: the name of its part and its number there."""
    parts: list[Part] = []
    places: dict[str, tuple[str, int]] = {}
    for group in groups:
        prefix = re.match(r"\D*", group.names[0])
        base = name_of((prefix[0] if prefix else "").rstrip("-_"), "n")
        taken = {"switch", "net", *(each.name for each in parts)}
        name = base if base not in taken else f"{base}_{len(parts)}"
        parts.append(_node(name, group))
        places |= {host: (name, index) for index, host in enumerate(group.names)}
    return parts, places


def _node(name: str, group: _Nodes) -> Part:
    line, loc = group.line, group.line.loc
    threads = line.count("threadspercore", 1) or 1
    sockets = line.count("sockets") or line.count("boards", 1) * line.count("socketsperboard", 1) or 1
    cores = line.count("corespersocket") or max(1, line.count("cpus", 1) // (sockets * threads))
    memory = line.count("realmemory", 1024) * _MIB
    cpu = {
        "cores": configured(cores, "1", _SOURCE),
        "smt": configured(threads, "1", _SOURCE),
        "clock": assumed(CLOCK, "Hz"),
    }
    ram = {
        "capacity": configured(memory // sockets, "B", _SOURCE),
        "bandwidth": assumed(MEMORY_BANDWIDTH, "B/s"),
    }
    if "realmemory" not in line.entries:
        ram["capacity"] = assumed(memory // sockets, "B")
    inner = (part("cpu", "c", loc, cpu), part("memory", "ram", loc, ram))
    parts = [part("socket", "s", loc, parts=inner, count=_copies(sockets))]
    parts += [
        part(kind, name_of(type_, kind), loc, count=_copies(copies))
        for (kind, type_), copies in group.devices.items()
        if kind == "gpu" and copies
    ]
    bus: dict[str, Value | None] = {"bandwidth": assumed(8e9, "B/s"), "duplex": "full"}
    wire = {"bandwidth": assumed(NIC_BANDWIDTH, "B/s"), "latency": assumed(NIC_LATENCY, "s")}
    nic = part("nic", "nic", loc, wire)
    links = [link(f"{every(parts[0])}.c", every(each), loc, bus) for each in parts[1:]]
    if disk := line.count("tmpdisk") * _MIB:
        rate = assumed(DISK_RATE, "B/s")
        storage = {"capacity": configured(disk, "B", _SOURCE), "read": rate, "write": rate}
        parts.append(part("disk", "tmp", loc, storage))
    return part("node", name, loc, parts=[*parts, nic, *links], count=_copies(len(group.names)))


def _copies(count: int) -> int | None:
    return count if count > 1 else None

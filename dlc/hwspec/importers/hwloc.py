"""The XML that `lstopo --of xml` writes, versions 2 and 3: a node with sockets, caches, memory and devices.

What hwloc reads from the machine is measured. Rates of memory, disks and networks, which it seldom knows, are
assumed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dlc.diagnostics import DlcError
from dlc.hwspec.check import check
from dlc.hwspec.importers.building import (
    CLOCK,
    MEMORY_BANDWIDTH,
    assumed,
    every,
    link,
    measured,
    merged,
    name_of,
    part,
)
from dlc.hwspec.importers.hwloc_devices import devices
from dlc.hwspec.importers.xml import Element, parse
from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Part

SOURCE = "hwloc"
_VERSIONS = ("2", "3")
_CACHE = re.compile(r"L([1-9])Cache")
_CORES = ("Core", "PU")
_MIB = 1 << 20


def read(text: str, file: str) -> Machine:
    """The checked machine of one node.

    Raises DLC415 for what is not XML, and DLC416 for another version or a topology without cores.
    """
    root = parse(text, file)
    version = root.get("version").partition(".")[0]
    if root.tag != "topology" or version not in _VERSIONS:
        found = f"a topology of version {root.get('version') or '1'}" if root.tag == "topology" else root.tag
        fix = "write it with lstopo of hwloc 2 or later: lstopo --of xml machine.xml"
        raise DlcError("DLC416", f"expected the XML of lstopo 2 or 3, found {found}", loc=root.loc, help=fix)
    top = next((child for child in root.children if child.get("type") == "Machine"), None)
    if top is None or not _cores(top):
        raise DlcError("DLC416", "the topology has no cores", loc=root.loc)
    return _Reader(version, root).machine(top)


class _Reader:
    """Reads the objects of one topology."""

    def __init__(self, version: str, root: Element) -> None:
        self._version = version
        self._clock = _clock(root)
        self._bandwidth = _memory_attribute(root, "Bandwidth", _MIB)
        self._latency = _memory_attribute(root, "Latency", 1e-9)

    def machine(self, top: Element) -> Machine:
        packages = [item for item in top.walk() if item.get("type") == "Package"]
        sockets = merged([part("socket", "s", item.loc, parts=self._content(item)) for item in packages], "s")
        below = [*sockets, *self._content(top, sockets)]
        if not any(_holds_memory(each) for each in below):
            below.append(part("memory", "ram", top.loc, {"capacity": assumed(1 << 30, "B"), **_RATE}))
        node = part("node", "n", top.loc, parts=below)
        known = {child.get("name"): child.get("value") for child in top.children if child.tag == "info"}
        product = " ".join(filter(None, (known.get("DMISysVendor"), known.get("DMIProductName"))))
        meta = {"source": f"lstopo of hwloc {known.get('hwlocVersion', self._version)}", "product": product}
        texts = tuple((key, text.replace('"', "'")[:200]) for key, text in sorted(meta.items()) if text)
        return check(Machine(name_of(known.get("HostName", "host"), "host"), (), (node,), texts, loc=top.loc))

    def _content(self, holder: Element, sockets: list[Part] | None = None) -> list[Part]:
        """What lies in a package, or in the machine outside of its packages."""
        inside = list(_inside(holder))
        parts: list[Part] = []
        processors = [f"{every(socket)}.c" for socket in sockets or ()]
        if not sockets and (cores := _cores(holder)):
            parts += [self._cpu(holder, cores), *_caches(inside, len(cores))]
            processors = ["c"]
        parts += merged([self._memory(item) for item in inside if _is_memory(item)], "ram")
        found = devices(inside, self._version)
        parts += found.parts
        for device in found.processors:
            rate = {"bandwidth": found.bus, "duplex": "full"}
            parts += [link(cpu, every(device), holder.loc, rate) for cpu in processors]
        return parts

    def _cpu(self, holder: Element, cores: list[Element]) -> Part:
        threads = max(sum(item.get("type") == "PU" for item in core.walk()) for core in cores)
        properties = {
            "cores": measured(len(cores), "1", SOURCE),
            "smt": measured(threads, "1", SOURCE) if threads else None,
            "clock": measured(self._clock, "Hz", SOURCE) if self._clock else assumed(CLOCK, "Hz"),
        }
        return part("cpu", "c", holder.loc, properties)

    def _memory(self, domain: Element) -> Part:
        index = domain.get("gp_index")
        bandwidth, latency = self._bandwidth.get(index), self._latency.get(index)
        rate = {"bandwidth": measured(bandwidth, "B/s", SOURCE)} if bandwidth else _RATE
        properties = {
            "capacity": measured(domain.number("local_memory"), "B", SOURCE),
            "latency": measured(latency, "s", SOURCE) if latency else None,
            **rate,
        }
        return part("memory", "ram", domain.loc, properties)


_RATE = {"bandwidth": assumed(MEMORY_BANDWIDTH, "B/s")}


def _inside(holder: Element) -> Iterator[Element]:
    """All objects below, without what lies in packages."""
    for child in holder.children:
        if child.get("type") != "Package":
            yield child
            yield from _inside(child)


def _cores(holder: Element) -> list[Element]:
    """The cores, or the hardware threads where cores are unknown."""
    for kind in _CORES:
        if found := [item for item in holder.walk() if item.get("type") == kind]:
            return found
    return []


def _is_memory(item: Element) -> bool:
    """Whether this is memory of the host: that of a GPU in the same address space is a domain too."""
    return (
        item.get("type") == "NUMANode"
        and item.get("subtype") != "GPUMemory"
        and item.number("local_memory") > 0
    )


def _holds_memory(each: Part) -> bool:
    return each.kind == "memory" or (
        each.kind == "socket" and any(_holds_memory(inner) for inner in each.parts)
    )


def _caches(inside: list[Element], cores: int) -> Iterator[Part]:
    """One part a level; `per` says when every core or the whole package has one, else they are counted."""
    levels: dict[str, list[Element]] = {}
    for item in inside:
        match = _CACHE.fullmatch(item.get("type"))
        if match and item.number("cache_size") > 0:
            name = f"l{match[1]}" + ("d" if item.get("cache_type") == "1" else "")
            levels.setdefault(name, []).append(item)
    for name, found in sorted(levels.items()):
        line = found[0].number("cache_linesize")
        of_core = len(found) == cores and (cores > 1 or name < "l3")
        per = "core" if of_core else "socket" if len(found) == 1 else None
        properties = {
            "capacity": measured(found[0].number("cache_size"), "B", SOURCE),
            "line": measured(line, "B", SOURCE) if line else None,
            "per": per,
        }
        yield part("cache", name, found[0].loc, properties, count=None if per else len(found))


def _clock(root: Element) -> float:
    """Hz of the fastest kind of core, 0 where the file does not say."""
    found = [
        info.number("value")
        for kind in root.children
        if kind.tag == "cpukind"
        for info in kind.children
        if info.get("name") == "FrequencyMaxMHz"
    ]
    return max(found, default=0) * 1e6


def _memory_attribute(root: Element, name: str, unit: float) -> dict[str, float]:
    """What the firmware says of memory domains, by their global index; the best of several initiators."""
    found: dict[str, float] = {}
    best = max if name == "Bandwidth" else min
    for attribute in root.children:
        if attribute.tag == "memattr" and attribute.get("name") == name:
            for value in attribute.children:
                index, number = value.get("target_obj_gp_index"), value.number("value") * unit
                if number > 0:
                    found[index] = best(found.get(index, number), number)
    return found

"""Devices in the XML of lstopo: what hangs on the PCI bus and what the operating system makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dlc.hwspec.importers.building import (
    DISK_RATE,
    MEMORY_BANDWIDTH,
    NIC_BANDWIDTH,
    assumed,
    measured,
    merged,
    part,
)
from dlc.hwspec.importers.xml import Element
from dlc.hwspec.parts import Part, Quantity

_SOURCE = "hwloc"
_KIB = 1 << 10
_BUS = 8e9
# What programs compute with; a card that only drives a display has none of these.
_COMPUTES = {
    "CUDA": "gpu",
    "NVML": "gpu",
    "RSMI": "gpu",
    "LevelZero": "gpu",
    "OpenCL": "gpu",
    "VectorEngine": "accel",
}
_MEMORY = (
    "CUDAGlobalMemorySize",
    "RSMIVRAMSize",
    "LevelZeroHBMSize",
    "LevelZeroDDRSize",
    "OpenCLGlobalMemorySize",
)
# Version 2 numbers the kinds of devices, version 3 has a bit for each.
_NUMBERED = {0: {"storage"}, 2: {"network"}, 3: {"network"}}
_BITS = {1: "storage", 16: "network", 32: "network"}
_NO_DISKS = ("Removable Media Device", "Tape")


@dataclass(frozen=True)
class Devices:
    """The parts of a holder, those of them that compute, and the rate of the bus that leads to these."""

    parts: list[Part]
    processors: list[Part]
    bus: Quantity


def devices(inside: Sequence[Element], version: str) -> Devices:
    """The processors, network interfaces and disks among these objects."""
    cards = [item for item in inside if item.get("type") == "PCIDev"]
    computing = {kind: [card for card in cards if _computes(card) == kind] for kind in ("gpu", "accel")}
    processors = [
        each
        for kind, found in computing.items()
        for each in merged([_processor(card, kind) for card in found], kind)
    ]
    rates = [rate for found in computing.values() for card in found if (rate := _link_rate(card))]
    nics = merged([_nic(card) for card in cards if _is("network", card.walk(), version)], "nic")
    disks = merged(
        [_disk(item) for item in inside if _is("storage", [item], version) and _size(item)], "disk"
    )
    bus = measured(min(rates), "B/s", "hwloc, link of the PCI bus") if rates else assumed(_BUS, "B/s")
    return Devices([*processors, *nics, *disks], processors, bus)


def _computes(card: Element) -> str:
    """The kind of processor on a card, if any; older versions tell the programming model as an annotation."""
    for item in card.walk():
        models = [item.get("subtype"), *(i.get("value") for i in item.children if i.get("name") == "Backend")]
        for model in models:
            if model in _COMPUTES:
                return _COMPUTES[model]
    return ""


def _processor(card: Element, kind: str) -> Part:
    size = max(
        (_kib(info) for item in card.walk() for info in item.children if info.get("name") in _MEMORY),
        default=0,
    )
    memory = {"capacity": measured(size, "B", _SOURCE), "bandwidth": assumed(MEMORY_BANDWIDTH, "B/s")}
    return part(kind, kind, card.loc, parts=[part("memory", "ram", card.loc, memory)] if size else ())


def _nic(card: Element) -> Part:
    # A network is no faster than the bus that it hangs on; hwloc knows no more of it.
    return part("nic", "nic", card.loc, {"bandwidth": assumed(_link_rate(card) or NIC_BANDWIDTH, "B/s")})


def _disk(device: Element) -> Part:
    rate = assumed(DISK_RATE, "B/s")
    return part(
        "disk",
        "disk",
        device.loc,
        {"capacity": measured(_size(device), "B", _SOURCE), "read": rate, "write": rate},
    )


def _size(device: Element) -> int:
    if device.get("subtype") in _NO_DISKS:
        return 0
    return max((_kib(info) for info in device.children if info.get("name") == "Size"), default=0)


def _link_rate(card: Element) -> float:
    """B/s, 0 where it is unknown."""
    speed = card.get("pci_link_speed")
    return float(speed) * 1e9 if re.fullmatch(r"\d{1,6}(\.\d{1,9})?", speed) else 0.0


def _kib(info: Element) -> int:
    """Bytes of a size in KiB, which version 3 writes with its unit."""
    match = re.fullmatch(r"(\d{1,15})(KiB)?", info.get("value"))
    return int(match[1]) * _KIB if match else 0


def _is(kind: str, items: Iterable[Element], version: str) -> bool:
    """Whether one of these devices of the operating system is of that kind."""
    for item in items:
        if item.get("type") == "OSDev":
            code = item.number("osdev_type")
            kinds = (
                _NUMBERED.get(code, set[str]())
                if version == "2"
                else {_BITS[bit] for bit in _BITS if code & bit}
            )
            if kind in kinds:
                return True
    return False

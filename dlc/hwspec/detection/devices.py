"""Disks and network interfaces, from /sys."""

import os
import re
from pathlib import Path

from dlc.hwspec.detection.facts import Disk, Nic
from dlc.hwspec.detection.files import number, read

_NO_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")
# Hypervisors call their disks rotating whatever they lie on.
_HIDDEN_DISKS = ("vd", "xvd")
_MAX_DEVICES = 16
_INFINIBAND = 32  # the type of a network device that is another face of an InfiniBand port


def disks(root: Path) -> tuple[Disk, ...]:
    """The whole disks of the machine; partitions and what is made of disks do not count again."""
    found: list[Disk] = []
    for folder in sorted((root / "sys/block").glob("*")):
        sectors = number(folder / "size")
        if not sectors or sectors < 0 or folder.name.startswith(_NO_DISKS):
            continue
        # The size is in sectors of 512 B, whatever the disk has.
        found.append(Disk(folder.name, sectors * 512, _disk_kind(folder), read(folder / "device/model")[:64]))
    return tuple(found[:_MAX_DEVICES])


def _disk_kind(folder: Path) -> str:
    if folder.name.startswith("nvme"):
        return "nvme"
    rotational = number(folder / "queue/rotational")
    if rotational is None or folder.name.startswith(_HIDDEN_DISKS):
        return ""
    return "hdd" if rotational else "ssd"


def nics(root: Path) -> tuple[Nic, ...]:
    """The network interfaces that are up, the fastest first; an adapter's second face does not count."""
    found: list[Nic] = []
    faces: set[str] = set()
    for adapter in sorted((root / "sys/class/infiniband").glob("*")):
        faces |= {face.name for face in (adapter / "device/net").glob("*")}
        for port in sorted((adapter / "ports").glob("*")):
            if "ACTIVE" not in read(port / "state"):
                continue
            name = adapter.name if port.name == "1" else f"{adapter.name}_{port.name}"
            kind = "ethernet" if read(port / "link_layer") == "Ethernet" else "infiniband"
            rate = re.match(r"(\d{1,5}(?:\.\d{1,3})?) Gb/sec", read(port / "rate"))
            found.append(Nic(name, kind, float(rate[1]) * 1e9 / 8 if rate else 0.0))
    for folder in sorted((root / "sys/class/net").glob("*")):
        # Only what stands on a device is hardware: no loopback, bridge or tunnel.
        real = (folder / "device").exists() and number(folder / "type") != _INFINIBAND
        if not real or folder.name in faces or read(folder / "operstate") != "up":
            continue
        megabits = number(folder / "speed") or 0
        found.append(Nic(folder.name, "ethernet", max(megabits, 0) * 1e6 / 8))  # -1: the driver cannot tell
    return tuple(sorted(found, key=lambda nic: -nic.rate)[:_MAX_DEVICES])


def disk_of(root: Path, device: int) -> str:
    """The disk, as `disks` names it, that holds the file system of a device number; "" if there is none."""
    place = root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}"
    if not place.exists():
        return ""  # memory, a network, or layers of a container
    folder = place.resolve()
    while below := sorted((folder / "slaves").glob("*")):
        folder = below[0].resolve()  # made of disks, such as a logical volume: the first stands for all
    return (folder.parent if (folder / "partition").exists() else folder).name

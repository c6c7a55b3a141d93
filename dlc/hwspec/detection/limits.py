"""Memory and processor time: what the machine has, and what the control groups of this process allow."""

import re
from pathlib import Path

from dlc.hwspec.detection.files import number, read

_UNLIMITED = 1 << 60  # version 1 of cgroups writes a huge number of bytes where there is no limit
_PERIOD = 100_000  # microseconds, the default of the kernel


def memory(root: Path) -> int:
    """Bytes of the machine's memory; hwloc and the BIOS tables may say another size in virtual machines."""
    total = re.search(r"^MemTotal:\s*(\d{1,18}) kB", read(root / "proc/meminfo"), re.MULTILINE)
    return int(total[1]) * 1024 if total else 0


def memory_limit(root: Path) -> int:
    """Bytes that the control groups allow, 0 for no limit."""
    names = {1: "memory.limit_in_bytes", 2: "memory.max"}
    limits = [number(folder / names[version]) for version, folder in _groups(root, "memory")]
    return min((limit for limit in limits if limit and 0 < limit < _UNLIMITED), default=0)


def cpu_quota(root: Path) -> float:
    """Processors' worth of time that the control groups allow, 0 for no limit."""
    quotas: list[float] = []
    for version, folder in _groups(root, "cpu"):
        if version == 1:
            quota, period = read(folder / "cpu.cfs_quota_us"), read(folder / "cpu.cfs_period_us")
        else:
            quota, _, period = read(folder / "cpu.max").partition(" ")
        if re.fullmatch(r"[1-9]\d{0,17}", quota):
            quotas.append(int(quota) / (int(period) if re.fullmatch(r"[1-9]\d{0,17}", period) else _PERIOD))
    return min(quotas, default=0.0)


def _groups(root: Path, controller: str) -> list[tuple[int, Path]]:
    """The control group of this process and all above it: version of cgroups, and folder."""
    found: list[tuple[int, Path]] = []
    for line in read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        base = root / "sys/fs/cgroup" / (controller if controllers else "")
        # Inside a container the path may be that of the host; the limit then lies at the root of the mount.
        relative = Path(group.lstrip("/"))
        folders = (folder for folder in (relative, *relative.parents) if ".." not in folder.parts)
        found += [(1 if controllers else 2, base / folder) for folder in folders]
    return found

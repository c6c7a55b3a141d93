"""Describes the machine at hand from what Linux tells, as far as this process may use it.

`read_facts` reads /proc and /sys; `describe` is pure. What a kernel, a container or a virtual machine hides
is left out or assumed, and marked so.
"""

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from dlc.hwspec.units import text

# Rates that the operating system does not tell, low enough that a prediction errs on the slow side.
_MEMORY_BANDWIDTH = 20e9
_DISK_RATE = 500e6
_SHARED_BANDWIDTH, _SHARED_LATENCY = 10e9, 1e-6
_CLOCK = 2e9
# Double-precision operations per cycle and core; wider units of some processors take two cycles an operation.
_FLOP_PER_CYCLE = {"avx2": 16, "avx": 8, "sve": 8, "asimd": 8, "vsx": 8}
_ISA = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve", "sve2", "vsx")
_VIRTUAL_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")
_MAX_DISKS = 16
_UNLIMITED = 1 << 60  # version 1 of cgroups writes a huge number of bytes where there is no limit
_PERIOD = 100_000  # microseconds, the default of the kernel


@dataclass(frozen=True)
class Cache:
    """One cache level: sizes in bytes, `cpus` that share an instance."""

    name: str
    size: int
    line: int
    cpus: int


@dataclass(frozen=True)
class Facts:
    """What was read; numbers are 0 where nothing is known. `sockets` has the usable cores of each."""

    sockets: tuple[int, ...]
    threads: int = 1
    clock: float = 0.0
    isa: tuple[str, ...] = ()
    caches: tuple[Cache, ...] = ()
    numa_nodes: int = 1
    memory: int = 0
    memory_limit: int = 0
    cpu_quota: float = 0.0
    disks: tuple[tuple[str, int], ...] = field(default=())


def read_facts(root: Path = Path("/"), cpus: frozenset[int] | None = None) -> Facts:
    """The facts of the machine whose /proc and /sys lie below `root`; `cpus` may run this process."""
    usable = cpus if cpus is not None else frozenset(os.sched_getaffinity(0))
    info = _read(root / "proc/cpuinfo")
    sockets, threads = _topology(root, usable, info)
    total = re.search(r"^MemTotal:\s*(\d{1,18}) kB", _read(root / "proc/meminfo"), re.MULTILINE)
    nodes = list((root / "sys/devices/system/node").glob("node[0-9]*"))
    return Facts(
        sockets=sockets,
        threads=threads,
        clock=_clock(root, usable, info),
        isa=_isa(info),
        caches=_caches(root, min(usable, default=0)),
        numa_nodes=max(1, len(nodes)),
        memory=int(total[1]) * 1024 if total else 0,
        memory_limit=_memory_limit(root),
        cpu_quota=_cpu_quota(root),
        disks=_disks(root),
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    content = _read(path)
    return int(content) if re.fullmatch(r"-?[0-9]{1,20}", content) else None


def _topology(root: Path, usable: frozenset[int], info: str) -> tuple[tuple[int, ...], int]:
    """Usable physical cores of each socket, and usable threads per core."""
    threads: Counter[tuple[int, int]] = Counter()
    listed = _listed_cores(info)
    for cpu in usable:
        folder = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        package, core = _number(folder / "physical_package_id"), _number(folder / "core_id")
        if package is None or core is None:
            package, core = listed.get(cpu, (0, cpu))
        threads[max(package, 0), core] += 1  # some virtual machines give package -1
    cores = Counter(package for package, _ in threads)
    return tuple(cores[package] for package in sorted(cores)) or (1,), max(threads.values(), default=1)


def _listed_cores(info: str) -> dict[int, tuple[int, int]]:
    """Socket and core of each processor as /proc/cpuinfo lists them."""
    found: dict[int, tuple[int, int]] = {}
    for block in info.split("\n\n"):
        fields = dict(re.findall(r"^(processor|physical id|core id)\s*:\s*(\d{1,9})", block, re.MULTILINE))
        if "processor" in fields:
            number = int(fields["processor"])
            found[number] = (int(fields.get("physical id", 0)), int(fields.get("core id", number)))
    return found


def _clock(root: Path, usable: frozenset[int], info: str) -> float:
    """Hz: the highest the kernel allows; the rate of the moment would differ from call to call."""
    top = _number(root / f"sys/devices/system/cpu/cpu{min(usable, default=0)}/cpufreq/cpuinfo_max_freq")
    if top and top > 0:
        return top * 1e3
    named = re.search(r"@ (\d+\.\d+)GHz", info)
    if named:
        return float(named[1]) * 1e9
    listed = re.search(r"^(?:cpu MHz|clock)\s*:\s*(\d+(?:\.\d+)?)", info, re.MULTILINE)
    return round(float(listed[1]), -1) * 1e6 if listed else 0.0


def _isa(info: str) -> tuple[str, ...]:
    found = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", info, re.MULTILINE)
    flags = set(found[1].split()) if found else set[str]()
    return tuple(name for name in _ISA if name in flags)


def _caches(root: Path, cpu: int) -> tuple[Cache, ...]:
    found: dict[str, Cache] = {}
    for folder in sorted((root / f"sys/devices/system/cpu/cpu{cpu}/cache").glob("index[0-9]*")):
        level, kind = _number(folder / "level"), _read(folder / "type")
        size = re.fullmatch(r"(\d{1,9})([KM]?)", _read(folder / "size"))
        if level not in range(1, 10) or size is None or kind == "Instruction":
            continue
        factor = {"": 1, "K": 1 << 10, "M": 1 << 20}[size[2]]
        name = f"l{level}" + ("d" if kind == "Data" else "")
        cpus = _count_listed(_read(folder / "shared_cpu_list"))
        line = _number(folder / "coherency_line_size") or 0
        found[name] = Cache(name, int(size[1]) * factor, max(line, 0), cpus)
    return tuple(cache for cache in found.values() if cache.size)


def _count_listed(cpus: str) -> int:
    """How many processors a list such as `0-3,8` names."""
    ranges = re.findall(r"(\d{1,9})(?:-(\d{1,9}))?", cpus)
    return sum(int(last or first) - int(first) + 1 for first, last in ranges) or 1


def _groups(root: Path, controller: str) -> list[tuple[int, Path]]:
    """The control group of this process and all above it: version of cgroups, and folder."""
    found: list[tuple[int, Path]] = []
    for line in _read(root / "proc/self/cgroup").splitlines():
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


def _memory_limit(root: Path) -> int:
    names = {1: "memory.limit_in_bytes", 2: "memory.max"}
    limits = [_number(folder / names[version]) for version, folder in _groups(root, "memory")]
    return min((limit for limit in limits if limit and 0 < limit < _UNLIMITED), default=0)


def _cpu_quota(root: Path) -> float:
    """Processors' worth of time that the cgroup allows, 0 for no limit."""
    quotas: list[float] = []
    for version, folder in _groups(root, "cpu"):
        if version == 1:
            quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        else:
            quota, _, period = _read(folder / "cpu.max").partition(" ")
        if re.fullmatch(r"[1-9]\d{0,17}", quota):
            quotas.append(int(quota) / (int(period) if re.fullmatch(r"[1-9]\d{0,17}", period) else _PERIOD))
    return min(quotas, default=0.0)


def _disks(root: Path) -> tuple[tuple[str, int], ...]:
    found: list[tuple[str, int]] = []
    for folder in sorted((root / "sys/block").glob("*")):
        sectors = _number(folder / "size")
        if sectors and sectors > 0 and not folder.name.startswith(_VIRTUAL_DISKS):
            found.append((folder.name, sectors * 512))  # always in sectors of 512 B, whatever the disk has
    return tuple(found[:_MAX_DISKS])


def describe(facts: Facts) -> str:
    """The `.hw` text of these facts."""
    sockets = facts.sockets
    quota = max(1, int(facts.cpu_quota)) if facts.cpu_quota else sum(sockets)
    limited = quota < sum(sockets)
    if limited:
        # The quota counts time on any core; a socket of so many cores stands for it.
        sockets = (quota,)
    memory = min((size for size in (facts.memory, facts.memory_limit) if size), default=0)
    lines = [
        "# Written by `dlc hw detect`. @measured: read from the operating system; @assumed: to be calibrated."
    ]
    if limited:
        lines.append(f"# The control group allows {facts.cpu_quota:g} of {sum(facts.sockets)} cores.")
    if facts.memory_limit and facts.memory_limit == memory:
        lines.append(
            f"# The control group allows {text(memory, 'B')} of {text(facts.memory, 'B')} of memory."
        )
    lines += ["machine host {", "  node n {"]
    if len(set(sockets)) == 1:
        name = "s" if len(sockets) == 1 else f"s[0..{len(sockets) - 1}]"
        lines += _socket(name, sockets[0], len(sockets), facts, memory)
    else:
        for index, cores in enumerate(sockets):
            lines += _socket(f"s{index}", cores, len(sockets), facts, memory)
    for disk, size in facts.disks:
        rate = f"{text(_DISK_RATE, 'B/s')} @assumed"
        name = re.sub(r"\W", "_", disk)
        name = name if name[0].isalpha() else f"disk_{name}"
        lines.append(
            f"    disk {name} {{ capacity = {text(size, 'B')} @measured; read = {rate}; write = {rate} }}"
        )
    bandwidth, latency = text(_SHARED_BANDWIDTH, "B/s"), text(_SHARED_LATENCY, "s")
    shared = f"scope = core; bandwidth = {bandwidth} @assumed; latency = {latency} @assumed"
    lines += [f"    interconnect shm {{ {shared} }}", "  }", "}"]
    return "\n".join(lines) + "\n"


def _socket(name: str, cores: int, sockets: int, facts: Facts, memory: int) -> list[str]:
    clock = facts.clock or _CLOCK
    mark = "@measured" if facts.clock else "@assumed"
    width = next((flops for isa, flops in _FLOP_PER_CYCLE.items() if isa in facts.isa), 4)
    rate = cores * clock * width
    lines = [
        f"    socket {name} {{",
        f"      cpu c {{ cores = {cores} @measured; smt = {facts.threads} @measured",
    ]
    lines.append(f"              clock = {text(clock, 'Hz')} {mark}")
    if facts.isa:
        quoted = ", ".join(f'"{isa}"' for isa in facts.isa)
        lines.append(f"              isa = [{quoted}]")
    doubled = f"f64: {text(rate, 'FLOP/s')} @assumed, f32: {text(2 * rate, 'FLOP/s')} @assumed"
    lines.append(f"              compute = {{ {doubled} }} }}")
    for cache in facts.caches:
        per = "core" if cache.cpus <= facts.threads else "socket"
        line = f"; line = {cache.line} B @measured" if cache.line else ""
        lines.append(
            f"      cache {cache.name} {{ per = {per}; capacity = {text(cache.size, 'B')} @measured{line} }}"
        )
    domains = max(1, facts.numa_nodes // sockets)
    banks = "ram" if domains == 1 else f"ram[0..{domains - 1}]"
    share = memory // (sockets * domains)
    size = f"{text(share, 'B')} @measured" if share else "1 GiB @assumed"
    bandwidth = text(_MEMORY_BANDWIDTH / domains, "B/s")
    lines += [f"      memory {banks} {{ capacity = {size}; bandwidth = {bandwidth} @assumed }}", "    }"]
    return lines

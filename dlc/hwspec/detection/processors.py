"""Sockets, cores, threads, caches and NUMA domains, from /sys and, where a kernel hides them there, /proc."""

import re
from collections import Counter
from pathlib import Path

from dlc.hwspec.detection.facts import Cache
from dlc.hwspec.detection.files import listed, number, read

_ISA = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve", "sve2", "vsx")

Cores = dict[tuple[int, int], list[int]]


def cores(root: Path, usable: frozenset[int]) -> Cores:
    """The usable threads of each core, by socket and core."""
    found: Cores = {}
    info = _listed_cores(read(root / "proc/cpuinfo"))
    for cpu in sorted(usable):
        folder = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        package, core = number(folder / "physical_package_id"), number(folder / "core_id")
        if package is None or core is None:
            package, core = info.get(cpu, (0, cpu))
        found.setdefault((max(package, 0), core), []).append(cpu)  # some virtual machines give package -1
    return found


def _listed_cores(info: str) -> dict[int, tuple[int, int]]:
    """Socket and core of each processor as /proc/cpuinfo lists them."""
    found: dict[int, tuple[int, int]] = {}
    for block in info.split("\n\n"):
        fields = dict(re.findall(r"^(processor|physical id|core id)\s*:\s*(\d{1,9})", block, re.MULTILINE))
        if "processor" in fields:
            index = int(fields["processor"])
            found[index] = (int(fields.get("physical id", 0)), int(fields.get("core id", index)))
    return found


def sockets(found: Cores) -> tuple[int, ...]:
    """Usable physical cores of each socket."""
    counts = Counter(package for package, _ in found)
    return tuple(counts[package] for package in sorted(counts)) or (1,)


def threads(found: Cores) -> int:
    """Usable threads of a core."""
    return max((len(cpus) for cpus in found.values()), default=1)


def domains(root: Path, found: Cores) -> tuple[int, ...]:
    """The socket of each NUMA domain that has processors, as an index into `sockets`."""
    packages = sorted({package for package, _ in found})
    socket_of = {cpu: packages.index(package) for (package, _), cpus in found.items() for cpu in cpus}
    folder = root / "sys/devices/system/node"
    indices = sorted(
        int(entry.name[4:]) for entry in folder.glob("node[0-9]*") if re.fullmatch(r"node\d{1,6}", entry.name)
    )
    # Memory without processors beside it, such as that of a gpu, is not where ranks allocate.
    local = [cpus for index in indices if (cpus := listed(read(folder / f"node{index}/cpulist")))]
    return tuple(next((socket_of[cpu] for cpu in sorted(cpus) if cpu in socket_of), 0) for cpus in local) or (
        0,
    )


def clock(root: Path, cpu: int) -> tuple[float, bool]:
    """Hz, and whether it is the highest that the kernel allows rather than the rate of the moment."""
    top = number(root / f"sys/devices/system/cpu/cpu{cpu}/cpufreq/cpuinfo_max_freq")
    if top and top > 0:
        return top * 1e3, True
    info = read(root / "proc/cpuinfo")
    named = re.search(r"@ (\d{1,3}\.\d{1,6})GHz", info)
    if named and float(named[1]):
        return float(named[1]) * 1e9, True
    # In steps of 100 MHz, so that two calls agree.
    now = re.search(r"^(?:cpu MHz|clock)\s*:\s*(\d{1,6}(?:\.\d{1,9})?)", info, re.MULTILINE)
    return (round(float(now[1]), -2) * 1e6 if now else 0.0), False


def isa(root: Path) -> tuple[str, ...]:
    """The instruction sets that matter for rates."""
    found = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", read(root / "proc/cpuinfo"), re.MULTILINE)
    flags = set(found[1].split()) if found else set[str]()
    return tuple(name for name in _ISA if name in flags)


def caches(root: Path, cpu: int) -> tuple[Cache, ...]:
    """The data caches as the processor `cpu` sees them."""
    folder = root / f"sys/devices/system/cpu/cpu{cpu}"
    package = len(listed(read(folder / "topology/package_cpus_list"))) or len(
        listed(read(folder / "topology/core_siblings_list"))
    )
    found: dict[str, Cache] = {}
    for entry in sorted((folder / "cache").glob("index[0-9]*")):
        level, kind = number(entry / "level"), read(entry / "type")
        size = re.fullmatch(r"(\d{1,9})([KM]?)", read(entry / "size"))
        if level not in range(1, 10) or size is None or kind == "Instruction":
            continue
        bytes_ = int(size[1]) * {"": 1, "K": 1 << 10, "M": 1 << 20}[size[2]]
        name = f"l{level}" + ("d" if kind == "Data" else "")
        sharing = len(listed(read(entry / "shared_cpu_list"))) or 1
        line = max(number(entry / "coherency_line_size") or 0, 0)
        if bytes_:
            found[name] = Cache(name, bytes_, line, sharing, max(1, package // sharing))
    return tuple(found.values())

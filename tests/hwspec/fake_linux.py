"""Trees of /proc and /sys as real machines show them."""

from pathlib import Path

from dlc import hwspec
from dlc.hwspec.detection import describe, read_facts

GIB = 1 << 30


def put(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + "\n", encoding="utf-8")
    return root


def workstation(
    root: Path, sockets: int = 2, cores: int = 4, threads: int = 2, domains: int = 4
) -> frozenset[int]:
    """A tree with all that a real machine has; returns its processors.

    Processors are numbered as Linux does on most servers: round the sockets, second threads last.
    """
    total = sockets * cores * threads
    flags = "flags\t\t: fpu avx2 fma avx512f"
    info = [f"processor\t: {cpu}\nmodel name\t: Xeon\ncpu MHz\t\t: 1234.567\n{flags}" for cpu in range(total)]
    files = {"proc/cpuinfo": "\n\n".join(info), "proc/meminfo": f"MemTotal:       {256 * GIB // 1024} kB"}

    def of_core(cpu: int) -> str:
        return ",".join(str(cpu % (sockets * cores) + step * sockets * cores) for step in range(threads))

    def of_socket(cpu: int) -> str:
        return ",".join(str(other) for other in range(cpu % sockets, total, sockets))

    for cpu in range(total):
        folder = f"sys/devices/system/cpu/cpu{cpu}"
        files[f"{folder}/topology/physical_package_id"] = str(cpu % sockets)
        files[f"{folder}/topology/core_id"] = str(cpu // sockets % cores)
        files[f"{folder}/topology/package_cpus_list"] = of_socket(cpu)
        files[f"{folder}/cpufreq/cpuinfo_max_freq"] = "3900000"
        for index, (level, kind, size, shared) in enumerate(
            [
                ("1", "Data", "48K", of_core(cpu)),
                ("1", "Instruction", "32K", of_core(cpu)),
                ("2", "Unified", "2M", of_core(cpu)),
                ("3", "Unified", "36608K", of_socket(cpu)),
            ]
        ):
            cache = f"{folder}/cache/index{index}"
            files |= {f"{cache}/level": level, f"{cache}/type": kind, f"{cache}/size": size}
            files |= {f"{cache}/shared_cpu_list": shared, f"{cache}/coherency_line_size": "64"}
    for domain in range(domains):
        near = [str(cpu) for cpu in range(total) if cpu % domains == domain]
        files[f"sys/devices/system/node/node{domain}/cpulist"] = ",".join(near)
    files["sys/block/nvme0n1/size"] = "3750748848"
    files |= {"sys/block/loop0/size": "8", "sys/block/sr0/size": "0"}
    put(root, files)
    return frozenset(range(total))


def detected(
    root: Path, cpus: frozenset[int], environment: dict[str, str] | None = None, nvml: object = None
) -> hwspec.Machine:
    """The machine that is made of such a tree, through its text."""
    facts = read_facts(root, cpus, environment or {}, nvml)  # pyright: ignore[reportArgumentType]
    return hwspec.loads(describe(facts), "host.hw")

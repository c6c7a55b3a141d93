"""The machine at hand as Linux shows it: whole, in a container, in a virtual machine, or hardly at all."""

from pathlib import Path

import pytest

from dlc import hwspec
from dlc.hwspec.detection import describe, read_facts

GIB = 1 << 30


def put(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + "\n")
    return root


def workstation(root: Path, sockets: int = 2, cores: int = 4, threads: int = 2) -> frozenset[int]:
    """A tree with all that a real machine has; returns its processors."""
    total = sockets * cores * threads
    flags = "flags\t\t: fpu avx2 fma avx512f"
    info = [f"processor\t: {cpu}\nmodel name\t: Xeon\ncpu MHz\t\t: 1234.567\n{flags}" for cpu in range(total)]
    files = {"proc/cpuinfo": "\n\n".join(info), "proc/meminfo": f"MemTotal:       {256 * GIB // 1024} kB"}
    for cpu in range(total):
        folder = f"sys/devices/system/cpu/cpu{cpu}"
        files[f"{folder}/topology/physical_package_id"] = str(cpu % sockets)
        files[f"{folder}/topology/core_id"] = str(cpu // sockets % cores)
        files[f"{folder}/cpufreq/cpuinfo_max_freq"] = "3900000"
        for index, (level, kind, size, shared) in enumerate(
            [
                ("1", "Data", "48K", "0,8"),
                ("1", "Instruction", "32K", "0,8"),
                ("2", "Unified", "2M", "0,8"),
                ("3", "Unified", "36608K", "0-7"),
            ]
        ):
            cache = f"{folder}/cache/index{index}"
            files |= {f"{cache}/level": level, f"{cache}/type": kind, f"{cache}/size": size}
            files |= {f"{cache}/shared_cpu_list": shared, f"{cache}/coherency_line_size": "64"}
    for node in range(4):
        files[f"sys/devices/system/node/node{node}/cpulist"] = "0"
    files["sys/block/nvme0n1/size"] = "3750748848"
    files |= {"sys/block/loop0/size": "8", "sys/block/sr0/size": "0"}
    put(root, files)
    return frozenset(range(total))


def detected(root: Path, cpus: frozenset[int]) -> hwspec.Machine:
    return hwspec.loads(describe(read_facts(root, cpus)), "host.hw")


def test_a_whole_machine_is_described(tmp_path: Path) -> None:
    machine = detected(tmp_path, workstation(tmp_path))
    cpu = machine.of_kind("cpu")[0].part
    assert (machine.count("node"), machine.count("socket"), machine.cores) == (1, 2, 8)
    assert (cpu.number("smt"), cpu.number("clock")) == (2, 3.9e9)
    assert cpu.texts("isa") == ("avx2", "fma", "avx512f")
    assert machine.memory_bytes == 256 * GIB
    assert machine.count("memory") == 4  # one for each NUMA domain
    caches = [
        (entry.part.name, entry.part.number("capacity"), entry.part.text("per"))
        for entry in machine.of_kind("cache")
    ]
    assert caches == [("l1d", 48 << 10, "core"), ("l2", 2 << 20, "core"), ("l3", 36608 << 10, "socket")]
    assert [entry.part.name for entry in machine.of_kind("disk")] == ["nvme0n1"]
    assert machine.capacity("n.nvme0n1") == 3750748848 * 512


def test_what_was_read_is_measured_and_what_was_not_is_assumed(tmp_path: Path) -> None:
    text = describe(read_facts(tmp_path, workstation(tmp_path)))
    assert "cores = 4 @measured" in text
    assert "clock = 3.9 GHz @measured" in text
    assert "bandwidth = 10 GB/s @assumed" in text
    machine = hwspec.loads(text)
    bandwidth = machine.of_kind("memory")[0].part.get("bandwidth")
    assert isinstance(bandwidth, hwspec.Quantity)
    assert bandwidth.provenance.kind == "assumed"


def test_only_the_processors_that_may_run_this_process_count(tmp_path: Path) -> None:
    workstation(tmp_path)
    machine = detected(tmp_path, frozenset({0, 2, 4, 1}))  # three cores of one socket and one of the other
    assert machine.cores == 4
    assert [entry.part.number("cores") for entry in machine.of_kind("cpu")] == [3, 1]


@pytest.mark.parametrize(
    ("files", "memory", "cores"),
    [
        ({"proc/self/cgroup": "0::/job", "sys/fs/cgroup/job/memory.max": str(16 * GIB)}, 16 * GIB, 8),
        (
            {
                "proc/self/cgroup": "0::/a/b",
                "sys/fs/cgroup/a/b/memory.max": "max",
                "sys/fs/cgroup/a/memory.max": str(8 * GIB),
            },
            8 * GIB,
            8,
        ),
        # Inside a container the named group is not there, and the root of the mount has the limit.
        ({"proc/self/cgroup": "0::/../outer", "sys/fs/cgroup/memory.max": str(4 * GIB)}, 4 * GIB, 8),
        (
            {"proc/self/cgroup": "9:memory:/x", "sys/fs/cgroup/memory/x/memory.limit_in_bytes": str(2 * GIB)},
            2 * GIB,
            8,
        ),
        (
            {
                "proc/self/cgroup": "9:memory:/",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            },
            256 * GIB,
            8,
        ),
        ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "250000 100000"}, 256 * GIB, 2),
        ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "50000 100000"}, 256 * GIB, 1),
        ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "max 100000"}, 256 * GIB, 8),
        (
            {
                "proc/self/cgroup": "3:cpu,cpuacct:/j",
                "sys/fs/cgroup/cpu/j/cpu.cfs_quota_us": "150000",
                "sys/fs/cgroup/cpu/j/cpu.cfs_period_us": "50000",
            },
            256 * GIB,
            3,
        ),
        ({"proc/self/cgroup": "3:cpu:/j", "sys/fs/cgroup/cpu/j/cpu.cfs_quota_us": "-1"}, 256 * GIB, 8),
    ],
)
def test_the_control_group_limits_the_machine(
    files: dict[str, str], memory: int, cores: int, tmp_path: Path
) -> None:
    cpus = workstation(tmp_path)
    put(tmp_path, files)
    machine = detected(tmp_path, cpus)
    assert (machine.memory_bytes, machine.cores) == (memory, cores)


def test_a_virtual_machine_that_hides_its_topology(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "proc/cpuinfo": "processor\t: 0\ncpu MHz\t: 2596.132\nflags\t: avx2\n\nprocessor\t: 1",
            "proc/meminfo": f"MemTotal: {2 * GIB // 1024} kB",
            "sys/block/vda/size": "2048",
        },
    )
    machine = detected(tmp_path, frozenset({0, 1}))
    assert (machine.count("socket"), machine.cores, machine.memory_bytes) == (1, 2, 2 * GIB)
    assert machine.of_kind("cpu")[0].part.number("clock") == 2.6e9


def test_nothing_at_all_still_gives_a_machine(tmp_path: Path) -> None:
    machine = detected(tmp_path, frozenset())
    assert (machine.cores, machine.memory_bytes) == (1, GIB)


@pytest.mark.parametrize("junk", ["", "garbage", "-1", "99999999999999999999", "\x00\xff", "0"])
def test_files_with_junk_are_taken_as_missing(junk: str, tmp_path: Path) -> None:
    cpus = workstation(tmp_path, sockets=1, cores=2, threads=1)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            file.write_bytes(junk.encode("latin-1"))
    assert detected(tmp_path, cpus).cores >= 1


def test_this_machine_is_described_the_same_twice() -> None:
    assert hwspec.detect() == hwspec.detect()
    assert hwspec.loads(hwspec.detect()).cores >= 1

"""The machine at hand as Linux shows it: whole, in a container, in a virtual machine, or hardly at all."""

from pathlib import Path

import pytest

from dlc import hwspec
from dlc.hwspec.detection import describe, read_facts
from tests.hwspec.fake_linux import GIB, detected, put, workstation


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
    text = describe(read_facts(tmp_path, workstation(tmp_path), {}))
    assert "cores = 4 @measured" in text
    assert 'clock = 3.9 GHz @spec("cpufreq")' in text
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


def test_a_cache_that_some_cores_of_a_socket_share_stands_once_for_each_such_group(tmp_path: Path) -> None:
    cpus = workstation(tmp_path, sockets=1, cores=16, threads=2, domains=1)
    for cpu in cpus:
        chiplet = cpu % 16 // 8
        shared = f"{8 * chiplet}-{8 * chiplet + 7},{16 + 8 * chiplet}-{23 + 8 * chiplet}"
        put(tmp_path, {f"sys/devices/system/cpu/cpu{cpu}/cache/index3/shared_cpu_list": shared})
    machine = detected(tmp_path, cpus)
    cache = next(entry.part for entry in machine.of_kind("cache") if entry.part.name == "l3")
    assert cache.number("shared_by") == 8


def test_memory_beside_no_processor_is_no_domain_of_ranks(tmp_path: Path) -> None:
    cpus = workstation(tmp_path, sockets=2, domains=2)
    put(tmp_path, {"sys/devices/system/node/node2/cpulist": ""})
    assert detected(tmp_path, cpus).count("memory") == 2


@pytest.mark.parametrize("junk", ["", "garbage", "-1", "99999999999999999999", "\x00\xff", "0"])
def test_files_with_junk_are_taken_as_missing(junk: str, tmp_path: Path) -> None:
    cpus = workstation(tmp_path, sockets=1, cores=2, threads=1, domains=1)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            file.write_bytes(junk.encode("latin-1"))
    assert detected(tmp_path, cpus).cores >= 1


def test_this_machine_is_described_the_same_twice() -> None:
    assert hwspec.detect() == hwspec.detect()
    assert hwspec.loads(hwspec.detect()).cores >= 1

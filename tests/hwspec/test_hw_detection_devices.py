"""Disks, network interfaces and graphics processors of the machine at hand."""

import ctypes
from pathlib import Path

import pytest

from dlc import hwspec
from dlc.hwspec.detection.gpus import _Memory, _Pci
from dlc.hwspec.detection.mpi import mpi
from tests.hwspec.fake_linux import detected, put, workstation
from tests.hwspec.fake_nvml import FakeGpu, FakeNvml


def provenance(machine: hwspec.Machine, kind: str, name: str) -> str:
    value = machine.of_kind(kind)[0].part.get(name)
    assert isinstance(value, hwspec.Quantity)
    return value.provenance.kind


def test_disks_are_told_by_kind_and_model(tmp_path: Path) -> None:
    cpus = workstation(tmp_path)
    put(
        tmp_path,
        {
            "sys/block/nvme0n1/device/model": "Samsung SSD 980",
            "sys/block/sda/size": "7814037168",
            "sys/block/sda/queue/rotational": "1",
            "sys/block/sda/device/model": 'ST4000 "quoted"',
            "sys/block/sdb/size": "1000",
            "sys/block/sdb/queue/rotational": "0",
            "sys/block/vda/size": "1000",
            "sys/block/vda/queue/rotational": "1",
        },
    )
    machine = detected(tmp_path, cpus)
    meta = dict(machine.meta)
    assert meta["disk_nvme0n1"] == "Samsung SSD 980 nvme"
    assert (meta["disk_sda"], meta["disk_sdb"]) == ("ST4000 quoted hdd", "ssd")
    assert "disk_vda" not in meta  # a hypervisor calls every disk rotating
    rates = {entry.part.name: entry.part.number("read", 0) for entry in machine.of_kind("disk")}
    assert rates["sda"] < rates["sdb"] < rates["nvme0n1"]
    assert provenance(machine, "disk", "read") == "assumed"
    assert provenance(machine, "disk", "capacity") == "measured"


def test_interfaces_that_are_up_are_told_with_the_rate_they_state(tmp_path: Path) -> None:
    cpus = workstation(tmp_path)
    net, infiniband = "sys/class/net", "sys/class/infiniband/mlx5_0"
    put(
        tmp_path,
        {
            f"{net}/lo/operstate": "unknown",
            f"{net}/eno1/operstate": "up",
            f"{net}/eno1/speed": "10000",
            f"{net}/eno1/device/vendor": "x",
            f"{net}/eno2/operstate": "down",
            f"{net}/eno2/device/vendor": "x",
            f"{net}/eth0/operstate": "up",
            f"{net}/eth0/speed": "-1",
            f"{net}/eth0/device/vendor": "x",
            f"{net}/docker0/operstate": "up",
            f"{net}/ib0/operstate": "up",
            f"{net}/ib0/type": "32",
            f"{net}/ib0/device/vendor": "x",
            f"{infiniband}/ports/1/state": "4: ACTIVE",
            f"{infiniband}/ports/1/rate": "100 Gb/sec (4X EDR)",
            f"{infiniband}/ports/1/link_layer": "InfiniBand",
            f"{infiniband}/ports/2/state": "1: DOWN",
        },
    )
    machine = detected(tmp_path, cpus)
    rates = {entry.part.name: entry.part.number("bandwidth") for entry in machine.of_kind("nic")}
    assert rates == {"mlx5_0": 12.5e9, "eno1": 1.25e9, "eth0": 1.25e9}
    assert provenance(machine, "nic", "bandwidth") == "spec"
    assert provenance(machine, "nic", "latency") == "assumed"


def test_an_adapter_that_speaks_ethernet_counts_once(tmp_path: Path) -> None:
    cpus = workstation(tmp_path)
    adapter = "sys/class/infiniband/mlx5_0"
    put(
        tmp_path,
        {
            f"{adapter}/ports/1/state": "4: ACTIVE",
            f"{adapter}/ports/1/rate": "200 Gb/sec (4X HDR)",
            f"{adapter}/ports/1/link_layer": "Ethernet",
            f"{adapter}/device/net/ens1/speed": "200000",
            "sys/class/net/ens1/operstate": "up",
            "sys/class/net/ens1/device/vendor": "x",
        },
    )
    assert [entry.part.name for entry in detected(tmp_path, cpus).of_kind("nic")] == ["mlx5_0"]


def test_gpus_stand_at_their_sockets_with_what_the_driver_says(tmp_path: Path) -> None:
    cpus = workstation(tmp_path, domains=2)
    bus = [f"00000000:{18 + index}:00.0" for index in range(4)]
    for index, address in enumerate(bus):
        put(tmp_path, {f"sys/bus/pci/devices/{address[4:]}/numa_node": str(index // 2)})
    nvml = FakeNvml(*(FakeGpu(bus_id=address) for address in bus))
    machine = detected(tmp_path, cpus, nvml=nvml)
    assert not nvml.is_open
    assert machine.count("gpu") == 4
    gpu = machine.of_kind("gpu")[0].part
    assert (gpu.type, gpu.number("clock")) == ("NVIDIA_H200", 1.98e9)
    # The data sheet: 141 GB at 4.8 TB/s, 67 and 34 TFLOP/s.
    assert machine.capacity("n.s[*].g[*].ram") == 4 * 141 * 10**9
    assert gpu.parts[0].number("bandwidth") == pytest.approx(4.8e12, rel=0.03)
    assert machine.flops("f32", "gpu") == pytest.approx(4 * 67e12, rel=0.01)
    assert machine.flops("f64", "gpu") == pytest.approx(4 * 34e12, rel=0.02)
    # 16 lanes of the fifth generation, to the near socket at once and to the far one through the near one.
    near = machine.path("n.s[1].c", "n.s[1].g[0]")
    assert [hop.bandwidth for hop in near] == [pytest.approx(63e9, rel=0.01)]
    assert len(machine.path("n.s[0].c", "n.s[1].g[0]")) > 1


def test_gpus_behind_switches_are_joined_at_the_rate_of_all_their_links(tmp_path: Path) -> None:
    cpus = workstation(tmp_path, domains=2)
    gpus = (FakeGpu(bus_id=f"00000000:{18 + n}:00.0", links=((6, "switch"),) * 18) for n in range(4))
    machine = detected(tmp_path, cpus, nvml=FakeNvml(*gpus))
    # The data sheet of the H200: 900 GB/s, which counts both directions.
    way = machine.path("n.s[0].g[0]", "n.s[1].g[1]")
    assert [(hop.via, hop.bandwidth) for hop in way] == [("network nvlink", 450e9)] * 2


def test_gpus_are_joined_by_the_links_between_them(tmp_path: Path) -> None:
    cpus = workstation(tmp_path)
    bus = [f"00000000:{18 + index}:00.0" for index in range(3)]
    down, pair = (2, ""), {0: bus[1], 1: bus[0]}
    gpus = [
        FakeGpu(bus_id=bus[n], links=((2, pair[n]), (2, pair[n]), down, (2, "cpu")) if n in pair else (down,))
        for n in range(3)
    ]
    machine = detected(tmp_path, cpus, nvml=FakeNvml(*gpus))
    assert [hop.bandwidth for hop in machine.path("n.s0.g[0]", "n.s0.g[1]")] == [50e9]
    # NVLink leads to the processor of two of them, and the bus to that of the third.
    assert [hop.bandwidth for hop in machine.path("n.s0.c", "n.s0.g[1]")] == [25e9]
    assert machine.path("n.s1.c", "n.s1.g")[0].bandwidth == pytest.approx(63e9, rel=0.01)


def test_structures_have_the_layout_of_nvml() -> None:
    # Sizes and offsets of nvmlMemory_t and nvmlPciInfo_t on every platform that NVML is made for.
    assert ctypes.sizeof(_Memory) == 24
    assert (ctypes.sizeof(_Pci), _Pci.bus_id.offset) == (68, 36)


def test_gpus_at_one_socket_make_the_sockets_differ(tmp_path: Path) -> None:
    cpus = workstation(tmp_path, domains=2)
    for index in range(3):
        put(tmp_path, {f"sys/bus/pci/devices/0000:{18 + index}:00.0/numa_node": "1"})
    nvml = FakeNvml(*(FakeGpu(bus_id=f"00000000:{18 + index}:00.0") for index in range(3)))
    machine = detected(tmp_path, cpus, nvml=nvml)
    assert [(entry.path, entry.copies) for entry in machine.of_kind("gpu")] == [("n.s1.g[*]", 3)]


@pytest.mark.parametrize(
    ("visible", "count"),
    [("0,2", 2), ("GPU-b", 1), ("", 0), ("-1", 0), ("7", 0), ("GPU-", 3), ("2,0,1", 3)],
)
def test_only_the_gpus_that_cuda_shows_count(visible: str, count: int, tmp_path: Path) -> None:
    cpus = workstation(tmp_path)
    nvml = FakeNvml(*(FakeGpu(uuid=uuid) for uuid in ("GPU-a", "GPU-b", "GPU-c")))
    machine = detected(tmp_path, cpus, {"CUDA_VISIBLE_DEVICES": visible}, nvml)
    assert machine.count("gpu") == count


def test_gpus_of_several_models_and_drivers_that_know_little(tmp_path: Path) -> None:
    cpus = workstation(tmp_path)
    old = FakeGpu(name="Tesla K80", cores=None, capability=(3, 7), pcie=(9, 16), bus_id="?")
    machine = detected(tmp_path, cpus, nvml=FakeNvml(FakeGpu(), old))
    assert {entry.part.type for entry in machine.of_kind("gpu")} == {"NVIDIA_H200", "Tesla_K80"}
    assert machine.of_kind("link")[1].part.get("bandwidth") == hwspec.Quantity(8e9, "B/s")
    assert machine.of_kind("gpu")[1].part.get("compute") is None


def test_without_a_driver_that_starts_there_are_no_gpus(tmp_path: Path) -> None:
    cpus = workstation(tmp_path)
    assert detected(tmp_path, cpus, nvml=FakeNvml(FakeGpu(), starts=False)).count("gpu") == 0
    assert detected(tmp_path, cpus, nvml=FakeNvml()).count("gpu") == 0


def test_the_mpi_that_would_start_ranks(tmp_path: Path) -> None:
    versions = {"mpi4py": "4.1.2", "mpich": "5.0.2"}
    site = put(tmp_path / "site", {"mpiexec": "#!/bin/sh"})
    (site / "mpiexec").chmod(0o755)
    wheel = put(tmp_path / "wheel", {"mpiexec": ""})

    def installed(package: str) -> str:
        return versions.get(package, "")

    assert mpi({}, installed, wheel) == "MPICH 5.0.2, mpi4py 4.1.2"
    # mpi4py built for the MPI of a site: no wheel beside it.
    assert mpi({"PATH": str(site)}, installed, tmp_path) == f"{site / 'mpiexec'}, mpi4py 4.1.2"
    assert mpi({"PATH": "/nowhere"}, lambda _: "", tmp_path) == ""

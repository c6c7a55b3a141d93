"""Machines out of lstopo's XML: what is counted, what is measured, and what hostile XML gets."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dlc import hwspec
from dlc.diagnostics import DlcError
from dlc.hwspec import importers
from dlc.hwspec.parts import Quantity
from dlc.hwspec.write import write

GIB = 1 << 30


def core(index: int, threads: int = 2) -> str:
    units = "".join(f'<object type="PU" os_index="{index * threads + i}"/>' for i in range(threads))
    return (
        '<object type="L2Cache" cache_size="1048576" cache_linesize="64" depth="2" cache_type="0">'
        '<object type="L1Cache" cache_size="32768" cache_linesize="64" depth="1" cache_type="1">'
        '<object type="L1iCache" cache_size="65536" cache_type="2">'
        f'<object type="Core" os_index="{index}">{units}</object></object></object></object>'
    )


def package(cores: int = 4, memory: int = 8 * GIB, devices: str = "", index: int = 1) -> str:
    inner = "".join(core(number) for number in range(cores))
    return (
        f'<object type="Package"><object type="NUMANode" gp_index="{index}" local_memory="{memory}"/>'
        f'<object type="L3Cache" cache_size="33554432" cache_linesize="64" cache_type="0">{inner}</object>'
        f"{devices}</object>"
    )


def topology(inside: str, version: str = "2.0", after: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE topology SYSTEM "hwloc2.dtd">\n'
        f'<topology version="{version}"><object type="Machine">'
        f'<info name="HostName" value="node-7.site"/>{inside}</object>{after}</topology>'
    )


def read(text: str) -> hwspec.Machine:
    return importers.read({"machine.xml": text})


def refused(text: str) -> DlcError:
    with pytest.raises(DlcError) as caught:
        read(text)
    return caught.value


GPU = (
    '<object type="PCIDev" pci_link_speed="15.75"><object type="OSDev" name="{name}" subtype="CUDA" '
    'osdev_type="{kind}"><info name="CUDAGlobalMemorySize" value="16777216"/></object></object>'
)


def test_sockets_cores_threads_caches_and_memory_are_counted() -> None:
    machine = read(topology(package() + package(index=2)))
    assert (machine.name, machine.count("node"), machine.count("socket"), machine.cores) == (
        "node_7_site",
        1,
        2,
        8,
    )
    assert machine.memory_bytes == 16 * GIB
    socket = machine.of_kind("socket")[0].part
    assert socket.count == 2, "equal sockets are told once"
    caches = {
        part.name: (part.number("capacity"), part.text("per"))
        for part in socket.parts
        if part.kind == "cache"
    }
    assert caches == {"l1d": (32768, "core"), "l2": (1048576, "core"), "l3": (33554432, "socket")}
    assert next(part for part in socket.parts if part.kind == "cpu").number("smt") == 2


def test_sockets_that_differ_are_told_apart() -> None:
    machine = read(topology(package(memory=8 * GIB) + package(memory=4 * GIB, index=2)))
    assert [placed.path for placed in machine.of_kind("socket")] == ["n.s0", "n.s1"]
    assert machine.capacity("n.s1.ram") == 4 * GIB


def test_what_hwloc_reads_is_measured_and_what_it_cannot_know_is_assumed() -> None:
    memory = read(topology(package())).of_kind("memory")[0].part
    figures = {name: value for name, value in memory.properties if isinstance(value, Quantity)}
    assert figures["capacity"].provenance.kind == "measured"
    assert figures["capacity"].provenance.source == "hwloc"
    assert figures["bandwidth"].provenance.kind == "assumed"


def test_rates_that_the_firmware_tells_are_taken() -> None:
    attributes = (
        '<memattr name="Bandwidth"><memattr_value target_obj_gp_index="1" value="100000"/></memattr>'
        '<memattr name="Latency"><memattr_value target_obj_gp_index="1" value="90"/></memattr>'
        '<cpukind><info name="FrequencyMaxMHz" value="3900"/></cpukind>'
    )
    machine = read(topology(package(), "2.4", attributes))
    memory, cpu = machine.of_kind("memory")[0].part, machine.of_kind("cpu")[0].part
    assert memory.rate == 100000 * (1 << 20)
    assert memory.number("latency") == pytest.approx(90e-9)
    assert cpu.number("clock") == 3.9e9


@pytest.mark.parametrize(("version", "kind"), [("2.0", "5"), ("3.0", "12")])
def test_accelerators_hang_on_the_bus_of_their_socket(version: str, kind: str) -> None:
    devices = GPU.format(name="cuda0", kind=kind) + GPU.format(name="cuda1", kind=kind)
    machine = read(topology(package(devices=devices), version))
    assert machine.count("gpu") == 2
    assert machine.capacity("n.s.gpu[*].ram") == 2 * 16 * GIB
    hops = machine.path("n.s.c", "n.s.gpu[1]")
    assert min(hop.bandwidth for hop in hops) == 15.75e9


def test_a_card_that_only_drives_a_display_is_no_accelerator() -> None:
    card = '<object type="PCIDev"><object type="OSDev" name="card0" osdev_type="{}"/></object>'
    assert read(topology(package(devices=card.format(1)))).count("gpu") == 0
    assert read(topology(package(devices=card.format(4)), "3.0")).count("gpu") == 0


@pytest.mark.parametrize(("version", "network", "storage"), [("2.0", "2", "0"), ("3.0", "16", "1")])
def test_interfaces_and_disks_of_both_versions(version: str, network: str, storage: str) -> None:
    devices = (
        f'<object type="PCIDev"><object type="OSDev" name="eth0" osdev_type="{network}"/></object>'
        f'<object type="PCIDev"><object type="OSDev" name="sda" osdev_type="{storage}">'
        '<info name="Size" value="1048576"/></object><object type="OSDev" name="sr0" '
        f'subtype="Removable Media Device" osdev_type="{storage}"><info name="Size" value="9"/></object>'
        "</object>"
    )
    machine = read(topology(package() + devices, version))
    assert (machine.count("nic"), machine.count("disk")) == (1, 1)
    assert machine.capacity("n.disk") == GIB


def test_memory_of_a_gpu_in_the_address_space_is_not_the_hosts() -> None:
    domain = f'<object type="NUMANode" subtype="GPUMemory" gp_index="9" local_memory="{16 * GIB}"/>'
    assert read(topology(package() + domain)).memory_bytes == 8 * GIB


def test_cores_without_packages_and_memory_beside_them() -> None:
    machine = read(topology(f'<object type="NUMANode" local_memory="{GIB}"/>' + core(0) + core(1)))
    assert (machine.cores, machine.memory_bytes, machine.count("socket")) == (2, GIB, 0)


def test_the_text_that_is_written_describes_the_same_machine() -> None:
    machine = read(topology(package(devices=GPU.format(name="cuda0", kind="5")) * 2))
    assert hwspec.loads(write(machine)).fingerprint == machine.fingerprint


@pytest.mark.skipif(shutil.which("lstopo-no-graphics") is None, reason="hwloc is not installed")
@pytest.mark.parametrize(
    ("described", "sockets", "cores"),
    [("pack:2 numa:2 core:8 pu:2", 2, 32), ("numa:4 l3:1 core:6 pu:1", 0, 24), ("core:3 pu:1", 0, 3)],
)
def test_topologies_that_lstopo_makes_up(tmp_path: Path, described: str, sockets: int, cores: int) -> None:
    file = tmp_path / "made.xml"
    subprocess.run(["lstopo-no-graphics", "-i", described, "--of", "xml", str(file)], check=True)
    machine = importers.read({"made.xml": file.read_text(encoding="utf-8")})
    assert (machine.count("socket"), machine.cores) == (sockets, cores)


@pytest.mark.skipif(shutil.which("lstopo-no-graphics") is None, reason="hwloc is not installed")
def test_hwloc_sees_as_many_threads_here_as_the_operating_system(tmp_path: Path) -> None:
    file = tmp_path / "here.xml"
    subprocess.run(["lstopo-no-graphics", "--of", "xml", str(file)], check=True)
    machine = importers.read({"here.xml": file.read_text(encoding="utf-8")})
    threads = sum(
        p.copies * (p.part.number("cores") or 0) * (p.part.number("smt") or 1) for p in machine.of_kind("cpu")
    )
    assert threads == os.cpu_count()


def test_version_1_and_other_documents_are_refused_with_a_way_out() -> None:
    old = refused('<topology>\n<object type="Machine"/></topology>')
    assert (old.code, old.loc and old.loc.line) == ("DLC416", 1)
    assert "lstopo" in (old.help or "")
    assert refused("<html></html>").code == "DLC416"
    assert refused(topology("")).message == "the topology has no cores"


BOMB = '<!DOCTYPE t [<!ENTITY a "{}">{}]><t>&a9;</t>'.format(
    "x" * 10, "".join(f'<!ENTITY a{i} "&a{i - 1 or ""};&a{i - 1 or ""};">' for i in range(1, 10))
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><t>&x;</t>',
        '<!DOCTYPE t [<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd"> %p;]><t/>',
        "<t>" * 300 + "</t>" * 300,
        '<topology version="2.0"><object',
        "<t></u>",
        "<\0>",
        '<topology version="2.0">\ud800</topology>',
    ],
)
def test_hostile_or_broken_xml_is_refused_with_its_line(text: str) -> None:
    error = refused(text)
    assert error.code in ("DLC415", "DLC416")
    assert error.loc is not None
    assert error.loc.line >= 1


def test_numbers_that_are_none_are_left_out() -> None:
    text = topology(package().replace('cache_size="33554432"', f'cache_size="{"9" * 400}"'))
    assert "l3" not in {part.name for part in read(text).of_kind("socket")[0].part.parts}


def test_a_format_that_cannot_be_told_must_be_named() -> None:
    with pytest.raises(DlcError) as caught:
        importers.read({"m.txt": "cores: 4"})
    assert caught.value.code == "DLC419"

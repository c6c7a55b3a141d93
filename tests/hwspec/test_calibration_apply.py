"""Measured figures find their places in a description, whatever types and copies it is made of."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from dlc import hwspec
from dlc.diagnostics import DlcError
from dlc.hwspec.calibration.apply import apply
from dlc.hwspec.calibration.fit import Fit, Segment, segments_of
from dlc.hwspec.calibration.record import Collective, Messages, Record
from dlc.hwspec.calibration.samples import Figure
from dlc.hwspec.detection.devices import disk_of
from dlc.hwspec.parts import select
from dlc.hwspec.write import write
from tests.hwspec.fake_linux import detected, workstation


def figure(value: float, spread: float = 0.05) -> Figure:
    return Figure(value, spread, 9)


LOCAL = Messages(
    Fit((Segment(8192, 1e-6, 1 / 4e9), Segment(math.inf, 3e-6, 1 / 9e9)), 0.998), 0.03, figure(0.4e-6)
)
REMOTE = Messages(Fit((Segment(math.inf, 2e-6, 1 / 11e9),), 0.99), 0.02, figure(0.5e-6))
RECORD = Record(
    node_ranks=8,
    ranks=8,
    core_stream=figure(12e9),
    node_stream=figure(80e9, 0.031),
    core_copy=figure(9e9),
    core_gemm={"f64": figure(50e9), "f32": figure(100e9)},
    node_gemm={"f64": figure(320e9), "f32": figure(640e9)},
    write=figure(1.1e9),
    read=figure(2.2e9),
    local=LOCAL,
    collectives=(
        Collective("barrier", 8, 0, figure(5e-6)),
        Collective("all_to_all", 8, 1 << 20, figure(1e-3)),
    ),
)


def quantity(machine: hwspec.Machine, path: str, name: str) -> hwspec.Quantity:
    value = select(machine.tree, path, machine.loc).part.get(name)
    assert isinstance(value, hwspec.Quantity)
    return value


def test_a_detected_machine_is_measured_throughout(tmp_path: Path) -> None:
    machine = apply(detected(tmp_path, workstation(tmp_path)), RECORD, 8, "nvme0n1")
    assert machine.flops("f64") == 320e9
    assert machine.flops("f32") == 640e9
    bandwidth = quantity(machine, "n.s[0].ram[0]", "bandwidth")
    assert bandwidth.value * 4 == 80e9  # two banks in each of two sockets
    assert bandwidth.provenance == hwspec.Provenance("measured", "triad, 8 ranks", 0.031)
    assert quantity(machine, "n.nvme0n1", "read").value == 2.2e9
    assert quantity(machine, "n.nvme0n1", "write").value == 1.1e9
    # The shortest message takes what was measured, and long ones run at the measured rate.
    assert machine.fabric.local.latency + machine.fabric.local.overhead == pytest.approx(1e-6)
    assert machine.fabric.local.pair == 9e9


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    machine = apply(detected(tmp_path, workstation(tmp_path)), RECORD, 8, "nvme0n1")
    assert hwspec.loads(write(machine)) == machine


def test_what_the_language_has_no_property_for_stands_in_the_meta_section(tmp_path: Path) -> None:
    meta = dict(apply(detected(tmp_path, workstation(tmp_path)), RECORD, 8).meta)
    assert segments_of(meta["messages_local"]) == (
        Segment(8192, 1e-6, 2.5e-10),
        Segment(math.inf, 3e-6, 1.111e-10),
    )
    assert meta["all_to_all_8"] == "1 MiB: 1 ms +- 5 %"
    assert meta["barrier_8"] == "5 us +- 5 %"
    assert meta["core_gemm_f64"] == "50 GFLOP/s +- 5 %"


TYPED = """
type cpu Xeon { cores = 4; compute = { f64: 100 GFLOP/s @spec, f16: 1 TFLOP/s @spec } }
type interconnect Wire { bandwidth = 12.5 GB/s @spec; latency = 1 us @assumed }
type node Thin {
  socket s[0..1] { cpu c : Xeon; memory ram { capacity = 8 GB; bandwidth = 60 GB/s @spec }
                   gpu g { memory hbm { capacity = 1 GB; bandwidth = 1 TB/s @spec } }; link c <-> g : Wire }
  nic hca : Wire
}
machine m {
  cluster a { node n[0..3] : Thin; network inner : star { attach = n[*].hca; via = Wire } }
  node big { socket s { cpu c { cores = 16 } memory ram { capacity = 1 GB; bandwidth = 1 GB/s } }
             nic hca : Wire }
  network outer : star { attach = [a.n[*].hca, big.hca]; via = Wire }
}
"""


def test_types_are_overridden_where_the_figures_belong() -> None:
    machine = apply(hwspec.loads(TYPED), replace(RECORD, remote=REMOTE), 8)
    # A published peak above the measurement stays; what programs reach stands beside it.
    assert quantity(machine, "a.n[0].s[0].ram", "bandwidth").provenance.kind == "spec"
    assert quantity(machine, "a.n[0].s[0].ram", "sustained").value == 40e9
    assert quantity(machine, "a.inner", "sustained").value == 11e9
    assert quantity(machine, "outer", "latency").value == pytest.approx(1.5e-6)
    compute = select(machine.tree, "a.n[0].s[0].c", machine.loc).part.get("compute")
    assert isinstance(compute, hwspec.parts.Table)
    assert {name: rate.value for name, rate in compute.entries} == {"f64": 160e9, "f32": 320e9, "f16": 1e12}
    # Memory of gpus and nodes of another kind were not measured.
    assert quantity(machine, "a.n[0].s[0].g.hbm", "bandwidth").value == 1e12
    assert quantity(machine, "big.s.ram", "bandwidth").value == 1e9
    # Ranks of a node had no channel in the description; now they have.
    assert quantity(machine, "a.n[0].shm", "bandwidth").value == 9e9
    assert hwspec.loads(write(machine)) == machine


def test_more_than_was_published_replaces_it() -> None:
    fast = replace(RECORD, node_stream=figure(200e9))
    machine = apply(hwspec.loads(TYPED), fast, 8)
    assert quantity(machine, "a.n[0].s[0].ram", "bandwidth").value == 100e9
    assert quantity(machine, "a.n[0].s[0].ram", "bandwidth").provenance.kind == "measured"


def test_calibrating_again_replaces_what_was_measured(tmp_path: Path) -> None:
    once = apply(detected(tmp_path, workstation(tmp_path)), RECORD, 8)
    again = apply(once, replace(RECORD, node_stream=figure(40e9)), 8)
    assert quantity(again, "n.s[0].ram[0]", "bandwidth").value == 10e9
    assert apply(again, RECORD, 8) == once


def test_few_ranks_say_what_a_core_does_but_not_what_the_memory_can(tmp_path: Path) -> None:
    few = replace(RECORD, ranks=2, node_ranks=2, node_gemm={"f64": figure(100e9)})
    machine = apply(detected(tmp_path, workstation(tmp_path)), few, 8)
    assert machine.flops("f64") == 400e9
    assert quantity(machine, "n.s[0].ram[0]", "bandwidth").provenance.kind == "assumed"


def test_ranks_that_share_cores_say_so(tmp_path: Path) -> None:
    many = replace(RECORD, ranks=16, node_ranks=16, oversubscribed=True)
    machine = apply(detected(tmp_path, workstation(tmp_path)), many, 8)
    assert machine.flops("f64") == 320e9  # of eight cores, however many ranks shared them
    assert quantity(machine, "n.shm", "latency").provenance.source == "ping-pong, 16 ranks on fewer cores"


def test_another_machine_is_refused() -> None:
    with pytest.raises(DlcError) as caught:
        apply(hwspec.load("hal"), RECORD, 8)
    assert caught.value.code == "DLC412"


def test_the_disk_below_a_file_system(tmp_path: Path) -> None:
    sys_ = tmp_path / "sys"
    for path in ("devices/pci/sda/sda1/partition", "devices/virtual/dm-0/size", "devices/nvme0n1/size"):
        (sys_ / path).parent.mkdir(parents=True, exist_ok=True)
        (sys_ / path).write_text("1")
    (sys_ / "dev/block").mkdir(parents=True)
    (sys_ / "devices/virtual/dm-0/slaves").mkdir()
    for link, target in {
        "dev/block/8:1": "devices/pci/sda/sda1",
        "dev/block/253:0": "devices/virtual/dm-0",
        "dev/block/259:0": "devices/nvme0n1",
        "devices/virtual/dm-0/slaves/sda1": "devices/pci/sda/sda1",
    }.items():
        (sys_ / link).symlink_to(sys_ / target)
    numbers = {(8, 1): "sda", (253, 0): "sda", (259, 0): "nvme0n1", (0, 42): ""}
    for (major, minor), disk in numbers.items():
        assert disk_of(tmp_path, (major << 8) | minor) == disk

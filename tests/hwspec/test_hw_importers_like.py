"""What a file does not tell is filled in from a machine that is like it, and says so."""

import pytest

from dlc import hwspec
from dlc.hwspec import importers
from dlc.hwspec.importers.like import assumptions, fill
from dlc.hwspec.parts import Part, Table
from dlc.hwspec.write import write

NODES = "NodeName=n[0-7] Sockets=2 CoresPerSocket=28 RealMemory=256000 TmpDisk=1000000 Gres=gpu:{gpu}:4\n"
LEAVES = "SwitchName=a Nodes=n[0-1]\nSwitchName=b Nodes=n[2-4]\nSwitchName=c Nodes=n[5-7]\n"
TREE = f"{LEAVES}SwitchName=t Switches=a,b,c"


def imported(gpu: str = "v100", **texts: str) -> hwspec.Machine:
    return importers.read({"slurm.conf": NODES.format(gpu=gpu), **texts})


def part(machine: hwspec.Machine, kind: str) -> Part:
    return machine.of_kind(kind)[0].part


def test_counts_and_sizes_stay_and_rates_are_those_of_the_other_machine() -> None:
    machine = fill(imported(), hwspec.load("hal")).machine
    assert (machine.cores, machine.count("gpu"), machine.memory_bytes) == (8 * 56, 32, 256000 << 20)
    # HAL's sockets have one memory each, as these.
    assert part(machine, "memory").number("bandwidth") == 170.7e9
    assert part(machine, "nic").number("latency") == 1e-6
    assert machine.capacity("n[*].v100[*].hbm") == 32 * 16e9


def test_what_is_filled_in_is_assumed_and_names_the_other_machine() -> None:
    machine = fill(imported(), hwspec.load("hal")).machine
    bandwidth, capacity = (part(machine, "memory").get(name) for name in ("bandwidth", "capacity"))
    assert isinstance(bandwidth, hwspec.Quantity) and isinstance(capacity, hwspec.Quantity)
    assert bandwidth.provenance == hwspec.Provenance("assumed", "as in HAL")
    assert capacity.provenance == hwspec.Provenance("spec", "slurm.conf")
    taken, guessed = assumptions(machine)
    # HAL has no local disk: how fast this one reads and writes is still a guess.
    assert taken > 15
    assert guessed == 2
    assert assumptions(imported())[0] == 0


def test_rates_of_processors_follow_the_cores_and_those_of_other_parts_the_node() -> None:
    machine = fill(imported("mi250x_gcd"), hwspec.load("frontier")).machine
    compute = part(machine, "cpu").get("compute")
    assert isinstance(compute, Table)
    # 512 GFLOP/s of 16 cores there, 28 cores here; four memories, interfaces and two disks there.
    assert compute.number("f64", 0) == pytest.approx(28 / 16 * 512e9)
    assert part(machine, "memory").number("bandwidth") == 2 * 51.2e9
    assert part(machine, "nic").number("bandwidth") == 4 * 25e9
    assert part(machine, "disk").number("read") == 2 * 5.5e9


def test_a_device_of_another_name_is_told() -> None:
    assert fill(imported("v100"), hwspec.load("hal")).instead == ()
    assert fill(imported("a100"), hwspec.load("hal")).instead == (("a100", "V100"),)


def test_a_node_is_like_the_one_with_the_same_devices() -> None:
    other = hwspec.loads("""machine m {
      node thin { cpu c { cores = 56 }; memory r { capacity = 1 GB; bandwidth = 100 GB/s } }
      node fat { cpu c { cores = 8 }; memory r { capacity = 1 GB; bandwidth = 300 GB/s }
                 gpu g { compute = { f64: 9 TFLOP/s } } }
      link thin <-> fat { bandwidth = 1 GB/s } }""")
    assert part(fill(imported(), other).machine, "memory").number("bandwidth") == 150e9


def test_links_between_switches_keep_their_proportions() -> None:
    uneven = {"topology.conf": f"{LEAVES}SwitchName=t Switches=b,c\nSwitchName=u Switches=t,a"}
    before, after = imported(**uneven), fill(imported(**uneven), hwspec.load("hal")).machine
    rates = [
        [link.part.number("bandwidth") for link in m.of_kind("link") if not link.parents]
        for m in (before, after)
    ]
    assert rates[1] == [10 * (rate or 0) for rate in rates[0]]


@pytest.mark.parametrize("name", [name for name in hwspec.catalog_names() if name != "host"])
def test_every_machine_of_the_catalog_can_stand_in(name: str) -> None:
    machine = fill(imported(**{"topology.conf": TREE}), hwspec.load(name)).machine
    assert hwspec.loads(write(machine)).fingerprint == machine.fingerprint

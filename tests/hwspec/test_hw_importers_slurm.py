"""Slurm's files in and out: one cluster, told by its scheduler and told back to it."""

import pytest

from dlc import hwspec
from dlc.diagnostics import DlcError
from dlc.hwspec import exporters, importers
from dlc.hwspec.write import write

NODES = """
ClusterName=blue   # all else in the file is Slurm's own affair
SlurmctldHost=head
NodeName=DEFAULT Sockets=2 CoresPerSocket=20 \\
    ThreadsPerCore=4 RealMemory=256000
NodeName=gpu[01-16] Gres=gpu:v100:4
NodeName=big[1-2] Sockets=4 realmemory=1024000 TmpDisk=1000000
PartitionName=all Nodes=ALL Default=YES
"""
TREE = """
SwitchName=leaf0 Nodes=gpu[01-08],big1
SwitchName=leaf1 Nodes=gpu[09-16],big2
SwitchName=spine Switches=leaf[0-1] LinkSpeed=100
"""
UNEVEN = (
    TREE.replace("leaf0 Nodes=gpu[01-08]", "leaf0 Nodes=gpu[01-02]").replace("[09-16]", "[03-06]")
    + """
SwitchName=leaf2 Nodes=gpu[07-16]
SwitchName=top Switches=spine,leaf2
"""
)


def read(**texts: str) -> hwspec.Machine:
    return importers.read({f"{name}.conf": text for name, text in texts.items()})


def refused(**texts: str) -> DlcError:
    with pytest.raises(DlcError) as caught:
        read(**texts)
    return caught.value


def test_nodes_are_counted_with_what_slurm_knows_of_them() -> None:
    machine = read(slurm=NODES)
    assert (machine.name, machine.count("node"), machine.count("gpu")) == ("blue", 18, 64)
    assert machine.cores == 16 * 40 + 2 * 80
    assert machine.memory_bytes == 256000 << 20
    assert machine.capacity("big[0].tmp") == 1000000 << 20
    assert dict(machine.meta)["slurm_gpu"] == "gpu[01-16]"


def test_figures_say_whether_slurm_told_them() -> None:
    cpu, memory = (read(slurm=NODES).of_kind(kind)[0].part for kind in ("cpu", "memory"))
    cores, bandwidth = cpu.get("cores"), memory.get("bandwidth")
    assert isinstance(cores, hwspec.Quantity) and cores.provenance.source == "slurm.conf"
    assert isinstance(bandwidth, hwspec.Quantity) and bandwidth.provenance.kind == "assumed"


def test_without_a_topology_a_star_joins_the_nodes() -> None:
    machine = read(slurm=NODES)
    assert [placed.part.text("topology") for placed in machine.of_kind("network")] == ["star"]
    assert machine.path("gpu[0]", "big[1]")


def switches(machine: hwspec.Machine, a: str, b: str) -> int:
    return sum("switch" in hop.target for hop in machine.path(a, b))


def test_even_switches_are_a_fat_tree() -> None:
    machine = read(slurm=NODES, topology=TREE)
    (network,) = (placed.part for placed in machine.of_kind("network"))
    # Nine nodes a leaf, and for lack of knowledge half as many wires upwards.
    assert (
        'fat_tree(down = [9 @spec("topology.conf"), 2 @spec("topology.conf")], up = [5 @assumed])'
        in write(machine)
    )
    assert network.texts("attach") == ("gpu[0..7].nic", "big[0].nic", "gpu[8..15].nic", "big[1].nic")
    assert machine.bisection() == pytest.approx(5 * 1.25e9)
    assert switches(machine, "gpu[0]", "gpu[7]") == 1
    assert switches(machine, "gpu[0]", "big[0]") == 1
    assert switches(machine, "gpu[0]", "gpu[8]") == 3


def test_the_last_leaf_of_a_fat_tree_may_be_smaller() -> None:
    leaves = "SwitchName=a Nodes=n[1-2]\nSwitchName=b Nodes=n[3-5]\nSwitchName=top Switches=a,b"
    (network,) = read(slurm="NodeName=n[1-5]", topology=leaves).of_kind("network")
    assert network.part.texts("attach") == ("n[2..4].nic", "n[0..1].nic")


def test_uneven_switches_are_the_way_of_messages() -> None:
    machine = read(slurm=NODES, topology=UNEVEN)
    assert machine.count("switch") == 5
    assert switches(machine, "gpu[0]", "gpu[1]") == 1
    assert switches(machine, "gpu[0]", "gpu[2]") == 3
    assert switches(machine, "gpu[0]", "gpu[6]") == 4
    # The switches on the way have three, eight and ten nodes below; the delay is that of one interface.
    assert [hop.bandwidth for hop in machine.path("gpu[0]", "gpu[6]")][2:5] == [2.5e9, 5e9, 6.25e9]
    assert machine.transfer_seconds(0, "gpu[0]", "gpu[6]") == pytest.approx(50e-6)


def test_gres_conf_counts_devices_that_slurm_conf_only_names() -> None:
    gres = "NodeName=n[0-3] Name=gpu Type=a100 File=/dev/nvidia[0-7]\n"
    machine = read(slurm="NodeName=n[0-3] Sockets=2 CoresPerSocket=32", gres=gres)
    assert machine.count("gpu") == 32
    assert machine.of_kind("gpu")[0].part.name == "a100"


@pytest.mark.parametrize(
    "files",
    [
        {"slurm": NODES},
        {"slurm": NODES, "topology": TREE},
        {"slurm": NODES, "topology": UNEVEN},
    ],
)
def test_a_cluster_that_goes_out_and_comes_in_again_is_the_same(files: dict[str, str]) -> None:
    machine = read(**files)
    texts = exporters.write(machine, "slurm")
    assert importers.read(texts).fingerprint == machine.fingerprint
    assert hwspec.loads(write(machine)).fingerprint == machine.fingerprint
    assert "NodeName=gpu[01-16] Sockets=2" in texts["slurm.conf"]


def test_hal_for_slurm() -> None:
    texts = exporters.write(hwspec.load("hal"), "slurm")
    (node,) = [line for line in texts["slurm.conf"].splitlines() if line.startswith("NodeName")]
    assert node.startswith("NodeName=n[0-15] Sockets=2 CoresPerSocket=20 ThreadsPerCore=4 RealMemory=244140")
    assert node.endswith("Gres=gpu:v100:4")
    assert "NodeName=n[0-15] Name=gpu Type=v100 Count=4" in texts["gres.conf"]
    assert "SwitchName=ib0 Nodes=n[0-15]" in texts["topology.conf"]


def test_leaves_of_a_fat_tree_become_switches() -> None:
    machine = hwspec.loads("""
        machine m {
          node n[0..11] { cpu c { cores = 1 }; memory r { capacity = 1 GB; bandwidth = 1 GB/s }
                          nic h[0..1] { bandwidth = 1 GB/s } }
          network net : fat_tree(down = [8, 4], up = [2]) { attach = n[*].h[*] }
        }""")
    lines = exporters.write(machine, "slurm")["topology.conf"].splitlines()
    # Two wires a node: four nodes on each leaf of eight ports.
    assert lines[1:] == [
        "SwitchName=net0 Nodes=n[0-3]",
        "SwitchName=net1 Nodes=n[4-7]",
        "SwitchName=net2 Nodes=n[8-11]",
        "SwitchName=net-top Switches=net[0-2]",
    ]


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        ({"topology": TREE}, "DLC416", "no line describes a node"),
        ({"slurm": "NodeName=n[1-"}, "DLC415", "no list of names"),
        ({"slurm": "NodeName=n[1-99999999999]"}, "DLC415", "no list of names"),
        ({"slurm": "NodeName=n[0-999999999]"}, "DLC415", "no list of names"),
        ({"slurm": "NodeName=n1 Sockets=two"}, "DLC415", "sockets is `two`"),
        ({"slurm": "NodeName=n[1-3]\nNodeName=n2"}, "DLC417", "n2 is described twice"),
        ({"slurm": "NodeName=n[1-3]", "t": "SwitchName=s Nodes=n[1-4]"}, "DLC417", "nothing describes `n4`"),
        ({"slurm": "NodeName=n1", "t": "SwitchName=s Switches=r"}, "DLC417", "nothing describes `r`"),
        ({"slurm": "NodeName=n1", "t": "SwitchName=s\nSwitchName=s"}, "DLC417", "switch is described twice"),
        ({"slurm": "NodeName=n[1-3]", "g": "NodeName=n1 Name=gpu"}, "DLC417", "some of the nodes"),
        (
            {"slurm": "NodeName=n1", "g": "NodeName=n[1-2] Name=gpu"},
            "DLC417",
            "no line describes the node n2",
        ),
    ],
)
def test_files_that_do_not_hold_together_are_refused(files: dict[str, str], code: str, words: str) -> None:
    error = refused(**files)
    assert error.code == code
    assert words in error.message
    assert error.loc is not None or code == "DLC416"


def test_switches_that_nothing_joins_are_found_by_the_checks_of_a_machine() -> None:
    error = refused(slurm="NodeName=n[1-4]", topology="SwitchName=a Nodes=n[1-2]\nSwitchName=b Nodes=n[3-4]")
    assert error.code == "DLC405"

"""Machines for SimGrid, which must agree with dlc on ways and times where it is installed."""

import json
import shutil
import subprocess
import sys
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from dlc import hwspec
from dlc.diagnostics import DlcError
from dlc.hwspec import exporters
from dlc.hwspec.networks import Network

SWITCHED = """
    machine m {
      node n[0..6] { cpu c { cores = 4; clock = 2 GHz }; memory r { capacity = 1 GB; bandwidth = 1000 TB/s }
                     nic h { bandwidth = 100 GB/s } }
      switch leaf[0..1] { latency = 200 ns }
      switch top { latency = 300 ns; overhead = 100 ns }
      link n[0..2].h <-> leaf[0] { bandwidth = 5 GB/s; latency = 1 us }
      link n[3..5].h <-> leaf[1] { bandwidth = 4 GB/s; latency = 2 us }
      link n[6].h <-> top { bandwidth = 3 GB/s; latency = 1 us }
      link leaf[*] <-> top { bandwidth = 8 GB/s; latency = 500 ns; duplex = half }
      store flash { kind = file; read = 1 GB/s; attach = top }
    }"""
MACHINES = [name for name in hwspec.catalog_names() if name != "host"]
SHAPES = {
    "star": 8,
    "fat_tree(down = [4, 4], up = [2])": 16,
    "fat_tree(down = [4, 2, 2], up = [4, 2])": 16,
    "torus(dims = [2, 3, 4])": 24,
    "dragonfly(groups = 3, routers = 4, hosts = 2, links = 1)": 24,
}
ATTRIBUTES = {
    "platform": {"version"},
    "zone": {"id", "routing"},
    "cluster": {
        *("id", "prefix", "suffix", "radical", "speed", "core", "bw", "lat", "sharing_policy"),
        *("topology", "topo_parameters"),
    },
    "host": {"id", "speed", "core"},
    "disk": {"id", "read_bw", "write_bw"},
    "link": {"id", "bandwidth", "latency", "sharing_policy"},
    "zoneRoute": {"src", "dst", "gw_src", "gw_dst"},
    "link_ctn": {"id", "direction"},
    "route": {"src", "dst"},
    "router": {"id"},
    "prop": {"id", "value"},
}
"""What the platform DTD, version 4.1, has for the elements in use."""

ASK = """
import json, sys
from simgrid import Actor, Engine, Mailbox, this_actor
engine = Engine(["x", "--log=root.t:critical", "--cfg=network/model:CM02", "--cfg=network/crosstraffic:0",
                 "--cfg=network/TCP-gamma:0"])
engine.load_platform(sys.argv[1])
first, last, size = engine.host_by_name(sys.argv[2]), engine.host_by_name(sys.argv[3]), int(sys.argv[4])
told = {"hosts": len(engine.all_hosts), "speed": first.speed, "cores": first.core_count}
def send():
    links, latency = first.route_to(last)
    told.update(links=len(links), latency=latency)
    Mailbox.by_name("box").put("data", size)
def receive():
    Mailbox.by_name("box").get()
    told["seconds"] = Engine.clock
Actor.create("s", first, send)
Actor.create("r", last, receive)
engine.run()
print(json.dumps(told))
"""


WAYS = """
import json, sys
from simgrid import Engine
engine = Engine(["x", "--log=root.t:critical"])
engine.load_platform(sys.argv[1])
hosts = [engine.host_by_name(f"n-{index}") for index in range(int(sys.argv[2]))]
way = lambda a, b: [link.name for link in a.route_to(b)[0]] if a is not b else []
print(json.dumps([[way(a, b) for b in hosts] for a in hosts]))
"""


@cache
def simgrid_python() -> str | None:
    """An interpreter that has SimGrid's bindings, which distributions install beside their own Python."""
    for python in (sys.executable, "/usr/bin/python3", shutil.which("python3")):
        command = [python or "", "-c", "import simgrid"]
        if python and subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return python
    return None


def run(script: str, text: str, folder: Path, *arguments: str) -> Any:
    """What a script tells of a platform with SimGrid."""
    python = simgrid_python()
    if python is None:
        pytest.skip("SimGrid is not installed: apt install python3-simgrid")
    (folder / "platform.xml").write_text(text, encoding="utf-8")
    command = [python, "-c", script, str(folder / "platform.xml"), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def ask(text: str, folder: Path, first: str, last: str, size: int = 0) -> dict[str, float]:
    """What SimGrid says of a platform, of the way between two hosts, and of a message of `size` bytes."""
    return run(ASK, text, folder, first, last, str(size))


def ways(text: str, folder: Path, hosts: int) -> list[list[list[str]]]:
    """The links between each two hosts."""
    return run(WAYS, text, folder, str(hosts))


def platform(machine: hwspec.Machine) -> str:
    (text,) = exporters.write(machine, "simgrid").values()
    return text


def machine(shape: str, nodes: int, nics: str = "h", attach: str = "n[*].h") -> hwspec.Machine:
    return hwspec.loads(f"""
        type interconnect wire {{ bandwidth = 12.5 GB/s; duplex = full; latency = 1 us; hop = 100 ns }}
        machine m {{
          node n[0..{nodes - 1}] {{
            cpu c {{ cores = 4; compute = {{ f64: 40 GFLOP/s }} }}
            memory ram {{ capacity = 8 GB; bandwidth = 1000 TB/s }}
            nic {nics} : wire
          }}
          network net : {shape} {{ attach = {attach}; via = wire }}
        }}""")


@pytest.mark.parametrize("name", MACHINES)
def test_platforms_have_the_structure_of_the_dtd(name: str) -> None:
    root = ElementTree.fromstring(platform(hwspec.load(name)))
    assert (root.tag, root.get("version")) == ("platform", "4.1")
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag]


@pytest.mark.parametrize("name", [name for name in MACHINES if hwspec.load(name).count("node") > 1])
def test_simgrid_reads_every_cluster_of_the_catalog(name: str, tmp_path: Path) -> None:
    described = hwspec.load(name)
    node = described.of_kind("node")[0].part
    told = ask(platform(described), tmp_path, f"{node.name}-0", f"{node.name}-1")
    assert told["hosts"] >= described.count("node")


@pytest.mark.parametrize(("shape", "nodes"), SHAPES.items())
def test_both_take_the_same_number_of_wires(shape: str, nodes: int, tmp_path: Path) -> None:
    described = machine(shape, nodes)
    network = Network(described.of_kind("network")[0].part, described.tree)
    for other in (1, nodes // 2):
        told = ask(platform(described), tmp_path, "n-0", f"n-{other}")
        # Which router of a dragonfly has the wire to another group is left to the builder.
        tolerance = 2 if shape.startswith("dragonfly") and other > 1 else 0
        assert told["links"] == pytest.approx(len(network.topology.way(0, other)), abs=tolerance)


def test_a_message_takes_as_long_as_dlc_predicts(tmp_path: Path) -> None:
    described = machine("star", 8)
    for size in (1_000, 10_000_000):
        told = ask(platform(described), tmp_path, "n-0", "n-7", size)
        assert told["seconds"] == pytest.approx(
            described.transfer_seconds(size, "n[0].c", "n[7].c"), rel=1e-6
        )


def test_the_longest_way_of_a_fat_tree_has_the_right_delay(tmp_path: Path) -> None:
    described = machine("fat_tree(down = [4, 4], up = [2])", 16)
    hops = described.path("n[0].c", "n[15].c")
    told = ask(platform(described), tmp_path, "n-0", "n-15")
    assert told["latency"] == pytest.approx(sum(hop.latency for hop in hops))


def test_hosts_have_the_cores_and_the_speed_of_a_core(tmp_path: Path) -> None:
    told = ask(platform(machine("star", 2)), tmp_path, "n-0", "n-1")
    assert (told["cores"], told["speed"]) == (4, 10e9)


def test_several_wires_a_node() -> None:
    two = machine("fat_tree(down = [4, 4], up = [2])", 8, "h[0..1]", "n[*].h[*]")
    assert 'topo_parameters="2;2,4;1,2;2,1"' in platform(two)
    rails = machine("rail_optimised(rails = 2, nodes = 4)", 8, "h[0..1]", "n[*].h[*]")
    assert 'topo_parameters="2;4,2;2,4;1,1"' in platform(rails)
    star = machine("star", 8, "h[0..1]", "n[*].h[*]")
    assert 'bw="25000000000.0Bps"' in platform(star)


@pytest.mark.parametrize("shape", ["torus(dims = [2, 3, 4], wrap = false)", "torus(dims = [3, 1, 5])"])
def test_every_way_through_a_torus_has_the_same_wires(shape: str, tmp_path: Path) -> None:
    described = machine(shape, 24 if "false" in shape else 15)
    network = Network(described.of_kind("network")[0].part, described.tree)
    links = ways(platform(described), tmp_path, network.size)
    known: dict[tuple[str, bool], str] = {}
    for a, b in permutations(range(network.size), 2):
        wires = [(wire.cable, wire.forward) for wire in network.topology.way(a, b)]
        assert [known.setdefault(*pair) for pair in zip(wires, links[a][b], strict=True)] == links[a][b]
    assert len(set(known.values())) == len(known)


@pytest.mark.parametrize(("other", "size"), [(1, 1e3), (4, 1e3), (4, 1e7), (6, 1e7)])
def test_ways_over_switches_take_as_long_as_dlc_predicts(other: int, size: float, tmp_path: Path) -> None:
    described = hwspec.loads(SWITCHED)
    told = ask(platform(described), tmp_path, "n-0", f"n-{other}", int(size))
    assert told["hosts"] == 8  # one is the store
    assert told["seconds"] == pytest.approx(
        described.transfer_seconds(size, "n[0].c", f"n[{other}].c"), rel=1e-6
    )


def test_zones_of_switches_have_the_structure_of_the_dtd() -> None:
    for element in ElementTree.fromstring(platform(hwspec.loads(SWITCHED))).iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag]


def test_places_outside_an_open_torus_have_the_numbers_behind_those_of_the_nodes() -> None:
    text = platform(machine("torus(dims = [2, 3], wrap = false)", 6))
    assert 'radical="0,3,6,1,4,7,2,5,8,9,10,11,12,13,14" ' in text
    assert 'topo_parameters="3,5"' in text


def test_a_fat_tree_has_no_branches_without_a_node() -> None:
    assert 'topo_parameters="3;4,3,1;1,2,4;1,1,1"' in platform(
        machine("fat_tree(down = [4, 4, 8], up = [2, 4])", 12)
    )


def test_one_interface_of_several_in_a_network_is_one_wire_a_node() -> None:
    described = machine("star", 8, "h[0..1]", "n[*].h[0]")
    assert 'bw="12500000000.0Bps"' in platform(described)


@pytest.mark.parametrize(
    "refused",
    [
        machine("torus(dims = [2, 4])", 4, "h[0..1]", "n[*].h[*]"),
        machine("torus(dims = [4000, 4000, 4000], wrap = false)", 4),
        hwspec.loads(
            SWITCHED.replace(
                "store flash", "nic g { bandwidth = 1 GB/s }; link g <-> top : W\nstore flash"
            ).replace("machine m", "type interconnect W { bandwidth = 1 GB/s } machine m")
        ),
    ],
)
def test_shapes_that_simgrid_does_not_have_are_refused(refused: hwspec.Machine) -> None:
    with pytest.raises(DlcError) as caught:
        platform(refused)
    assert caught.value.code == "DLC418"
    assert caught.value.loc is not None


def test_a_processor_of_unknown_speed_is_refused() -> None:
    with pytest.raises(DlcError) as caught:
        platform(
            hwspec.loads(
                "machine m { node n { cpu c { cores = 1 }; memory r { capacity = 1 B; bandwidth = 1 B/s } } }"
            )
        )
    assert caught.value.code == "DLC418"

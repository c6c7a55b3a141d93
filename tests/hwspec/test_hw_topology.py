"""Ways through networks, checked against graphs that networkx searches."""

import itertools
import time

import networkx as nx
import pytest

from dlc import hwspec
from dlc.diagnostics import DlcError
from dlc.hwspec.routes import seconds
from dlc.hwspec.topologies import Dragonfly, FatTree, Rails, Star, Topology, Torus

SHAPES: dict[str, tuple[Topology, int]] = {
    "star": (Star(6), 6),
    "fat tree": (FatTree((4, 4, 8), (4, 4)), 128),
    "tapered fat tree": (FatTree((6, 4, 4), (2, 4)), 96),
    "tree of one level": (FatTree((8,), ()), 8),
    "torus": (Torus((4, 3, 2), wrap=True), 24),
    "mesh": (Torus((6, 4), wrap=False), 24),
    "dragonfly": (Dragonfly(groups=4, routers=3, hosts=2, links=1), 24),
    "dragonfly with several wires a pair": (Dragonfly(groups=4, routers=3, hosts=2, links=3), 24),
    "rails": (Rails(4, FatTree((4, 8), (4,))), 32),
}


def host(shape: Topology, number: int) -> str:
    """A torus has the parts themselves as routers; elsewhere they hang from switches."""
    if not isinstance(shape, Torus):
        return f"host {number}"
    point: list[int] = []
    for extent in reversed(shape.dims):
        point.insert(0, number % extent)
        number //= extent
    return ",".join(map(str, point))


def wiring(shape: Topology, parts: int) -> dict[str, tuple[str, str]]:
    """Every cable with its ends; fails unless ways are connected and agree on where cables lie."""
    cables: dict[str, tuple[str, str]] = {}
    for a, b in itertools.permutations(range(parts), 2):
        here = host(shape, a)
        for wire in shape.way(a, b):
            there = wire.switch or host(shape, b)
            ends = (here, there) if wire.forward else (there, here)
            assert cables.setdefault(wire.cable, ends) == ends
            here = there
        assert here == host(shape, b)
    return cables


@pytest.mark.parametrize(("shape", "parts"), SHAPES.values(), ids=SHAPES)
def test_ways_are_as_short_as_any(shape: Topology, parts: int) -> None:
    graph = nx.Graph(wiring(shape, parts).values())
    for a in range(parts):
        lengths = nx.single_source_shortest_path_length(graph, host(shape, a))
        for b in range(parts):
            if a != b:
                assert len(shape.way(a, b)) == lengths[host(shape, b)]


@pytest.mark.parametrize(("shape", "parts"), SHAPES.values(), ids=SHAPES)
def test_the_bisection_is_the_largest_flow_between_halves(shape: Topology, parts: int) -> None:
    graph = nx.DiGraph()
    for first, second in wiring(shape, parts).values():
        for edge in ((first, second), (second, first)):
            capacity = graph.edges[edge]["capacity"] if graph.has_edge(*edge) else 0
            graph.add_edge(*edge, capacity=capacity + 1)
    half = range(parts // 2)
    for number in range(parts):
        if number in half:
            graph.add_edge("source", host(shape, number))
        else:
            graph.add_edge(host(shape, number), "sink")
    assert shape.bisection(parts) == nx.maximum_flow_value(graph, "source", "sink")


def test_a_torus_is_the_grid_of_networkx() -> None:
    cables = wiring(Torus((4, 3, 5), wrap=True), 60)
    grid = nx.grid_graph([5, 3, 4], periodic=True)
    wanted = {frozenset(",".join(map(str, point)) for point in edge) for edge in grid.edges}
    assert {frozenset(ends) for ends in cables.values()} == wanted


def test_shifts_through_a_full_fat_tree_meet_nowhere() -> None:
    # The point of choosing parents by the receiver: E. Zahavi, "D-Mod-K routing", 2010.
    tree = FatTree((4, 4, 8), (4, 4))
    for shift in range(1, 128):
        used = [(wire.cable, wire.forward) for a in range(128) for wire in tree.way(a, (a + shift) % 128)]
        assert len(used) == len(set(used))


def test_every_port_of_a_dragonfly_has_one_wire() -> None:
    shape = Dragonfly(groups=9, routers=4, hosts=2, links=2)
    cables = wiring(shape, shape.places)
    degree = {
        router: sum(router in ends for ends in cables.values())
        for router in {end for ends in cables.values() for end in ends if end.startswith("router")}
    }
    assert len(degree) == 36
    assert set(degree.values()) == {2 + 3 + 2}


def cluster(network: str, nodes: int = 64, wire: str = "", attach: str = "n[*].h[*]") -> hwspec.Machine:
    return hwspec.loads(f"""
        type interconnect wire {{
          bandwidth = 25 GB/s; latency = 1 us; overhead = 0.2 us; hop = 0.1 us; {wire}
        }}
        type node N {{
          cpu c {{ cores = 4 }}; memory ram {{ capacity = 8 GB; bandwidth = 200 GB/s }}; nic h[0..3] : wire
        }}
        machine m {{
          node n[0..{nodes - 1}] : N
          network net : {network} {{ attach = {attach}; via = wire }}
          store s {{ kind = file; read = 50 GB/s; write = 30 GB/s; client = 8 GB/s; attach = net }}
        }}""")


@pytest.mark.parametrize(
    ("network", "wires"),
    [
        ("star", 2),
        ("fat_tree(radix = 16)", 6),
        ("torus(dims = [8, 8, 4])", 2),
        ("torus(dims = [8, 8, 4], wrap = false)", 14),
        ("dragonfly(groups = 8, routers = 8, hosts = 4, links = 2)", 5),
        ("rail_optimised(rails = 4, nodes = 8)", 4),
    ],
)
def test_a_message_takes_each_wire_in_turn(network: str, wires: int) -> None:
    way = [hop for hop in cluster(network).path("n[0].h[0]", "n[63].h[0]") if hop.via == "network net"]
    assert len(way) == wires
    assert [hop.target for hop in way[:-1]] == [hop.source for hop in way[1:]]
    assert (way[0].latency, way[0].overhead, way[0].bandwidth) == (1e-6, 2e-7, 25e9)
    inner = wires - 1 if network.startswith("torus") else wires - 2
    assert sum(hop.latency for hop in way[1:]) == pytest.approx(inner * 1e-7)


def test_the_two_directions_of_a_wire_are_two_links_unless_it_is_half_duplex() -> None:
    for wire, same in (("duplex = full", False), ("duplex = half", True)):
        hosts = cluster("fat_tree(radix = 16)", wire=wire)
        there = {hop.link for hop in hosts.path("n[0].h[0]", "n[1].h[0]")}
        back = {hop.link for hop in hosts.path("n[1].h[0]", "n[0].h[0]")}
        assert (there == back) is same
        assert same or not there & back


def test_messages_share_the_wires_that_their_ways_have_in_common() -> None:
    hosts = cluster("fat_tree(radix = 16, levels = 3, taper = 3)")
    ways = [{hop.link for hop in hosts.path(f"n[{a}].h[0]", "n[63].h[0]")} for a in (0, 1, 40)]
    # Two senders below one leaf share the way up from it; all share the wire of the receiver.
    assert len(ways[0] & ways[1]) == 5
    assert len(ways[0] & ways[1] & ways[2]) >= 1


def test_a_fatpipe_is_not_shared() -> None:
    assert all(hop.shared for hop in cluster("star").path("n[0].h[0]", "n[1].h[0]"))
    assert not any(
        hop.shared for hop in cluster("star", wire="sharing = fatpipe").path("n[0].h[0]", "n[1].h[0]")
    )


def test_a_store_limits_all_its_clients_and_each_of_them() -> None:
    hosts = cluster("fat_tree(radix = 16)")
    write, read = hosts.path("n[3]", "s"), hosts.path("s", "n[3]")
    assert [hop.bandwidth for hop in write[-2:]] == [8e9, 30e9]
    assert [hop.bandwidth for hop in read[:2]] == [50e9, 8e9]
    other = hosts.path("n[4]", "s")
    assert write[-1].link == other[-1].link
    assert write[-2].link != other[-2].link


@pytest.mark.parametrize(
    "network",
    [
        "star",
        "fat_tree(down = [8, 8, 8], up = [4, 4])",
        "rail_optimised(rails = 4, nodes = 8)",
        "dragonfly(groups = 8, routers = 8, hosts = 4, links = 2)",
    ],
)
def test_a_way_that_is_remembered_is_the_one_that_a_search_finds(network: str) -> None:
    # Where paths name single parts, nodes are not alike, and every pair of them is searched for itself.
    remembered = cluster(network)
    searched = cluster(network, attach="n[0..63].h[0..3]")
    for a, b in [(0, 1), (5, 63), (63, 5), (17, 16), (9, 9)]:
        for inner in ("h[2]", "c", "ram"):
            pair = f"n[{a}].{inner}", f"n[{b}].h[2]"
            found, wanted = remembered.path(*pair), searched.path(*pair)
            assert seconds(found, 1e6) == pytest.approx(seconds(wanted, 1e6))
            assert [hop.target for hop in found[-1:]] == [hop.target for hop in wanted[-1:]]
            assert len(found) == len(wanted)


def test_a_gpu_uses_the_interface_beside_it() -> None:
    pod = hwspec.load("superpod_h100")
    way = pod.path("n[0].s[1].g[2]", "n[40].s[1].g[2]")
    assert [hop.target for hop in way if ".hca" in hop.target] == ["n[0].hca[6]", "n[40].hca[6]"]
    # The same rail of another unit is reached over a spine, of the same unit through one leaf switch.
    assert sum(hop.via == "network ndr" for hop in way) == 4
    assert sum(hop.via == "network ndr" for hop in pod.path("n[0].s[1].g[2]", "n[9].s[1].g[2]")) == 2


HOST = "cpu c { cores = 4 }; memory ram { capacity = 8 GB; bandwidth = 20 GB/s }"
DEVICES = "gpu g[0..1] { memory hbm { capacity = 1 GB; bandwidth = 100 GB/s } }"
ATTACHED = "nic h { bandwidth = 1 GB/s }; disk d { capacity = 1 TB; read = 1 GB/s }"


@pytest.mark.parametrize(
    ("node", "place", "host"),
    [
        (f"{HOST}; {DEVICES}; {ATTACHED}", "", "c"),
        (f"socket s[0..1] {{ {HOST} }}; {DEVICES}; {ATTACHED}", "", "s[0].c"),
        (f"socket s[0..1] {{ {HOST} }}; group io {{ {ATTACHED} }}", "io.", "s[0].c"),
        (f"socket s {{ {HOST}; {ATTACHED} }}; group board {{ {DEVICES} }}", "s.", "s.c"),
    ],
    ids=["beside it", "further down", "further out", "in its socket"],
)
def test_a_nic_and_a_disk_serve_hosts_before_devices(node: str, place: str, host: str) -> None:
    machine = hwspec.loads(
        f"machine m {{ node n[0..1] {{ {node} }}; network x : star {{ attach = n[*].{place}h }} }}"
    )
    way = machine.path("n[0]", "n[1]")
    assert [hop.source for hop in way][:2] == [f"n[0].{host}", f"n[0].{place}h"]
    assert way[-1].target == f"n[1].{host}"
    assert [hop.source for hop in machine.path("n[0]", f"n[0].{place}d")] == [f"n[0].{host}"]


def test_a_nic_of_devices_alone_serves_them() -> None:
    drawer = f"group drawer {{ {DEVICES}; nic h {{ bandwidth = 1 GB/s }} }}"
    machine = hwspec.loads(
        f"""machine m {{ node n[0..1] {{ {HOST}; {drawer}; nic e {{ bandwidth = 2 GB/s }} }}
        network x : star {{ attach = n[*].drawer.h }}; network y : star {{ attach = n[*].e }} }}"""
    )
    way = machine.path("n[0].drawer.g[0]", "n[1].drawer.g[1]")
    assert [hop.target for hop in way] == ["n[0].drawer.h", "x", "n[1].drawer.h", "n[1].drawer.g[1]"]


def test_a_cable_to_a_switch_leaves_the_nic_to_its_node() -> None:
    inner = "link c <-> h { bandwidth = 3 GB/s }"
    for link, slowest in (("", 5e9), (inner, 3e9)):
        machine = hwspec.loads(
            f"""machine m {{ node n[0..1] {{ {HOST}; nic h {{ bandwidth = 9 GB/s }}; {link} }}
            switch x {{ ports = 2 }}; link n[*].h <-> x {{ bandwidth = 5 GB/s }} }}"""
        )
        way = machine.path("n[0]", "n[1]")
        assert [hop.target for hop in way] == ["n[0].h", "x", "n[1].h", "n[1].c"]
        assert min(hop.bandwidth for hop in way) == slowest


def test_what_passes_through_a_switch_bears_its_delay() -> None:
    for delay, total in (("", 2e-6), ("latency = 5 us; overhead = 1 us", 8e-6)):
        machine = hwspec.loads(
            f"""machine m {{ node n[0..1] {{ {HOST}; nic h {{ bandwidth = 9 GB/s }} }}
            switch x {{ {delay} }}; link n[*].h <-> x {{ bandwidth = 5 GB/s; latency = 1 us }} }}"""
        )
        assert machine.transfer_seconds(0, "n[0]", "n[1]") == pytest.approx(total)


def test_a_medium_among_nodes_joins_them() -> None:
    machine = hwspec.loads(
        f"machine m {{ node n[0..3] {{ {HOST} }}; interconnect bus {{ bandwidth = 2 GB/s; scope = node }} }}"
    )
    assert min(hop.bandwidth for hop in machine.path("n[0]", "n[2]")) == 2e9


def test_a_large_machine_is_routed_without_listing_its_nodes() -> None:
    start = time.perf_counter()
    large = cluster("fat_tree(radix = 128, levels = 4)", nodes=100_000)
    pairs = [(a, 99_999 - 37 * a) for a in range(1_000)]
    hops = [len(large.path(f"n[{a}]", f"n[{b}]")) for a, b in pairs]
    # Three levels of switches hold 64 ** 3 interfaces, which is 65,536 nodes.
    assert hops == [10 if b >= 65_536 else 8 for _, b in pairs]
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("torus(dims = [4, 4])", "network net has 16 places for 256 attached parts"),
        ("torus", "network net has no dims"),
        ("fat_tree", "network net needs `radix` or `down` and `up`"),
        ("fat_tree(down = [16, 16], up = [4, 4])", "network net has 2 levels and 2 counts of uplinks, not 1"),
        ("fat_tree(radix = 2, levels = 3)", "network net has 2 places for 256 attached parts"),
        (
            "dragonfly(groups = 9, routers = 4, hosts = 8, links = 1)",
            "network net has 9 groups, and 4 links of each do not reach all others",
        ),
        (
            "rail_optimised(rails = 3, nodes = 8)",
            "network net has 3 rails, of which 256 attached parts are no multiple",
        ),
        ("star(ports = 255)", "network net has 255 ports for 256 attached parts"),
    ],
)
def test_arguments_that_cannot_be_are_refused(network: str, message: str) -> None:
    with pytest.raises(DlcError) as caught:
        cluster(network)
    assert (caught.value.code, caught.value.message) == ("DLC405", message)
    assert caught.value.help

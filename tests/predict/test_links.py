"""Rounds of collectives on the wires of networks: counted in arrays, they take what exact flows take."""

from dataclasses import replace

import pytest

from dlc import hwspec
from dlc.hwspec.topologies import Dragonfly, FatTree, Rails, Star, Topology, Torus
from dlc.predict import links
from dlc.predict.collectives import ALGORITHMS, choices, choose, price
from dlc.predict.flows import Flow, share_links
from dlc.predict.links import Shape, load
from dlc.predict.network import Network
from dlc.predict.resources import Resources
from dlc.predict.rounds import Round

SHAPES = {
    "star": 8,
    "star(ports = 40)": 23,
    "fat_tree(down = [4, 4], up = [2])": 16,
    "fat_tree(down = [4, 4, 4], up = [2, 2])": 64,
    "fat_tree(down = [3, 5], up = [2])": 13,
    "torus(dims = [4, 4, 4])": 64,
    "torus(dims = [5, 2, 3])": 30,
    "torus(dims = [6, 4], wrap = false)": 24,
    "dragonfly(groups = 4, routers = 4, hosts = 2, links = 2)": 32,
    "dragonfly(groups = 3, routers = 3, hosts = 3, links = 1)": 27,
}
TAPERED, SMALL_DRAGONFLY = (
    "fat_tree(down = [4, 4], up = [2])",
    "dragonfly(groups = 3, routers = 3, hosts = 3, links = 1)",
)
RAILS = "rail_optimised(rails = 4, nodes = 4, uplinks = 2)"


def machine(
    shape: str, nodes: int, *, ports: int = 1, cores: int = 1, hop: str = "0 us", wire: str = "duplex = full"
) -> hwspec.Machine:
    """Nodes on a network of 12.5 GB/s wires; within them messages take no time."""
    return hwspec.loads(f"""
        type interconnect wire {{ bandwidth = 12.5 GB/s; latency = 1 us; hop = {hop}; {wire} }}
        machine m {{
          node n[0..{nodes - 1}] {{
            cpu c {{ cores = {cores} }}
            memory ram {{ capacity = 64 GB; bandwidth = 100000 TB/s }}
            interconnect shm {{ scope = core; bandwidth = 100000 TB/s; latency = 0 us }}
            nic h[0..{ports - 1}] : wire
          }}
          network net : {shape} {{ attach = n[*].h[*]; via = wire }}
        }}""")


def network(described: hwspec.Machine, ranks: int) -> Network:
    return Resources.of(described).place(ranks).network


def exact(
    described: hwspec.Machine, rounds: tuple[Round, ...], ranks: int, *, ports: int, cores: int
) -> float:
    """Seconds of rounds, flow by flow over the hops that the machine tells, from port to port."""
    capacity: dict[object, float] = {}
    total = 0.0
    for entry in rounds:
        for distance in entry.distances:
            flows: list[Flow] = []
            for a, b in entry.pairs(ranks, distance):
                if a // cores == b // cores:
                    continue
                ends = (f"n[{rank // cores}].h[{rank % cores * ports // cores}]" for rank in (a, b))
                hops = described.path(*ends)
                capacity |= {hop.link: hop.bandwidth for hop in hops}
                delay = sum(hop.latency + hop.overhead for hop in hops)
                flows.append(Flow(tuple(hop.link for hop in hops), entry.size, delay))
            total += entry.times * share_links(flows, capacity).seconds
    return total


def everything(described: hwspec.Machine, ranks: int, size: float, *, ports: int = 1, cores: int = 1) -> None:
    """Each algorithm of each operation takes what its flows take."""
    found = network(described, ranks)
    for operation in ALGORITHMS:
        for choice in choices(operation, ranks, size, found):
            if choice.algorithm == "all at once":  # takes a delay for each of its messages
                continue
            seconds = exact(described, choice.rounds, ranks, ports=ports, cores=cores)
            assert choice.seconds == pytest.approx(seconds, rel=1e-4), (operation, choice.algorithm)


@pytest.mark.parametrize(("shape", "nodes"), SHAPES.items())
def test_collectives_take_what_exact_flows_take(shape: str, nodes: int) -> None:
    everything(machine(shape, nodes), nodes, 1e6)


@pytest.mark.parametrize("shape", [TAPERED, SMALL_DRAGONFLY, "torus(dims = [5, 2, 3])"])
def test_ranks_of_a_node_share_its_port(shape: str) -> None:
    nodes = SHAPES[shape]
    everything(machine(shape, nodes, cores=3), 3 * nodes, 1e6, cores=3)


def test_ranks_take_the_rail_of_their_own_port() -> None:
    everything(machine(RAILS, 12, ports=4, cores=8), 96, 1e6, ports=4, cores=8)


@pytest.mark.parametrize("shape", ["star", TAPERED, "torus(dims = [4, 4, 4])", SMALL_DRAGONFLY])
def test_half_duplex_wires_carry_both_directions_together(shape: str) -> None:
    everything(machine(shape, SHAPES[shape], wire="duplex = half"), SHAPES[shape], 1e6)


@pytest.mark.parametrize("size", [1, 1e6])
@pytest.mark.parametrize("shape", [TAPERED, "torus(dims = [4, 4, 4])", SMALL_DRAGONFLY])
def test_delays_of_switches_are_those_of_the_longest_way(shape: str, size: float) -> None:
    """Messages with fewer switches on their way come earlier, so exact flows may be the faster, a little."""
    described, nodes = machine(shape, SHAPES[shape], hop="0.1 us"), SHAPES[shape]
    for operation in ALGORITHMS:
        for choice in choices(operation, nodes, size, network(described, nodes)):
            if choice.algorithm != "all at once":
                seconds = exact(described, choice.rounds, nodes, ports=1, cores=1)
                assert seconds * (1 - 1e-9) <= choice.seconds <= 1.12 * seconds, (operation, choice.algorithm)


@pytest.mark.parametrize("shape", SHAPES)
def test_all_at_once_takes_what_its_flows_take_and_the_delays_of_its_messages(shape: str) -> None:
    nodes = SHAPES[shape]
    described = machine(shape, nodes)
    found = choices("all_to_all", nodes, 1e6 * nodes, network(described, nodes))[-1]
    seconds = exact(described, found.rounds, nodes, ports=1, cores=1)
    assert found.algorithm == "all at once"
    assert found.seconds == pytest.approx(seconds + (nodes - 2) * 1e-6, rel=1e-6)


CROWDS = [(8, 1, 16), (6, 1, 12), (6, 4, 23), (5, 2, 16), (1, 1, 64), (8, 4, 11), (2, 4, 32)]


@pytest.mark.parametrize(("width", "ports", "nodes"), CROWDS)
def test_ranks_from_port_to_port_are_counted_as_each_of_them_is(
    width: int, ports: int, nodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large machines are looked at port by port; the result is the same, for patterns of every kind."""
    shape, ranks = Shape(FatTree((8, 16), (4,)), ports), width * nodes
    rounds = [
        entry
        for algorithms in ALGORITHMS.values()
        for algorithm in algorithms.values()
        for entry in [
            *algorithm(ranks, 1.0),
            *(replace(entry, stride=width) for entry in algorithm(nodes, 1.0)),
            *(replace(entry, stride=width, leaders=True) for entry in algorithm(nodes, 1.0)),
        ]
    ]
    cases = {
        (replace(entry, size=0.0, times=1), distance) for entry in rounds for distance in entry.distances
    }
    slow = {case: load.__wrapped__(shape, width, ranks, *case) for case in cases}
    monkeypatch.setattr(links, "_EACH", 0)
    for case, expected in slow.items():
        assert load.__wrapped__(shape, width, ranks, *case) == expected, case


@pytest.mark.parametrize(
    ("topology", "nodes"),
    [
        (Star(300), 300),
        (FatTree((16, 20), (8,)), 320),
        (FatTree((8, 8, 8), (4, 4)), 401),
        (Torus((8, 8, 5), wrap=True), 320),
        (Torus((16, 20), wrap=False), 320),
        (Torus((16, 20), wrap=True), 200),
        (Dragonfly(9, 8, 4, 4), 288),
        (Rails(4, FatTree((8, 40), (4,))), 80),
    ],
)
def test_some_messages_stand_for_all_when_all_send_to_all(
    topology: Topology, nodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a number of messages a class of wires carries its mean; a torus with ends its estimated most."""
    shape, entry = Shape(topology, ports=4 if isinstance(topology, Rails) else 1), Round("all", range(1), 0.0)
    monkeypatch.setattr(links, "_PAIRS", 1 << 40)
    whole = load.__wrapped__(shape, 8, 8 * nodes, entry, 0)
    monkeypatch.setattr(links, "_PAIRS", 1 << 13)
    monkeypatch.setattr(links, "_FEWEST", 50)
    some = load.__wrapped__(shape, 8, 8 * nodes, entry, 0)
    assert some.local == whole.local
    assert whole.wires - 2 <= some.wires <= whole.wires
    assert some.port == pytest.approx(whole.port, rel=1e-9)
    assert some.inner == pytest.approx(whole.inner, rel=0.15)
    assert sum(dict(some.reach).values()) == pytest.approx(sum(dict(whole.reach).values()))


def test_what_reaches_far_is_counted_apart() -> None:
    """Of all pairs of 32 nodes, 2 on each of 16 routers in 4 groups."""
    dragonfly = machine("dragonfly(groups = 4, routers = 4, hosts = 2, links = 2)", 32)
    found = price("all at once", [Round("all", range(1), 1.0)], 32, network(dragonfly, 32))
    assert found.traffic == {
        "network net within a router": 32 * 1,
        "network net within a group": 32 * 6,
        "network net between groups": 32 * 24,
    }


def test_a_taper_slows_what_crosses_it_and_changes_the_choice() -> None:
    """64 nodes below 8 leaves: a ring hardly crosses spines, halves of a vector all do."""
    full, tapered = (machine(f"fat_tree(down = [8, 8], up = [{up}])", 64) for up in (8, 1))
    for operation in ("all_reduce", "all_gather"):
        slow, fast = (
            {choice.algorithm: choice.seconds for choice in choices(operation, 64, 1e6, network(each, 64))}
            for each in (tapered, full)
        )
        assert slow["ring"] == pytest.approx(fast["ring"])
        assert slow["recursive doubling"] > 4 * fast["recursive doubling"]
    assert choose("all_reduce", 64, 1e6, network(full, 64)).algorithm == "Rabenseifner"
    assert choose("all_reduce", 64, 1e6, network(tapered, 64)).algorithm == "ring"


def test_machines_without_one_regular_network_keep_two_levels() -> None:
    assert network(machine("star", 8), 4).links is not None
    assert network(machine("star", 1, cores=8), 8).links is None
    two = hwspec.loads("""
        machine m {
          node a[0..3] { cpu c { cores = 1 }; memory r { capacity = 1 GB; bandwidth = 1 GB/s }
                         nic h { bandwidth = 1 GB/s } }
          node b[0..3] { cpu c { cores = 1 }; memory r { capacity = 1 GB; bandwidth = 1 GB/s }
                         nic h[0..1] { bandwidth = 1 GB/s } }
          network net : star { attach = [a[*].h, b[*].h[*]]; bandwidth = 1 GB/s }
        }""")
    assert network(two, 8).links is None
    assert choose("all_to_all", 8, 1e6, network(two, 8)).seconds > 0


@pytest.mark.parametrize("name", ["hal", "summit", "frontier", "superpod_h100", "tpu_v4", "cluster", "cloud"])
def test_machines_of_the_catalog_are_known_link_by_link(name: str) -> None:
    resources = Resources.of(hwspec.load(name))
    assert resources.links is not None
    assert resources.links.port * resources.links.shape.ports >= resources.remote.shared
    assert resources.remote.name == resources.links.name


def test_the_network_between_nodes_gives_the_name_not_one_within_them() -> None:
    assert Resources.of(hwspec.load("superpod_h100")).remote.name == "network ndr"

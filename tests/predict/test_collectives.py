"""Collective algorithms reach everybody, move what they must, and cost what their closed forms say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.predict.collectives import ALGORITHMS, choices, choose, price
from dlc.predict.network import Network, Segment, Wire, fit_segments

LATENCY, RATE = 2e-6, 10e9
SPREADING = ["all_gather", "all_reduce", "barrier"]


def wire(name: str, latency: float = LATENCY, rate: float = RATE, shared: float = math.inf) -> Wire:
    return Wire(name, (Segment(math.inf, latency, 0.0, 0.0, rate),), shared)


FLAT = Network(wire("net"), wire("net"), 1)
NODES = Network(wire("memory", 5e-7, 20e9, 80e9), wire("net", shared=RATE), 8)


def spread(operation: str, name: str, ranks: int) -> list[set[int]]:
    """Whose data each rank has in the end, if every message carries all that its sender knows."""
    known = [{rank} for rank in range(ranks)]
    for entry in ALGORITHMS[operation][name](ranks, 1.0):
        for _ in range(entry.times):
            for distance in entry.distances:
                before = [set(one) for one in known]
                for sender, receiver in entry.pairs(ranks, distance):
                    known[receiver] |= before[sender]
    return known


@pytest.mark.parametrize("ranks", [2, 4, 8, 16])
@pytest.mark.parametrize("operation", SPREADING)
def test_everybody_hears_of_everybody(operation: str, ranks: int) -> None:
    for name in ALGORITHMS[operation]:
        assert spread(operation, name, ranks) == [set(range(ranks))] * ranks, name


@pytest.mark.parametrize("ranks", [2, 3, 5, 8, 13])
def test_trees_reach_all_ranks_and_bring_all_back(ranks: int) -> None:
    assert all(0 in one for one in spread("broadcast", "binomial", ranks))
    assert spread("reduce", "binomial", ranks)[0] == set(range(ranks))
    assert spread("gather", "binomial", ranks)[0] == set(range(ranks))


@pytest.mark.parametrize("ranks", [2, 3, 7, 12])
def test_bruck_and_rings_need_no_power_of_two(ranks: int) -> None:
    for name in ("ring", "Bruck"):
        assert spread("all_gather", name, ranks) == [set(range(ranks))] * ranks


@pytest.mark.parametrize(
    ("operation", "name", "rounds", "volume"),
    [
        ("all_reduce", "ring", 2 * 15, 2 * 15 / 16),
        ("all_reduce", "recursive doubling", 4, 4),
        ("all_reduce", "Rabenseifner", 8, 2 * 15 / 16),
        ("all_gather", "ring", 15, 15 / 16),
        ("all_gather", "Bruck", 4, 15 / 16),
        ("all_to_all", "pairwise", 15, 15 / 16),
        ("all_to_all", "Bruck", 4, 2),
        ("broadcast", "binomial", 4, 4),
        ("reduce_scatter", "recursive halving", 4, 15 / 16),
    ],
)
def test_times_are_those_of_the_literature(operation: str, name: str, rounds: int, volume: float) -> None:
    size = 1e6
    found = price(name, ALGORITHMS[operation][name](16, size), 16, FLAT)
    assert found.seconds == pytest.approx(rounds * LATENCY + volume * size / RATE)


def test_small_messages_take_few_rounds_and_large_ones_few_bytes() -> None:
    assert choose("all_reduce", 64, 8, FLAT).algorithm == "recursive doubling"
    assert choose("all_reduce", 64, 1e9, FLAT).algorithm in ("ring", "Rabenseifner")
    assert choose("all_to_all", 64, 64, FLAT).algorithm == "Bruck"
    assert choose("all_to_all", 64, 1e9, FLAT).algorithm == "pairwise"


def test_ranks_of_a_node_share_its_port() -> None:
    """Each of 8 ranks sends half of its bytes to the other node, all through one port."""
    found = choose("all_to_all", 16, 1e9, NODES)
    assert found.traffic["net"] == pytest.approx(16 * 1e9 / 2)
    assert found.seconds >= 8 * 1e9 / 2 / RATE


def test_reducing_within_nodes_first_saves_the_network() -> None:
    by_name = {choice.algorithm: choice for choice in choices("all_reduce", 64, 1e8, NODES)}
    assert by_name["hierarchical"].seconds < by_name["recursive doubling"].seconds
    assert by_name["hierarchical"].traffic["net"] < by_name["recursive doubling"].traffic["net"]


@given(
    st.sampled_from(["all_reduce", "all_gather", "broadcast", "all_to_all"]),
    st.integers(2, 200_000),
    st.floats(1, 1e10),
)
def test_no_choice_beats_the_lower_bounds(operation: str, ranks: int, size: float) -> None:
    found = choose(operation, ranks, size, FLAT)
    least = {"all_reduce": 2, "all_gather": 1, "broadcast": 1, "all_to_all": 1}[operation]
    assert found.seconds >= math.floor(math.log2(ranks)) * LATENCY * 0.999
    assert found.seconds >= least * size * (1 - 1 / ranks) / RATE * 0.999


def test_one_rank_alone_takes_nothing() -> None:
    assert choose("all_reduce", 1, 1e9, FLAT).seconds == 0


def test_segments_are_found_in_measured_times() -> None:
    def truth(size: float) -> float:
        return 1e-6 + size / 5e9 if size <= 8192 else 8e-6 + size / 11e9

    sizes = [0.0, 64.0, 512.0, 4096.0, 8192.0, 65536.0, 262144.0, 1048576.0, 8388608.0]
    found = Wire("net", fit_segments(sizes, [truth(size) for size in sizes]))
    for size in (100.0, 3000.0, 100_000.0, 4e6):
        assert found.seconds(size) == pytest.approx(truth(size), rel=0.02)

"""Costs are monotone in what they should be, and crowding forbids what does not fit."""

from hypothesis import given
from hypothesis import strategies as st

from dlc.passes.partition.costs import CROWDED, Costs, DefaultNetwork

sizes = st.integers(0, 10**12)
ranks = st.integers(2, 4096)


@given(sizes, ranks)
def test_more_bytes_never_cost_less(size, p):
    costs = Costs(p, DefaultNetwork())
    for cost in (costs.shuffle, costs.all_gather, costs.gather):
        assert cost(size) <= cost(size * 2 + 1)


@given(sizes, ranks)
def test_spread_work_is_a_share_of_replicated_work(size, p):
    costs = Costs(p, DefaultNetwork())
    assert costs.work(size, replicated=False) * p <= costs.work(size, replicated=True) * (1 + 1e-9)


def test_copies_that_crowd_a_node_are_a_last_resort():
    costs = Costs(4, DefaultNetwork(), memory=16e9)
    assert costs.crowding(0.9e9) == 0
    assert costs.crowding(1.1e9) == CROWDED
    assert Costs(1, DefaultNetwork(), memory=16e9).crowding(1e12) == 0

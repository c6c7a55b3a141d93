"""Flows share links as max-min fairness demands."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.predict.flows import Flow, share_links


def test_two_flows_halve_a_link_until_the_shorter_ends() -> None:
    short, long = Flow(("a",), 1e9), Flow(("a",), 3e9)
    ends = share_links([short, long], {"a": 1e9}).ends
    assert ends[short] == pytest.approx(2)
    assert ends[long] == pytest.approx(4)


def test_what_a_flow_cannot_use_others_get() -> None:
    """The textbook case: one flow over both links, one on each; the second link is the wider one."""
    both, first, second = Flow(("a", "b"), 1e9), Flow(("a",), 1e9), Flow(("b",), 3e9)
    ends = share_links([both, first, second], {"a": 1e9, "b": 2e9}).ends
    assert ends[both] == pytest.approx(2)
    assert ends[first] == pytest.approx(2)
    assert ends[second] == pytest.approx(2)  # 1.5 GB/s for two seconds


def test_a_flow_takes_no_more_than_its_own_rate() -> None:
    slow, fast = Flow(("a",), 1e8, rate=1e8), Flow(("a",), 9e8)
    assert share_links([slow, fast], {"a": 1e9}).seconds == pytest.approx(1)


def test_delays_come_before_bytes() -> None:
    assert share_links([Flow(("a",), 1e9, delay=0.5, start=1.0)], {"a": 1e9}).seconds == pytest.approx(2.5)
    assert share_links([Flow((), 0.0, delay=1e-6)], {}).seconds == pytest.approx(1e-6)


def test_flows_that_start_later_slow_down_those_under_way() -> None:
    first, later = Flow(("a",), 2e9), Flow(("a",), 1e9, start=1.0)
    ends = share_links([first, later], {"a": 1e9}).ends
    assert ends[first] == pytest.approx(3)
    assert ends[later] == pytest.approx(3)


def test_equal_flows_are_counted_not_listed() -> None:
    flow = Flow(("a",), 1e6)
    assert share_links([flow] * 1000, {"a": 1e9}).seconds == pytest.approx(1)


def test_all_to_all_on_a_full_duplex_star() -> None:
    hosts, size = 64, 1 << 20
    flows = [Flow((("up", a), ("down", b)), size, 1e-6) for a in range(hosts) for b in range(hosts) if a != b]
    capacity = {(way, host): 12.5e9 for way in ("up", "down") for host in range(hosts)}
    assert share_links(flows, capacity).seconds == pytest.approx(1e-6 + 63 * size / 12.5e9)


@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from("abcd"), min_size=1), st.floats(1e6, 1e9), st.floats(0, 1)),
        min_size=1,
        max_size=12,
    )
)
def test_bytes_are_kept_and_no_link_is_overrun(found: list[tuple[set[str], float, float]]) -> None:
    flows = [Flow(tuple(sorted(links)), size, start=start) for links, size, start in found]
    capacity = {"a": 1e9, "b": 2e9, "c": 3e8, "d": 1e10}
    outcome = share_links(flows, capacity)
    for link, carried in outcome.carried.items():
        assert carried == pytest.approx(sum(flow.size for flow in flows if link in flow.links))
        first = min(flow.start for flow in flows if link in flow.links)
        assert outcome.seconds - first >= carried / capacity[str(link)] * (1 - 1e-6)
    for flow, end in outcome.ends.items():
        assert end - flow.start >= flow.size / min(capacity[str(link)] for link in flow.links) * (1 - 1e-6)
        assert math.isfinite(end)

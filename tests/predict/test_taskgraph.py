"""Schedules of task graphs: legal, complete, and where theory knows the answer, right."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlc.diagnostics import DlcError
from dlc.predict.taskgraph import Schedule, TaskGraph, schedule


def graph(seconds: list[float], edges: list[tuple[int, int]], **parts: object) -> TaskGraph:
    ends = np.array(edges, np.int64).reshape(-1, 2)
    return TaskGraph(np.array(seconds), ends[:, 0], ends[:, 1], **parts)  # type: ignore[arg-type]


def test_a_chain_takes_the_sum_and_free_tasks_the_longest() -> None:
    assert schedule(graph([1, 2, 3], [(0, 1), (1, 2)]), 4).seconds == 6
    assert schedule(graph([1, 2, 3], []), 4).seconds == 3
    assert schedule(graph([1, 2, 3], []), 1).seconds == 6


def test_data_cost_only_between_nodes() -> None:
    sizes = np.array([1e9])
    same = graph([1, 1], [(0, 1)], sizes=sizes)
    apart = graph([1, 1], [(0, 1)], sizes=sizes, nodes=np.array([0, 1]))
    assert schedule(same, 2, latency=0.5, rate=1e9).seconds == 2
    assert schedule(apart, 2, latency=0.5, rate=1e9).seconds == 3.5


def test_a_node_runs_as_many_tasks_as_it_has_slots() -> None:
    assert schedule(graph([1] * 8, []), 1, slots=4).seconds == 2


def test_tasks_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(DlcError) as caught:
        schedule(graph([1, 1], [(0, 1), (1, 0)]), 1)
    assert caught.value.code == "DLC522"


@settings(deadline=None)
@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=60),
    st.integers(1, 5),
    st.integers(1, 3),
)
def test_schedules_are_legal_and_no_worse_than_graham_says(
    seconds: list[float], pairs: list[tuple[int, int]], nodes: int, slots: int
) -> None:
    count = len(seconds)
    edges = sorted({(a, b) for a, b in pairs if a < b < count})
    found = schedule(graph(seconds, edges), nodes, slots=slots)
    assert (found.finish - found.start == pytest.approx(np.array(seconds))) and len(found.start) == count
    for before, after in edges:
        assert found.start[after] >= found.finish[before] - 1e-9
    assert_never_crowded(found, slots)
    critical = longest_path(seconds, edges)
    work = sum(seconds) / (nodes * slots)
    assert max(critical, work) - 1e-9 <= found.seconds <= critical + work + 1e-9


def longest_path(seconds: list[float], edges: list[tuple[int, int]]) -> float:
    ends = list(seconds)
    for after in range(len(seconds)):
        ends[after] += max((ends[a] for a, b in edges if b == after), default=0.0)
    return max(ends)


def assert_never_crowded(found: Schedule, slots: int) -> None:
    for moment in found.start:
        running = (found.start <= moment) & (found.finish > moment + 1e-12)
        assert np.bincount(found.node[running]).max(initial=0) <= slots


@pytest.mark.slow
def test_a_million_tasks_on_ten_thousand_nodes_take_seconds() -> None:
    count, nodes = 1_000_000, 10_000
    random = np.random.default_rng(1)
    targets = np.repeat(np.arange(nodes, count), 2)
    sources = targets - 1 - random.integers(0, nodes, len(targets))
    large = TaskGraph(
        random.exponential(1.0, count), sources, targets, sizes=random.random(len(targets)) * 1e6
    )
    schedule(graph([1, 1], [(0, 1)]), 2)  # compiles
    begin = time.perf_counter()
    found = schedule(large, nodes, latency=1e-6, rate=1e10)
    assert time.perf_counter() - begin < 9  # 1.5 s on a quiet core
    assert found.seconds >= large.seconds.sum() / nodes

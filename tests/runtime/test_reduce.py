"""Reductions give the sum of what the ranks hold, in one order whatever their number."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.predict.reductions import Bucket, sent
from dlc.runtime.reduce import COMBINE, Partials, Reduction, as_partials, identity
from dlc.runtime.transport import Transport, run_local
from dlc.runtime.transport.counting import Counting, Traffic
from dlc.runtime.trees import SMALL, Tree, sent_items, tree

SHAPES = [(), (3, 5), (7,), (0, 4)]
LARGE = [(SMALL // 4 + 13,), (2, 3)]


def leaf(shard: int, shapes: list[tuple[int, ...]], dtype: Any = np.float32) -> list[Any]:
    random = np.random.default_rng(shard)
    return [(random.normal(size=shape) * 10.0 ** random.integers(-3, 4)).astype(dtype) for shape in shapes]


def fixed_order(values: list[Any], combine: Any = np.add) -> Any:
    """Every second value against the others, and so on down: the documented tree."""
    if len(values) == 1:
        return values[0]
    return combine(fixed_order(values[::2], combine), fixed_order(values[1::2], combine))


def reduced(
    ranks: int, shards: int, present: tuple[int, ...], shapes: list[tuple[int, ...]], order: str = "tree"
) -> list[tuple[list[Any], int]]:
    """What each rank gets, and how many bytes it has sent."""

    def work(t: Transport) -> tuple[list[Any], int]:
        own = {shard: leaf(shard, shapes) for shard in present if shard % t.size == t.rank}
        partials = [
            Partials(
                shards, present, {shard: own[shard][index] for shard in own}, shape, np.dtype(np.float32)
            )
            for index, shape in enumerate(shapes)
        ]
        traffic = Traffic()
        return Reduction(partials, "sum", order, Counting(t, traffic)).wait(), traffic.sent

    return run_local(ranks, work, patience=20)


@pytest.mark.parametrize("shapes", [SHAPES, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("shards", [1, 4, 6, 7])
def test_bits_are_those_of_the_documented_order(
    ranks: int, shards: int, shapes: list[tuple[int, ...]]
) -> None:
    leaves = [leaf(shard, shapes) for shard in range(shards)]
    for found, _ in reduced(ranks, shards, tuple(range(shards)), shapes):
        for index, shape in enumerate(shapes):
            assert found[index].shape == shape
            assert np.array_equal(found[index], fixed_order([values[index] for values in leaves]))


@given(
    st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), min_size=1)))
)
def test_absent_shards_change_nothing_but_their_own_part(case: tuple[int, set[int]]) -> None:
    shards, chosen = case
    present = tuple(sorted(chosen))
    alone = reduced(1, shards, present, SHAPES)[0][0]
    for ranks in (2, 3):
        for found, _ in reduced(ranks, shards, present, SHAPES):
            assert all(np.array_equal(a, b) for a, b in zip(found, alone, strict=True))


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_any_order_is_close(ranks: int) -> None:
    exact = [np.sum([leaf(s, LARGE, np.float64)[i] for s in range(6)], axis=0) for i in range(len(LARGE))]
    for found, _ in reduced(ranks, 6, tuple(range(6)), LARGE, "any"):
        for value, expected in zip(found, exact, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("shapes", [SHAPES, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_bytes_are_sent_as_the_rule_for_predictions_says(ranks: int, shapes: list[tuple[int, ...]]) -> None:
    bucket = Bucket(tuple((shape, 4) for shape in shapes), 4, ranks)

    def work(t: Transport) -> int:
        traffic = Traffic()
        partials = [
            Partials(4, (0, 1, 2, 3), {s: leaf(s, shapes)[i] for s in range(t.rank, 4, t.size)}, shape,
                     np.dtype(np.float32))
            for i, shape in enumerate(shapes)
        ]  # fmt: skip
        Reduction(partials, "sum", "tree", Counting(t, traffic)).wait()
        return traffic.sent

    assert run_local(ranks, work, patience=20) == sent(bucket, "tree")


def test_tensors_of_several_types_and_plain_tensors_combine() -> None:
    def work(t: Transport) -> None:
        tensors = [np.float64(t.rank + 1), np.array([t.rank, 5], np.int32), np.array([t.rank == 1])]
        for combine, expected in (("max", [3.0, [2, 5], [True]]), ("min", [1.0, [0, 5], [False]])):
            found = Reduction([as_partials(value, t) for value in tensors], combine, "tree", t).wait()
            assert [value.tolist() for value in found] == expected
            assert [value.dtype for value in found] == [np.float64, np.int32, np.bool_]

    run_local(3, work, patience=20)


@pytest.mark.parametrize("combine", COMBINE)
@pytest.mark.parametrize("dtype", ["float32", "int8", "uint16", "bool"])
def test_an_identity_changes_nothing(combine: str, dtype: str) -> None:
    if combine in ("and", "or") and dtype == "float32":
        return
    values = np.array([0, 1, 1], dtype)
    if dtype == "bool" and combine in ("sum", "prod"):
        return
    assert np.array_equal(COMBINE[combine](values, identity(combine, np.dtype(dtype))), values)


@given(st.integers(1, 40), st.integers(1, 9))
def test_pieces_hold_every_leaf_once_and_lie_on_its_rank(leaves: int, ranks: int) -> None:
    pieces = Tree(leaves, range(leaves)).pieces(ranks)
    found = [
        (rank, leaf) for rank, nodes in enumerate(pieces) for offset, stride in nodes
        for leaf in range(offset, leaves, stride)
    ]  # fmt: skip
    assert sorted(leaf for _, leaf in found) == list(range(leaves))
    assert all(leaf % ranks == rank for rank, leaf in found)


@pytest.mark.parametrize("ranks", [1, 2, 4, 8])
def test_a_power_of_two_of_ranks_owns_one_piece_each(ranks: int) -> None:
    pieces = tree(32, tuple(range(32))).pieces(ranks)
    assert [len(nodes) for nodes in pieces] == [1] * ranks
    # So each rank sends no more than twice the buffer, as the best algorithms do.
    assert sent_items(pieces, 0, 1 << 20, False) == 2 * (1 << 20) * (ranks - 1) // ranks

"""Rows are dealt out to shards, ordered and cut in a way that no number of ranks can change."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.runtime import exchange
from dlc.runtime.batches import Batches, Sharding, content_hashes, order_keys
from dlc.runtime.transport import LocalTransport, Transport, run_local

ROWS, SHARDS = 203, 6


def frame() -> pl.DataFrame:
    random = np.random.default_rng(3)
    return pl.DataFrame({"k": random.integers(0, 50, ROWS), "x": random.normal(size=ROWS)})


def tensors(rows: pl.DataFrame) -> list[Any]:
    x = rows["x"].to_numpy()
    return [np.stack([x, -x], axis=1).astype(np.float32), x]


def owner(ranks: int, rank: int) -> pl.Expr:
    return exchange.shard_of(["k"], SHARDS) % ranks == rank


def sharding(t: Transport, owned: str, rows: pl.DataFrame, by_key: bool = True) -> Sharding:
    targets = rows.select(exchange.shard_of(["k"], SHARDS)).to_series().to_numpy() if by_key else None
    return Sharding(tensors(rows), targets, SHARDS, owned, t)


def epochs(ranks: int, owned: str, epoch: int = 1, by_key: bool = True) -> list[Batches]:
    """The batches of every rank; with "hash", each has the rows that are its own, in an order of its own."""

    def work(t: Transport) -> Batches:
        rows = frame()
        if owned == "hash":
            rows = rows.filter(owner(t.size, t.rank)).sample(fraction=1, shuffle=True, seed=t.rank)
        return sharding(t, owned, rows, by_key).epoch(48, 5, epoch)

    return run_local(ranks, work, patience=20)


def joined(found: list[Batches]) -> list[Any]:
    """All tensors of all shards, without what was padded."""
    held = {shard: arrays for batches in found for shard, arrays in batches.shards.items()}
    return [array[: found[0].counts[shard]] for shard in sorted(held) for array in held[shard]]


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("owned", ["hash", "all"])
def test_shards_are_the_same_on_any_number_of_ranks(ranks: int, owned: str) -> None:
    found, alone = epochs(ranks, owned), epochs(1, "all")
    assert all(batches.counts == alone[0].counts for batches in found)
    for rank, batches in enumerate(found):
        assert list(batches.shards) == list(range(rank, SHARDS, ranks))
    assert all(np.array_equal(a, b) for a, b in zip(joined(found), joined(alone), strict=True))


def test_every_row_is_there_once_and_tensors_stay_together() -> None:
    (batches,) = epochs(1, "all")
    parts = joined([batches])
    matrices, vectors = np.concatenate(parts[::2]), np.concatenate(parts[1::2])
    assert sorted(vectors) == sorted(frame()["x"])
    assert np.array_equal(matrices, np.stack([vectors, -vectors], axis=1).astype(np.float32))


def test_epochs_differ_and_come_again() -> None:
    first, second, again = (joined(epochs(1, "all", epoch)) for epoch in (1, 2, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_without_keys_shards_are_about_as_large() -> None:
    (batches,) = epochs(1, "all", by_key=False)
    assert sum(batches.counts) == ROWS
    assert min(batches.counts) > ROWS / SHARDS / 2


def test_local_rows_are_one_shard_of_their_rank() -> None:
    def work(t: Transport) -> Batches:
        return sharding(t, "local", frame()[t.rank * 10 : 30], by_key=False).epoch(9, 0, 0)

    found = run_local(3, work, patience=20)
    assert [list(batches.shards) for batches in found] == [[0], [1], [2]]
    assert [batches.counts for batches in found] == [[30, 20, 10]] * 3
    assert [(batches.micro, batches.steps) for batches in found] == [(3, 10)] * 3


def test_a_row_on_the_wrong_rank_is_not_lost_silently() -> None:
    with pytest.raises(ValueError, match="does not own"):
        run_local(2, lambda t: sharding(t, "hash", frame()), patience=20)


def test_a_step_takes_so_many_rows_of_each_shard() -> None:
    batches = Batches({}, [10, 25, 0], 8, 0, 1)
    assert batches.steps == 4
    assert [batches.rows(step) for step in range(4)] == [16, 10, 8, 1]
    assert batches.rows(None) == 35
    assert [batches.present(step) for step in range(4)] == [(0, 1), (0, 1), (1,), (1,)]
    assert batches.present(None) == (0, 1)
    assert batches.chunks(1, 3, 8) == [(24, 1)]
    assert batches.chunks(1, 0, 3) == [(0, 3), (3, 3), (6, 2)]
    assert batches.chunks(1, None, 8) == [(0, 8), (8, 8), (16, 8), (24, 1)]


def test_no_rows_at_all_are_one_empty_chunk() -> None:
    batches = Sharding([np.zeros((0, 2), np.float32)], None, 3, "all", LocalTransport()).epoch(6, 0, 0)
    assert (batches.steps, batches.rows(None), batches.present(None)) == (0, 0, (0,))
    assert batches.chunks(0, None, 4) == [(0, 0)]
    assert batches.view(0, 0, 4)[0].tolist() == [[0, 0]] * 4


@given(st.integers(1, 30), st.integers(1, 12))
def test_views_hold_the_rows_and_copies_of_rows(rows: int, size: int) -> None:
    values = np.arange(1, rows + 1, dtype=np.float32)
    batches = Sharding([values], np.zeros(rows, int), 1, "all", LocalTransport()).epoch(4, 0, 0)
    for start, taken in batches.chunks(0, None, size):
        (view,) = batches.view(0, start, size)
        assert len(view) == size
        assert np.array_equal(view[:taken], batches.shards[0][0][start : start + taken])
        assert np.all((view >= 1) & (view <= rows))


@given(st.lists(st.binary(min_size=6, max_size=6), min_size=1, max_size=50))
def test_rows_have_one_hash_if_and_only_if_they_are_equal(rows: list[bytes]) -> None:
    array = np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 6)
    one, two = (
        content_hashes([array]),
        content_hashes([array[:, :4].copy().view(np.float32)[:, 0], array[:, 4:]]),
    )
    assert np.array_equal(one, two)
    assert len(set(one.tolist())) == len(set(rows))
    assert len(set(order_keys(one, 1, 2).tolist())) == len(set(rows))

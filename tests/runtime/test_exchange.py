"""Rows arrive as they left, whatever their types, on any number of ranks."""

import datetime
import math
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from dlc.runtime import exchange
from dlc.runtime.transport import Transport, run_local

UTC = datetime.UTC
COLUMNS: dict[str, tuple[pl.DataType, list[Any]]] = {
    "bool": (pl.Boolean(), [True, None, False]),
    **{f"i{bits}": (kind(), [-(2 ** (bits - 1)), None, 2 ** (bits - 1) - 1])
       for bits, kind in ((8, pl.Int8), (16, pl.Int16), (32, pl.Int32), (64, pl.Int64))},
    "wide decimal": (pl.Int128(), [1 - 10**38, None, 10**38 - 1]),
    **{f"ui{bits}": (kind(), [0, None, 2**bits - 1])
       for bits, kind in ((8, pl.UInt8), (16, pl.UInt16), (32, pl.UInt32), (64, pl.UInt64))},
    "f32": (pl.Float32(), [0.5, None, math.inf]),
    "f64": (pl.Float64(), [math.nan, None, -0.0]),
    "string": (pl.String(), ["", None, "a text that is longer than twelve bytes ✓"]),
    "date": (pl.Date(), [datetime.date(1, 1, 1), None, datetime.date(9999, 12, 31)]),
    "timestamp": (pl.Datetime("us"), [datetime.datetime(1969, 1, 1), None, datetime.datetime(2024, 2, 29)]),
    "zoned": (pl.Datetime("ns", "UTC"), [datetime.datetime(2024, 1, 1, tzinfo=UTC), None, None]),
    "duration": (pl.Duration("us"), [datetime.timedelta(microseconds=-1), None, datetime.timedelta(days=9)]),
}  # fmt: skip


def everything(rows: int) -> pl.DataFrame:
    """A frame with a column of every type, whose row number is in `n`."""
    columns = {
        name: pl.Series([values[i % 3] for i in range(rows)], dtype=kind)
        for name, (kind, values) in COLUMNS.items()
    }
    return pl.DataFrame({"n": range(rows), **columns})


def same(a: pl.DataFrame, b: pl.DataFrame) -> bool:
    return a.schema == b.schema and a.equals(b, null_equal=True)


@pytest.mark.parametrize("rows", [0, 1, 100])
def test_encoding_keeps_every_type(rows: int) -> None:
    frame = everything(rows)
    decoded = exchange.decode(exchange.encode(frame, describe=True))
    assert decoded is not None
    assert same(decoded, frame)


def test_a_slice_is_encoded_without_its_surroundings() -> None:
    frame = pl.DataFrame({"s": ["a text that is longer than twelve bytes"] * 10_000})
    assert exchange.encode(frame[:2]).nbytes < 2_000


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 11])
@pytest.mark.parametrize("key", ["n", *COLUMNS])
def test_a_shuffle_keeps_all_rows_and_brings_equal_keys_together(key: str, ranks: int) -> None:
    frame = everything(60)

    def work(t: Transport) -> pl.DataFrame:
        return exchange.shuffle(frame[t.rank :: t.size], [key], t)

    found = run_local(ranks, work)
    assert same(pl.concat(found).sort("n"), frame)
    homes = [set(map(str, part[key].to_list())) for part in found]
    for rank, home in enumerate(homes):
        assert all(not home & other for other in homes[rank + 1 :])


def test_two_shuffles_agree_on_the_home_of_a_key() -> None:
    left = pl.DataFrame({"k": [*range(50), None], "s": [str(i) for i in range(50)] + [None]})
    right = left.rename({"k": "x", "s": "y"})

    def work(t: Transport) -> int:
        a = exchange.shuffle(left[t.rank :: t.size], ["k", "s"], t)
        b = exchange.shuffle(right[:: t.size] if t.rank == 0 else right[t.rank :: t.size], ["x", "y"], t)
        return a.join(b, left_on=["k", "s"], right_on=["x", "y"]).height

    assert sum(run_local(3, work)) == 50


def test_zeros_and_nans_are_one_key_each() -> None:
    frame = pl.DataFrame({"x": [0.0, -0.0, math.nan, -math.nan]})
    parts = exchange.partition(frame, ["x"], 7)
    assert sorted(part.height for part in parts if part.height) in ([2, 2], [4])


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_gathers_keep_rank_order(ranks: int) -> None:
    frame = everything(10)

    def share(rank: int) -> pl.DataFrame:
        return frame[10 * rank // ranks : 10 * (rank + 1) // ranks] if ranks != 3 or rank != 1 else frame[:0]

    expected = pl.concat([share(rank) for rank in range(ranks)])

    def work(t: Transport) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        mine = share(t.rank)
        last = t.size - 1
        return (
            exchange.all_gather(mine, t),
            exchange.gather(mine, last, t),
            exchange.broadcast(mine if t.rank == last else mine.clear(), last, t),
        )

    for rank, (everywhere, gathered, sent) in enumerate(run_local(ranks, work)):
        assert same(everywhere, expected)
        assert same(gathered, expected if rank == ranks - 1 else expected.clear())
        assert same(sent, share(ranks - 1))


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("nulls_last", [False, True])
def test_a_range_shuffle_orders_the_ranks(ranks: int, descending: bool, nulls_last: bool) -> None:
    values = [(i * 37) % 101 if i % 10 else None for i in range(200)]
    by = [("x", descending, nulls_last), ("n", False, False)]
    order = {"by": ["x", "n"], "descending": [descending, False], "nulls_last": [nulls_last, False]}
    frame = pl.DataFrame({"x": values, "n": range(200)})

    def work(t: Transport) -> pl.DataFrame:
        mine = frame[t.rank :: t.size].sort(**order)
        samples = exchange.all_gather(mine.gather_every(5), t).sort(**order)
        return exchange.range_shuffle(mine, samples, by, t).sort(**order)

    found = run_local(ranks, work)
    assert same(pl.concat(found), frame.sort(**order))
    assert max(part.height for part in found) < 200 * 2 / ranks + 20


def test_a_range_shuffle_of_nothing_gives_nothing() -> None:
    frame = pl.DataFrame({"x": []}, schema={"x": pl.Int64})
    found = run_local(3, lambda t: exchange.range_shuffle(frame, frame, [("x", False, False)], t))
    assert [part.height for part in found] == [0, 0, 0]


def test_decimals_travel_as_wide_integers() -> None:
    frame = pl.DataFrame({"d": pl.Series([10**37, -1, None], dtype=pl.Int128)})
    decoded = exchange.decode(exchange.encode(frame))
    assert decoded is not None
    assert decoded["d"].to_list() == [10**37, -1, None]
    assert Decimal(decoded["d"][0]) == Decimal(10) ** 37

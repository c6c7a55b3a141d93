"""Bytes that are predicted for rows on their way are those that ranks really send."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlc.predict import messages
from dlc.runtime import exchange
from dlc.runtime.transport import Transport, run_local
from dlc.runtime.transport.counting import Counting, Traffic

COLUMNS = {
    "i64": st.integers(-(2**62), 2**62),
    "f64": st.floats(allow_nan=False),
    "i32": st.integers(-(2**31), 2**31 - 1),
    "date": st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    "string": st.text(max_size=40),
}
PHYSICAL = {"i64": pl.Int64, "f64": pl.Float64, "i32": pl.Int32, "date": pl.Date, "string": pl.String}
ROUNDED = 16
"""Bytes of a message and of each of its columns up to which Arrow fills up."""


@st.composite
def frames(draw: st.DrawFn) -> tuple[pl.DataFrame, dict[str, str]]:
    names = draw(st.lists(st.text("abcdefgh_", min_size=1, max_size=30), min_size=1, max_size=6, unique=True))
    types = {name: draw(st.sampled_from(sorted(COLUMNS))) for name in names}
    rows = draw(st.integers(1, 50))
    data = {
        name: pl.Series(
            name, [draw(COLUMNS[type_]) for _ in range(rows)], PHYSICAL[type_], strict=True
        )
        for name, type_ in types.items()
    }  # fmt: skip
    return pl.DataFrame(data), types


def counted(frame: pl.DataFrame, where: str, ranks: int) -> int:
    """Bytes that so many ranks send which hold the same rows each."""

    def work(t: Transport) -> int:
        traffic = Traffic()
        counting = Counting(t, traffic)
        if where == messages.EVERYWHERE:
            exchange.all_gather(frame, counting)
        elif where == messages.TO_ONE:
            exchange.gather(frame, 0, counting)
        else:
            exchange.broadcast(frame, 0, counting)
        return traffic.sent

    return sum(run_local(ranks, work, patience=20))


@settings(max_examples=40, deadline=None)
@given(
    frames(), st.sampled_from([messages.EVERYWHERE, messages.TO_ONE, messages.FROM_ONE]), st.integers(1, 4)
)
def test_rows_without_nulls_take_what_is_predicted(
    given: tuple[pl.DataFrame, dict[str, str]], where: str, ranks: int
) -> None:
    frame, types = given
    copies = 1 if where == messages.FROM_ONE else ranks
    moving = messages.rows_of(frame.height * copies, frame.estimated_size() * copies, types)
    sent = {messages.EVERYWHERE: ranks * (ranks - 1)}.get(where, ranks - 1)
    assert messages.sent(moving, where, ranks) == pytest.approx(
        counted(frame, where, ranks), abs=sent * ROUNDED * (len(types) + 1)
    )


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_a_shuffle_sends_all_but_what_stays(ranks: int) -> None:
    rows = 20_000
    frame = pl.DataFrame({"k": range(rows), "v": [0.5] * rows})

    def work(t: Transport) -> int:
        traffic = Traffic()
        exchange.shuffle(frame[t.rank :: t.size], ["k"], Counting(t, traffic))
        return traffic.sent

    moving = messages.rows_of(rows, 16 * rows, {"k": "i64", "v": "f64"})
    expected = messages.sent(moving, messages.SHUFFLE, ranks)
    # A hash keeps a share of the rows that varies as chance does.
    assert sum(run_local(ranks, work, patience=20)) == pytest.approx(expected, rel=4 / rows**0.5)


def test_no_rows_send_nothing() -> None:
    assert messages.sent(messages.rows_of(0, 0.0, {"k": "i64"}), messages.EVERYWHERE, 4) == 0.0

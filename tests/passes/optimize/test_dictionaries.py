"""What dictionaries tell, against the rows of files that three independent writers have written."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.dialects import datatypes as t
from dlc.passes.optimize import distinct_values
from dlc.passes.optimize.dictionaries import Contents
from dlc.passes.optimize.files import Footer, footer
from dlc.passes.optimize.page_header import LONGEST, dictionary_page

parquet: Any = pyarrow.parquet
ROWS, GROUP = 30_000, 10_000


def arrow(rows: pl.DataFrame, path: Path, **options: Any) -> None:
    parquet.write_table(rows.to_arrow(), path, row_group_size=GROUP, **options)


def by_polars(rows: pl.DataFrame, path: Path) -> None:
    rows.write_parquet(path, row_group_size=GROUP)


def by_duckdb(rows: pl.DataFrame, path: Path) -> None:
    duckdb.from_arrow(rows.to_arrow()).write_parquet(str(path), row_group_size=10_240)


def by_arrow(**options: Any) -> Callable[[pl.DataFrame, Path], None]:
    return lambda rows, path: arrow(rows, path, **options)


WRITERS = {
    "polars": by_polars,
    "duckdb": by_duckdb,
    "arrow": by_arrow(),
    "pages of version 2": by_arrow(data_page_version="2.0"),
    "not compressed": by_arrow(compression="none"),
}


def table() -> pl.DataFrame:
    draw = np.random.default_rng(0)
    some = pl.DataFrame(
        {
            "few": draw.integers(0, 7, ROWS),
            "many": draw.integers(0, 900, ROWS) * 1000,
            "price": draw.integers(0, 500, ROWS) / 8,
            "word": draw.choice(["a", "bcd", "a rather long text"], ROWS),
            "gaps": draw.integers(0, 40, ROWS),
            "none": [None] * ROWS,
        }
    )
    return some.with_columns(
        pl.when(pl.col("gaps") > 3).then("gaps"), pl.col("none").cast(pl.Int64), pl.col("few").cast(pl.Int32)
    )


TYPES = {name: t.nullable(t.i64) for name in table().columns}


@pytest.mark.parametrize("writer", WRITERS)
def test_dictionaries_of_a_row_group_hold_its_distinct_values(writer: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    WRITERS[writer](table(), path)
    file = footer(str(path))
    for group, (first, count) in enumerate(file.groups):
        rows = table().slice(first, count)
        told = file.contents(group, TYPES)
        for column in ("few", "many", "price", "word", "gaps"):
            if (writer, column) == ("polars", "price"):  # Polars writes no dictionaries of floats
                assert told[column] == Contents()
                continue
            assert told[column].distinct == rows[column].drop_nulls().n_unique(), column
        assert told["none"].distinct == 0
        assert told["word"].width == pytest.approx((1 + 3 + 18) / 3)
        assert told["few"].width is None


def test_a_column_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    arrow(table(), tmp_path / "rows.parquet")
    assert footer(str(tmp_path / "rows.parquet")).contents(0, ["other"]) == {"other": Contents()}


@pytest.mark.parametrize("values", [ROWS, 10**9], ids=["each thrice", "unique"])
def test_what_is_written_after_the_dictionary_has_grown_too_large_counts_too(
    values: int, tmp_path: Path
) -> None:
    """The dictionary ends after about a third of the rows; new values have come evenly."""
    column = np.sort(np.random.default_rng(0).integers(0, values, ROWS))
    shown = pl.DataFrame({"x": column, "text": [f"value {number:012}" for number in column]})
    path = tmp_path / "rows.parquet"
    options = {"dictionary_pagesize_limit": 50_000, "data_page_size": 4096, "write_batch_size": 256}
    parquet.write_table(shown.to_arrow(), path, row_group_size=ROWS, **options)
    told = footer(str(path)).contents(0, ["x", "text"])
    true = shown["x"].n_unique()
    assert told["x"].distinct == pytest.approx(true, rel=0.1)
    assert told["text"].distinct == pytest.approx(true, rel=0.1)


def test_plain_texts_tell_their_width_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    arrow(table().select("few", "word"), path, use_dictionary=False)
    told = footer(str(path)).contents(0, ["few", "word"])
    assert told["few"] == Contents()
    assert told["word"].distinct is None
    assert told["word"].width == pytest.approx((1 + 3 + 18) / 3, rel=0.05)


def test_encodings_whose_sizes_tell_nothing_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    arrow(table().select("few"), path, use_dictionary=False, column_encoding={"few": "DELTA_BINARY_PACKED"})
    assert footer(str(path)).contents(0, ["few"]) == {"few": Contents()}


def test_a_file_that_has_gone_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    arrow(table(), path)
    file = footer(str(path))
    path.unlink()
    assert file.contents(0, ["few"]) == {"few": Contents()}


def test_a_damaged_header_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    arrow(table().select("few"), path)
    whole = path.read_bytes()
    path.write_bytes(b"PAR1" + b"\xff" * 32 + whole[36:])
    assert footer(str(path)).contents(0, ["few"]) == {"few": Contents()}


def test_of_thousands_of_row_groups_a_few_dozen_are_looked_at(tmp_path: Path) -> None:
    """Sorted and mixed columns are told alike; the last row groups are not forgotten."""
    rows = pl.DataFrame({"key": range(20_000), "kind": [number % 11 for number in range(20_000)]})
    path = tmp_path / "rows.parquet"
    parquet.write_table(rows.to_arrow(), path, row_group_size=20)
    file = footer(str(path))
    looked: list[int] = []

    class Counting(Footer):
        def contents(self, group: int, columns: Any) -> dict[str, Contents]:
            looked.append(group)
            return super().contents(group, columns)

    file.__class__ = Counting
    groups = [(file, group) for group in range(len(file.groups))]
    told = distinct_values.column_contents(groups, {"key": t.i64, "kind": t.i64})
    assert told["key"][1].distinct == pytest.approx(20_000, rel=0.01)
    assert told["kind"][1].distinct == 11
    assert len(looked) == distinct_values.MOST_GROUPS
    assert min(looked) < 32
    assert max(looked) > 1000 - 32


def test_texts_that_begin_alike_keep_their_order(tmp_path: Path) -> None:
    """Names sorted over the row groups are all different, though their first bytes are not."""
    rows = pl.DataFrame({"name": [f"Customer#{number // 3:09}" for number in range(ROWS)]})
    path = tmp_path / "rows.parquet"
    arrow(rows, path)
    groups = [(footer(str(path)), group) for group in range(3)]
    told = distinct_values.column_contents(groups, {"name": t.string})["name"][1]
    assert told.distinct == pytest.approx(ROWS / 3, rel=0.01)
    assert told.width == 18


HEADER = bytes.fromhex("1504 1528 152c 4c 150a 1500 00 00".replace(" ", ""))
"""Dictionary page (type 2) of 20 bytes, 22 compressed, whose own structure tells five plain values."""


def test_a_header_by_the_book() -> None:
    page = dictionary_page(HEADER + b"what follows")
    assert page is not None
    assert (page.values, page.size, page.header) == (5, 20, len(HEADER))


@pytest.mark.parametrize("end", range(len(HEADER)))
def test_a_header_that_ends_too_early_is_none(end: int) -> None:
    assert dictionary_page(HEADER[:end]) is None


def test_data_pages_and_negative_numbers_are_no_dictionaries() -> None:
    assert dictionary_page(HEADER.replace(b"\x15\x04", b"\x15\x00", 1)) is None
    assert dictionary_page(HEADER.replace(b"\x15\x0a", b"\x15\x09", 1)) is None


@given(st.binary(max_size=2 * LONGEST))
def test_any_bytes_are_read_without_an_error(raw: bytes) -> None:
    page = dictionary_page(raw)
    assert page is None or (page.values >= 0 and page.size >= 0 and page.header <= LONGEST)


@given(st.integers(0, 2**32))
def test_damaged_headers_are_read_without_an_error(seed: int) -> None:
    draw = random.Random(seed)
    raw = bytearray(HEADER)
    for _ in range(draw.randint(1, 4)):
        raw[draw.randrange(len(raw))] = draw.randrange(256)
    page = dictionary_page(bytes(raw))
    assert page is None or page.header <= len(raw)

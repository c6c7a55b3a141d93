"""Ranks read balanced, contiguous shares; a file that cannot be read is named with the reason."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.diagnostics import DlcError
from dlc.runtime.executor import execute
from dlc.runtime.inputs import Reader, share
from dlc.runtime.kernels import collect
from dlc.runtime.transport import run_local
from tests.runtime import programs
from tests.runtime.trees import call, col, lit

PIECES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=90)


@given(PIECES, st.integers(1, 5))
def test_shares_are_contiguous_complete_and_balanced(sizes: list[tuple[int, int]], size: int) -> None:
    pieces: list[tuple[int, int, int]] = []
    ends: dict[int, int] = {}
    for file, rows in sorted(sizes, key=lambda piece: piece[0]):
        pieces.append((file, ends.get(file, 0), rows))
        ends[file] = ends.get(file, 0) + rows
    rows_of = [(file, offset + i) for file, offset, rows in pieces for i in range(rows)]
    shares = [share(pieces, rank, size) for rank in range(size)]
    assert [(f, o + i) for taken in shares for f, o, rows in taken for i in range(rows)] == rows_of
    loads = [sum(rows for _, _, rows in taken) for taken in shares]
    assert max(loads) - min(loads) <= (1 if len(pieces) < 16 * size else 100)


def test_neighbouring_pieces_become_one_slice() -> None:
    assert share([(0, 0, 10), (0, 10, 10), (0, 30, 10), (1, 0, 5)], 0, 1) == [
        (0, 0, 20),
        (0, 30, 10),
        (1, 0, 5),
    ]


def read(instruction: dict[str, Any], ranks: int, **parameters: Any) -> list[pl.DataFrame]:
    return [collect(Reader(instruction, rank, ranks, lambda _: None)(parameters)) for rank in range(ranks)]


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_several_files_are_read_in_order(tmp_path: Path, ranks: int) -> None:
    frame = programs.sales(90)
    for number in range(3):
        frame[30 * number : 30 * number + 30].write_parquet(tmp_path / f"{number}.parquet")
    paths = [str(tmp_path / f"{number}.parquet") for number in range(3)]
    pieces = [[file, offset, 10] for file in range(3) for offset in (0, 10, 20)]
    instruction = {
        "format": "parquet",
        "paths": paths,
        "schema": [["v", "f64"], ["d", "decimal(15,2)"]],
        "pieces": pieces,
        "loc": 0,
    }
    shares = read(instruction, ranks)
    whole = pl.concat(shares)
    assert whole["v"].to_list() == frame["v"].to_list()
    assert whole["d"].dtype == pl.Int64
    assert whole["d"].to_list() == list(range(90))
    assert all(part.height for part in shares)
    assert [part.height for part in read({**instruction, "replicated": True}, ranks)] == [90] * ranks


def test_a_predicate_is_applied_while_reading(tmp_path: Path) -> None:
    programs.sales(90).write_parquet(tmp_path / "a.parquet")
    predicate = call(
        "lt", "bool", col("d", "decimal(15,2)"), {"f": "param", "name": "p", "type": "decimal(15,2)"}
    )
    instruction = {
        "format": "parquet",
        "paths": [str(tmp_path / "a.parquet")],
        "schema": [["k", "i64"], ["d", "decimal(15,2)"]],
        "pieces": [[0, 0, 90]],
        "loc": 0,
        "predicate": predicate,
    }
    assert sum(part.height for part in read(instruction, 2, p="7")) == 7


def test_a_predicate_may_read_columns_that_are_dropped_and_may_fail(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    programs.sales(90).write_parquet(path)
    remainder = call("mod", "i64", lit(7, "i64"), call("sub", "i64", col("k", "i64"), lit(5, "i64")))
    instruction = {
        **programs.read(path, 90),
        "schema": [["v", "f64"]],
        "predicate": call("eq", "bool", remainder, lit(1, "i64")),
    }
    with pytest.raises(DlcError) as caught:
        execute_alone([instruction, programs.run("sales", "b", {"op": "head", "in": 0, "n": 5})])
    assert caught.value.code == "DLC601"


CSV = 'i,day,at,money,flag,x,text\n1,2020-01-02,2020-01-02T10:00:00,1.25,true,1.5,hi\n2,NA,,-3,false,,"a,b"\n'
CSV_SCHEMA = [
    ["i", "i64"],
    ["day", "date?"],
    ["at", "timestamp[us]?"],
    ["money", "decimal(9,2)"],
    ["flag", "bool"],
    ["x", "f64?"],
    ["text", "string"],
]


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("rows", [2, -1])
def test_csv_has_the_types_of_the_schema(tmp_path: Path, ranks: int, rows: int) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    instruction = {
        "format": "csv",
        "paths": [str(tmp_path / "a.csv")],
        "schema": CSV_SCHEMA,
        "pieces": [[0, 0, rows]],
        "options": {"null_values": ["NA"]},
        "loc": 0,
    }
    whole = pl.concat(read(instruction, ranks))
    assert whole["money"].to_list() == [125, -300]
    assert [str(value) for value in whole.row(1)] == ["2", "None", "None", "-300", "False", "None", "a,b"]


def test_csv_without_names_and_with_its_own_separator(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1|x\n2|y\n")
    options = {"separator": "|", "has_header": False, "columns": ["n", "s"]}
    instruction = {
        "format": "csv",
        "paths": [str(tmp_path / "a.csv")],
        "schema": [["s", "string"], ["n", "i32"]],
        "pieces": [[0, 0, 2]],
        "options": options,
        "loc": 0,
    }
    assert read(instruction, 1)[0].rows() == [("x", 1), ("y", 2)]


def damage(change: Callable[[Path], Any], tmp_path: Path, keep_time: bool = True) -> DlcError:
    """The error of a run whose input changes after its plan was made."""
    path = tmp_path / "sales.parquet"
    programs.sales(1000).write_parquet(path)
    plan = programs.make_plan(2, [*programs.totals_instructions(path, 1000), programs.result()])
    change(path)
    if keep_time:  # as if the damage had been there when the plan was made
        found = path.stat()
        plan.inputs = [{"path": str(path), "bytes": found.st_size, "mtime_ns": found.st_mtime_ns}]
    with pytest.raises(DlcError) as caught:
        run_local(2, lambda t: execute(plan, t))
    assert str(path) in caught.value.message
    return caught.value


def test_a_missing_file(tmp_path: Path) -> None:
    assert damage(Path.unlink, tmp_path, keep_time=False).code == "DLC201"


def test_a_file_that_changed_after_compilation(tmp_path: Path) -> None:
    assert damage(lambda path: os.utime(path, ns=(0, 0)), tmp_path, keep_time=False).code == "DLC506"


def test_an_empty_file(tmp_path: Path) -> None:
    assert damage(lambda path: path.write_bytes(b""), tmp_path).code == "DLC202"


@pytest.mark.parametrize("kept", [1, 100, -8, -1])
def test_a_truncated_file(tmp_path: Path, kept: int) -> None:
    assert damage(lambda path: path.write_bytes(path.read_bytes()[:kept]), tmp_path).code == "DLC203"


def test_a_file_whose_pages_are_damaged(tmp_path: Path) -> None:
    def overwrite(path: Path) -> None:
        data = path.read_bytes()
        footer = int.from_bytes(data[-8:-4], "little") + 8
        path.write_bytes(data[:4] + b"\xff" * (len(data) - footer - 4) + data[-footer:])

    assert damage(overwrite, tmp_path).code == "DLC203"


def test_a_file_with_other_columns(tmp_path: Path) -> None:
    def replace(path: Path) -> None:
        pl.DataFrame({"k": [1]}).write_parquet(path)

    assert damage(replace, tmp_path).code == "DLC204"


def test_a_csv_value_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("k\n1\nx\n")
    steps = [
        {
            "op": "read",
            "out": "a",
            "format": "csv",
            "paths": [str(path)],
            "schema": [["k", "i64"]],
            "pieces": [[0, 0, 2]],
            "loc": 0,
        },
        programs.run("a", "b", {"op": "head", "in": 0, "n": 5}),
    ]
    with pytest.raises(DlcError) as caught:
        execute_alone(steps)
    assert caught.value.code == "DLC205"
    assert "`x`" in caught.value.message


def execute_alone(steps: list[dict[str, Any]]) -> None:
    run_local(1, lambda t: execute(programs.make_plan(1, steps), t))

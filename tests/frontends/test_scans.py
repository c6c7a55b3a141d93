"""What is known of files before a row is read, and what is wrong with them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dlc
from dlc.diagnostics import DlcError
from dlc.dialects.table import ScanOp
from tests.frontends.specs import operations, schema


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parquet(path: str, **columns: pa.Array) -> None:
    Path(path).parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path)


def scan_of(frame: dlc.Frame) -> ScanOp:
    return next(op for op in operations(frame) if isinstance(op, ScanOp))


def paths_of(frame: dlc.Frame) -> list[str]:
    return [path.data for path in scan_of(frame).paths]


def failure(source: object, **options: object) -> DlcError:
    with pytest.raises(DlcError) as caught:
        (dlc.scan_csv if str(source).endswith(".csv") else dlc.scan_parquet)(source, **options)  # pyright: ignore[reportGeneralTypeIssues]
    assert caught.value.loc is not None
    return caught.value


@pytest.mark.parametrize(
    ("arrow", "text"),
    [
        (pa.bool_(), "bool?"),
        (pa.int8(), "i8?"),
        (pa.uint64(), "ui64?"),
        (pa.float32(), "f32?"),
        (pa.float64(), "f64?"),
        (pa.string(), "string?"),
        (pa.large_string(), "string?"),
        (pa.string_view(), "string?"),
        (pa.dictionary(pa.int32(), pa.string()), "string?"),
        (pa.date32(), "date?"),
        (pa.decimal128(15, 2), "decimal(15,2)?"),
        (pa.timestamp("ns"), "timestamp[ns]?"),
        (pa.timestamp("us", "Europe/Oslo"), "timestamp[us,Europe/Oslo]?"),
        (pa.timestamp("s"), "timestamp[ms]?"),
        (pa.duration("ms"), "duration[ms]?"),
    ],
    ids=str,
)
def test_types_of_parquet(arrow: pa.DataType, text: str) -> None:
    parquet("x.parquet", c=pa.array([None], arrow))
    assert schema(dlc.scan_parquet("x.parquet")) == {"c": text}


def test_a_column_is_not_nullable_only_where_the_file_says_so() -> None:
    fields = [pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.int64())]
    pq.write_table(pa.table([[1], [2]], schema=pa.schema(fields)), "x.parquet")
    assert schema(dlc.scan_parquet("x.parquet")) == {"a": "i64", "b": "i64?"}


@pytest.mark.parametrize(
    "arrow", [pa.struct([("x", pa.int64())]), pa.binary(), pa.null(), pa.time64("us")], ids=str
)
def test_columns_of_other_types_can_be_left_out(arrow: pa.DataType) -> None:
    parquet("x.parquet", tags=pa.array([None], arrow), a=pa.array([1]))
    error = failure("x.parquet")
    assert error.code == "DLC108"
    assert f"column 'tags' of 'x.parquet' has type {arrow}" in error.message
    assert error.help == "read only the columns that are needed: columns=['a']"
    assert schema(dlc.scan_parquet("x.parquet", columns=["a"])) == {"a": "i64?"}


def test_a_source_is_a_path_a_pattern_a_directory_or_a_list() -> None:
    for name in ("b", "a", "c"):
        parquet(f"tx/{name}.parquet", v=pa.array([1]))
    every = ["tx/a.parquet", "tx/b.parquet", "tx/c.parquet"]
    assert paths_of(dlc.scan_parquet("tx/b.parquet")) == every[1:2]
    assert paths_of(dlc.scan_parquet("tx/*.parquet")) == every
    assert paths_of(dlc.scan_parquet(Path("tx"))) == every
    assert paths_of(dlc.scan_parquet(["tx/c.parquet", Path("tx/a.parquet")])) == [every[2], every[0]]


@pytest.mark.parametrize(
    "source", ["none.parquet", "none/*.parquet", "[", "~nobody/x.parquet", "s3://bucket/x"]
)
def test_missing_files(source: str) -> None:
    assert failure(source).code == "DLC201"


def test_a_missing_file_suggests_one_of_a_similar_name() -> None:
    parquet("tx/orders.parquet", v=pa.array([1]))
    assert failure("tx/order.parquet").help == "did you mean 'tx/orders.parquet'?"


@pytest.mark.parametrize("source", [3, None, [], [3], "", "a\0b", b"x", [None]])
def test_sources_that_are_no_paths(source: object) -> None:
    assert failure(source).code == "DLC106"


def test_empty_and_damaged_files() -> None:
    parquet("x.parquet", v=pa.array(range(1000)))
    whole = Path("x.parquet").read_bytes()
    for name, content, code in (
        ("empty.parquet", b"", "DLC202"),
        ("cut.parquet", whole[: len(whole) // 2], "DLC203"),
        ("text.parquet", b"PAR1 is only a greeting", "DLC203"),
        ("footer.parquet", whole[:-40] + b"\xff" * 32 + whole[-8:], "DLC203"),
        ("empty.csv", b"", "DLC202"),
        ("binary.csv", b"\xff\xfe,b\n1,2\n", "DLC203"),
    ):
        Path(name).write_bytes(content)
        error = failure(name)
        assert (name, error.code) == (name, code)
        assert name in error.message


def test_a_file_without_rows_has_a_schema() -> None:
    parquet("x.parquet", v=pa.array([], pa.int64()))
    assert schema(dlc.scan_parquet("x.parquet")) == {"v": "i64?"}


def test_files_must_agree_in_their_schema() -> None:
    parquet("a.parquet", k=pa.array([1]), v=pa.array([1]))
    parquet("b.parquet", k=pa.array([1]), v=pa.array([1.0]))
    parquet("c.parquet", k=pa.array([1]))
    parquet("d.parquet", v=pa.array([1]), k=pa.array([1]))
    assert (
        failure(["a.parquet", "b.parquet"]).message
        == "column 'v' is i64 in 'a.parquet' and f64 in 'b.parquet'"
    )
    assert (
        failure(["a.parquet", "c.parquet"]).message
        == "column 'v' is i64 in 'a.parquet' and absent in 'c.parquet'"
    )
    assert "another order" in failure(["a.parquet", "d.parquet"]).message


def test_a_column_is_nullable_where_one_file_allows_nulls() -> None:
    pq.write_table(
        pa.table([[1]], schema=pa.schema([pa.field("v", pa.int64(), nullable=False)])), "a.parquet"
    )
    parquet("b.parquet", v=pa.array([1]))
    assert schema(dlc.scan_parquet(["a.parquet", "b.parquet"])) == {"v": "i64?"}


def test_a_changed_file_is_read_anew() -> None:
    parquet("x.parquet", v=pa.array([1]))
    assert dlc.scan_parquet("x.parquet").columns == ["v"]
    parquet("x.parquet", w=pa.array([1, 2, 3]))
    assert dlc.scan_parquet("x.parquet").columns == ["w"]


def test_two_columns_of_one_name() -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), "x.parquet")
    assert failure("x.parquet").code == "DLC105"


def test_options_of_the_wrong_kind() -> None:
    Path("x.csv").write_text("a\n1\n", encoding="utf-8")
    for options in (
        {"columns": 3},
        {"columns": [3]},
        {"null_values": 3},
        {"null_values": [3]},
        {"schema": 3},
    ):
        assert failure("x.csv", **options).code == "DLC106", options


def test_chosen_columns_must_exist() -> None:
    parquet("x.parquet", amount=pa.array([1]))
    error = failure("x.parquet", columns=["amuont"])
    assert (error.code, error.help) == ("DLC101", "did you mean 'amount'?")
    assert failure("x.parquet", columns=["amount", "amount"]).code == "DLC105"
    assert failure("x.parquet", columns=[]).code == "DLC106"


CSV = "day;n;x;name;ok\n2024-01-01;1;1.5;ada;true\n2024-01-02;NA;2;;false\n"


def test_types_of_csv_are_found_by_reading_all_of_it() -> None:
    Path("x.csv").write_text(CSV, encoding="utf-8")
    frame = dlc.scan_csv("x.csv", separator=";", null_values="NA")
    assert schema(frame) == {"day": "date?", "n": "i64?", "x": "f64?", "name": "string?", "ok": "bool?"}
    options = scan_of(frame).options
    assert options is not None
    assert str(options) == '{separator = ";", has_header = true, null_values = ["NA"]}'


def test_types_of_csv_may_be_stated() -> None:
    Path("x.csv").write_text(CSV, encoding="utf-8")
    frame = dlc.scan_csv(
        "x.csv", separator=";", schema={"n": dlc.String, "x": dlc.Decimal(10, 2)}, columns=["n", "x"]
    )
    assert schema(frame) == {"n": "string?", "x": "decimal(10,2)?"}
    assert failure("x.csv", schema={"m": dlc.String}).code == "DLC101"


def test_a_csv_value_far_down_counts_too() -> None:
    Path("x.csv").write_text("n\n" + "1\n" * 5000 + "2.5\n", encoding="utf-8")
    assert schema(dlc.scan_csv("x.csv")) == {"n": "f64?"}


def test_csv_files_that_disagree_ask_for_a_schema() -> None:
    Path("a.csv").write_text("n\n1\n", encoding="utf-8")
    Path("b.csv").write_text("n\n1.5\n", encoding="utf-8")
    with pytest.raises(DlcError, match="state the types with schema"):
        dlc.scan_csv("*.csv")
    assert schema(dlc.scan_csv("*.csv", schema={"n": dlc.Float64})) == {"n": "f64?"}


def test_csv_without_a_header_and_with_times_of_day() -> None:
    Path("x.csv").write_text("1,12:30:00\n", encoding="utf-8")
    assert schema(dlc.scan_csv("x.csv", has_header=False)) == {"column_0": "i64?", "column_1": "string?"}


def test_a_separator_is_one_character() -> None:
    Path("x.csv").write_text("a\n", encoding="utf-8")
    for separator in ("", ";;", "\n", "é"):
        assert failure("x.csv", separator=separator).code == "DLC106"

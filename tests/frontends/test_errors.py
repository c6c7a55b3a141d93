"""Every mistake in a program is shown with its code, the user's line with carets, and a fix."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dlc.diagnostics import DlcError, render
from dlc.frontends.load import load
from dlc.frontends.program import trace

HEAD = """\
import math
from datetime import date
import dlc
from dlc import col

@dlc.program
def wrong():
    orders = dlc.scan_parquet({orders!r})
    customers = dlc.scan_parquet({customers!r})
"""

Fail = Callable[[str], DlcError]


@pytest.fixture
def fail(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fail:
    """The error of a program whose body is the text given."""
    monkeypatch.chdir(tmp_path)

    def run(body: str) -> DlcError:
        head = HEAD.format(orders=str(tables / "orders.parquet"), customers=str(tables / "customers.parquet"))
        Path("prog.py").write_text(
            head + "".join(f"    {line}\n" for line in body.splitlines()), encoding="utf-8"
        )
        with pytest.raises(DlcError) as caught:
            trace(load("prog.py"))
        return caught.value

    return run


# The code, the line of the program, the marked part of it, and a piece of the help.
MISTAKES = [
    ("DLC101", "orders.filter(col('amuont') > 0)", "col('amuont')", "did you mean 'amount'"),
    ("DLC101", "orders.select('id', 'nothing')", "select('id', 'nothing')", "columns in the note"),
    ("DLC101", "orders.group_by('custmer').agg()", "group_by('custmer')", "'customer'"),
    ("DLC101", "orders.sort('Amount')", "sort('Amount')", "'amount'"),
    ("DLC101", "orders.drop('dya')", "drop('dya')", "'day'"),
    ("DLC101", "orders.rename({'dya': 'd'})", "rename({'dya': 'd'})", "'day'"),
    ("DLC101", "orders.unique('dya')", "unique('dya')", "'day'"),
    ("DLC101", "orders.join(customers, on='idd')", "join(customers, on='idd')", "'id'"),
    ("DLC102", "orders.select(col('customer') + 1)", "col('customer') + 1", ".cast(dlc.Int64)"),
    ("DLC102", "orders.filter(col('customer') > 1)", "col('customer') > 1", ".cast(dlc.Int64)"),
    ("DLC102", "orders.filter(col('day') == True)", "col('day') == True", ".cast(dlc.Int64)"),
    ("DLC102", "orders.filter(col('day') > '1995-13-01')", "col('day') > '1995-13-01'", "column's type"),
    ("DLC102", "orders.filter(col('id') & 1)", "col('id') & 1", "(a > 0) & (b > 0)"),
    ("DLC102", "orders.filter('id')", "filter('id')", "col('a') > 0"),
    ("DLC102", "orders.filter(col('id') == None)", "col('id') == None", ".is_null()"),
    ("DLC102", "orders.select(x=dlc.lit(None))", "dlc.lit(None)", "column's type"),
    ("DLC102", "orders.select(x=dlc.lit(10 ** 30) + 1)", "dlc.lit(10 ** 30) + 1", "column's type"),
    ("DLC102", "orders.select(col('day').sum())", "col('day').sum()", "cast"),
    ("DLC102", "orders.select(col('day').cast(dlc.Int64))", "col('day').cast(dlc.Int64)", ".dt.year()"),
    ("DLC102", "orders.select(col('id').str.len_chars())", "col('id').str.len_chars()", "cast"),
    (
        "DLC102",
        "orders.select(dlc.when(col('id')).then(1))",
        "dlc.when(col('id')).then(1)",
        "dlc.when(col('a') > 0)",
    ),
    ("DLC102", "orders.select(dlc.when(True).then(1).otherwise('a'))", None, "cast"),
    ("DLC102", "orders.filter(col('id').is_in(['a']))", "col('id').is_in(['a'])", "cast"),
    ("DLC103", "orders.join(customers, left_on='id', right_on='city')", None, "col('city').cast('i64')"),
    ("DLC104", "orders.filter(col('id') > 1 and col('id') < 5)", None, "write & for 'and'"),
    ("DLC104", "orders.filter(1 < col('id') < 5)", "1 < col('id') < 5", "is_between"),
    ("DLC104", "orders.filter(not col('id') > 1)", "not col('id') > 1", "~"),
    ("DLC104", "orders.filter(col('id') in [1, 2])", "col('id') in [1, 2]", "is_in"),
    ("DLC104", "x = 1 if col('id') > 1 else 2", None, "dlc.when"),
    ("DLC104", "len(orders)", "len(orders)", "dlc.len()"),
    ("DLC104", "list(orders)", "list(orders)", "frame.columns"),
    ("DLC104", "float(col('id'))", "float(col('id'))", "dlc.Float64"),
    ("DLC104", "int(col('id'))", "int(col('id'))", "dlc.Int64"),
    ("DLC104", "math.sqrt(col('id'))", "math.sqrt(col('id'))", ".sqrt()"),
    ("DLC104", "[1, 2][col('id')]", "[1, 2][col('id')]", "plain Python number"),
    ("DLC104", "'id' in orders", "'id' in orders", "frame.columns"),
    ("DLC104", "orders.collect()", "orders.collect()", "return the frame"),
    ("DLC105", "orders.select('id', (col('id') + 1).alias('id'))", "col('id') + 1", "alias"),
    ("DLC105", "orders.rename({'id': 'day'})", "rename({'id': 'day'})", "name of its own"),
    ("DLC105", "orders.group_by('id').agg(col('day').max().alias('id'))", None, "alias"),
    ("DLC105", "orders.join(customers, on='customer', suffix='')", None, "suffix"),
    ("DLC106", "orders.head(-1)", "orders.head(-1)", "integer from 0"),
    ("DLC106", "orders.join(customers, on='customer', how='sideways')", None, "inner, left, semi, anti"),
    ("DLC106", "orders.join(customers)", "orders.join(customers)", "on="),
    ("DLC106", "orders.join(3, on='id')", "orders.join(3, on='id')", "scan"),
    ("DLC106", "orders.sort('id', 'day', descending=[True])", None, "list of 2"),
    ("DLC106", "orders.select()", "orders.select()", "name the columns"),
    ("DLC106", "orders.select(orders)", "orders.select(orders)", "col('…')"),
    ("DLC106", "orders.select(dlc.when(True))", None, ".then"),
    ("DLC106", "orders.select(x=[1])", None, "numbers"),
    ("DLC106", "orders['id']", "orders['id']", "dlc.col('id')"),
    ("DLC106", "col('id').cast('int46')", "col('id').cast('int46')", "dlc.Int64"),
    ("DLC106", "dlc.Decimal(99, 2)", "dlc.Decimal(99, 2)", "1 to 38"),
    ("DLC106", "col('id').alias('')", "col('id').alias('')", "not empty"),
    ("DLC106", "col('id').is_in('abc')", "col('id').is_in('abc')", "semi join"),
    ("DLC106", "col('id').quantile(2)", "col('id').quantile(2)", "0 to 1"),
    ("DLC106", "dlc.concat(3)", "dlc.concat(3)", "dlc.concat([first, second])"),
    ("DLC106", "dlc.concat([])", "dlc.concat([])", "dlc.concat([first, second])"),
    ("DLC106", "orders.sink_parquet('')", "orders.sink_parquet('')", "out.parquet"),
    ("DLC106", "return 42", None, "return a frame"),
    ("DLC106", "return None", None, "return a frame"),
    ("DLC107", "orders.filter(col('id') > col('id').mean())", "col('id').mean()", "agg"),
    ("DLC107", "orders.with_columns(col('id').sum())", "col('id').sum()", "agg"),
    ("DLC107", "orders.sort(col('id').sum())", "col('id').sum()", "agg"),
    ("DLC107", "orders.group_by(col('id').sum())", "col('id').sum()", "agg"),
    ("DLC107", "orders.select(col('id').sum().max())", "col('id').sum().max()", "agg"),
    ("DLC107", "orders.select('day', col('id').sum())", None, "col('day').max()"),
    ("DLC107", "orders.group_by('day').agg(col('id') - col('id').min())", "col('id')", "col('id').max()"),
    ("DLC110", "dlc.param('n', dlc.Int64, 'x')", None, "give a i64"),
    ("DLC111", "dlc.concat([orders, customers])", "dlc.concat([orders, customers])", "select"),
    ("DLC111", "dlc.concat([orders.select('id'), orders.select(id='day')])", None, "cast"),
    ("DLC112", "1 / 0", "1 / 0", "correct the line"),
    ("DLC112", "orders.melt()", None, "correct the line"),
    ("DLC112", "raise SystemExit('no data')", None, "correct the line"),
    ("DLC112", "date.fromisoformat('x')", "date.fromisoformat('x')", "correct the line"),
    ("DLC201", "dlc.scan_parquet('none.parquet')", "dlc.scan_parquet('none.parquet')", "relative paths"),
    ("DLC304", "sum((col('id') for _ in range(400)), start=col('id'))", None, "with_columns"),
]


@pytest.mark.parametrize(("code", "line", "marked", "remedy"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_the_line_is_marked_and_the_help_says_what_to_write(
    fail: Fail, code: str, line: str, marked: str | None, remedy: str
) -> None:
    error = fail(line)
    assert error.code == code
    shown = render(error).splitlines()
    if line.startswith("return"):
        assert "def wrong():" in shown[3]
    else:
        assert shown[3].endswith(f"    {line}")
        assert "^" in shown[4]
    if marked is not None:
        start = shown[4].index("^")
        assert shown[3][start : start + shown[4].count("^")].endswith(marked)
    assert error.help is not None
    assert remedy in error.help


def test_an_unknown_column_shows_where_it_was_lost(fail: Fail) -> None:
    error = fail("small = orders.select('id')\nlater = small.head(2)\nlater.filter(col('amount') > 1)")
    assert [note.text for note in error.notes] == [
        "the frame has the columns id",
        "'amount' is left out here",
    ]
    assert [note.loc.line for note in error.notes if note.loc] == [11, 10]


def test_an_expression_of_several_lines_is_marked_on_its_first(fail: Fail) -> None:
    error = fail("(\n    orders\n    .select(\n        'nothing'\n    )\n)")
    assert render(error).splitlines()[3:5] == ["12 |         .select(", "   |          ^^^^^^^"]


def test_columns_count_characters_not_bytes(fail: Fail) -> None:
    error = fail("é = col('ü'); orders.filter(col('ö') > 1)")
    shown = render(error).splitlines()
    assert shown[4].index("^") == shown[3].index("col('ö')")


def test_the_rendering_as_a_whole(fail: Fail) -> None:
    assert render(fail("orders.filter(col('amuont') > 0)")).splitlines()[:6] == [
        "error[DLC101]: there is no column 'amuont'",
        "  --> prog.py:10:19",
        "   |",
        "10 |     orders.filter(col('amuont') > 0)",
        "   |                   ^^^^^^^^^^^^^",
        "   = help: did you mean 'amount'?",
    ]


def test_a_mistake_in_an_expression_made_elsewhere_is_shown_where_it_was_made(fail: Fail) -> None:
    error = fail("wanted = col('amount') + 'x'\norders.select(wanted)")
    assert error.loc is not None
    assert error.loc.line == 10


def test_an_exception_in_a_library_is_shown_at_the_users_line(fail: Fail) -> None:
    error = fail("import json\njson.loads('{')")
    assert error.code == "DLC112"
    assert "JSONDecodeError" in error.message
    assert error.loc is not None
    assert error.loc.line == 11

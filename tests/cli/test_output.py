"""Results reach their place whole, or not at all."""

import io
import json
import os
import threading
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from dlc.cli.output import write_bytes, write_text
from dlc.cli.run import to_json
from dlc.diagnostics import DlcError


def test_text_ends_with_one_newline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_text("a\n\n", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text(encoding="utf-8") == "a\n"
    write_text("b")
    assert capsys.readouterr().out == "b\n"


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("old", encoding="utf-8")
    write_bytes(b"new", str(target))
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_gets_the_permissions_of_a_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_bytes(b"", str(tmp_path / "out"))
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(("name", "advice"), [("none/out", "create the directory"), ("", "name of a file")])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str, advice: str) -> None:
    with pytest.raises(DlcError, match="cannot write") as caught:
        write_bytes(b"", str(tmp_path / name))
    assert caught.value.code == "DLC605"
    assert advice in (caught.value.help or "")


def test_a_named_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write_bytes(b"data", str(pipe))
    reader.join(timeout=10)
    assert received == [b"data"]


def test_a_terminal_that_knows_only_ascii_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    write_text("Zürich")
    assert raw.getvalue() == b"Z\\xfcrich\n"


def test_json_holds_every_kind_of_value() -> None:
    frame = pl.DataFrame(
        {
            "number": [1, None],
            "float": [0.5, float("nan")],
            "text": ["a", None],
            "flag": [True, False],
            "day": [date(2024, 2, 29), None],
            "instant": [datetime(2024, 2, 29, 12, 30), None],
            "duration": [timedelta(hours=1), None],
            "price": [Decimal("1.10"), None],
        }
    )
    assert json.loads(to_json({"result": frame})) == {
        "result": [
            {
                "number": 1,
                "float": 0.5,
                "text": "a",
                "flag": True,
                "day": "2024-02-29",
                "instant": "2024-02-29T12:30:00",
                "duration": "1:00:00",
                "price": "1.10",
            },
            {
                "number": None,
                "float": "nan",
                "text": None,
                "flag": False,
                "day": None,
                "instant": None,
                "duration": None,
                "price": None,
            },
        ]
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_json_has_no_numbers_that_json_does_not_know(value: float) -> None:
    assert json.loads(to_json({"r": pl.DataFrame({"x": [value]})})) == {"r": [{"x": str(value)}]}

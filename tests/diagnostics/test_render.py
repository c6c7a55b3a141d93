"""What a person sees of an error."""

from pathlib import Path

import pytest

from dlc.diagnostics import DlcError, Note, SourceLoc, render, suggest


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "prog.py"
    path.write_text("import dlc\n\nframe.filter(col('amuont') > 0)\n", encoding="utf-8")
    return str(path)


def test_the_line_stands_under_its_place_with_carets(program: str) -> None:
    error = DlcError(
        "DLC101",
        "there is no column 'amuont'",
        loc=SourceLoc(program, 3, 14, 27),
        help="did you mean 'amount'?",
        notes=[
            Note("the frame has one column"),
            Note("the frame comes from here", SourceLoc(program, 1, 1, 7)),
        ],
    )
    assert render(error).splitlines() == [
        "error[DLC101]: there is no column 'amuont'",
        f" --> {program}:3:14",
        "  |",
        "3 | frame.filter(col('amuont') > 0)",
        "  |              ^^^^^^^^^^^^^",
        "  = note: the frame has one column",
        "  = help: did you mean 'amount'?",
        "note: the frame comes from here",
        f" --> {program}:1:1",
        "  |",
        "1 | import dlc",
        "  | ^^^^^^",
    ]


def test_the_text_of_the_exception_is_the_rendered_message(program: str) -> None:
    error = DlcError("DLC101", "there is no column 'a'", loc=SourceLoc(program, 3))
    assert str(error) == render(error)


def test_without_a_column_there_are_no_carets(program: str) -> None:
    assert "^" not in render(DlcError("DLC101", "message", loc=SourceLoc(program, 3)))


@pytest.mark.parametrize("line", [0, 4, 10_000])
def test_a_line_that_does_not_exist_is_left_out(program: str, line: int) -> None:
    assert "|" not in render(DlcError("DLC101", "message", loc=SourceLoc(program, line, 1)))


def test_a_file_that_does_not_exist_is_only_named() -> None:
    text = render(DlcError("DLC201", "no file", loc=SourceLoc("gone.py", 1, 1)))
    assert text.splitlines() == ["error[DLC201]: no file", " --> gone.py:1:1"]


def test_carets_count_the_cells_of_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "wide.py"
    path.write_text("col('数量') > 0\n", encoding="utf-8")
    carets = render(DlcError("DLC101", "message", loc=SourceLoc(str(path), 1, 6, 8))).splitlines()[-1]
    assert carets == "  |      ^^^^"


def test_a_tab_does_not_move_the_carets(tmp_path: Path) -> None:
    path = tmp_path / "tab.py"
    path.write_text("\tcol('x')\n", encoding="utf-8")
    lines = render(DlcError("DLC101", "message", loc=SourceLoc(str(path), 1, 2, 5))).splitlines()
    assert lines[-2:] == ["1 |  col('x')", "  |  ^^^"]


def test_data_in_a_message_cannot_drive_the_terminal() -> None:
    assert "\x1b" not in render(DlcError("DLC101", "there is no column '\x1b[2J'"))


def test_color_marks_but_does_not_change_the_text(program: str) -> None:
    import re

    error = DlcError("DLC101", "message", loc=SourceLoc(program, 3, 1, 6), help="help", notes=[Note("note")])
    colored = render(error, color=True)
    assert colored != render(error)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render(error)


@pytest.mark.parametrize(
    ("name", "expected"), [("amuont", "amount"), ("AMOUNT", "amount"), ("zzz", None), ("custmer", "customer")]
)
def test_a_near_name_is_suggested(name: str, expected: str | None) -> None:
    assert suggest(name, ["customer", "amount"]) == expected

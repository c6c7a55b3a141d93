"""Every code has a page, every page is used, and each page has the same parts."""

import re
from pathlib import Path

import pytest

from dlc.diagnostics import codes, exit_code, page, title

SOURCE = Path(__file__).parents[2] / "dlc"
EXIT_CODES = {0, 1, 2, 3, 4, 5, 6, 70}


def codes_in_source() -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    return set(re.findall(r'"(DLC\d{3})"', text))


def test_every_code_in_the_source_has_a_page() -> None:
    assert codes_in_source() <= set(codes())


def test_every_page_belongs_to_a_code_in_the_source() -> None:
    assert set(codes()) <= codes_in_source()


@pytest.mark.parametrize("code", codes())
def test_a_page_has_title_exit_code_example_and_fix(code: str) -> None:
    lines = page(code).splitlines()
    assert lines[0] == f"# {code}: {title(code)}"
    assert lines[2] == f"exit: {exit_code(code)}"
    assert exit_code(code) in EXIT_CODES
    assert {"## Example", "## Fix"} <= set(lines)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("DLC101", 1),
        ("DLC502", 3),
        ("DLC504", 4),
        ("DLC501", 1),
        ("DLC601", 5),
        ("DLC604", 6),
        ("DLC605", 4),
        ("DLC901", 70),
    ],
)
def test_exit_codes_tell_whose_fault_it_is(code: str, expected: int) -> None:
    assert exit_code(code) == expected


def test_an_unknown_code_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        page("DLC000")


def test_a_code_is_no_path() -> None:
    with pytest.raises(KeyError):
        page("../error")

"""How a program, a plan and its parameters are named on the command line."""

import argparse
from pathlib import Path

import pytest

from dlc.cli.target import Target, add_compile_arguments, parameters, parse_target
from dlc.diagnostics import DlcError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("prog.py", "plan.dlc", "odd:name.dlc"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prog.py", Target(Path("prog.py"))),
        ("prog.py:monthly", Target(Path("prog.py"), "monthly")),
        ("plan.dlc", Target(Path("plan.dlc"))),
        ("odd:name.dlc", Target(Path("odd:name.dlc"))),
    ],
)
def test_a_target_is_a_file_and_perhaps_a_program(text: str, expected: Target) -> None:
    assert parse_target(text) == expected


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("text", ["none.py", "none.py:p", "none.dlc", "."])
def test_a_target_must_be_a_file(text: str) -> None:
    with pytest.raises(DlcError) as caught:
        parse_target(text)
    assert caught.value.code == "DLC201"


def test_python_files_are_compiled_and_all_others_are_plans() -> None:
    assert not Target(Path("prog.py")).is_plan
    assert Target(Path("plan.dlc")).is_plan


def given(*params: str) -> dict[str, str]:
    parser = argparse.ArgumentParser()
    add_compile_arguments(parser)
    return parameters(parser.parse_args([word for param in params for word in ("--param", param)]))


def test_parameters_are_names_and_values() -> None:
    assert given("year=2024", "path=a=b", "empty=") == {"year": "2024", "path": "a=b", "empty": ""}


def test_a_parameter_given_twice_is_an_error() -> None:
    with pytest.raises(DlcError, match="'year' is given twice") as caught:
        given("year=2023", "year=2024")
    assert caught.value.code == "DLC110"

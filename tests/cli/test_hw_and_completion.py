"""Machine descriptions and shell completion through the command line."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Dlc


def test_the_machine_at_hand_is_described_in_text_that_checks(run_dlc: Dlc) -> None:
    detected = run_dlc("hw", "detect")
    assert run_dlc("hw", "detect", "-o", "host.hw").stdout == ""
    assert run_dlc("hw", "check", "host.hw").stdout == "host.hw: host is consistent\n"
    assert "memory" in detected.stdout


def test_the_catalog_is_listed_and_each_machine_shown(run_dlc: Dlc) -> None:
    names = run_dlc("hw", "show").stdout.split()
    assert {"host", "laptop"} <= set(names)
    assert "laptop" in run_dlc("hw", "show", "laptop").stdout


def test_a_wrong_description_is_shown_with_its_line(run_dlc: Dlc, tmp_path: Path) -> None:
    (tmp_path / "bad.hw").write_text(
        "machine m {\n  node n { socket s { cpu c { cores = 0 } } }\n}\n", encoding="utf-8"
    )
    result = run_dlc("hw", "check", "bad.hw")
    assert result.returncode == 1
    assert result.stderr.splitlines()[:2] == ["error[DLC404]: `cores` must be positive", " --> bad.hw:2:39"]


@pytest.mark.parametrize("command", [("hw", "show", "laptob"), ("compile", "p.py", "--machine", "laptob")])
def test_an_unknown_machine_is_the_users_mistake(
    run_dlc: Dlc, tmp_path: Path, command: tuple[str, ...]
) -> None:
    program = "import dlc\n@dlc.program\ndef p() -> dlc.Frame:\n    return dlc.scan_csv('a.csv')\n"
    (tmp_path / "p.py").write_text(program, encoding="utf-8")
    (tmp_path / "a.csv").write_text("a\n1\n", encoding="utf-8")
    result = run_dlc(*command)
    assert result.returncode == 1
    assert "error[DLC406]: unknown machine `laptob`" in result.stderr
    assert "laptop" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_completion_script_names_commands_and_options(run_dlc: Dlc, shell: str) -> None:
    script = run_dlc("completion", shell).stdout
    assert all(word in script for word in ("compile", "doctor", "machine"))
    if shutil.which(shell) and shell != "tcsh":
        subprocess.run([shell, "-n"], input=script, text=True, check=True)

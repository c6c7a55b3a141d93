"""How `dlc` behaves as a Unix command, whatever the subcommand."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Dlc

from dlc.cli.app import COMMANDS, main
from dlc.diagnostics import DlcError


def test_help_names_every_command(run_dlc: Dlc) -> None:
    result = run_dlc("--help")
    assert result.returncode == 0
    assert all(re.search(rf"(?m)^    {command}\b", result.stdout) for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run_dlc: Dlc, command: str) -> None:
    result = run_dlc(command, "--help")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"usage: dlc {command}")


def test_help_imports_no_heavy_package() -> None:
    script = (
        "import sys; from dlc.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in result.stdout.splitlines()[-1].split()}
    assert not loaded & {"xdsl", "polars", "numpy", "pyarrow", "mpi4py", "rich", "lark", "mlir", "jax"}


def test_help_is_instant() -> None:
    """The best of several runs: the machine may be busy with other tests."""

    def seconds() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "dlc", "--help"], capture_output=True, check=True)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(10)) < 0.2


def test_version(run_dlc: Dlc) -> None:
    assert re.fullmatch(r"dlc \d+\.\d+\.\d+\n", run_dlc("--version").stdout)


@pytest.mark.parametrize(
    "arguments",
    [[], ["no-such-command"], ["run"], ["compile", "p.py", "-n", "0"], ["run", "p.py", "--param", "x"]],
)
def test_wrong_usage_is_exit_code_2(run_dlc: Dlc, arguments: list[str]) -> None:
    result = run_dlc(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("usage: dlc")


@pytest.mark.parametrize("command", ["compile", "run", "explain"])
def test_a_missing_program_is_exit_code_1(run_dlc: Dlc, command: str) -> None:
    result = run_dlc(command, "none.py")
    assert result.returncode == 1
    assert result.stderr.startswith("error[DLC201]: there is no file 'none.py'")
    assert result.stdout == ""


@pytest.mark.parametrize("spelling", ["DLC101", "dlc101", "101"])
def test_explain_prints_the_page_of_a_code(run_dlc: Dlc, spelling: str) -> None:
    assert run_dlc("explain", spelling).stdout.startswith("# DLC101: unknown column\n")


def test_explain_of_an_unknown_code_suggests_one(run_dlc: Dlc) -> None:
    result = run_dlc("explain", "DLC100")
    assert result.returncode == 2
    assert "DLC10" in result.stderr


def test_color_is_for_terminals_only(run_dlc: Dlc) -> None:
    assert "\x1b" not in run_dlc("run", "none.py", NO_COLOR="").stderr


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{sys.executable} -m dlc explain DLC101 | true"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert result.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_no_fault_of_dlc() -> None:
    command = f"{sys.executable} -m dlc explain DLC101 > /dev/full"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert result.returncode == 4
    assert result.stderr.startswith("error[DLC605]: there is no space left")


def test_an_interrupt_is_exit_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("dlc.cli.explain.run", interrupt)
    assert main(["explain", "DLC101"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_diagnostic_gives_the_exit_code_of_its_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise DlcError("DLC604", "rank 3 is lost")

    monkeypatch.setattr("dlc.cli.explain.run", fail)
    assert main(["explain", "DLC101"]) == 6
    assert capsys.readouterr().err == "error[DLC604]: rank 3 is lost\n"


def test_a_fault_of_dlc_leaves_a_reproducer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise ZeroDivisionError("in the compiler")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dlc.cli.explain.run", fail)
    assert main(["explain", "DLC101"]) == 70
    shown = capsys.readouterr().err
    assert "error[DLC901]: internal error: ZeroDivisionError: in the compiler" in shown
    assert "Traceback" not in shown
    (report,) = tmp_path.glob("dlc-crash-*.txt")
    text = report.read_text(encoding="utf-8")
    assert "Traceback" in text
    assert "['explain', 'DLC101']" in text


def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise ModuleNotFoundError("No module named 'polars'", name="polars")

    monkeypatch.setattr("dlc.cli.explain.run", fail)
    assert main(["explain", "DLC101"]) == 3
    assert "error[DLC702]: the Python package 'polars' is not installed" in capsys.readouterr().err

"""`dlc hw import` and `dlc hw export` on the command line."""

import json
from pathlib import Path

import pytest
from conftest import Dlc

from dlc.cli.app import build_parser
from dlc.hwspec.exporters import FORMATS
from dlc.hwspec.importers import FORMATS as IMPORTED

NODES = "ClusterName=blue\nNodeName=n[0-3] Sockets=2 CoresPerSocket=8 RealMemory=64000 Gres=gpu:a100:2\n"


def test_a_cluster_goes_through_a_description_and_back(run_dlc: Dlc, tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").write_text(NODES)
    assert run_dlc("hw", "import", "slurm.conf", "-o", "blue.hw").stdout == ""
    assert run_dlc("hw", "check", "blue.hw").stdout == "blue.hw: blue is consistent\n"
    shown = run_dlc("hw", "export", "blue.hw", "--to", "slurm").stdout
    assert "# slurm.conf" in shown
    assert "# gres.conf" in shown
    assert run_dlc("hw", "export", "blue.hw", "--to", "slurm", "-o", "etc").returncode == 0
    assert {file.name for file in (tmp_path / "etc").iterdir()} == {
        "slurm.conf",
        "gres.conf",
        "topology.conf",
    }
    assert NODES.splitlines()[1].split()[0] in (tmp_path / "etc" / "slurm.conf").read_text()


def test_an_import_says_how_much_of_it_is_a_guess(run_dlc: Dlc, tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").write_text(NODES)
    alone = run_dlc("hw", "import", "slurm.conf")
    assert (
        "warning: figures that are guesses, marked @assumed: 5; correct them with --like NAME" in alone.stderr
    )
    like = run_dlc("hw", "import", "slurm.conf", "--like", "superpod_h100")
    assert (
        like.stderr
        == "warning: a100 has the figures of H100\nfigures as in superpod_h100, marked @assumed: 21\n"
    )
    assert '@assumed("as in SuperPOD_H100")' in like.stdout
    assert "DLC406" in run_dlc("hw", "import", "slurm.conf", "--like", "superpods").stderr


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "slurm"])
def test_every_format_is_one_file(run_dlc: Dlc, tmp_path: Path, format: str) -> None:
    assert run_dlc("hw", "export", "hal", "--to", format, "-o", "out").returncode == 0
    text = (tmp_path / "out").read_text()
    assert run_dlc("hw", "export", "hal", "--to", format).stdout == text
    if format == "jsonld":
        assert json.loads(text)["schema:name"] == "HAL"


def test_the_command_line_knows_every_format() -> None:
    parser = build_parser(["hw"])
    for name in FORMATS:
        assert parser.parse_args(["hw", "export", "hal", "--to", name]).to == name
    for name in IMPORTED:
        assert parser.parse_args(["hw", "import", "f", "--format", name]).format == name


@pytest.mark.parametrize(
    ("content", "code", "exit_code"),
    [(None, "DLC201", 1), (b"\xff\xfe", "DLC415", 1), (b"cores: 4", "DLC419", 1), (b"<a", "DLC415", 1)],
)
def test_files_that_cannot_be_imported(
    run_dlc: Dlc, tmp_path: Path, content: bytes | None, code: str, exit_code: int
) -> None:
    if content is not None:
        (tmp_path / "machine").write_bytes(content)
    result = run_dlc("hw", "import", "machine")
    assert (result.returncode, result.stdout) == (exit_code, "")
    assert code in result.stderr
    assert "Traceback" not in result.stderr

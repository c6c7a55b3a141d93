"""The wheel and the source archive hold what they should, and the wheel works where nothing else is."""

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import dlc
from dlc import col


@dlc.program
def total() -> dlc.Frame:
    return dlc.scan_csv("sales.csv").group_by("city").agg(col("amount").sum().alias("total")).sort("city")
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    command = [sys.executable, "-m", "build", "--outdir", folder, ROOT]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(packages: Path) -> Path:
    return next(packages.glob("*.whl"))


def expected_files() -> set[str]:
    suffixes = {".py", ".md", ".lark", ".hw", ".json", ".typed"}
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / "dlc").rglob("*")
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts
    }


@pytest.mark.timeout(300)
def test_the_wheel_holds_the_package_and_its_data_once(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    packed = {name for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert packed == expected_files()
    assert len(names) == len(set(names))


@pytest.mark.timeout(300)
def test_the_source_archive_holds_the_package_once(packages: Path) -> None:
    with tarfile.open(next(packages.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert expected_files() <= names
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names
    assert not any(
        name.startswith(("dialects", "passes", "runtime", "hwspec", "frontends", "tests")) for name in names
    )


@pytest.mark.timeout(600)
def test_the_wheel_alone_runs_a_program(wheel: Path, tmp_path: Path) -> None:
    """A new environment with nothing but the wheel and what it declares."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel]
    result = subprocess.run(install, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr

    (tmp_path / "prog.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "sales.csv").write_text("city,amount\nOslo,1\nRome,2\nOslo,4\n", encoding="utf-8")
    command = [environment / "bin" / "dlc", "run", "-n", "2", "prog.py", "--json"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout == '{"total": [{"city": "Oslo", "total": 5}, {"city": "Rome", "total": 2}]}\n'

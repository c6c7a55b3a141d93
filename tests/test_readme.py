"""The program in the README gives the output in the README."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def block(language: str, start: str = "") -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"```{language}\n{re.escape(start)}(.*?)```", text, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, ROOT / "examples" / "flight_data.py"], check=True)
    path = tmp_path / "late.py"
    path.write_text(block("python"), encoding="utf-8")
    return path


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", ["1", "2", "4"])
def test_the_program_gives_what_the_readme_shows(program: Path, ranks: str) -> None:
    command = [sys.executable, "-m", "dlc", "run", "-n", ranks, program]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stdout == block("console", "$ dlc run -n 4 late.py\n"), result.stderr


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", ["1", "3"])
def test_the_training_gives_what_the_readme_shows(tmp_path: Path, ranks: str) -> None:
    subprocess.run([sys.executable, ROOT / "examples" / "flight_data.py"], check=True)
    path = tmp_path / "learn.py"
    path.write_text("import jax" + block("python", "import jax"), encoding="utf-8")
    command = [sys.executable, "-m", "dlc", "run", "-n", ranks, path]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    shown = block("console", "$ dlc run -n 4 learn.py\n")
    # Processors differ in the last bits of a product.
    number = re.compile(r"0\.\d+")
    assert number.sub("", result.stdout) == number.sub("", shown), result.stderr
    found, expected = (list(map(float, number.findall(text))) for text in (result.stdout, shown))
    assert found == pytest.approx(expected, rel=1e-3)


def test_the_mistake_is_reported_as_the_readme_shows(program: Path) -> None:
    text = program.read_text(encoding="utf-8").replace('"arr_delay").mean()', '"arr_dely").mean()')
    program.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "dlc", "run", program]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.replace(str(program), "late.py").startswith(block("text"))

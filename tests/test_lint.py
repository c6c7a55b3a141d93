"""The linters, type checker and layer contracts, so that `make test` alone says whether a change is good."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("pyright",), ("lint-imports",)],
    ids=" ".join,
)
def test_checker_has_no_complaint(command: tuple[str, ...]) -> None:
    program, *arguments = command
    result = subprocess.run(
        [BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{' '.join(command)}:\n{result.stdout}\n{result.stderr}"

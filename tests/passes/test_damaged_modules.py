"""A sample of damaged modules; `benchmarks/fuzz_ir.py --count 10000` tries more."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "fuzz_ir.py"


@pytest.mark.slow
def test_damaged_modules_are_refused_or_survive_a_round_trip() -> None:
    """In a process of its own, which bounds its time and memory."""
    result = subprocess.run(
        [sys.executable, SCRIPT, "--count", "500"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("500 texts, 0 failures")

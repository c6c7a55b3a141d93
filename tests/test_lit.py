"""The FileCheck tests under lit/, as one test of this suite."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_filecheck_tests_pass() -> None:
    """Runs lit with its own output shown on failure."""
    result = subprocess.run(
        [Path(sys.executable).parent / "lit", "-v", "--order=lexical", "-j2", str(ROOT / "lit")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"lit found failures:\n{result.stdout}\n{result.stderr}"
    assert "Passed" in result.stdout, "lit found no tests"

"""Fixtures that every test may use."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Runs leave no trace in the home of whoever tests, and say nothing of how long they took.
os.environ["DLC_HISTORY"] = ""

Dlc = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run_dlc(tmp_path: Path) -> Dlc:
    """Runs the command line in a process of its own, in an empty directory."""

    def run(
        *arguments: str | Path, timeout: float = 60, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "dlc", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120", **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run

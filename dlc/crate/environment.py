"""What a run stood on: interpreter, packages, MPI, processor, and variables that change what is computed."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import dlc
from dlc.crate.privacy import names_place

_VARIABLES = re.compile(
    r"(DLC|OMP|OPENBLAS|MKL|POLARS|MPICH|OMPI_MCA|PRTE_MCA|JAX|XLA|NUMBA)_\w+|PYTHONHASHSEED"
)
_SECRET = re.compile(r"(?i)token|secret|passw|credential|_key\b")
# The library tells its version without being started; a process of its own keeps this one free of MPI.
_ASK_MPI = (
    "import mpi4py; mpi4py.rc.initialize = False\nfrom mpi4py import MPI\nprint(MPI.Get_library_version())"
)
_PATIENCE = 30


def environment() -> dict[str, Any]:
    """The environment of this process as plain data; what a system does not tell is an empty text."""
    return {
        "dlc": dlc.__version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.platform(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "mpi": _mpi(),
        "packages": dict(sorted(_packages())),
        "variables": {
            name: value
            for name, value in sorted(os.environ.items())
            if _VARIABLES.fullmatch(name) and not _SECRET.search(name) and not names_place(value)
        },
    }


def _packages() -> set[tuple[str, str]]:
    return {(found.name, found.version) for found in metadata.distributions() if found.name}


def _processor() -> str:
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    named = re.search(r"^(?:model name|cpu)\s*:\s*(.*)$", info, re.MULTILINE)
    return named[1].strip() if named else platform.processor()


def _mpi() -> str:
    try:
        asked = subprocess.run(
            [sys.executable, "-c", _ASK_MPI], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return " ".join(asked.stdout.rstrip("\0").split())[:200] if asked.returncode == 0 else ""

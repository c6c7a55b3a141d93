"""``python -m benchmarks``: every benchmark with its default settings; each is also a script by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run(script: str) -> int:
    return subprocess.run([sys.executable, Path(__file__).with_name(script)], check=False).returncode


sys.exit(max([run("startup.py"), run("fuzz_ir.py"), run("tpch_compare.py")]))

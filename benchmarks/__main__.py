"""``python -m benchmarks``: every benchmark with its default settings; each is also a script by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    "startup.py",
    "hw_parse.py",
    "executor_overhead.py",
    "training_overhead.py",
    "cardinality.py",
    "predict_scale.py",
    "predict_simgrid.py",
    "predict_accuracy.py",
    "train_compare.py",
    "pipeline_compare.py",
    "tpch_compare.py",
)


def run(script: str) -> int:
    print(f"\n== {script}", flush=True)
    return subprocess.run([sys.executable, Path(__file__).with_name(script)], check=False).returncode


sys.exit(max([run(script) for script in SCRIPTS]))

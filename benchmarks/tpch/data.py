"""Make the TPC-H tables as Parquet files, once: ``python benchmarks/tpch/data.py --scale 0.1``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
ROOT = Path(__file__).resolve().parents[1] / "data"


def directory(scale: float) -> Path:
    """Where the tables of scale factor `scale` lie, made or not."""
    return ROOT / f"sf{scale:g}"


def generate(scale: float, target: Path | None = None) -> Path:
    """The directory of the eight tables at scale factor `scale`, which are generated when missing."""
    target = target or directory(scale)
    if target.is_dir():
        return target
    # A rename publishes the tables, so that an interrupted run leaves nothing that looks complete.
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    partial.mkdir(parents=True)
    generator = Path(sys.executable).with_name("tpchgen-cli")
    command = [generator, "parquet", "-s", f"{scale:g}", "-o", partial]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    partial.rename(target)
    return target


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="scale factor; 1 is about 350 MB of Parquet")
    print(generate(parser.parse_args().scale))

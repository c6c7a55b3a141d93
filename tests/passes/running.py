"""Runs a traced frame on some ranks in this process."""

from pathlib import Path

import polars as pl

import dlc
from dlc import driver
from dlc.diagnostics import SourceLoc
from dlc.frontends.recording import Recording
from dlc.runtime.executor import execute
from dlc.runtime.transport import run_local


def collect(frame: dlc.Frame, ranks: int = 1) -> pl.DataFrame:
    """The rows that a frame has on so many ranks."""
    module = Recording().module("main", {"result": frame.value}, SourceLoc("test.py", 1))
    plan = driver.build_plan(driver.compile_module(module, None, ranks))
    results = run_local(ranks, lambda transport: execute(plan, transport))[0]
    assert results is not None
    return results["result"]


def scan(folder: Path, rows: pl.DataFrame, row_group_size: int = 7) -> dlc.Frame:
    """The rows as a file of many row groups, so that every rank reads some."""
    path = folder / "rows.parquet"
    rows.write_parquet(path, row_group_size=row_group_size)
    return dlc.scan_parquet(str(path))

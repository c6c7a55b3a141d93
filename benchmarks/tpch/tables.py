"""The TPC-H tables as frames: the programs beside this file scan them from ``$TPCH_DATA``."""

from __future__ import annotations

import os

from data import directory

import dlc


def scan(table: str) -> dlc.Frame:
    """Scan one table from the directory ``$TPCH_DATA``, by default the generated data of scale factor 1."""
    data = os.environ.get("TPCH_DATA") or directory(1)
    return dlc.scan_parquet(f"{data}/{table}.parquet")

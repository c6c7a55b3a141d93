"""The record of a run: what each instruction took on each rank, merged on rank 0 and written as JSON."""

import json
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from dlc.diagnostics import DlcError
from dlc.runtime.plan import Json
from dlc.runtime.transport import Transport

VERSION = 1


@dataclass
class Recorder:
    """Collects one entry an instruction; without a recorder a run measures nothing."""

    entries: list[Json] = field(default_factory=list[Json])
    started: float = field(default_factory=time.perf_counter)

    def add(self, gang: str, index: int, instruction: Json, seconds: float, values: dict[str, Any]) -> None:
        """Note an instruction that has just ended: its seconds, the rows and bytes of the frames it gave."""
        rows = size = 0
        for name in [instruction["out"]] if "out" in instruction else instruction.get("outs", ()):
            frame = values[name]
            if isinstance(frame, pl.DataFrame):
                rows += frame.height
                size += int(frame.estimated_size())
        entry: Json = {
            "gang": gang,
            "index": index,
            "op": instruction["op"],
            "start": time.perf_counter() - self.started - seconds,
            "seconds": seconds,
            "rows": rows,
            "bytes": size,
            "peak_bytes": peak_bytes(),
        }
        if "predicted" in instruction:
            entry["predicted"] = instruction["predicted"]
        self.entries.append(entry)

    def merge(self, program: str, world: Transport) -> Json | None:
        """The record of all ranks, on rank 0; every rank calls it."""
        mine = {
            "rank": world.rank,
            "seconds": time.perf_counter() - self.started,
            "peak_bytes": peak_bytes(),
            "instructions": self.entries,
        }
        ranks = world.gather(memoryview(json.dumps(mine).encode()), 0)
        if world.rank != 0:
            return None
        return {"version": VERSION, "program": program, "ranks": [json.loads(bytes(rank)) for rank in ranks]}


def write_record(record: Json, path: str) -> None:
    """Write a merged record. Raises DLC605."""
    try:
        Path(path).write_text(json.dumps(record, indent=1) + "\n")
    except OSError as error:
        raise DlcError("DLC605", f"cannot write the record {path}: {error.strerror}") from error


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

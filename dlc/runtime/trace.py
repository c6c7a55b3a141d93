"""The record of a run: what each instruction took on each rank, merged on rank 0 and written as JSON."""

import json
import resource
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from dlc.diagnostics import DlcError
from dlc.runtime.plan import Json
from dlc.runtime.transport import Transport
from dlc.runtime.transport.counting import Traffic

VERSION = 1


@dataclass
class Recorder:
    """Collects one entry an instruction; without a recorder a run measures nothing.

    The entry of a loop holds those of its body, in which all iterations are added up. `loaded` names the
    kernels that did not have to be compiled.
    """

    entries: list[Json] = field(default_factory=list[Json])
    started: float = field(default_factory=time.perf_counter)
    traffic: Traffic = field(default_factory=Traffic)
    loaded: list[str] = field(default_factory=list[str])
    _level: list[Json] | None = None

    def begin(self, world: Transport) -> None:
        """Count seconds from now on; every rank calls it, and waits until all of them have come."""
        world.barrier()
        self.started = time.perf_counter()

    @contextmanager
    def entry(self, gang: str, index: int, instruction: Json) -> Generator[Json]:
        """The entry of an instruction; those that are asked for inside are in its body."""
        level = self.entries if self._level is None else self._level
        entry: Json = {"gang": gang, "index": index, "op": instruction["op"], "count": 0, "seconds": 0.0}
        entry |= {"rows": 0, "bytes": 0, "sent_bytes": 0}
        if "predicted" in instruction:
            entry["predicted"] = instruction["predicted"]
        level.append(entry)
        body: list[Json] = []
        outer, self._level = self._level, body
        try:
            yield entry
        finally:
            self._level = outer
        if body:
            entry["body"] = body

    def timed(
        self,
        entry: Json,
        instruction: Json,
        run: Callable[[dict[str, Any]], None],
    ) -> Callable[[dict[str, Any]], None]:
        """The same, adding its seconds, the rows and bytes it gave and the bytes it sent to the entry."""
        names = [*instruction.get("outs", ()), *([instruction["out"]] if "out" in instruction else [])]

        def timed_run(values: dict[str, Any]) -> None:
            before, start = self.traffic.sent, time.perf_counter()
            run(values)
            seconds = time.perf_counter() - start
            if not entry["count"]:
                entry["start"] = start - self.started
            entry["count"] += 1
            entry["seconds"] += seconds
            entry["sent_bytes"] += self.traffic.sent - before
            for name in names:
                rows, size = _extent(values[name])
                entry["rows"] += rows
                entry["bytes"] += size
            entry["peak_bytes"] = peak_bytes()

        return timed_run

    def merge(self, program: str, world: Transport) -> Json | None:
        """The record of all ranks, on rank 0; every rank calls it."""
        mine = {
            "rank": world.rank,
            "seconds": time.perf_counter() - self.started,
            "peak_bytes": peak_bytes(),
            "loaded": self.loaded,
            "instructions": [entry for entry in self.entries if entry["count"]],
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


def _extent(value: object) -> tuple[int, int]:
    """Rows and bytes of a frame, bytes of a tensor."""
    if isinstance(value, pl.DataFrame):
        return value.height, int(value.estimated_size())
    size = getattr(value, "nbytes", 0)
    return 0, size if isinstance(size, int) else 0


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

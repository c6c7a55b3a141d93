"""What an instruction does to the frames of a gang, and what it costs: one rule for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dlc.predict import fragments
from dlc.predict.costs import Cost, Pricer
from dlc.predict.fragments import Frame, Work
from dlc.predict.resources import Placement

if TYPE_CHECKING:
    from dlc.runtime.plan import Plan

Json = dict[str, Any]
Rule = Callable[["Gang", Json, Cost], None]

_CACHED = 0.5  # input files up to this share of the memory of the nodes are in the page cache after one run
_CALL = Work("query", calls=1.0)
COLLECTIVE = Work("collective", calls=1.0)


@dataclass
class Gang:
    """A gang on its way through its instructions; `peak` is in bytes, on the rank that holds most.

    `numbers` has the values of counts by name (for batches, their steps), `micro` the micro-batches of a
    batch.
    """

    name: str
    plan: Plan
    pricer: Pricer
    frames: dict[str, Frame] = field(default_factory=dict[str, Frame])
    peak: float = 0.0
    device_peak: float = 0.0
    scratch: float = 0.0
    arriving: float = 0.0
    started: bool = False
    numbers: dict[str, float] = field(default_factory=dict[str, float])
    micro: dict[str, int] = field(default_factory=dict[str, int])
    observed: tuple[float, float] | None = None

    @property
    def ranks(self) -> int:
        return self.pricer.placement.ranks

    def define(self, names: Sequence[str], frames: Sequence[Frame], instruction: Json) -> None:
        """Give values to names, with the layouts and sizes that the instruction tells."""
        layouts = instruction.get("layouts", ())
        known = instruction.get("predicted", {})
        rows, size = self.observed or (known.get("rows"), known.get("bytes"))
        for number, (name, frame) in enumerate(zip(names, frames, strict=True)):
            if len(names) == 1:
                frame = frame.sized(rows, size)
            if number < len(layouts):
                frame = replace(frame, split=not _whole(layouts[number]))
            self.frames[name] = frame

    def take(self, name: str, cost: Cost, *, keep: bool) -> Frame:
        """A value whose rows are needed now; with `keep` they stay in memory for whoever comes later."""
        frame = self.frames[name]
        if not frame.pending:
            return frame
        self.pricer.work([*self.begin(), *frame.pending], cost)
        self.pricer.storage(frame.stored, self.pricer.resources.read, self.pricer.placement.nodes, cost)
        taken = replace(frame, pending=(), stored=0.0)
        if keep:
            self.frames[name] = taken
        return taken

    def rename(self, names: Sequence[str], to: Sequence[str]) -> None:
        """Let other names stand for the same values too."""
        known = [(self.frames.get(name), self.numbers.get(name)) for name in names]
        for name, (frame, number) in zip(to, known, strict=True):
            if frame is not None:
                self.frames[name] = frame
            if number is not None:
                self.numbers[name] = number

    def begin(self) -> list[Work]:
        """What the first query of a rank takes beside its work: threads start, libraries warm up."""
        started, self.started = self.started, True
        return [] if started else [Work("start", calls=1.0)]

    def on_rank(self, frame: Frame) -> float:
        """Bytes of a frame on one rank."""
        return 0.0 if frame.pending else frame.bytes / (self.ranks if frame.split else 1)

    def settle(self) -> None:
        """Count the memory that was in use during an instruction."""
        tensors = sum(self.on_rank(frame) for frame in self.frames.values() if frame.tensor)
        rows = sum(self.on_rank(frame) for frame in self.frames.values() if not frame.tensor)
        if self.pricer.resources.device is None:
            rows, tensors = rows + tensors, 0.0
        self.peak = max(self.peak, rows + self.scratch)
        self.device_peak = max(self.device_peak, tensors)
        self.scratch = 0.0

    def outputs(self, instruction: Json) -> list[str]:
        """The names that an instruction gives values to."""
        return instruction.get("outs") or ([instruction["out"]] if "out" in instruction else [])

    def label(self, instruction: Json) -> str:
        """What people call the step."""
        match instruction["op"]:
            case "run":
                operators = (op["op"] for op in instruction["fragment"].get("ops", ()))
                return ", ".join(dict.fromkeys(operators)) or "run"
            case "read":
                return f"read {instruction['paths'][0].rpartition('/')[2]}"
            case "result":
                return f"result {instruction['name']}"
            case "start":
                return "load XLA, compile kernels"
            case op:
                return op.replace("_", "-")


def _whole(layout: str) -> bool:
    """Whether each rank that holds anything holds all rows."""
    return layout.startswith(("replicated", "single", "partial"))


def drain(gangs: Sequence[Gang], place: Placement, runtime: float) -> dict[str, float]:
    """Peak bytes a node, by memory space; gangs are taken as on ranks of their own."""
    peaks = {"host": runtime + max((gang.peak for gang in gangs), default=0.0)}
    for gang in gangs:
        if device := gang.pricer.resources.device:
            peaks[device.kind] = max(peaks.get(device.kind, 0.0), gang.device_peak)
    return {space: peak * place.width for space, peak in peaks.items() if peak}


def _read(gang: Gang, instruction: Json, cost: Cost) -> None:
    """Files are opened now, and read by the query that needs their rows."""
    gang.pricer.work([Work("open", calls=len(instruction["paths"]))], cost)
    columns = fragments.columns_of(instruction["schema"])
    tested = _columns_read(instruction.get("predicate") or {})
    split = not instruction.get("replicated")
    total = sum(rows for _, _, rows in instruction["pieces"] if rows > 0)
    rows = float(total or instruction.get("predicted", {}).get("rows", 0))
    frame = Frame(rows, columns, split)
    decoded = rows * sum({**tested, **columns}.values())
    work = Work("read", decoded if split else 0.0, 0.0 if split else decoded, calls=0.0)
    gang.define([instruction["out"]], [frame], instruction)
    (name,) = gang.outputs(instruction)
    stored = sum(entry["bytes"] for entry in gang.plan.inputs if entry["path"] in instruction["paths"])
    memory = gang.pricer.resources.memory * gang.pricer.placement.nodes
    frame = gang.frames[name]
    cached = sum(entry["bytes"] for entry in gang.plan.inputs) < _CACHED * memory
    gang.frames[name] = replace(frame, split=split, pending=(work,), stored=0.0 if cached else float(stored))


def _columns_read(tree: Json) -> dict[str, float]:
    found = {tree["name"]: fragments.width(tree["type"])} if tree.get("f") == "col" else {}
    for argument in tree.get("args", ()):
        found |= _columns_read(argument)
    return found


def _constant(gang: Gang, instruction: Json, cost: Cost) -> None:
    size = len(gang.plan.constants.get(instruction["name"], b""))
    gang.pricer.work([Work("read", whole=size)], cost)
    gang.define([instruction["out"]], [Frame(size / 8, {"": 8.0}, split=False)], instruction)


def _run(gang: Gang, instruction: Json, cost: Cost) -> None:
    taken = [gang.take(name, cost, keep=False) for name in instruction["ins"]]
    work, outputs = fragments.walk(instruction["fragment"], taken)
    gang.pricer.work([*gang.begin(), _CALL, *work], cost)
    gang.define(instruction["outs"], outputs, instruction)


def _moving(operation: str, *, spread: bool, everywhere: bool) -> Rule:
    """A rule for a collective on rows: pack, move, unpack.

    With `spread` each rank gets a part; otherwise all rows, on every rank if `everywhere` and else on one.
    """

    def rule(gang: Gang, instruction: Json, cost: Cost) -> None:
        frame = gang.take(instruction["in"], cost, keep=True)
        gang.define([instruction["out"]], [replace(frame, split=spread)], instruction)
        ranks = gang.ranks
        if ranks == 1:
            return
        packed = frame.bytes if frame.split else frame.bytes * ranks
        work = Work("exchange", 2 * packed) if spread else Work("exchange", packed, packed)
        gang.pricer.work([COLLECTIVE, work], cost)
        size = frame.bytes if operation == "broadcast" else packed / (ranks if spread else 1)
        gang.pricer.collective(operation, size, cost)
        gang.scratch = packed / ranks if spread else packed * everywhere

    return rule


def _all_reduce(gang: Gang, instruction: Json, cost: Cost) -> None:
    """Partial frames of all ranks go everywhere and are combined on each."""
    _moving("all_gather", spread=False, everywhere=True)(gang, instruction, cost)
    combined = gang.frames[instruction["out"]]
    partial = replace(combined, rows=combined.rows * gang.ranks, split=False)
    work, _ = fragments.walk(instruction["combine"], [partial])
    gang.pricer.work([_CALL, *work], cost)


def _range_shuffle(gang: Gang, instruction: Json, cost: Cost) -> None:
    frame = gang.take(instruction["in"], cost, keep=True)
    if gang.ranks > 1:  # rows are merged with the samples to find where the cuts lie
        gang.pricer.work([_CALL, Work("sort", frame.bytes)], cost)
    _moving("all_to_all", spread=True, everywhere=False)(gang, instruction, cost)


def _send(gang: Gang, instruction: Json, cost: Cost) -> None:
    frame = gang.take(instruction["in"], cost, keep=True)
    gang.pricer.work([Work("exchange", whole=gang.on_rank(frame), calls=1.0)], cost)


def _recv(gang: Gang, instruction: Json, cost: Cost) -> None:
    network = gang.pricer.placement.network
    gang.pricer.message(gang.arriving, network.remote, cost)
    frame = Frame(gang.arriving / 8, {"": 8.0}, split=False)
    gang.define([instruction["out"]], [frame], instruction)


def _free(gang: Gang, instruction: Json, cost: Cost) -> None:
    del cost
    for name in instruction["values"]:
        gang.frames.pop(name, None)


def _write(gang: Gang, instruction: Json, cost: Cost) -> None:
    frame = gang.take(instruction["in"], cost, keep=True)
    parts = instruction["layout"] == "directory"
    work = Work("write", frame.bytes if parts else 0.0, 0.0 if parts else frame.bytes, calls=1.0)
    gang.pricer.work([work], cost)
    nodes = gang.pricer.placement.nodes if parts else 1
    gang.pricer.storage(frame.bytes, gang.pricer.resources.write, nodes, cost)


def _result(gang: Gang, instruction: Json, cost: Cost) -> None:
    frame = gang.take(instruction["in"], cost, keep=True)
    gang.pricer.work([Work("convert", whole=frame.bytes, calls=1.0)], cost)


RULES: dict[str, Rule] = {
    "read": _read,
    "constant": _constant,
    "run": _run,
    "shuffle": _moving("all_to_all", spread=True, everywhere=False),
    "range_shuffle": _range_shuffle,
    "all_gather": _moving("all_gather", spread=False, everywhere=True),
    "gather": _moving("gather", spread=False, everywhere=False),
    "broadcast": _moving("broadcast", spread=False, everywhere=True),
    "all_reduce": _all_reduce,
    "send": _send,
    "recv": _recv,
    "free": _free,
    "write": _write,
    "result": _result,
}
"""The rules of instructions on tables."""

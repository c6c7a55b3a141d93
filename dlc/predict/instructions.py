"""What an instruction does to the frames of a gang, and what it costs: one rule for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dlc.predict import fragments, messages
from dlc.predict.costs import Cost, Pricer, working_memory
from dlc.predict.expressions import calls_of, expressions
from dlc.predict.frames import Frame, Work, columns_of, is_text, width
from dlc.predict.operators import comparisons
from dlc.predict.resources import Placement

if TYPE_CHECKING:
    from dlc.runtime.plan import Plan

Json = dict[str, Any]
Rule = Callable[["Gang", Json, Cost], None]

_VIEW = 16.0  # bytes of memory that point to a text, beside its own
_FIRST_FILE = 3.0  # how many files more the first one of a rank takes as long as
_CACHED = 0.5  # input files up to this share of the memory of the nodes are in the page cache after one run


@dataclass
class Gang:
    """A gang on its way through its instructions; `peak` is in bytes, on the rank that holds most.

    `numbers` has the values of counts by name (for batches, their steps), `micro` the micro-batches of a
    batch. `compiled` names the kernels that XLA has compiled before.
    """

    name: str
    plan: Plan
    pricer: Pricer
    compiled: Collection[str] = ()
    frames: dict[str, Frame] = field(default_factory=dict[str, Frame])
    peak: float = 0.0
    device_peak: float = 0.0
    scratch: float = 0.0
    arriving: float = 0.0
    started: bool = False
    opened: bool = False
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
        threads = max(1.0, self.pricer.placement.threads)
        return [] if started else [Work("start", calls=1.0 + math.log2(threads))]

    def together(self) -> list[Work]:
        """What a collective of rows takes beside moving bytes: all ranks have to come to it."""
        return [Work("collective", calls=1.0), *self.turns()] if self.ranks > 1 else []

    def turns(self) -> list[Work]:
        """The wait for ranks that have no core of their own."""
        return [Work("turn", calls=1.0)] if self.pricer.placement.threads < 1 else []

    def on_rank(self, frame: Frame) -> float:
        """Bytes of a frame on one rank."""
        if frame.pending:
            return 0.0
        size = frame.bytes + _VIEW * frame.rows * sum(map(is_text, frame.columns.values()))
        return size / (self.ranks if frame.split else 1)

    def settle(self, cost: Cost) -> None:
        """Count the memory that was in use during an instruction."""
        tensors = sum(self.on_rank(frame) for frame in self.frames.values() if frame.tensor)
        rows = sum(self.on_rank(frame) for frame in self.frames.values() if not frame.tensor)
        if self.pricer.resources.device is None:
            rows, tensors = rows + tensors, 0.0
        self.peak = max(self.peak, rows + self.scratch + working_memory(cost.demands))
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
                return "load XLA, compile kernels" if self.plan.kernels else "start"
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
    files, entries = len(instruction["paths"]), len(instruction["pieces"]) + len(instruction["schema"])
    first, gang.opened = not gang.opened, True
    gang.pricer.work([Work("open", calls=files + first * _FIRST_FILE, whole=entries)], cost)
    split = not instruction.get("replicated")
    total = sum(rows for _, _, rows in instruction["pieces"] if rows > 0)
    rows = float(total or instruction.get("predicted", {}).get("rows", 0))
    frame = Frame(rows, columns_of(instruction["schema"]), split)
    gang.define([instruction["out"]], [frame], instruction)
    (name,) = gang.outputs(instruction)
    stored = sum(entry["bytes"] for entry in gang.plan.inputs if entry["path"] in instruction["paths"])
    memory = gang.pricer.resources.memory * gang.pricer.placement.nodes
    taken = gang.frames[name]
    cached = sum(entry["bytes"] for entry in gang.plan.inputs) < _CACHED * memory
    gang.frames[name] = replace(
        taken,
        split=split,
        pending=tuple(_decoding(instruction, frame, taken.rows)),
        stored=0.0 if cached else float(stored),
    )


def _decoding(instruction: Json, whole: Frame, kept: float) -> list[Work]:
    """What it takes to decode the columns of a file, of which a predicate keeps so many rows."""
    predicate: Json | None = instruction.get("predicate")
    tested = _columns_read(predicate or {})
    work: list[Work] = []
    for name, type_ in {**whole.columns, **tested}.items():
        # Where a predicate has dropped rows, the other columns are decoded only in part.
        rows = whole.rows if predicate is None or name in tested else kept
        if is_text(type_):
            work.append(whole.work("words", rows))
        elif type_.startswith("decimal"):
            work.append(whole.work("scale", rows))
        else:
            work.append(whole.work("read", rows * width(type_)))
    if predicate is not None:
        work += expressions([predicate], whole)
        work.append(whole.work("skip", whole.rows * len(whole.columns.keys() - tested.keys())))
    return work


def _columns_read(tree: Json) -> dict[str, str]:
    found = {tree["name"]: tree["type"]} if tree.get("f") == "col" else {}
    for argument in tree.get("args", ()):
        found |= _columns_read(argument)
    return found


def _constant(gang: Gang, instruction: Json, cost: Cost) -> None:
    size = len(gang.plan.constants.get(instruction["name"], b""))
    gang.pricer.work([Work("read", whole=size)], cost)
    gang.define([instruction["out"]], [Frame(1.0, width=size, split=False)], instruction)


def _run(gang: Gang, instruction: Json, cost: Cost) -> None:
    fragment = instruction["fragment"]
    if not fragment["ops"]:  # names change, and nothing runs
        given = [gang.frames[name] for name in instruction["ins"]]
        passed: list[int] = fragment["outputs"]
        gang.frames.update(zip(instruction["outs"], [given[index] for index in passed], strict=True))
        return
    taken = [gang.take(name, cost, keep=False) for name in instruction["ins"]]
    work, outputs = fragments.walk(fragment, taken, gang.ranks)
    gang.pricer.work([*gang.begin(), _query(fragment), *work], cost)
    gang.define(instruction["outs"], outputs, instruction)


def _query(fragment: Json) -> Work:
    """What a query takes beside its work on rows."""
    return Work("query", calls=1.0, whole=float(calls_of(fragment)))


def _moving(operation: str, where: str) -> Rule:
    """A rule for a collective on rows: pack, move, unpack. `where` the rows go, says `messages.sent`."""
    spread = where == messages.SHUFFLE

    def rule(gang: Gang, instruction: Json, cost: Cost) -> None:
        frame = gang.take(instruction["in"], cost, keep=True)
        gang.define([instruction["out"]], [replace(frame, split=spread)], instruction)
        ranks = gang.ranks
        if ranks == 1:
            return
        if gang.observed is not None and instruction["op"] != "all_reduce":  # all rows that came are known
            frame = replace(gang.frames[instruction["out"]], split=frame.split)
            rows, total = frame.rows, frame.bytes
        else:
            copies = 1 if frame.split or where == messages.FROM_ONE else ranks
            rows, total = frame.rows * copies, frame.bytes * copies
        if spread:
            keys = max(1, len(instruction.get("keys") or instruction.get("by", ())))
            parting = [frame.work("hash", frame.rows * keys), frame.work("move", frame.bytes)]
            away = total * (ranks - 1) / ranks  # each rank's own part stays where it is
            work = [*parting, Work("pack", away), Work("unpack", away)]
        else:
            work = [Work("pack", total), Work("unpack", whole=total)]
        gang.pricer.work([*gang.together(), *work], cost)
        gang.pricer.collective(operation, total / (ranks if spread else 1), cost)
        moving = messages.rows_of(rows, total, frame.columns)
        cost.send(messages.sent(moving, where, ranks))

    return rule


def _all_reduce(gang: Gang, instruction: Json, cost: Cost) -> None:
    """Partial frames of all ranks go everywhere and are combined on each."""
    _moving("all_gather", messages.EVERYWHERE)(gang, instruction, cost)
    combined = gang.frames[instruction["out"]]
    partial = replace(combined, rows=combined.rows * gang.ranks, split=False)
    work, _ = fragments.walk(instruction["combine"], [partial], gang.ranks)
    gang.pricer.work([_query(instruction["combine"]), *work], cost)


def _range_shuffle(gang: Gang, instruction: Json, cost: Cost) -> None:
    frame = gang.take(instruction["in"], cost, keep=True)
    if gang.ranks > 1:  # rows are merged with the samples to find where the cuts lie
        work = [Work("query", calls=1.0), frame.work("sort", comparisons(frame.rows))]
        gang.pricer.work(work, cost)
    _moving("all_to_all", messages.SHUFFLE)(gang, instruction, cost)


def _send(gang: Gang, instruction: Json, cost: Cost) -> None:
    frame = gang.take(instruction["in"], cost, keep=True)
    gang.pricer.work([Work("pack", whole=gang.on_rank(frame))], cost)


def _recv(gang: Gang, instruction: Json, cost: Cost) -> None:
    network = gang.pricer.placement.network
    gang.pricer.message(gang.arriving, network.remote, cost)
    frame = Frame(1.0, width=gang.arriving, split=False)
    gang.define([instruction["out"]], [frame], instruction)


def _free(gang: Gang, instruction: Json, cost: Cost) -> None:
    del cost
    for name in instruction["values"]:
        gang.frames.pop(name, None)


def _write(gang: Gang, instruction: Json, cost: Cost) -> None:
    frame = gang.take(instruction["in"], cost, keep=True)
    parts = instruction["layout"] == "directory"
    work = Work("write", frame.bytes if parts else 0.0, 0.0 if parts else frame.bytes, calls=1.0)
    gang.pricer.work([work, Work("flush", whole=frame.bytes)], cost)
    nodes = gang.pricer.placement.nodes if parts else 1
    gang.pricer.storage(frame.bytes, gang.pricer.resources.write, nodes, cost)


def _result(gang: Gang, instruction: Json, cost: Cost) -> None:
    frame = gang.take(instruction["in"], cost, keep=True)
    gang.pricer.work([Work("convert", whole=frame.bytes, calls=1.0)], cost)


RULES: dict[str, Rule] = {
    "read": _read,
    "constant": _constant,
    "run": _run,
    "shuffle": _moving("all_to_all", messages.SHUFFLE),
    "range_shuffle": _range_shuffle,
    "all_gather": _moving("all_gather", messages.EVERYWHERE),
    "gather": _moving("gather", messages.TO_ONE),
    "broadcast": _moving("broadcast", messages.FROM_ONE),
    "all_reduce": _all_reduce,
    "send": _send,
    "recv": _recv,
    "free": _free,
    "write": _write,
    "result": _result,
}
"""The rules of instructions on tables."""

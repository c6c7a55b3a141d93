"""Cost rules of the instructions on tensors: chunks of rows, micro-batches, reductions, checkpoints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist

from dlc.predict.costs import Cost
from dlc.predict.expressions import calls_of
from dlc.predict.frames import Frame, Work
from dlc.predict.instructions import RULES, Gang, Json
from dlc.predict.modules import ModuleCost, module_cost
from dlc.predict.operators import comparisons

_ELEMENT = {"f64": 8.0, "i64": 8.0, "f16": 2.0, "bf16": 2.0, "i8": 1.0, "i1": 1.0, "bool": 1.0}
_LATER = 100.0  # bytes of a note on the way of training


def tensor(size: float, *, split: bool = False) -> Frame:
    """A tensor as a value of so many bytes."""
    return Frame(1.0, width=size, split=split, tensor=True)


def module(gang: Gang, fragment: Json) -> ModuleCost:
    """What one call of a kernel takes."""
    return module_cost(gang.plan.kernels[fragment["module"]])


def modules(instructions: Sequence[Json]) -> set[str]:
    """The names of all modules that instructions run."""
    found: set[str] = set()
    for instruction in instructions:
        fragment: Json = instruction.get("fragment", {})
        if fragment.get("kind") == "xla":
            chunks: Json = fragment["rows"] or {}
            names: list[str | None] = [fragment["module"], fragment.get("masked"), chunks.get("masked")]
            found |= {name for name in names if name is not None}
        found |= modules(instruction.get("body", ()))
    return found


def start(gang: Gang, instructions: Sequence[Json], cost: Cost) -> None:
    """What a rank does before its first instruction: it builds its queries, loads XLA, compiles kernels."""
    work = [Work("prepare", calls=1.0, whole=float(_nodes(instructions))), *gang.together()]
    kernels = sorted(modules(instructions))
    work += [Work("import", calls=1.0)] if kernels else []
    for name in kernels:
        kind = "load" if name in gang.compiled else "compile"
        work.append(Work(kind, whole=float(len(gang.plan.kernels[name])), calls=1.0))
    gang.pricer.work(work, cost)


def _nodes(instructions: Sequence[Json]) -> int:
    """Nodes of all expressions in instructions."""
    count = 0
    for code in instructions:
        # Reductions of tensors name how they combine; those of frames have a fragment for it.
        given: list[Json | str] = [code.get("fragment", ""), code.get("combine", "")]
        count += sum(calls_of(fragment) for fragment in given if not isinstance(fragment, str))
        count += _nodes(code.get("body", ()))
    return count


def _parameters(gang: Gang, instruction: Json, cost: Cost) -> None:
    size = float(instruction.get("predicted", {}).get("bytes", 0))
    gang.pricer.work([Work("move", whole=size)], cost)
    share = size / max(1, len(instruction["outs"]))
    gang.define(instruction["outs"], [tensor(share) for _ in instruction["outs"]], instruction)


def _to_tensor(gang: Gang, instruction: Json, cost: Cost) -> None:
    frame = gang.take(instruction["in"], cost, keep=True)
    made: list[Frame] = []
    for columns, dtype in zip(instruction["columns"], instruction["dtypes"], strict=True):
        count = 1 if isinstance(columns, str) else len(columns)
        made.append(Frame(frame.rows, width=count * _ELEMENT.get(dtype, 4.0), split=frame.split, tensor=True))
    moved = frame.bytes + sum(entry.bytes for entry in made)
    gang.pricer.work([_convert(moved, split=frame.split)], cost)
    gang.define(instruction["outs"], made, instruction)


def _from_tensor(gang: Gang, instruction: Json, cost: Cost) -> None:
    source = instruction["in"]
    frame = tensor(0.0) if source is None else gang.take(source, cost, keep=True)
    columns = {**frame.columns, **dict.fromkeys(instruction["columns"], "f64")}
    given = replace(frame, columns=columns, pending=())
    gang.pricer.work([_convert(given.bytes, split=given.split)], cost)
    gang.define([instruction["out"]], [given], instruction)


def _convert(size: float, *, split: bool) -> Work:
    return Work("convert", size if split else 0.0, 0.0 if split else size, calls=1.0)


def _rows(gang: Gang, instruction: Json, cost: Cost) -> None:
    frame = gang.take(instruction["in"], cost, keep=True)
    if not instruction.get("whole") and gang.ranks > 1:
        gang.pricer.work(gang.together(), cost)
        gang.pricer.collective("all_gather", 8.0 * gang.ranks, cost)
    gang.frames[instruction["out"]] = tensor(8.0)
    gang.numbers[instruction["out"]] = frame.rows


def _batches(gang: Gang, instruction: Json, cost: Cost) -> None:
    """Rows are hashed and put in order, once an epoch where they are shuffled."""
    taken: list[Frame] = [gang.frames[name] for name in instruction["ins"]]
    size = sum(frame.bytes for frame in taken)
    rows = max((frame.rows for frame in taken), default=0.0)
    gang.pricer.work([_convert(size, split=True), Work("deal", comparisons(rows))], cost)
    if instruction["owned"] == "local" and gang.ranks > 1:
        gang.pricer.collective("all_to_all", size / gang.ranks, cost)
    gang.frames[instruction["out"]] = tensor(size, split=True)
    shards = gang.ranks if instruction["owned"] == "local" else int(instruction["micro_batches"])
    gang.numbers[instruction["out"]] = _steps_of(rows, shards, int(instruction["size"]))
    gang.micro[instruction["out"]] = instruction["micro_batches"]


def _steps_of(rows: float, shards: int, size: int) -> int:
    """Batches of an epoch: the largest shard decides, and a hash deals rows as chance would."""
    share = rows / shards
    beyond = NormalDist().inv_cdf((shards - 0.375) / (shards + 0.25))  # Blom's mean of the largest of them
    largest = share + max(0.0, beyond) * math.sqrt(share * (1 - 1 / shards))
    return math.ceil(largest / math.ceil(size / shards))


def _steps(gang: Gang, instruction: Json, cost: Cost) -> None:
    del cost
    gang.frames[instruction["out"]] = tensor(8.0)
    gang.numbers[instruction["out"]] = gang.numbers.get(instruction["in"], 1.0)


def _xla(gang: Gang, instruction: Json, cost: Cost) -> None:
    """A fragment as one call, or in chunks over the rows of each rank."""
    fragment = instruction["fragment"]
    call = module(gang, fragment)
    alone: Json = {"chunk": 1, "split": [], "outputs": ["same"] * len(call.results)}
    chunks: Json = fragment["rows"] or alone
    split: list[int] = chunks["split"]
    frames = [gang.frames[name] for name in instruction["ins"]]
    rows = max((frames[index].rows for index in split), default=0.0)
    here = rows / gang.ranks if any(frames[index].split for index in split) else rows
    calls = max(1, math.ceil(here / chunks["chunk"])) if split else 1
    gang.pricer.kernel(call, cost, calls=calls)
    made = [
        Frame(rows, width=size / chunks["chunk"], split=here < rows, tensor=True)
        if kind == "rows"
        else tensor(size)
        for kind, size in zip(chunks["outputs"], call.results, strict=False)
    ]
    made += [tensor(0.0)] * (len(instruction["outs"]) - len(made))
    gang.define(instruction["outs"], made, instruction)


def _run(gang: Gang, instruction: Json, cost: Cost) -> None:
    rule = _xla if instruction["fragment"].get("kind") == "xla" else RULES["run"]
    rule(gang, instruction, cost)


def _micro(gang: Gang, instruction: Json, cost: Cost) -> None:
    """The rank with the most micro-batches of a step, one call each; its results are partial ones."""
    call = module(gang, instruction["fragment"])
    shards = gang.micro.get(instruction["in"], 1)
    calls = math.ceil(shards / gang.ranks)
    if instruction["step"] is None:  # all steps of the epoch at once
        calls *= max(1, round(gang.numbers.get(instruction["in"], 1.0)))
    gang.pricer.kernel(call, cost, calls=calls)
    gang.scratch = call.nbytes
    gang.define(instruction["outs"], [tensor(size) for size in call.results], instruction)


def _reduce(gang: Gang, instruction: Json, cost: Cost) -> None:
    """Partial results of all ranks combined: a flat buffer of known size."""
    sizes: list[float] = [gang.frames[name].bytes for name in instruction["ins"]]
    known = instruction.get("predicted", {})
    if gang.ranks > 1:
        packing = Work("pack", whole=2 * sum(sizes))
        gang.pricer.work([Work("reduce", calls=1.0), *gang.turns(), packing], cost)
        gang.pricer.collective("all_reduce", float(known.get("bytes", sum(sizes))), cost)
        if "moved" in known and gang.ranks == gang.plan.world_size:
            cost.send(float(known["moved"]))
    gang.define(instruction["outs"], [tensor(size) for size in sizes], instruction)


def _wait(gang: Gang, instruction: Json, cost: Cost) -> None:
    """Nothing more: what a reduction takes is counted where it begins."""
    del gang, instruction, cost


def _log(gang: Gang, instruction: Json, cost: Cost) -> None:
    del gang, instruction, cost


def _history(gang: Gang, instruction: Json, cost: Cost) -> None:
    gang.pricer.work([_convert(_LATER, split=False)], cost)
    gang.define([instruction["out"]], [tensor(_LATER)], instruction)


def _save(gang: Gang, instruction: Json, cost: Cost) -> None:
    size = sum(gang.frames[name].bytes for name in instruction["ins"])
    gang.pricer.work([Work("write", whole=size, calls=1.0)], cost)
    gang.pricer.storage(size, gang.pricer.resources.write, 1, cost)


def _load(gang: Gang, instruction: Json, cost: Cost) -> None:
    frames = [gang.frames[name] for name in instruction["ins"]]
    size = sum(frame.bytes for frame in frames)
    gang.pricer.storage(size, gang.pricer.resources.read, 1, cost)
    gang.pricer.collective("broadcast", size, cost)
    frames += [tensor(0.0)] * (len(instruction["outs"]) - len(frames))
    gang.define(instruction["outs"], frames, instruction)
    if instruction.get("out"):
        gang.frames[instruction["out"]] = tensor(8.0)
        gang.numbers[instruction["out"]] = 0.0


ALL_RULES = {
    **RULES,
    "run": _run,
    "parameters": _parameters,
    "to_tensor": _to_tensor,
    "from_tensor": _from_tensor,
    "rows": _rows,
    "batches": _batches,
    "steps": _steps,
    "micro": _micro,
    "reduce": _reduce,
    "wait": _wait,
    "log": _log,
    "history": _history,
    "save": _save,
    "load": _load,
}
"""The rule of every instruction; `for` is walked by the simulator itself."""

"""Instructions of training: batches, partial results and their reduction, notes, checkpoints."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from dlc.diagnostics import DlcError
from dlc.runtime import checkpoint, exchange
from dlc.runtime.batches import Sharding
from dlc.runtime.instructions.base import Run, Site, Values, instruction
from dlc.runtime.plan import Json
from dlc.runtime.reduce import Reduction, as_partials

_HISTORY = {"epoch": pl.Int64, "step": pl.Int64, "name": pl.String, "value": pl.Float64}


@instruction("batches")
def _batches(code: Json, site: Site) -> Run:
    ins, out, keys, frame = code["ins"], code["out"], code["keys"], code["frame"]
    shards, epoch = code["micro_batches"], code["epoch"] if code["shuffle"] else None
    held: list[Any] = []  # the tensors that were dealt out last, and how
    made: dict[int, Any] = {}

    def run(values: Values) -> None:
        tensors = [values[name] for name in ins]
        if not held or any(a is not b for a, b in zip(held[0], tensors, strict=True)):
            targets = None
            if keys:
                rows = site.collect(frame, values)
                targets = rows.select(exchange.shard_of(keys, shards)).to_series().to_numpy()
            held[:] = [tensors, Sharding(tensors, targets, shards, code["owned"], site.group)]
            made.clear()
        number = 0 if epoch is None else values[epoch]
        if number not in made:
            made.clear()
            made[number] = held[1].epoch(code["size"], code["seed"], number)
        values[out] = made[number]

    return run


@instruction("steps")
def _steps(code: Json, site: Site) -> Run:
    del site
    source, out = code["in"], code["out"]

    def run(values: Values) -> None:
        values[out] = values[source].steps

    return run


@instruction("micro")
def _micro(code: Json, site: Site) -> Run:
    from dlc.runtime.kernels.xla import MicroBatches

    source, step, ins, outs = code["in"], code["step"], code["ins"], code["outs"]
    kernel = MicroBatches(code["fragment"], code.get("combine", "sum"), site.context.plan.kernels)

    def run(values: Values) -> None:
        number = None if step is None else values[step]
        found = kernel(values[source], number, [values[name] for name in ins])
        values.update(zip(outs, found, strict=True))

    return run


@dataclass(frozen=True)
class _Awaited:
    """A tensor of a reduction under way."""

    reduction: Reduction
    index: int


@instruction("reduce")
def _reduce(code: Json, site: Site) -> Run:
    ins, outs, combine, order = code["ins"], code["outs"], code["combine"], code["order"]
    group, later = site.group, code["async"]

    def run(values: Values) -> None:
        reduction = Reduction([as_partials(values[name], group) for name in ins], combine, order, group)
        if later:
            values.update((name, _Awaited(reduction, index)) for index, name in enumerate(outs))
        else:
            values.update(zip(outs, reduction.wait(), strict=True))

    return run


@instruction("wait")
def _wait(code: Json, site: Site) -> Run:
    del site
    ins = code["ins"]

    def run(values: Values) -> None:
        ended: dict[int, list[Any]] = {}
        for name in ins:
            awaited: _Awaited = values[name]
            key = id(awaited.reduction)
            if key not in ended:
                ended[key] = awaited.reduction.wait()
            values[name] = ended[key][awaited.index]

    return run


@instruction("log")
def _log(code: Json, site: Site) -> Run:
    source, name, epoch, step = code["in"], code["name"], code["epoch"], code["step"]
    loc = site.locate(code)

    def run(values: Values) -> None:
        value = float(np.asarray(values[source]))
        when = (values[epoch] if epoch else 0, values[step] if step else 0)
        if not math.isfinite(value):
            raise DlcError(
                "DLC610",
                f"the {name} is {value} in epoch {when[0]}, step {when[1]}, on rank {site.group.rank}",
                loc=loc,
                help="lower the learning rate, scale the inputs, or check them for extreme values",
            )
        site.notes.append((*when, name, value))

    return run


@instruction("history")
def _history(code: Json, site: Site) -> Run:
    out, names = code["out"], code.get("names")

    def run(values: Values) -> None:
        kept = [note for note in site.notes if names is None or note[2] in names]
        values[out] = pl.DataFrame(kept, schema=_HISTORY, orient="row")

    return run


@instruction("save")
def _save(code: Json, site: Site) -> Run:
    ins, names, path, model, epoch = code["ins"], code["names"], code["path"], code["model"], code["epoch"]
    loc = site.locate(code)

    def run(values: Values) -> None:
        if site.group.rank == 0:
            tensors = {name: np.asarray(values[value]) for name, value in zip(names, ins, strict=True)}
            checkpoint.write(path, tensors, values[epoch], model, code.get("seed", 0), loc)

    return run


@instruction("load")
def _load(code: Json, site: Site) -> Run:
    ins, outs, names, path, model = code["ins"], code["outs"], code["names"], code["path"], code["model"]
    out, optional, group, loc = code.get("out"), code["optional"], site.group, site.locate(code)

    def run(values: Values) -> None:
        message = memoryview(b"")
        if group.rank == 0 and (found := checkpoint.read(path, model, loc)) is not None:
            message = memoryview(np.int64(found[0]).tobytes() + found[1])
        message = group.broadcast(message, 0)
        if message.nbytes:
            tensors = checkpoint.unpack(message[8:])
            if tensors is None or not tensors.keys() >= set(names):
                raise checkpoint.damaged(path, "a tensor is missing", loc)
            values.update((name, tensors[key]) for name, key in zip(outs, names, strict=True))
        elif optional:
            values.update((name, values[value]) for name, value in zip(outs, ins, strict=True))
        else:
            raise checkpoint.damaged(path, "there is none", loc)
        if out is not None:
            values[out] = int(np.frombuffer(message[:8], np.int64)[0]) + 1 if message.nbytes else 0

    return run

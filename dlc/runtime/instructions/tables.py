"""Instructions on frames: what moves rows, runs queries, and hands out what a program gives."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from dlc.diagnostics import DlcError
from dlc.runtime import exchange
from dlc.runtime.inputs import Reader
from dlc.runtime.instructions.base import Run, Site, Values, instruction
from dlc.runtime.kernels import collect, compile_fragment
from dlc.runtime.kernels.decimals import to_logical, to_physical
from dlc.runtime.plan import Json
from dlc.runtime.types import parse_schema

_FIRST_TAG = 1  # tag 0 carries results to world rank 0


@instruction("read")
def _read(code: Json, site: Site) -> Run:
    out, parameters = code["out"], site.context.parameters
    reader = Reader(code, site.group.rank, site.group.size, site.context.plan.location)
    site.readers[out] = reader

    def run(values: Values) -> None:
        values[out] = reader(parameters)

    return run


@instruction("constant")
def _constant(code: Json, site: Site) -> Run:
    out, data = code["out"], site.context.plan.constants[f"{code['name']}.arrow"]

    def run(values: Values) -> None:
        stream = io.BytesIO(data)
        is_file = data.startswith(b"ARROW1")
        values[out] = to_physical(pl.read_ipc(stream) if is_file else pl.read_ipc_stream(stream))

    return run


@instruction("run")
def _run(code: Json, site: Site) -> Run:
    ins, outs = code["ins"], code["outs"]
    plan, parameters = site.context.plan, site.context.parameters
    kernel = compile_fragment(code["fragment"], plan.location, plan.kernels)

    def run(values: Values) -> None:
        try:
            found = kernel([values[name] for name in ins], parameters)
        except DlcError:
            raise
        except Exception:
            _blame_inputs(ins, site, values)
            raise
        values.update(zip(outs, found, strict=True))

    return run


def _blame_inputs(ins: Sequence[str], site: Site, values: Values) -> None:
    """Raise the error of an input file that cannot be read, if that is why a query failed."""
    for name in ins:
        if name in site.readers and isinstance(values[name], pl.LazyFrame):
            site.collect(name, values)


Move = Callable[[pl.DataFrame], pl.DataFrame]


def _moves(op: str, prepare: Callable[[Json, Site], Move]) -> None:
    """Register an instruction that takes the rows of one value and gives those of another."""

    def build(code: Json, site: Site) -> Run:
        source, out, move = code["in"], code["out"], prepare(code, site)

        def run(values: Values) -> None:
            values[out] = move(site.collect(source, values))

        return run

    instruction(op)(build)


def _all_reduce(code: Json, site: Site) -> Move:
    kernel = compile_fragment(code["combine"], site.context.plan.location, site.context.plan.kernels)
    parameters = site.context.parameters
    return lambda frame: collect(kernel([exchange.all_gather(frame, site.group)], parameters)[0])


_moves(
    "shuffle",
    lambda code, site: lambda frame: exchange.shuffle(frame, code["keys"], site.group, code.get("shards")),
)
_moves("all_gather", lambda _, site: lambda frame: exchange.all_gather(frame, site.group))
_moves("gather", lambda code, site: lambda frame: exchange.gather(frame, code["root"], site.group))
_moves("broadcast", lambda code, site: lambda frame: exchange.broadcast(frame, code["root"], site.group))
_moves("all_reduce", _all_reduce)


@instruction("range_shuffle")
def _range_shuffle(code: Json, site: Site) -> Run:
    source, samples, out = code["in"], code["splitters"], code["out"]
    by = [(name, descending, last) for name, descending, last in code["by"]]

    def run(values: Values) -> None:
        splitters = site.collect(samples, values)
        values[out] = exchange.range_shuffle(site.collect(source, values), splitters, by, site.group)

    return run


@instruction("send")
def _send(code: Json, site: Site) -> Run:
    source, peer, tag = code["in"], code["peer"], code["tag"] + _FIRST_TAG
    return lambda values: exchange.send(site.collect(source, values), peer, tag, site.context.world)


@instruction("recv")
def _recv(code: Json, site: Site) -> Run:
    out, peer, tag = code["out"], code["peer"], code["tag"] + _FIRST_TAG

    def run(values: Values) -> None:
        values[out] = exchange.receive(peer, tag, site.context.world)

    return run


@instruction("free")
def _free(code: Json, site: Site) -> Run:
    del site
    names = code["values"]

    def run(values: Values) -> None:
        for name in names:
            del values[name]

    return run


@instruction("write")
def _write(code: Json, site: Site) -> Run:
    source, path = code["in"], code["path"]
    part = site.group.rank if code["layout"] == "directory" else None
    schema, loc = parse_schema(code["schema"]), site.locate(code)

    def run(values: Values) -> None:
        if part is not None or site.group.rank == 0:
            site.context.outputs.write(to_logical(site.collect(source, values), schema), path, part, loc)

    return run


@instruction("result")
def _result(code: Json, site: Site) -> Run:
    source, name = code["in"], code["name"]
    schemas: list[Any] = [entry["schema"] for entry in site.context.plan.results if entry["name"] == name]
    if not schemas:
        raise DlcError("DLC501", f"the plan gives a result {name[:80]!r} that it does not declare")
    schema = parse_schema(schemas[0])

    def run(values: Values) -> None:
        if site.group.rank == 0:
            site.context.results[name] = to_logical(site.collect(source, values), schema)

    return run

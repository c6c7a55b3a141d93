"""Compiles the instructions of a gang to closures over the values of one rank."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from dlc.diagnostics import DlcError
from dlc.runtime import exchange
from dlc.runtime.inputs import Reader
from dlc.runtime.kernels import Frame, collect, compile_fragment
from dlc.runtime.kernels.decimals import to_logical, to_physical
from dlc.runtime.output import Outputs
from dlc.runtime.plan import Gang, Json, Plan
from dlc.runtime.transport import Transport
from dlc.runtime.types import parse_schema

Values = dict[str, Frame]
Run = Callable[[Values], None]
_FIRST_TAG = 1  # tag 0 carries results to world rank 0


@dataclass(frozen=True)
class Step:
    """One instruction, ready to run."""

    instruction: Json
    run: Run


@dataclass
class Context:
    """What the instructions of one rank share."""

    plan: Plan
    world: Transport
    outputs: Outputs
    parameters: Mapping[str, Any]
    results: dict[str, pl.DataFrame]


def compile_gang(gang: Gang, group: Transport, context: Context) -> list[Step]:
    """The steps of this rank in a gang whose members `group` connects. Raises DLC501 for unknown ones."""
    compiler = _Compiler(context, group)
    return [Step(instruction, compiler.compile(instruction)) for instruction in gang.instructions]


class _Compiler:
    def __init__(self, context: Context, group: Transport) -> None:
        self._context = context
        self._group = group
        self._readers: dict[str, Reader] = {}

    def compile(self, instruction: Json) -> Run:
        build: Callable[[Json], Run] = getattr(self, f"_{instruction['op']}")
        return build(instruction)

    def _read(self, instruction: Json) -> Run:
        out, parameters = instruction["out"], self._context.parameters
        reader = Reader(instruction, self._group.rank, self._group.size, self._context.plan.location)
        self._readers[out] = reader

        def run(values: Values) -> None:
            values[out] = reader(parameters)

        return run

    def _constant(self, instruction: Json) -> Run:
        out, data = instruction["out"], self._context.plan.constants[instruction["name"]]

        def run(values: Values) -> None:
            stream = io.BytesIO(data)
            is_file = data.startswith(b"ARROW1")
            values[out] = to_physical(pl.read_ipc(stream) if is_file else pl.read_ipc_stream(stream))

        return run

    def _run(self, instruction: Json) -> Run:
        ins, outs = instruction["ins"], instruction["outs"]
        kernel = compile_fragment(instruction["fragment"], self._context.plan.location)
        parameters = self._context.parameters

        def run(values: Values) -> None:
            try:
                found = kernel([values[name] for name in ins], parameters)
            except DlcError:
                raise
            except Exception:
                self._blame_inputs(ins, values)
                raise
            values.update(zip(outs, found, strict=True))

        return run

    def _blame_inputs(self, ins: Sequence[str], values: Values) -> None:
        """Raise the error of an input file that cannot be read, if that is why a query failed."""
        for name in ins:
            if name in self._readers and isinstance(values[name], pl.LazyFrame):
                self._collect(name, values)

    def _collect(self, name: str, values: Values) -> pl.DataFrame:
        """The rows of a value, read now if they have not been; blames the file that cannot be read."""
        try:
            frame = values[name] = collect(values[name])
        except Exception as error:
            if name not in self._readers:
                raise
            raise self._readers[name].explain(error) from error
        return frame

    def _moved(self, instruction: Json, move: Callable[[pl.DataFrame], pl.DataFrame]) -> Run:
        source, out = instruction["in"], instruction["out"]

        def run(values: Values) -> None:
            values[out] = move(self._collect(source, values))

        return run

    def _shuffle(self, instruction: Json) -> Run:
        keys, group = instruction["keys"], self._group
        return self._moved(instruction, lambda frame: exchange.shuffle(frame, keys, group))

    def _all_gather(self, instruction: Json) -> Run:
        return self._moved(instruction, lambda frame: exchange.all_gather(frame, self._group))

    def _gather(self, instruction: Json) -> Run:
        return self._moved(
            instruction, lambda frame: exchange.gather(frame, instruction["root"], self._group)
        )

    def _broadcast(self, instruction: Json) -> Run:
        return self._moved(
            instruction, lambda frame: exchange.broadcast(frame, instruction["root"], self._group)
        )

    def _all_reduce(self, instruction: Json) -> Run:
        kernel = compile_fragment(instruction["combine"], self._context.plan.location)
        parameters = self._context.parameters

        def combine(frame: pl.DataFrame) -> pl.DataFrame:
            return collect(kernel([exchange.all_gather(frame, self._group)], parameters)[0])

        return self._moved(instruction, combine)

    def _range_shuffle(self, instruction: Json) -> Run:
        source, samples, out = instruction["in"], instruction["splitters"], instruction["out"]
        by = [(name, descending, last) for name, descending, last in instruction["by"]]

        def run(values: Values) -> None:
            splitters = self._collect(samples, values)
            values[out] = exchange.range_shuffle(self._collect(source, values), splitters, by, self._group)

        return run

    def _send(self, instruction: Json) -> Run:
        source, peer, tag = instruction["in"], instruction["peer"], instruction["tag"] + _FIRST_TAG
        return lambda values: exchange.send(self._collect(source, values), peer, tag, self._context.world)

    def _recv(self, instruction: Json) -> Run:
        out, peer, tag = instruction["out"], instruction["peer"], instruction["tag"] + _FIRST_TAG

        def run(values: Values) -> None:
            values[out] = exchange.receive(peer, tag, self._context.world)

        return run

    def _free(self, instruction: Json) -> Run:
        names = instruction["values"]

        def run(values: Values) -> None:
            for name in names:
                del values[name]

        return run

    def _write(self, instruction: Json) -> Run:
        source, path = instruction["in"], instruction["path"]
        part = self._group.rank if instruction["layout"] == "directory" else None
        schema = parse_schema(instruction["schema"])
        loc = self._context.plan.location(instruction["loc"])

        def run(values: Values) -> None:
            if part is not None or self._group.rank == 0:
                self._context.outputs.write(
                    to_logical(self._collect(source, values), schema), path, part, loc
                )

        return run

    def _result(self, instruction: Json) -> Run:
        source, name = instruction["in"], instruction["name"]
        schemas = [entry["schema"] for entry in self._context.plan.results if entry["name"] == name]
        if not schemas:
            raise DlcError("DLC501", f"the plan gives a result {name[:80]!r} that it does not declare")
        schema = parse_schema(schemas[0])

        def run(values: Values) -> None:
            if self._group.rank == 0:
                self._context.results[name] = to_logical(self._collect(source, values), schema)

        return run

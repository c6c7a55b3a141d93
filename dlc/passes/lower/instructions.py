"""The `plan` dialect as data: instruction lists and fragments for the executor, in plan format 2."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, FloatAttr, IntegerAttr, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from dlc.dialects import datatypes as t
from dlc.dialects import dist, nn, plan, table
from dlc.dialects.frame import FrameType, OrderAttr, frame_of
from dlc.dialects.plan_training import MapRowsOp, MicroOp
from dlc.passes.estimates import estimate
from dlc.passes.locations import source_loc

from .expressions import expression, plain_options
from .modules import module_text
from .training_instructions import between, constant, content, holds_calls, loop, training

Json = dict[str, Any]


def schema_of(frame: FrameType) -> list[list[str]]:
    """Names and types of the columns, as text."""
    return [[name, t.text(type_)] for name, type_ in frame.columns.items()]


class Encoder:
    """Encodes gangs; collects the source locations that instructions refer to by index.

    `kernels` holds the texts of modules, `constants` the files of parameters, both by the names that the
    instructions use. `paths` tells where the instruction of an operation stands: its index, after those of
    the loops around it. `functions` are those of the module.
    """

    def __init__(self, functions: dict[str, FuncOp]) -> None:
        self.locations = list[list[Any]]()
        self.kernels = dict[str, str]()
        self.paths = dict[Operation, tuple[int, ...]]()
        self._parameters = list[nn.ParametersOp]()
        self._functions = functions
        self._index = dict[tuple[Any, ...], int]()

    @property
    def constants(self) -> dict[str, bytes]:
        """The files of parameters. Raises DLC306 when the module was read from a text."""
        return {f"{op.values.data.sha256}.safetensors": content(op) for op in self._parameters}

    def locate(self, op: Operation) -> int:
        """Index of the op's source location, -1 when it has none."""
        loc = source_loc(op)
        if loc is None:
            return -1
        key = (loc.file, loc.line, loc.column, loc.end_column)
        if key not in self._index:
            self._index[key] = len(self.locations)
            self.locations.append(list(key))
        return self._index[key]

    def gang(self, gang: plan.GangOp) -> list[Json]:
        """The instruction list of a gang."""
        return self._block(gang.body.block, {}, ())

    def _block(self, block: Block, names: dict[SSAValue, str], path: tuple[int, ...]) -> list[Json]:
        instructions = list[Json]()
        for value in block.args:
            names[value] = f"v{len(names)}"
        for op in block.ops:
            for result in op.results:
                names[result] = f"v{len(names)}"
            if isinstance(op, plan.EndOp | YieldOp) or constant(op) is not None:
                continue
            self.paths[op] = here = (*path, len(instructions))
            if isinstance(op, ForOp):
                body = self._block(op.body.block, names, here)
                code = {**loop(op, names, body), "loc": self.locate(op)}
                instructions.append(code | ({"predicted": found} if (found := _predicted(op)) else {}))
            else:
                instructions.append(self._instruction(op, names))
        return instructions

    def _kernel(self, region: Region) -> str:
        name, text = module_text(region, self._functions)
        self.kernels[name] = text
        return name

    def _instruction(self, op: Operation, names: dict[SSAValue, str]) -> Json:
        inputs = [names[value] for value in op.operands]
        outputs = [names[value] for value in op.results]
        code: Json = {"op": op.name.partition(".")[2], "loc": self.locate(op)}
        fields = (
            self._kernel_call(op, names, inputs, outputs)
            or self._movement(op, inputs, outputs)
            or self._end(op, inputs, outputs)
            or training(op, names)
        )
        assert fields is not None, f"{op.name} is not an instruction"
        code |= fields
        if isinstance(op, nn.ParametersOp):
            self._parameters.append(op)
        if predicted := _extent(op.results) | _predicted(op):
            code["predicted"] = predicted
        if layouts := op.attributes.get("layouts"):
            code["layouts"] = _names(cast("ArrayAttr[StringAttr]", layouts))
        return code

    def _kernel_call(
        self, op: Operation, names: dict[SSAValue, str], inputs: list[str], outputs: list[str]
    ) -> Json | None:
        """What runs a fragment."""
        module: Json
        match op:
            case plan.RunOp() if (step := between(op, inputs, outputs)) is not None:
                return step
            case plan.RunOp() if not holds_calls(op):
                return {"ins": inputs, "outs": outputs, "fragment": self.fragment(op.body)}
            case plan.RunOp():
                module = {"module": self._kernel(op.body), "rows": None}
            case MapRowsOp():
                masked = None if op.masked is None else self._kernel(op.masked)
                chunk = {"chunk": op.chunk.value.data, "split": op.split, "outputs": _names(op.kinds)}
                module = {"module": self._kernel(op.body), "rows": {**chunk, "masked": masked}}
            case MicroOp():
                rows = {"rows": {"chunk": op.rows.value.data}}
                module = {"module": self._kernel(op.body), "masked": self._kernel(op.masked), **rows}
            case _:
                return None
        taken = len(op.regions[0].block.args)
        fragment = {"kind": "xla", "version": 1, "inputs": taken, "outputs": len(outputs), **module}
        fields = training(op, names) or {"ins": inputs, "outs": outputs}
        return {**fields, "fragment": fragment}

    def _movement(self, op: Operation, inputs: list[str], outputs: list[str]) -> Json | None:
        """What moves frames between ranks."""
        match op:
            case plan.ShuffleOp():
                shards = {} if op.shards is None else {"shards": op.shards.value.data}
                return {"in": inputs[0], "out": outputs[0], "keys": _names(op.keys), **shards}
            case plan.AllReduceOp():
                return {"in": inputs[0], "out": outputs[0], "combine": self.fragment(op.combine)}
            case plan.RangeShuffleOp():
                return {"in": inputs[0], "splitters": inputs[1], "out": outputs[0], "by": _order(op.by)}
            case plan.GatherOp() | plan.BroadcastOp():
                return {"in": inputs[0], "out": outputs[0], "root": 0}
            case plan.AllGatherOp():
                return {"in": inputs[0], "out": outputs[0]}
            case plan.SendOp():
                return {"in": inputs[0], "peer": op.peer.value.data, "tag": op.tag.value.data}
            case plan.RecvOp():
                return {"out": outputs[0], "peer": op.peer.value.data, "tag": op.tag.value.data}
            case _:
                return None

    def _end(self, op: Operation, inputs: list[str], outputs: list[str]) -> Json | None:
        """Where values come from, and where they go."""
        match op:
            case plan.ReadOp():
                return {"out": outputs[0], **self._scan(op.scan_op)}
            case plan.FreeOp():
                return {"values": inputs}
            case plan.WriteOp():
                target = {"format": op.format.data, "path": op.path.data, "layout": op.layout.data}
                return {"in": inputs[0], "schema": schema_of(frame_of(op.frame)), **target}
            case plan.ResultOp():
                return {"in": inputs[0], "name": op.result_name.data}
            case _:
                return None

    def _scan(self, scan: table.ScanOp) -> Json:
        predicate = None
        if scan.predicate is not None:
            predicate = expression(table.yielded(scan.predicate)[0], {}, self.locate)
        return {
            "format": scan.format.data,
            "paths": _names(scan.paths),
            "schema": schema_of(frame_of(scan.result)),
            "pieces": [list(piece) for piece in scan.piece_list or []],
            "options": plain_options(scan.options),
            "predicate": predicate,
            "replicated": "replicated" in scan.attributes,
        }

    def fragment(self, body: Region) -> Json:
        """A fragment as an operator list; values are numbered, inputs first."""
        block = body.block
        numbers: dict[SSAValue, int] = {argument: i for i, argument in enumerate(block.args)}
        operators = list[Json]()
        outputs = list[int]()
        for op in block.ops:
            if isinstance(op, dist.YieldOp):
                outputs = [numbers[value] for value in op.values]
                continue
            code: Json = {"op": op.name.partition(".")[2], "loc": self.locate(op)}
            if predicted := _extent(op.results):
                code["predicted"] = predicted
            operators.append({**code, **self._operator(op, numbers)})
            numbers[op.results[0]] = len(numbers)
        return {"version": 1, "inputs": len(block.args), "ops": operators, "outputs": outputs}

    def _operator(self, op: Operation, numbers: dict[SSAValue, int]) -> Json:
        inputs = [numbers[value] for value in op.operands]
        match op:
            case table.FilterOp():
                condition = table.yielded(op.predicate)[0]
                return {"in": inputs[0], "predicate": expression(condition, numbers, self.locate)}
            case table.ProjectOp():
                columns = [[name, expression(value, numbers, self.locate)] for name, value in op.outputs]
                return {"in": inputs[0], "columns": columns}
            case table.JoinOp():
                left_on, right_on = op.keys
                sides = {"left": inputs[0], "right": inputs[1], "how": op.kind.data}
                return {**sides, "left_on": left_on, "right_on": right_on}
            case table.AggregateOp():
                return {"in": inputs[0], "keys": _names(op.keys), "aggs": _aggregates(op)}
            case table.SortOp():
                limit = op.limit.value.data if op.limit is not None else None
                return {"in": inputs[0], "by": _total_order(op), "limit": limit}
            case table.UniqueOp():
                return {"in": inputs[0], "on": _names(op.on) if op.on is not None else None}
            case table.HeadOp():
                return {"in": inputs[0], "n": op.count.value.data}
            case table.SampleOp():
                return {"in": inputs[0], "columns": _names(op.columns), "n": op.count.value.data}
            case table.ConcatOp():
                return {"ins": inputs}
            case _:
                raise AssertionError(f"{op.name} cannot stand in a fragment")


def _aggregates(op: table.AggregateOp) -> list[list[str | None]]:
    columns, read = frame_of(op.result).columns, frame_of(op.frame).columns
    proven = op.attributes.get("proven")
    safe = _names(cast("ArrayAttr[StringAttr]", proven)) if isinstance(proven, ArrayAttr) else []
    return [
        [
            (name := agg.output.data),
            agg.function.data,
            agg.column.data or None,
            t.text(columns[name]),
            "proven" if name in safe else "checked",
            t.text(read[agg.column.data]) if agg.column.data else None,
        ]
        for agg in op.aggregates
    ]


def _total_order(op: table.SortOp) -> list[list[Any]]:
    """The sort keys, then all other columns, so that equal keys never leave the order open."""
    keys = _order(op.by)
    named = {key[0] for key in keys}
    return keys + [[name, False, False] for name in frame_of(op.frame).columns if name not in named]


def _order(by: Iterable[OrderAttr]) -> list[list[Any]]:
    return [list(key.key) for key in by]


def _names(strings: Iterable[StringAttr]) -> list[str]:
    return [string.data for string in strings]


def _predicted(op: Operation) -> Json:
    """What `place` has told of an operation: bytes that it moves, rounds, and seconds of one execution."""
    told: Json = {
        name: int(found.value.data)
        for name in ("moved", "rounds")
        if isinstance(found := op.attributes.get(name), IntegerAttr)
    }
    start, finish = op.attributes.get("start"), op.attributes.get("finish")
    if isinstance(start, FloatAttr) and isinstance(finish, FloatAttr):
        told["seconds"] = round(finish.value.data - start.value.data, 9)
    return told


def _extent(values: Sequence[SSAValue]) -> Json:
    """Estimated rows and bytes of values."""
    rows = [found for value in values if (found := estimate(value, "rows")) is not None]
    sizes = [found for value in values if (found := estimate(value, "bytes")) is not None]
    return ({"rows": sum(rows)} if rows else {}) | ({"bytes": sum(sizes)} if sizes else {})

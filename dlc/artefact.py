"""From a plan-stage module to the plan artefact that the runtime reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xdsl.dialects.builtin import FloatAttr, IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

import dlc
from dlc.diagnostics import DlcError
from dlc.dialects import datatypes as t
from dlc.dialects import expr, flow, plan
from dlc.dialects.frame import frame_of
from dlc.passes.locations import source_loc
from dlc.passes.lower.instructions import Encoder, schema_of
from dlc.passes.machine import machine_of
from dlc.passes.text import print_module
from dlc.runtime.plan import Gang, Plan

Json = dict[str, Any]


def build(module: ModuleOp) -> Plan:
    """The plan of a module's one program. Raises DLC306 before the `plan` stage, DLC201 for lost input."""
    found = [op for op in module.ops if isinstance(op, plan.ProgramOp)]
    if len(found) != 1:
        raise DlcError(
            "DLC306",
            f"a plan is built of one program at the plan stage, this module holds {len(found)}",
            loc=source_loc(module),
            help="bring the module to the plan stage first: dlc compile --emit plan",
        )
    functions = {op.sym_name.data: op for op in module.ops if isinstance(op, FuncOp)}
    program, encoder = found[0], Encoder(functions)
    gangs = [op for op in program.body.block.ops if isinstance(op, plan.GangOp)]
    machine = machine_of(module)
    return Plan(
        program=program.sym_name.data,
        world_size=program.world.value.data,
        gangs=[Gang(op.sym_name.data, plan.ranks_of(op), encoder.gang(op)) for op in gangs],
        machine={}
        if machine is None
        else {
            "name": machine.name,
            "fingerprint": machine.fingerprint,
            "cores": machine.cores,
            "memory_bytes": machine.memory_bytes,
        },
        requires=_requirements(gangs),
        parameters=[_parameter(parameter) for parameter in program.parameters or ()],
        results=[
            {"name": op.result_name.data, "schema": schema_of(frame_of(op.frame))}
            for op in program.walk()
            if isinstance(op, plan.ResultOp)
        ],
        outputs=[op.path.data for op in program.walk() if isinstance(op, plan.WriteOp)],
        inputs=_inputs(program),
        locations=encoder.locations,
        constants=encoder.constants,
        kernels=encoder.kernels,
        text=print_module(module),
        compiler=dlc.__version__,
    )


def _requirements(gangs: list[plan.GangOp]) -> Json:
    sizes = [op.attributes.get("memory") for op in gangs]
    known = [int(size.value.data) for size in sizes if isinstance(size, IntegerAttr)]
    durations = [op.attributes.get("seconds") for op in gangs]
    seconds = [duration.value.data for duration in durations if isinstance(duration, FloatAttr)]
    memory: Json = {"memory_bytes_per_rank": max(known)} if known else {}
    return memory | ({"seconds": max(seconds)} if seconds else {})


def _parameter(parameter: flow.ParameterAttr) -> Json:
    entry: Json = {"name": parameter.parameter.data, "type": t.text(parameter.type)}
    if not parameter.required:
        default: Attribute = parameter.default
        entry["default"] = expr.python_literal(default, parameter.type)
    return entry


def _inputs(program: plan.ProgramOp) -> list[Json]:
    paths = dict[str, plan.ReadOp]()
    for op in program.walk():
        if isinstance(op, plan.ReadOp):
            paths |= {path.data: op for path in op.scan_op.paths}
    return [_input(path, op) for path, op in paths.items()]


def _input(path: str, op: plan.ReadOp) -> Json:
    try:
        status = Path(path).stat()
    except OSError as error:
        raise DlcError("DLC201", f"cannot find {path}: {error.strerror}", loc=source_loc(op)) from error
    return {"path": path, "bytes": status.st_size, "mtime_ns": status.st_mtime_ns}

"""Program + machine → plan → result: what the command line and `frame.collect()` call."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlc.passes import STAGES

if TYPE_CHECKING:
    import polars as pl
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.passes import ModulePass

    from dlc.hwspec.model import Machine
    from dlc.passes import pipelines
    from dlc.runtime.plan import Plan

__all__ = [
    "STAGES",
    "attach",
    "build_plan",
    "collect",
    "compile_module",
    "configure",
    "explain",
    "run_plan",
    "trace_file",
]


def trace_file(
    path: str | Path, program: str | None = None, parameters: Mapping[str, Any] | None = None
) -> ModuleOp:
    """The flow-stage module of a program in a Python file.

    `parameters` sets defaults of scalar parameters, and the files of frame parameters. Raises 1xx for what is
    wrong with the program and 2xx for its files.
    """
    from dlc.frontends.load import load
    from dlc.frontends.program import trace

    return trace(load(path, program), parameters)


def compile_module(
    module: ModuleOp,
    machine: Machine | None = None,
    ranks: int = 1,
    until: str = "plan",
    *,
    fast_math: bool = False,
    observe: pipelines.Observer | None = None,
) -> ModuleOp:
    """Bring a flow-stage module to a later stage, in place, for so many ranks on a machine; returns it."""
    # Late, as everywhere here: who only runs a plan needs no compiler.
    from dlc.dialects import context
    from dlc.passes import pipelines

    if machine is not None:
        attach(module, machine)
    passes = configure(pipelines.passes_until(until), ranks=ranks, fast_math=fast_math)
    pipelines.run(module, passes, context(), observe)
    return module


def attach(module: ModuleOp, machine: Machine) -> None:
    """Put the machine into the module, so that every dump says what it is for."""
    from dlc.dialects.hw import MachineOp
    from dlc.hwspec import to_ir

    if any(isinstance(op, MachineOp) for op in module.ops):
        return
    block = module.body.block
    first = block.first_op
    op = to_ir(machine)
    if first is None:
        block.add_op(op)
    else:
        block.insert_op_before(op, first)


def configure(names: Iterable[str], **options: Any) -> list[ModulePass]:
    """The passes of these names, each with those of the options that it knows."""
    from dlc.passes import registry

    passes: list[ModulePass] = []
    for name in names:
        class_ = registry.load(name)
        known = {field.name for field in fields(class_)}
        passes.append(class_(**{key: value for key, value in options.items() if key in known}))
    return passes


def build_plan(module: ModuleOp) -> Plan:
    """The plan artefact of a plan-stage module."""
    from dlc.artefact import build

    return build(module)


def run_plan(
    plan: Plan,
    parameters: Mapping[str, str] | None = None,
    ranks: int | None = None,
    record: str | None = None,
) -> dict[str, pl.DataFrame] | None:
    """Run a plan to its end and return its results by name; None on all ranks but the first.

    Inside an MPI world all its ranks call this together. Elsewhere processes are started: `ranks`, or as many
    as the plan is for; a plan for one rank runs right here. `record` names a file for what each step took.
    Raises what the run raises.
    """
    from dlc.runtime import launch
    from dlc.runtime import plan as artefact

    ranks = ranks or plan.world_size
    if launch.in_mpi_world() or ranks == plan.world_size == 1:
        return _run_here(plan, parameters or {}, record)
    with tempfile.TemporaryDirectory(prefix="dlc-") as folder:
        path = Path(folder) / f"{plan.program}.dlc"
        artefact.save(plan, path)
        return launch.run_plan(path, ranks, parameters or {}, record)


def _run_here(
    plan: Plan, parameters: Mapping[str, str], record: str | None = None
) -> dict[str, pl.DataFrame] | None:
    from dlc.runtime.job import connect, end_job

    transport = connect()
    from dlc.runtime.executor import execute
    from dlc.runtime.trace import Recorder, write_record

    recorder = Recorder() if record else None
    try:
        results = execute(plan, transport, parameters, recorder)
        if recorder and record and (merged := recorder.merge(plan.program, transport)):
            write_record(merged, record)
        return results
    except Exception as error:
        if transport.size > 1:  # the other ranks would wait for this one for ever
            end_job(error, transport)
        raise


def collect(module: ModuleOp) -> pl.DataFrame | None:
    """Compile and run a traced frame on the ranks at hand: the MPI world, or this one process."""
    from dlc import hwspec
    from dlc.runtime import launch

    ranks = 1
    if launch.in_mpi_world():
        from mpi4py import MPI

        ranks = MPI.COMM_WORLD.Get_size()
    plan = build_plan(compile_module(module, hwspec.load("host"), ranks))
    results = run_plan(plan)
    return next(iter((results or {}).values()), None)


def explain(plan: Plan) -> str:
    """What a plan will do, as a tree: layout, rows and bytes of every edge, with the user's lines."""
    from dlc.explain import draw

    return draw(plan)

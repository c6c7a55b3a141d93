"""Runs a plan on one rank of a world: one flat loop over instructions that were compiled before."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from dlc.diagnostics import DlcError
from dlc.runtime import exchange
from dlc.runtime.inputs import check_inputs
from dlc.runtime.instructions import Context, Site, compile_steps, run_steps
from dlc.runtime.kernels import loaded_kernels
from dlc.runtime.output import Outputs
from dlc.runtime.parameters import bind_parameters
from dlc.runtime.plan import Plan
from dlc.runtime.trace import Recorder
from dlc.runtime.transport import Transport
from dlc.runtime.transport.counting import Counting

_RESULT_TAG = 0


def execute(
    plan: Plan,
    transport: Transport,
    parameters: Mapping[str, Any] | None = None,
    recorder: Recorder | None = None,
) -> dict[str, pl.DataFrame] | None:
    """Run the plan; every rank of `transport` calls it. Rank 0 gets the results by name, the others None.

    Ranks beyond the plan's world do nothing. Outputs appear together after the last instruction of the last
    rank, or not at all. Raises DLC504 (too few ranks), DLC503 (too little memory), DLC110 (parameters), 2xx
    and DLC506 (inputs), 6xx; what is unexpected becomes DLC603 with the user's line.
    """
    if transport.size < plan.world_size:
        raise DlcError(
            "DLC504",
            f"the plan is for {plan.world_size} ranks, but only {transport.size} are running",
            help=f"run it with -n {plan.world_size}, or compile it for {transport.size} ranks",
        )
    if transport.rank >= plan.world_size:
        return None
    world = _group(transport, list(range(plan.world_size)))
    if recorder is not None:
        world = Counting(world, recorder.traffic)
        recorder.begin(world)
    outputs = Outputs(plan.outputs, _run_name(world))
    bound = bind_parameters(plan.parameters, parameters or {})
    context = Context(plan, world, outputs, bound, {}, recorder)
    try:
        programs = [
            compile_steps(gang.instructions, Site(context, gang.name, _group(world, gang.ranks)))
            for gang in plan.gangs
            if world.rank in gang.ranks
        ]
        if recorder is not None and plan.kernels:
            recorder.loaded = loaded_kernels(plan.kernels)
        if world.rank == 0:  # the others wait, so that one error is reported once
            check_memory(plan, world.neighbours)
            check_inputs(plan.inputs)
            outputs.prepare()
        world.barrier()
        for steps in programs:
            run_steps(steps, {}, plan)
        results = _bring_results(context)
        world.flush()
        world.barrier()
        if world.rank == 0:
            outputs.commit()
    except BaseException:
        outputs.discard()
        raise
    return results


def _group(transport: Transport, ranks: list[int]) -> Transport:
    """A transport for these ranks, of which this is one."""
    return transport if ranks == list(range(transport.size)) else transport.split(ranks)


def _bring_results(context: Context) -> dict[str, pl.DataFrame] | None:
    """All results, on world rank 0; gangs without it send theirs."""
    for gang in context.plan.gangs:
        root = gang.ranks[0]
        names = [instruction["name"] for instruction in gang.instructions if instruction["op"] == "result"]
        for name in names if root != 0 else ():
            if context.world.rank == root:
                exchange.send(context.results[name], 0, _RESULT_TAG, context.world)
            elif context.world.rank == 0:
                context.results[name] = exchange.receive(root, _RESULT_TAG, context.world)
    return context.results if context.world.rank == 0 else None


def _run_name(world: Transport) -> str:
    """A name that all ranks of this run share and no other run has."""
    given = os.environ.get("DLC_RUN")
    name = given or secrets.token_hex(6)
    return bytes(world.broadcast(memoryview(name.encode()), 0)).decode()


def check_memory(plan: Plan, ranks: int) -> None:
    """Raise DLC503 if so many ranks of the plan need more memory than this machine has."""
    needed = plan.requires.get("memory_bytes_per_rank", 0) * ranks
    if needed > node_memory():
        raise DlcError(
            "DLC503",
            f"the {ranks} ranks here need {needed / 1e9:.1f} GB of memory; "
            f"this machine has {node_memory() / 1e9:.1f} GB",
            help="compile the program for this machine, or spread its ranks over more nodes",
        )


def node_memory() -> int:
    """Bytes of memory that this machine, or the container around this process, may use."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limit = Path(path).read_text().strip()
        except OSError:
            continue
        if limit.isdigit():
            return min(physical, int(limit))
    return physical

"""Runs a program or a plan and writes the crate of the run."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dlc import driver
from dlc.crate import METADATA, RUN, VERSION, Account, Accounted, Request
from dlc.crate.places import keep_checkpoints
from dlc.crate.privacy import placed_in_crate, relative_files
from dlc.diagnostics import DlcError

if TYPE_CHECKING:
    import polars as pl
    from xdsl.dialects.builtin import ModuleOp

    from dlc.runtime.plan import Plan

Json = dict[str, Any]


@dataclass
class Compiled:
    """A plan with what led to it.

    `stages` holds IR by stage, `ordered` what the program says of the order of rows by result or output path.
    """

    plan: Plan
    stages: dict[str, str]
    machine: str = ""
    sources: dict[str, Path] = field(default_factory=dict[str, Path])
    ordered: dict[str, bool] = field(default_factory=dict[str, bool])


def record(request: Request, folder: Path, account: Account | None) -> dict[str, pl.DataFrame] | None:
    """See `dlc.crate.record`."""
    from dlc.runtime.launch import in_mpi_world

    if in_mpi_world():
        return _record_as_rank(request, folder, account)
    check_place(folder)
    return _record(request, compile_request(request), folder, account)


def _record_as_rank(
    request: Request, folder: Path, account: Account | None
) -> dict[str, pl.DataFrame] | None:
    """One rank of a job that mpiexec or srun has started: the first compiles, and writes the crate."""
    from dlc.runtime.job import connect, end_job
    from dlc.runtime.plan import from_bytes, to_bytes

    transport = connect()
    try:
        if transport.rank == 0:
            check_place(folder)
        request = replace(request, ranks=request.ranks or transport.size)
        compiled = compile_request(request) if transport.rank == 0 else None
        data = to_bytes(compiled.plan) if compiled else b""
        plan = from_bytes(bytes(transport.broadcast(memoryview(data), 0)), str(request.path))
        if compiled:
            return _record(request, compiled, folder, account)
        driver.run_plan(plan, _run_parameters(request), request.ranks, record=os.devnull)
        return None
    except BaseException as error:
        end_job(error, transport)


def _record(
    request: Request, compiled: Compiled, folder: Path, account: Account | None
) -> dict[str, pl.DataFrame]:
    """Run a plan and write the crate; checkpoints are copied before the run replaces them."""
    with tempfile.TemporaryDirectory(prefix="dlc-") as name:
        kept = keep_checkpoints(compiled.plan, Path(name))
        run, results, accounted = _run(request, compiled, account)
        run["checkpoints"] = {path: f"checkpoints/{place}" for path, place in kept.items()}
        if not request.is_plan:
            compiled = replace(compiled, plan=placed_in_crate(compiled.plan, request.path))
        _write(folder, compiled, run, results, accounted, request, Path(name))
    return results


def _run(
    request: Request, compiled: Compiled, account: Account | None
) -> tuple[Json, dict[str, pl.DataFrame], Accounted | None]:
    """Run a plan; what there is to say of the run, its results, and how it was accounted for."""
    from dlc.crate.digest import file_digest, table_digest

    inputs = [
        {"path": entry["path"], "bytes": entry["bytes"], "sha256": file_digest(Path(entry["path"]))}
        for entry in compiled.plan.inputs
    ]
    started = datetime.now(UTC)
    results, steps = execute(compiled.plan, _run_parameters(request), request.ranks)
    ended = datetime.now(UTC)
    told = {
        name: {**table_digest(frame).to_json(), "file": f"results/{index}.parquet"}
        for index, (name, frame) in enumerate(results.items())
    }
    written = {path: output_digest(Path(path)) for path in compiled.plan.outputs}
    for name, table in (*told.items(), *written.items()):
        table["ordered"] = compiled.ordered.get(name)
    accounted = account(compiled.plan, steps) if account else None
    run: Json = {
        "version": VERSION,
        "program": compiled.plan.program,
        "source": None if request.is_plan else f"program/{request.path.name}",
        "parameters": dict(request.parameters),
        "ranks": request.ranks or compiled.plan.world_size,
        "fast_math": request.fast_math,
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": (ended - started).total_seconds(),
        "inputs": inputs,
        "results": told,
        "outputs": written,
        "steps": steps,
        "comparison": accounted.comparison if accounted else None,
    }
    return run, results, accounted


def _run_parameters(request: Request) -> dict[str, str]:
    """The parameters that are still open when the run begins: those of a program are in its plan."""
    return dict(request.parameters) if request.is_plan else {}


def check_place(folder: Path) -> None:
    """Refuse before the run what could not be written after it. Raises DLC605."""
    if folder.exists() or folder.is_symlink():
        raise DlcError("DLC605", f"cannot write '{folder}': it exists", help="give the crate a new name")
    if not folder.absolute().parent.is_dir():
        raise DlcError(
            "DLC605", f"cannot write '{folder}': there is no such directory", help="create it first"
        )


def compile_request(request: Request) -> Compiled:
    """The plan of a request; that of a program with its IR at every stage and the files that it came from."""
    if request.is_plan:
        from dlc.runtime import plan

        loaded = plan.load(request.path)
        return Compiled(loaded, {"plan": loaded.text})
    from dlc import hwspec

    module = driver.trace_file(request.path, request.program, request.parameters)
    relative_files(module)
    sources = dict(_sources(request.path))
    ordered = _order(module)
    stages: dict[str, str] = {}

    def observe(name: str, seconds: float, module: ModuleOp) -> None:
        del seconds
        stage = name.removeprefix("verify-")
        if stage in driver.STAGES:
            from dlc.passes.text import print_module

            stages[stage] = print_module(module)

    text = machine_text(request.machine)
    machine = hwspec.loads(text, request.machine)
    ranks = request.ranks or 1
    driver.compile_module(module, machine, ranks, fast_math=request.fast_math, observe=observe)
    return Compiled(driver.build_plan(module), stages, text, sources, ordered)


def machine_text(name: str) -> str:
    """The description of a machine as it is written, comments included. Raises DLC406."""
    from dlc import hwspec

    if name == "host":
        return hwspec.detect()
    hwspec.load(name)  # says what is wrong with a name or a path
    shipped = Path(hwspec.__file__).parent / "catalog" / f"{name}.hw"
    return (shipped if name in hwspec.catalog_names() else Path(name)).read_text(encoding="utf-8")


def _order(module: ModuleOp) -> dict[str, bool]:
    """Whether each result and each output has an order of its own."""
    from dlc.dialects.flow import ReturnOp
    from dlc.dialects.table import SinkOp
    from dlc.passes.partition.rules import is_ordered

    found: dict[str, bool] = {}
    for op in module.walk():
        if isinstance(op, ReturnOp):
            found |= {name.data: is_ordered(value) for name, value in zip(op.names, op.values, strict=True)}
        elif isinstance(op, SinkOp):
            found[op.path.data] = is_ordered(op.frame)
    return found


def _sources(program: Path) -> Iterator[tuple[str, Path]]:
    """The program and the modules beside it that it has imported, by their place in the crate."""
    root = program.resolve().parent
    yield f"program/{program.name}", program
    installed = [Path(path).resolve() for path in (sys.prefix, *sysconfig.get_paths().values())]
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        # Some modules, such as torch.ops, name a file that is nowhere.
        path = Path(file).resolve() if isinstance(file, str) and Path(file).is_file() else None
        if path is None or path == program.resolve() or path.suffix != ".py" or not path.is_relative_to(root):
            continue
        if not any(path.is_relative_to(place) for place in installed) and not module.__name__.startswith(
            "dlc"
        ):
            yield f"program/{path.relative_to(root).as_posix()}", path


def output_digest(path: Path) -> Json:
    """The digest of a table that a run has written, as a file or as a directory of parts in order."""
    import polars as pl

    from dlc.crate.digest import table_digest

    parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    return table_digest(pl.concat([pl.read_parquet(part) for part in parts])).to_json()


def execute(
    plan: Plan, parameters: Mapping[str, str], ranks: int | None = None
) -> tuple[dict[str, pl.DataFrame], Json]:
    """Run a plan and return its results and the record of its instructions. Raises what the run raises."""
    with tempfile.TemporaryDirectory(prefix="dlc-") as folder:
        steps = Path(folder) / "steps.json"
        results = driver.run_plan(plan, parameters, ranks, record=str(steps))
        assert results is not None, "only the first rank asks for the record"
        return results, json.loads(steps.read_text(encoding="utf-8"))


def _write(
    folder: Path,
    compiled: Compiled,
    run: Json,
    results: Mapping[str, pl.DataFrame],
    accounted: Accounted | None,
    request: Request,
    checkpoints: Path,
) -> None:
    """Write the crate beside its place and rename it. Raises DLC605."""
    from dlc.crate.environment import environment
    from dlc.crate.metadata import describe
    from dlc.runtime import plan as artefact

    target = folder.absolute()
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
            staging = Path(name) / target.name
            staging.mkdir()
            for place, source in compiled.sources.items():
                (staging / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, staging / place)
            texts = {f"ir/{stage}.mlir": text for stage, text in compiled.stages.items()}
            texts |= {"machine.hw": compiled.machine} if compiled.machine else {}
            facts = environment()
            texts |= {"environment.json": to_text(facts), RUN: to_text(run)}
            texts |= {"prediction.json": to_text(accounted.prediction)} if accounted else {}
            for place, text in texts.items():
                (staging / place).parent.mkdir(exist_ok=True)
                (staging / place).write_text(text, encoding="utf-8")
            artefact.save(compiled.plan, staging / "plan.dlc")
            for place in run["checkpoints"].values():
                shutil.copytree(checkpoints / Path(place).name, staging / place)
            (staging / "results").mkdir()
            for name, frame in results.items():
                frame.write_parquet(staging / run["results"][name]["file"])
            told = describe(staging, run, facts, request.agent, request.licence)
            (staging / METADATA).write_text(to_text(told), encoding="utf-8")
            _sync(staging)
            staging.rename(target)
    except OSError as error:
        raise DlcError(
            "DLC605",
            f"cannot write the crate '{folder}': {error.strerror or error}",
            help="check the directory, its permissions and free space",
        ) from error


def to_text(content: Json) -> str:
    """JSON for files that people read too."""
    return json.dumps(_finite(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(content: Any) -> Any:
    """The same with null for figures that JSON has no number for, such as a rate without a limit."""
    match content:
        case dict():
            return {key: _finite(value) for key, value in cast("Json", content).items()}
        case list() | tuple():
            return [_finite(value) for value in cast("list[Any]", content)]
        case float():
            return content if math.isfinite(content) else None
        case _:
            return content


def _sync(folder: Path) -> None:
    """Everything is on disk before the name appears."""
    for path in (*(p for p in folder.rglob("*")), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""Does the run of a crate again, and says whether the same came out."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, cast

from dlc.crate import METADATA, RUN, VERSION, Request
from dlc.crate.digest import file_digest, table_digest
from dlc.crate.recording import compile_request, execute, output_digest
from dlc.diagnostics import DlcError, Note
from dlc.runtime import plan as artefact
from dlc.runtime.plan import Plan

Json = dict[str, Any]

_MAX_JSON = 256 << 20
_RUN_KEYS = ("program", "parameters", "ranks", "fast_math", "inputs", "results", "outputs")


@dataclass(frozen=True)
class Outcome:
    """A run that gave the same: `tables` names the results and outputs that were compared."""

    program: str
    ranks: int
    tables: tuple[str, ...]
    from_plan: bool


def rerun(folder: Path, ranks: int | None, from_plan: bool) -> Outcome:
    """See `dlc.crate.rerun`."""
    run = read(folder)
    _check_inputs(run["inputs"])
    source = None if from_plan else run.get("source")
    if source is None and ranks not in (None, run["ranks"]):
        raise DlcError(
            "DLC504",
            f"the plan of '{folder}' is for {run['ranks']} ranks",
            help="leave -n out, or rerun a crate that holds its program",
        )
    plan = _compile(folder, run, source, ranks) if source else artefact.load(folder / "plan.dlc")
    with tempfile.TemporaryDirectory(prefix="dlc-rerun-") as name:
        private, places = redirect(plan, Path(name))
        results, _ = execute(private, {} if source else run["parameters"])
        made = {key: table_digest(frame).to_json() for key, frame in results.items()}
        written = {path: output_digest(place) for path, place in places.items()}
    differences = [*_compare("result", run["results"], made), *_compare("output", run["outputs"], written)]
    if differences:
        raise DlcError(
            "DLC512",
            f"the run of '{folder}' gave something else this time: {differences[0]}",
            help="compare its environment.json with `dlc doctor`; --plan runs the very plan of the crate",
            notes=[Note(text) for text in differences[1:]],
        )
    return Outcome(run["program"], plan.world_size, (*run["results"], *run["outputs"]), source is None)


def read(folder: Path) -> Json:
    """The `run.json` of a crate all of whose files are as they were written. Raises DLC510 and DLC514."""
    if not folder.is_dir():
        raise DlcError(
            "DLC201", f"there is no crate '{folder}'", help="give the directory of `dlc run --crate`"
        )
    seen: set[str] = set()
    for entity in _entities(_json(folder, METADATA)):
        place, expected = entity.get("@id"), entity.get("sha256")
        if isinstance(place, str) and isinstance(expected, str) and ":" not in place:
            if file_digest(_inside(folder, place)) != expected:
                raise _damaged(folder, f"{place} has changed")
            seen.add(place)
    if not {RUN, "plan.dlc"} <= seen:
        raise _damaged(folder, f"its metadata does not describe {RUN} and plan.dlc")
    run = _json(folder, RUN)
    if run.get("version") != VERSION:
        raise DlcError(
            "DLC514",
            f"'{folder}' is a crate of version {str(run.get('version'))[:20]}; this dlc reads {VERSION}",
            help="rerun it with the version of dlc that its environment.json names",
        )
    if any(key not in run for key in _RUN_KEYS):
        raise _damaged(folder, f"{RUN} is incomplete")
    return run


def _entities(metadata: Json) -> list[Json]:
    graph: Any = metadata.get("@graph")
    entries = cast("list[Any]", graph) if isinstance(graph, list) else []
    return [cast("Json", entry) for entry in entries if isinstance(entry, dict)]


def _inside(folder: Path, place: str) -> Path:
    """A file of the crate; a name that leads out of it is not followed."""
    path = folder / PurePosixPath(place)
    if PurePosixPath(place).is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
        raise _damaged(folder, f"{place[:100]} leads out of it")
    if not path.is_file():
        raise _damaged(folder, f"{place[:100]} is missing")
    return path


def _json(folder: Path, place: str) -> Json:
    path = _inside(folder, place)
    try:
        if path.stat().st_size > _MAX_JSON:
            raise ValueError
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise _damaged(folder, f"{place} cannot be read") from None
    if not isinstance(content, dict):
        raise _damaged(folder, f"{place} holds no object")
    return cast("Json", content)


def _damaged(folder: Path, reason: str) -> DlcError:
    return DlcError(
        "DLC510",
        f"'{folder}' is not the whole crate of a run: {reason}",
        help="copy the crate again, or write it again with `dlc run --crate`",
    )


def _check_inputs(inputs: list[Json]) -> None:
    for entry in inputs:
        path = Path(entry["path"])
        if not path.is_file():
            raise DlcError(
                "DLC511",
                f"the input {path} is not here",
                help="rerun from the directory in which the run was started, with its inputs in place",
            )
        if file_digest(path) != entry["sha256"]:
            raise DlcError(
                "DLC511", f"the input {path} is not the one of the run", help="put the file of the run there"
            )


def _compile(folder: Path, run: Json, source: str, ranks: int | None) -> Plan:
    """Compile the program of a crate for the machine of the crate."""
    request = Request(
        _inside(folder, source),
        run["program"],
        run["parameters"],
        str(_inside(folder, "machine.hw")),
        ranks or run["ranks"],
        run["fast_math"],
    )
    plan = compile_request(request).plan
    known = {Path(entry["path"]).absolute() for entry in run["inputs"]}
    for entry in plan.inputs:
        if Path(entry["path"]).absolute() not in known:
            raise DlcError(
                "DLC511",
                f"the program now reads {entry['path']}, which the run did not",
                help="it finds its files by its own place; run the plan instead with --plan",
            )
    return plan


def redirect(plan: Plan, folder: Path) -> tuple[Plan, dict[str, Path]]:
    """The plan with its outputs in `folder`, and where each comes to lie.

    Inputs were compared by checksum, so that their time no longer counts.
    """
    places = {path: folder / f"{index}.parquet" for index, path in enumerate(plan.outputs)}

    def moved(instruction: Json) -> Json:
        if instruction["op"] != "write":
            return instruction
        return {**instruction, "path": os.fspath(places[instruction["path"]])}

    gangs = [replace(gang, instructions=[moved(each) for each in gang.instructions]) for gang in plan.gangs]
    outputs = [os.fspath(places[path]) for path in plan.outputs]
    inputs = [{**entry, "mtime_ns": Path(entry["path"]).stat().st_mtime_ns} for entry in plan.inputs]
    return replace(plan, gangs=gangs, outputs=outputs, inputs=inputs), places


def _compare(what: str, before: Mapping[str, Json], now: Mapping[str, Json]) -> list[str]:
    """What differs, in words. Rows that nothing orders may come in any order."""
    found = [f"there is no {what} {name}" for name in before if name not in now]
    found += [f"there is a new {what} {name}" for name in now if name not in before]
    for name in (name for name in before if name in now):
        old, new = before[name], now[name]
        if [list(column) for column in old["schema"]] != [list(column) for column in new["schema"]]:
            found.append(f"the {what} {name} has other columns")
        elif old["rows"] != new["rows"]:
            found.append(f"the {what} {name} has {new['rows']} rows instead of {old['rows']}")
        elif old["bag"] != new["bag"]:
            found.append(f"the {what} {name} has other values")
        elif old["ordered"] and old["sequence"] != new["sequence"]:
            found.append(f"the rows of the {what} {name} are in another order")
    return found

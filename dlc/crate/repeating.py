"""Does the run of a crate again, and says whether the same came out."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, cast

from dlc.crate import METADATA, RUN, VERSION, Request
from dlc.crate.digest import file_digest, table_digest
from dlc.crate.environment import environment
from dlc.crate.metadata import place_of
from dlc.crate.places import redirect
from dlc.crate.recording import compile_request, execute, output_digest
from dlc.diagnostics import DlcError, Note
from dlc.runtime import plan as artefact
from dlc.runtime.checkpoint import MANIFEST
from dlc.runtime.plan import Plan
from dlc.runtime.validate import Invalid, validate

Json = dict[str, Any]

_MAX_JSON = 256 << 20
_TEXT, _TEXTS = {"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}
_TABLES = {"type": "object", "additionalProperties": {"$ref": "#/$defs/table"}}
_RUN: Json = {
    "type": "object",
    "required": ["program", "parameters", "ranks", "fast_math", "inputs", "results", "outputs"],
    "properties": {
        "program": _TEXT,
        "source": {"type": ["string", "null"]},
        "parameters": _TEXTS,
        "ranks": {"type": "integer", "minimum": 1},
        "fast_math": {"type": "boolean"},
        "inputs": {"type": "array", "items": {"$ref": "#/$defs/input"}},
        "results": _TABLES,
        "outputs": _TABLES,
        "checkpoints": _TEXTS,
    },
}
_SCHEMA: Json = {
    "$defs": {
        "run": _RUN,
        "input": {
            "type": "object",
            "required": ["path", "sha256"],
            "properties": {"path": _TEXT, "sha256": _TEXT},
        },
        "table": {
            "type": "object",
            "required": ["schema", "rows", "sequence", "bag", "ordered"],
            "properties": {
                "schema": {"type": "array", "items": {"type": "array", "items": _TEXT}},
                "rows": {"type": "integer", "minimum": 0},
                "sequence": _TEXT,
                "bag": _TEXT,
                "ordered": {"type": ["boolean", "null"]},
            },
        },
    }
}
"""What a rerun takes from `run.json`."""


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
        checkpoints = {path: folder / place for path, place in run.get("checkpoints", {}).items()}
        private, places = redirect(plan, Path(name), checkpoints)
        results, _ = execute(private, {} if source else run["parameters"])
        made = {key: table_digest(frame).to_json() for key, frame in results.items()}
        written = {path: output_digest(place) for path, place in places.items()}
    differences = [*_compare("result", run["results"], made), *_compare("output", run["outputs"], written)]
    if differences:
        raise DlcError(
            "DLC512",
            f"the run of '{folder}' gave something else this time: {differences[0]}",
            help="--plan runs the very plan of the crate, without the compiler",
            notes=[Note(text) for text in (*differences[1:], *_changes(_json(folder, "environment.json")))],
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
        identifier, expected = entity.get("@id"), entity.get("sha256")
        place = place_of(identifier) if isinstance(identifier, str) else None
        if place is not None and isinstance(expected, str):
            if file_digest(_inside(folder, place)) != expected:
                raise _damaged(folder, f"{place} has changed")
            seen.add(place)
    if not {RUN, "plan.dlc", "environment.json"} <= seen:
        raise _damaged(folder, f"its metadata does not describe {RUN}, plan.dlc and environment.json")
    run = _json(folder, RUN)
    if run.get("version") != VERSION:
        raise DlcError(
            "DLC514",
            f"'{folder}' is a crate of version {str(run.get('version'))[:20]}; this dlc reads {VERSION}",
            help="rerun it with the version of dlc that its environment.json names",
        )
    try:
        validate(run, "run", _SCHEMA)
    except Invalid as error:
        raise _damaged(folder, f"{RUN} is no record: {error}") from None
    places = [run.get("source"), *(f"{place}/{MANIFEST}" for place in run.get("checkpoints", {}).values())]
    for place in places:
        if place is not None and _inside(folder, place) and place not in seen:
            raise _damaged(folder, f"its metadata does not describe {place[:100]}")
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


def _changes(before: Json) -> Iterator[str]:
    """What is not as in the environment of the run, in words."""
    now = environment()
    for key in ("dlc", "python", "implementation", "mpi", "architecture", "processor"):
        if before.get(key) != now[key]:
            yield f"{key} was {str(before.get(key))[:60]!r}, and is {str(now[key])[:60]!r}"
    packages: Any = before.get("packages")
    known = cast("Json", packages) if isinstance(packages, dict) else {}
    for name in sorted(known.keys() & now["packages"].keys()):
        if known[name] != now["packages"][name]:
            yield f"{name} was {str(known[name])[:60]}, and is {now['packages'][name]}"


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

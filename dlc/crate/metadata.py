"""The metadata of a crate: RO-Crate with the profile Process Run Crate 0.5; units are codes of UCUM.

The profile is made for RO-Crate 1.1; the terms for checksums, and for files that are not in the crate, are of
1.2. What is written fits both, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import dlc
from dlc.crate import METADATA, RUN
from dlc.crate.digest import file_digest

Json = dict[str, Any]

_CRATES = ("https://w3id.org/ro/crate/1.1", "https://w3id.org/ro/crate/1.2")
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_CONTEXT = [
    f"{_CRATES[-1]}/context",
    {"resourceUsage": "https://w3id.org/ro/terms/workflow-run#resourceUsage"},
]
_KINDS = {
    ".py": ("text/x-python", "the program as it ran"),
    ".mlir": ("text/plain", "the program at a stage of compilation, in MLIR syntax"),
    ".hw": ("text/plain", "the machine that it was compiled for"),
    ".dlc": ("application/zip", "the plan that ran"),
    ".parquet": ("application/vnd.apache.parquet", "a result"),
    ".json": ("application/json", ""),
    ".csv": ("text/csv", ""),
}
_UNKNOWN = ("application/octet-stream", "")
_CHECKPOINT = "checkpoints/"
_ABOUT = {
    "environment.json": "interpreter, packages, MPI, processor and variables of the run",
    RUN: "what was asked for, checksums of inputs and results, and what each instruction took",
    "prediction.json": "what the run was predicted to take: time, memory, traffic and FLOP, step by step",
}
_MEASURED = {
    RUN: {"seconds": "s", "bytes": "By", "sent_bytes": "By", "peak_bytes": "By", "rows": "{row}"},
    "prediction.json": {"seconds": "s", "traffic": "By", "memory": "By", "flops": "1", "energy": "J"},
}


def describe(folder: Path, run: Json, environment: Json, agent: str = "", licence: str = "") -> Json:
    """The content of `ro-crate-metadata.json` for the files in `folder`; for the last two see `Request`."""
    files = [_file(path, folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    names = {result["file"]: name for name, result in run["results"].items()}
    for file in files:
        file["name"] = names.get(file["@id"], file["name"])
    inputs = [
        _outside(f"#input-{number}", entry["path"], entry["sha256"], entry["bytes"])
        for number, entry in enumerate(run["inputs"])
    ]
    outputs = [_outside(f"#output-{number}", path) for number, path in enumerate(run["outputs"])]
    parameters = [
        {"@id": f"#parameter-{name}", "@type": "PropertyValue", "name": name, "value": value}
        for name, value in run["parameters"].items()
    ]
    usage = list(_usage(run))
    program = run["source"] or "plan.dlc"
    checkpoints = [file for file in files if file["@id"].startswith(_CHECKPOINT)]
    title = f"A run of {run['program']} on {run['ranks']} rank{'' if run['ranks'] == 1 else 's'}"
    software = list(_software(environment))
    people = [_person(agent)] if agent else []
    terms = _licence(licence)
    measures = {entity["@id"]: entity for place in _MEASURED for entity in _measures(place)}
    graph = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": [{"@id": crate} for crate in _CRATES],
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": title,
            "description": f"{title}, with all that led to its results.",
            "datePublished": run["ended"],
            "license": {"@id": terms["@id"]},
            **({"author": _references(people)[0]} if people else {}),
            "conformsTo": {"@id": _PROFILE},
            "hasPart": _references([*files, *inputs, *outputs]),
            "mentions": {"@id": "#run"},
        },
        {
            "@id": _PROFILE,
            "@type": ["CreativeWork", "Profile"],
            "name": "Process Run Crate",
            "version": _PROFILE.rpartition("/")[2],
        },
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": title,
            "description": f"dlc compiled {program} and ran its plan as a gang of MPI processes.",
            "startTime": run["started"],
            "endTime": run["ended"],
            "actionStatus": "http://schema.org/CompletedActionStatus",
            **({"agent": _references(people)[0]} if people else {}),
            "instrument": {"@id": software[0]["@id"]},
            "object": [
                {"@id": _identifier(program)},
                *_references([*inputs, *checkpoints, *parameters]),
            ],
            "result": [
                *({"@id": file["@id"]} for file in files if file["@id"].startswith("results/")),
                *_references(outputs),
                {"@id": RUN},
            ],
            "resourceUsage": _references(usage),
        },
        *people,
        terms,
        *software,
        *files,
        *inputs,
        *outputs,
        *parameters,
        *usage,
        *measures.values(),
    ]
    return {"@context": _CONTEXT, "@graph": graph}


def _references(entities: list[Json]) -> list[Json]:
    return [{"@id": entity["@id"]} for entity in entities]


def _software(environment: Json) -> Iterator[Json]:
    """The compiler first, then what it needs; each is identified by its package URL."""
    python = environment["implementation"]
    needed = [_application("generic", python, environment["python"], "https://www.python.org/")]
    if environment["mpi"]:
        name, version = _mpi(environment["mpi"])
        needed.append(_application("generic", name, version, "https://www.mpi-forum.org/"))
    compiler = _application("pypi", "dlc", dlc.__version__)
    compiler["description"] = "compiles dataflow programs to gangs of MPI processes, and runs them"
    compiler["operatingSystem"] = environment["system"]
    compiler["softwareRequirements"] = _references(needed)
    yield compiler
    yield from needed


def _application(kind: str, name: str, version: str, url: str = "") -> Json:
    identifier = f"pkg:{kind}/{quote(name.lower())}@{quote(version)}"
    return {
        "@id": identifier,
        "@type": "SoftwareApplication",
        "name": name,
        "version": version,
        "url": url or identifier,
    }


def _mpi(library: str) -> tuple[str, str]:
    """Name and version in what an MPI library says: `MPICH Version: 5.0.2 …`, `Open MPI v5.0.11, …`."""
    found = re.match(r"(.*?)\s*(?:Version:?|v)?\s*(\d+(?:\.\w+)+)", library)
    return (found[1], found[2]) if found else (library[:60], "unknown")


def _person(agent: str) -> Json:
    """Who ran it: `Name`, or `Name <https://orcid.org/…>`."""
    found = re.fullmatch(r"(.*?)\s*<(https://orcid\.org/[\dX-]+)>", agent)
    name, identifier = (found[1], found[2]) if found else (agent, "#agent")
    return {"@id": identifier, "@type": "Person", "name": name}


def _licence(named: str) -> Json:
    """A licence by its URL or its identifier of SPDX; without one, a word on that."""
    if not named:
        return {
            "@id": "#licence",
            "@type": "CreativeWork",
            "name": "No licence is stated",
            "description": "The crate holds a program and results; their owner says how they may be used.",
        }
    url = named if "://" in named else f"https://spdx.org/licenses/{quote(named)}"
    return {
        "@id": url,
        "@type": "CreativeWork",
        "name": named,
        "description": "The licence under which the crate may be used.",
    }


def _identifier(place: str) -> str:
    """A file of the crate as a relative URI."""
    return quote(place)


def place_of(identifier: str) -> str | None:
    """The file of the crate that a relative URI names; None for other identifiers."""
    return None if identifier.startswith("#") or ":" in identifier else unquote(identifier)


def _file(path: Path, folder: Path) -> Json:
    place = path.relative_to(folder).as_posix()
    kind, about = _KINDS.get(path.suffix, _UNKNOWN)
    if place.startswith(_CHECKPOINT):
        about = "part of a checkpoint from which training went on"
    entity: Json = {
        "@id": _identifier(place),
        "@type": "File",
        "name": place,
        "description": _ABOUT.get(place, about),
        "encodingFormat": kind,
        "contentSize": str(path.stat().st_size),
        "sha256": file_digest(path),
    }
    if place in _MEASURED:
        entity["variableMeasured"] = _references(list(_measures(place)))
    return entity


def _outside(identifier: str, path: str, digest: str = "", size: int = 0) -> Json:
    """A file that the crate names but does not hold, with a local identifier as RO-Crate 1.2 has it.

    A URL of the file would tell where its user works, and a relative one would mean a file of the crate.
    """
    place = Path(path)
    directory = place.is_dir()
    entity: Json = {
        "@id": identifier,
        "@type": "Dataset" if directory else "File",
        "name": path,
        "localPath": path,
        "description": "input" if digest else "output",
    }
    if not directory:
        entity["encodingFormat"] = _KINDS.get(place.suffix, _UNKNOWN)[0]
        entity["contentSize"] = str(size or place.stat().st_size)
        entity["sha256"] = digest or file_digest(place)
    return entity


def _usage(run: Json) -> Iterator[Json]:
    ranks: list[Json] = run["steps"].get("ranks", [])
    figures = {
        "duration": (run["seconds"], "s"),
        "ranks": (run["ranks"], "1"),
        "peak memory of a rank": (max((rank["peak_bytes"] for rank in ranks), default=0), "By"),
    }
    if run["comparison"]:
        figures["predicted duration of the plan"] = (run["comparison"]["predicted"], "s")
        figures["measured duration of the plan"] = (run["comparison"]["measured"], "s")
        figures["predicted peak memory of a rank"] = (run["comparison"]["predicted_memory"], "By")
    for name, (value, code) in figures.items():
        identifier = f"#usage-{name.replace(' ', '-')}"
        yield {"@id": identifier, "@type": "PropertyValue", "name": name, "value": value, "unitCode": code}


def _measures(place: str) -> Iterator[Json]:
    """The quantities in a file of the crate, with their units."""
    for name, code in _MEASURED[place].items():
        identifier = f"#measure-{name}"
        yield {"@id": identifier, "@type": "PropertyValue", "name": name, "unitCode": code}

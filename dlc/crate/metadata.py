"""The metadata of a crate: RO-Crate 1.2 with the profile Process Run Crate 0.5; units are codes of UCUM."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dlc
from dlc.crate import METADATA, RUN
from dlc.crate.digest import file_digest

Json = dict[str, Any]

_CRATE = "https://w3id.org/ro/crate/1.2"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_CONTEXT = [
    f"{_CRATE}/context",
    {
        "sha256": "https://schema.org/sha256",
        "resourceUsage": "https://w3id.org/ro/terms/workflow-run#resourceUsage",
    },
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
_ABOUT = {
    "environment.json": "interpreter, packages, MPI, processor and variables of the run",
    RUN: "what was asked for, checksums of inputs and results, and what each instruction took",
}
_MEASURED = {"seconds": "s", "bytes": "By", "peak_bytes": "By", "rows": "{row}"}


def describe(folder: Path, run: Json, environment: Json, agent: str = "") -> Json:
    """The content of `ro-crate-metadata.json` for the files that lie in `folder`; `agent` as in `Request`."""
    files = [_file(path, folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    names = {result["file"]: name for name, result in run["results"].items()}
    for file in files:
        file["name"] = names.get(file["@id"], file["name"])
    inputs = [_outside(entry["path"], entry["sha256"], entry["bytes"]) for entry in run["inputs"]]
    outputs = [_outside(path) for path in run["outputs"]]
    parameters = [
        {"@id": f"#parameter-{name}", "@type": "PropertyValue", "name": name, "value": value}
        for name, value in run["parameters"].items()
    ]
    usage = list(_usage(run))
    program = run["source"] or "plan.dlc"
    title = f"A run of {run['program']} on {run['ranks']} rank{'' if run['ranks'] == 1 else 's'}"
    software = list(_software(environment))
    people = [_person(agent)] if agent else []
    graph = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": _CRATE},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": title,
            "description": f"{title}, with all that led to its results.",
            "datePublished": run["ended"],
            "license": {"@id": "#licence"},
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
            "object": [{"@id": program}, *_references(inputs), *_references(parameters)],
            "result": [
                *({"@id": file["@id"]} for file in files if file["@id"].startswith("results/")),
                *_references(outputs),
                {"@id": RUN},
            ],
            "resourceUsage": _references(usage),
        },
        *people,
        {
            "@id": "#licence",
            "@type": "CreativeWork",
            "name": "No licence is stated",
            "description": "The crate holds a program and results; their owner says how they may be used.",
        },
        *software,
        *files,
        *inputs,
        *outputs,
        *parameters,
        *usage,
        *(_measure(name, code) for name, code in _MEASURED.items()),
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


def _file(path: Path, folder: Path) -> Json:
    place = path.relative_to(folder).as_posix()
    kind, about = _KINDS.get(path.suffix, _UNKNOWN)
    entity: Json = {
        "@id": place,
        "@type": "File",
        "name": place,
        "description": _ABOUT.get(place, about),
        "encodingFormat": kind,
        "contentSize": str(path.stat().st_size),
        "sha256": file_digest(path),
    }
    if place == RUN:
        entity["variableMeasured"] = [{"@id": f"#measure-{name}"} for name in _MEASURED]
    return entity


def _outside(path: str, digest: str = "", size: int = 0) -> Json:
    """A file that the crate names but does not hold.

    A URL of the file would tell where its user works, and a relative one would mean a file of the crate.
    """
    place = Path(path)
    directory = place.is_dir()
    entity: Json = {
        "@id": uuid.uuid4().urn,
        "@type": "Dataset" if directory else "File",
        "name": path,
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
    for name, (value, code) in figures.items():
        identifier = f"#usage-{name.replace(' ', '-')}"
        yield {"@id": identifier, "@type": "PropertyValue", "name": name, "value": value, "unitCode": code}


def _measure(name: str, code: str) -> Json:
    return {"@id": f"#measure-{name}", "@type": "PropertyValue", "name": name, "unitCode": code}

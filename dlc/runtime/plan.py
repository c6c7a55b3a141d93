"""The plan artefact: what the compiler hands to the executor, as data in one zip file.

Members: `manifest.json`, `plan.mlir` (for people), `gangs/<name>.json`, `constants/<name>.arrow` (frames),
`constants/<name>.safetensors` (parameters) and `kernels/<name>.mlir` (StableHLO). The structure of the JSON
members is `schema.json` beside this file. The archive's comment holds the SHA-256 of all bytes before it, so
that any change of the file is found, and equal plans give equal bytes.
"""

import hashlib
import io
import json
import os
import zipfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.durable import replace
from dlc.runtime.references import check_references
from dlc.runtime.validate import Invalid, validate

FORMAT = 2
Json = dict[str, Any]

_MAX_JSON = 256 << 20  # bytes of one JSON member
_MAX_MEMBERS = 100_000
_EPOCH = (1980, 1, 1, 0, 0, 0)
_SEAL = b"sha256:"


@dataclass
class Gang:
    """Ranks of the world that run one instruction list together; `ranks` are world ranks in gang order."""

    name: str
    ranks: list[int]
    instructions: list[Json]


@dataclass
class Plan:
    """A compiled program. The JSON parts have the structure that `schema.json` gives.

    `constants` are files by name and suffix, `kernels` the texts of modules by name.
    """

    program: str
    world_size: int
    gangs: list[Gang]
    machine: Json = field(default_factory=dict[str, Any])
    requires: Json = field(default_factory=dict[str, Any])
    parameters: list[Json] = field(default_factory=list[Json])
    results: list[Json] = field(default_factory=list[Json])
    outputs: list[str] = field(default_factory=list[str])
    inputs: list[Json] = field(default_factory=list[Json])
    locations: list[list[Any]] = field(default_factory=list[list[Any]])
    constants: dict[str, bytes] = field(default_factory=dict[str, bytes])
    kernels: dict[str, str] = field(default_factory=dict[str, str])
    text: str = ""
    compiler: str = "0.1.0"

    def location(self, index: int) -> SourceLoc | None:
        """The user's line that `loc` index stands for; None where it is unknown."""
        if not 0 <= index < len(self.locations):
            return None
        file, line, column, end_column = self.locations[index][:4]
        return SourceLoc(file, line, column, end_column)


def save(plan: Plan, path: str | os.PathLike[str]) -> None:
    """Write the plan; readers see the old file or the whole new one. Raises DLC605."""
    target = Path(path)
    data = to_bytes(plan)
    try:
        replace(target, data)
    except OSError as error:
        raise DlcError("DLC605", f"cannot write the plan {target}: {error.strerror or error}") from error


def to_bytes(plan: Plan) -> bytes:
    """The plan as the bytes of its file, the same for equal plans."""
    members: dict[str, bytes] = {"plan.mlir": plan.text.encode()}
    for gang in plan.gangs:
        content = {"gang": gang.name, "ranks": gang.ranks, "instructions": gang.instructions}
        members[f"gangs/{gang.name}.json"] = _encode(content)
    for name, data in sorted(plan.constants.items()):
        members[f"constants/{name}"] = data
    for name, text in sorted(plan.kernels.items()):
        members[f"kernels/{name}.mlir"] = text.encode()
    manifest = {
        "format": FORMAT,
        "schema": hashlib.sha256(_schema_text()).hexdigest(),
        "compiler": plan.compiler,
        "program": plan.program,
        "world_size": plan.world_size,
        "machine": plan.machine,
        "requires": plan.requires,
        "parameters": plan.parameters,
        "results": plan.results,
        "outputs": plan.outputs,
        "inputs": plan.inputs,
        "locations": plan.locations,
        "gangs": [gang.name for gang in plan.gangs],
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in {"manifest.json": _encode(manifest), **members}.items():
            # Deflate differs between zlib builds; stored bytes do not.
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_STORED)
        # The length of the comment is part of what it seals, so it must be set before.
        archive.comment = b" " * (len(_SEAL) + 64)
    body = buffer.getvalue()[: -len(_SEAL) - 64]
    return body + _SEAL + hashlib.sha256(body).hexdigest().encode()


def load(path: str | os.PathLike[str]) -> Plan:
    """Read and check a plan. Raises DLC201 (no such file), DLC501 (damaged), DLC502 (other format)."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise DlcError("DLC201", f"there is no plan {path}", help="write one with `dlc compile`") from error
    except OSError as error:
        raise DlcError("DLC501", f"cannot read {path}: {error.strerror or error}") from error
    return from_bytes(data, str(path))


def from_bytes(data: bytes, name: str = "plan") -> Plan:
    """The plan in the bytes of a plan file; `name` stands in messages. Raises DLC501 and DLC502."""
    try:
        return _decode_plan(data, name)
    except Invalid as error:
        raise _damaged(name, str(error)) from error
    except (
        zipfile.BadZipFile,
        EOFError,
        KeyError,
        NotImplementedError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        # RecursionError (a RuntimeError) comes from JSON that is nested too deeply.
        raise _damaged(name, "it is truncated or was changed after it was written") from error


def _decode_plan(data: bytes, name: str) -> Plan:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > _MAX_MEMBERS:
            raise Invalid("it has too many members")
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise Invalid(
                "a member is compressed"
            )  # nothing dlc wrote is, so nothing can unpack to more than it is
        by_name = {member.filename: member for member in members}
        manifest: Any = _read_json(archive, by_name["manifest.json"])
        if not isinstance(manifest, dict):
            raise Invalid("its manifest is no object")
        manifest = cast("Json", manifest)
        version: Any = manifest.get("format")
        if isinstance(version, int) and version != FORMAT:
            raise DlcError(
                "DLC502",
                f"{name} has plan format {version}; this dlc reads format {FORMAT}",
                help="compile the program again with this version of dlc",
            )
        _check_seal(data, archive.comment)
        schema = _schema()
        validate(manifest, "manifest", schema)
        _check_members(archive, by_name, manifest["files"])
        gangs: list[Gang] = []
        for gang_name in manifest["gangs"]:
            gang = _read_json(archive, by_name[f"gangs/{gang_name}.json"])
            validate(gang, "gang", schema)
            gangs.append(Gang(gang["gang"], gang["ranks"], gang["instructions"]))
        constants = {
            member.removeprefix("constants/"): archive.read(member)
            for member in by_name
            if member.startswith("constants/")
        }
        kernels = {
            member.removeprefix("kernels/").removesuffix(".mlir"): archive.read(member).decode()
            for member in by_name
            if member.startswith("kernels/")
        }
        text = archive.read("plan.mlir").decode()
    kept = (
        "program",
        "world_size",
        "machine",
        "requires",
        "parameters",
        "results",
        "outputs",
        "inputs",
        "locations",
    )
    plan = Plan(
        **{key: manifest[key] for key in kept},
        compiler=manifest["compiler"],
        gangs=gangs,
        constants=constants,
        kernels=kernels,
        text=text,
    )
    check_references(plan)
    return plan


def _check_seal(data: bytes, comment: bytes) -> None:
    body = data[: len(data) - len(comment)]
    if comment != _SEAL + hashlib.sha256(body).hexdigest().encode():
        raise Invalid("its checksum is wrong: it was changed after it was written")


def _check_members(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], sums: dict[str, str]
) -> None:
    if set(members) != {"manifest.json", *sums}:
        raise Invalid("its list of members does not match its content")
    for member, expected in sums.items():
        if hashlib.sha256(archive.read(member)).hexdigest() != expected:
            raise Invalid(f"the checksum of {member[:100]} is wrong")


def _read_json(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    if member.file_size > _MAX_JSON:
        raise Invalid(f"{member.filename[:100]} is too large")
    return json.loads(archive.read(member))


def _encode(value: Any) -> bytes:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


@cache
def _schema_text() -> bytes:
    return (Path(__file__).parent / "schema.json").read_bytes()


@cache
def _schema() -> Json:
    return json.loads(_schema_text())


def _damaged(name: str, reason: str) -> DlcError:
    return DlcError(
        "DLC501", f"{name} is not a plan that can be run: {reason}", help="write it again with `dlc compile`"
    )

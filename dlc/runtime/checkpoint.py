"""Checkpoints: tensors as safetensors, and a manifest that makes them valid once it is in its place.

A checkpoint is a directory. The manifest names the file of the tensors and its checksum; both are written
under other names, synced and renamed, the manifest last, so that a failure at any time leaves the one before.
"""

import hashlib
import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path, PurePath
from typing import Any, cast

import numpy as np

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.durable import replace
from dlc.runtime.output import sync
from dlc.runtime.plan import Json
from dlc.runtime.tensors import Array, dtype_of

FORMAT = 1
MANIFEST = "manifest.json"
_FILES = "epoch-*.safetensors"


def unpack(data: bytes | memoryview) -> dict[str, Array] | None:
    """The tensors of a safetensors file by name; None if it is damaged."""
    safetensors: Any = import_module("safetensors")
    try:
        entries: list[tuple[str, Json]] = safetensors.deserialize(bytes(data))
        return {
            name: np.frombuffer(entry["data"], dtype_of(_short(entry["dtype"]))).reshape(entry["shape"])
            for name, entry in entries
        }
    except (safetensors.SafetensorError, ValueError, DlcError):
        return None


def _short(dtype: str) -> str:
    """Our name of an element type of safetensors."""
    return {"BOOL": "i1"}.get(dtype, dtype.lower().replace("u", "ui"))


def write(
    directory: str, tensors: Mapping[str, Any], epoch: int, model: str, seed: int, loc: SourceLoc | None
) -> None:
    """Replace the checkpoint in a directory. Raises DLC605."""
    from safetensors.numpy import save

    data = save({name: np.asarray(tensor, order="C") for name, tensor in tensors.items()})
    digest = hashlib.sha256(data).hexdigest()
    manifest: Json = {
        "format": FORMAT,
        "model": model,
        "epoch": epoch,
        "seed": seed,
        "file": f"epoch-{epoch}-{digest[:16]}.safetensors",
        "sha256": digest,
        "tensors": {
            name: [np.asarray(tensor).dtype.name, list(np.shape(tensor))] for name, tensor in tensors.items()
        },
    }
    place = Path(directory)
    try:
        place.mkdir(parents=True, exist_ok=True)
        _put(place / manifest["file"], data)
        _put(place / MANIFEST, json.dumps(manifest, indent=1).encode())
        for other in place.glob(_FILES):
            if other.name != manifest["file"]:
                other.unlink()
    except OSError as error:
        raise DlcError(
            "DLC605",
            f"cannot write the checkpoint {directory}: {error.strerror or error}",
            loc=loc,
            help="check the directory, its permissions and free space",
        ) from error


def read(directory: str, model: str, loc: SourceLoc | None) -> tuple[int, bytes] | None:
    """The epoch and the packed tensors of the checkpoint in a directory; None if there is none.

    Raises DLC613 (another model) and DLC614 (damaged).
    """
    place = Path(directory)
    try:
        text = (place / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise damaged(directory, f"cannot read {MANIFEST}: {error.strerror}", loc) from error
    manifest = _parse(text)
    if manifest is None:
        raise damaged(directory, f"{MANIFEST} is not one of this dlc", loc)
    if manifest["model"] != model:
        raise DlcError(
            "DLC613",
            f"the checkpoint {directory} is of another model",
            loc=loc,
            help="give another directory, or remove the checkpoint to train from the start",
        )
    try:
        data = (place / manifest["file"]).read_bytes()
    except OSError as error:
        raise damaged(directory, f"cannot read {manifest['file']}: {error.strerror}", loc) from error
    if hashlib.sha256(data).hexdigest() != manifest["sha256"]:
        raise damaged(directory, f"the checksum of {manifest['file']} is wrong", loc)
    return manifest["epoch"], data


def damaged(directory: str, reason: str, loc: SourceLoc | None) -> DlcError:
    """The error of a checkpoint that cannot be used."""
    return DlcError(
        "DLC614",
        f"the checkpoint {directory} cannot be used: {reason}",
        loc=loc,
        help="remove it to train from the start, or copy it again from where it came",
    )


def _parse(text: bytes) -> Json | None:
    """A manifest whose entries have the right types; None for anything else."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    manifest = cast("Json", found)
    types = {"format": int, "model": str, "epoch": int, "file": str, "sha256": str}
    if not all(isinstance(manifest.get(key), kind) for key, kind in types.items()):
        return None
    if manifest["format"] != FORMAT or not PurePath(manifest["file"]).match(_FILES):
        return None
    return manifest if PurePath(manifest["file"]).name == manifest["file"] else None


def _put(path: Path, data: bytes) -> None:
    replace(path, data)
    sync(path.parent)

"""How a job hands its results, or the error of the rank that failed, to the process that started it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlc.diagnostics import DlcError, Note, SourceLoc

if TYPE_CHECKING:
    import polars as pl

_RESULTS = "results.json"
_ERROR = "error.json"


def write_results(results: "dict[str, pl.DataFrame]", directory: Path) -> None:
    """One Arrow file a result, and their names in order. Raises DLC605."""
    try:
        for number, frame in enumerate(results.values()):
            frame.write_ipc(directory / f"{number}.arrow")
        (directory / _RESULTS).write_text(json.dumps(list(results)))
    except OSError as error:
        raise DlcError("DLC605", f"cannot write the results to {directory}: {error.strerror}") from error


def read_results(directory: Path) -> "dict[str, pl.DataFrame]":
    """The results that `write_results` left."""
    import polars as pl

    names: list[str] = json.loads((directory / _RESULTS).read_text())
    return {name: pl.read_ipc(directory / f"{number}.arrow") for number, name in enumerate(names)}


def write_error(error: DlcError, directory: Path) -> bool:
    """Leave the error there; False if that is impossible, as on a node that does not share the directory."""
    content = {
        "code": error.code,
        "message": error.message,
        "loc": error.loc and asdict(error.loc),
        "help": error.help,
        "notes": [asdict(note) for note in error.notes],
    }
    try:
        (directory / _ERROR).write_text(json.dumps(content))
    except OSError:
        return False
    return True


def read_error(directory: Path) -> DlcError | None:
    """The error that `write_error` left, if there is one."""
    path = directory / _ERROR
    if not path.exists():
        return None
    content: dict[str, Any] = json.loads(path.read_text())
    notes = [Note(note["text"], _location(note["loc"])) for note in content["notes"]]
    loc = _location(content["loc"])
    return DlcError(content["code"], content["message"], loc=loc, help=content["help"], notes=notes)


def _location(fields: dict[str, Any] | None) -> SourceLoc | None:
    return None if fields is None else SourceLoc(**fields)

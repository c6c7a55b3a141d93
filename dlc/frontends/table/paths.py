"""The files that a path, a pattern, a directory or a list of them stands for."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from dlc.diagnostics import DlcError, SourceLoc, suggest

from .errors import bad_argument


def expand(source: object, suffix: str, loc: SourceLoc) -> list[str]:
    """Paths of the files, sorted within patterns; DLC106 for no paths, DLC201 for no files."""
    paths = [path for item in sources(source, loc) for path in _matches(item, suffix, loc)]
    if not paths:
        raise bad_argument("there is no file to scan", loc, "the list of paths is empty")
    return paths


def sources(source: object, loc: SourceLoc) -> list[str]:
    """The paths or patterns of a source as text; DLC106 for anything else."""
    if not isinstance(source, Iterable | os.PathLike) or isinstance(source, bytes):
        raise bad_argument(f"{source!r} is not a path", loc, "give a path, a pattern or a list of paths")
    alone = isinstance(source, str | os.PathLike)
    texts = list[str]()
    for item in [cast("object", source)] if alone else cast("Iterable[object]", source):
        text = str(cast("object", item)) if isinstance(item, str | os.PathLike) else ""
        if not text or "\0" in text:
            raise bad_argument(f"{item!r} is not a path", loc, "give a path, a pattern or a list of paths")
        texts.append(text)
    return texts


def _matches(text: str, suffix: str, loc: SourceLoc) -> list[str]:
    path = Path(text)
    if text.startswith("~/"):
        path = path.expanduser()
    if path.is_file():
        return [str(path)]
    if path.is_dir():
        path /= f"*{suffix}"
    found = sorted(name for name in glob.glob(str(path), recursive=True) if Path(name).is_file())  # noqa: PTH207
    if found:
        return found
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = suggest(path.name, siblings)
    raise DlcError(
        "DLC201",
        f"{'no file matches' if glob.has_magic(str(path)) else 'there is no file'} '{path}'",
        loc=loc,
        help=f"did you mean '{path.parent / near}'?"
        if near
        else "relative paths start at the directory in which dlc was started",
    )

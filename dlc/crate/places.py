"""The places that a plan writes to and goes on from: outputs, and checkpoints of training."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlc.diagnostics import DlcError
from dlc.runtime.checkpoint import MANIFEST
from dlc.runtime.plan import Plan

Json = dict[str, Any]


def keep_checkpoints(plan: Plan, folder: Path) -> dict[str, str]:
    """Copy the checkpoints that a run of the plan would go on from, which it replaces; their names by path.

    Raises DLC605.
    """
    paths = (code["path"] for gang in plan.gangs for code in _walk(gang.instructions) if code["op"] == "load")
    present = [path for path in dict.fromkeys(paths) if (Path(path) / MANIFEST).is_file()]
    names = {path: str(number) for number, path in enumerate(present)}
    for path, name in names.items():
        try:
            shutil.copytree(path, folder / name)
        except OSError as error:
            raise DlcError(
                "DLC605",
                f"cannot keep a copy of the checkpoint {path}: {error.strerror or 'see its files'}",
                help="check the permissions of its files, and the free space",
            ) from error
    return names


def redirect(plan: Plan, folder: Path, checkpoints: Mapping[str, Path]) -> tuple[Plan, dict[str, Path]]:
    """The plan with all that it writes in `folder`, and where each output comes to lie.

    Training goes on from copies of the `checkpoints`, by the path that the plan has for them, and from no
    others. Inputs were compared by checksum, so that their time no longer counts.
    """
    places = {path: folder / f"{index}.parquet" for index, path in enumerate(plan.outputs)}
    trained: dict[str, str] = {}

    def private(path: str) -> str:
        if path not in trained:
            place = folder / f"checkpoint-{len(trained)}"
            if path in checkpoints:
                shutil.copytree(checkpoints[path], place)
            trained[path] = os.fspath(place)
        return trained[path]

    def moved(code: Json) -> Json:
        match code["op"]:
            case "write":
                return {**code, "path": os.fspath(places[code["path"]])}
            case "save" | "load":
                return {**code, "path": private(code["path"])}
            case "for":
                return {**code, "body": [moved(inner) for inner in code["body"]]}
            case _:
                return code

    gangs = [replace(gang, instructions=[moved(code) for code in gang.instructions]) for gang in plan.gangs]
    outputs = [os.fspath(places[path]) for path in plan.outputs]
    inputs = [{**entry, "mtime_ns": Path(entry["path"]).stat().st_mtime_ns} for entry in plan.inputs]
    return replace(plan, gangs=gangs, outputs=outputs, inputs=inputs), places


def _walk(instructions: list[Json]) -> Iterator[Json]:
    for code in instructions:
        yield code
        yield from _walk(code.get("body", []))

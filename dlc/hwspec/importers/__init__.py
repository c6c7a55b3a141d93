"""Machines from descriptions that other tools write: one module a format, each text in, machine out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dlc.diagnostics import DlcError, SourceLoc

if TYPE_CHECKING:
    from dlc.hwspec.model import Machine

FORMATS = ("hwloc", "slurm")
"""What can be read: XML of hwloc's lstopo, and the configuration files of Slurm."""

_SLURM = re.compile(r"(?im)^\s*(?:NodeName|SwitchName|Name)\s*=")


def read(texts: Mapping[str, str], format: str | None = None) -> Machine:
    """The checked machine in some files, given by name; Slurm's may be several, which belong together.

    Without a `format` it is told from the text. Raises DLC415 to DLC417 for what is wrong in a file, DLC419
    when no format is given or found, and DLC403 to DLC405 for a machine that does not hold together.
    """
    found = format or _guess(texts)
    if found == "slurm":
        from dlc.hwspec.importers import slurm

        return slurm.read(texts)
    if len(texts) > 1:
        raise DlcError("DLC419", "only Slurm's files are read several at a time", help="import one by one")
    from dlc.hwspec.importers import hwloc

    ((file, text),) = texts.items()
    return hwloc.read(text, file)


def _guess(texts: Mapping[str, str]) -> str:
    for file, text in texts.items():
        if text.lstrip("\ufeff \t\r\n").startswith("<"):
            return "hwloc"
        if _SLURM.search(text):
            return "slurm"
        raise DlcError(
            "DLC419",
            f"cannot tell the format of `{file}`",
            loc=SourceLoc(file, 1),
            help=f"name it with --format: {', '.join(FORMATS)}",
        )
    raise DlcError("DLC419", "there is no file to import")

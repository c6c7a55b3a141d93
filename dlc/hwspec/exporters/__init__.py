"""Machines in the formats of other tools: one module a format, machine in, texts out."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlc.hwspec.model import Machine

FORMATS = {
    "dlti": "MLIR: a module with the system specification of the dlti dialect",
    "jsonld": "JSON-LD in terms of schema.org, the HPC ontology, QUDT and PROV-O",
    "shard": "MLIR: a module with grids of the shard dialect",
    "simgrid": "a SimGrid platform, DTD version 4.1",
    "slurm": "slurm.conf (its nodes), gres.conf and topology.conf",
}
"""What can be written."""


def write(machine: Machine, format: str) -> dict[str, str]:
    """The texts of a machine by file name, one except for Slurm. Raises DLC418 for what cannot be told."""
    module = import_module(f"dlc.hwspec.exporters.{format}")
    convert: Callable[[Machine], dict[str, str]] = module.write
    return convert(machine)

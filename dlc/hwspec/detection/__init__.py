"""Describes the machine at hand, as far as this process may use it: what Linux, NVML and Slurm tell.

`read_facts` reads, `describe` is pure. What a kernel, a container or a virtual machine hides is left out or
assumed, and marked so.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from dlc.hwspec.detection import devices, limits, processors
from dlc.hwspec.detection.describe import describe
from dlc.hwspec.detection.facts import Facts
from dlc.hwspec.detection.gpus import Nvml, gpus, library
from dlc.hwspec.detection.mpi import mpi
from dlc.hwspec.detection.slurm import allocation

__all__ = ["Facts", "describe", "read_facts"]


def read_facts(
    root: Path = Path("/"),
    cpus: frozenset[int] | None = None,
    environment: Mapping[str, str] | None = None,
    nvml: Nvml | None = None,
) -> Facts:
    """The facts of the machine whose /proc and /sys lie below `root`; `cpus` may run this process.

    What is not given is that of this process; the driver of graphics processors only together with the rest.
    """
    usable = cpus if cpus is not None else frozenset(os.sched_getaffinity(0))
    variables = os.environ if environment is None else environment
    cores = processors.cores(root, usable)
    first = min(usable, default=0)
    clock, nominal = processors.clock(root, first)
    driver = library() if nvml is None and environment is None else nvml
    return Facts(
        sockets=processors.sockets(cores),
        threads=processors.threads(cores),
        clock=clock,
        nominal=nominal,
        isa=processors.isa(root),
        caches=processors.caches(root, first),
        domains=processors.domains(root, cores),
        memory=limits.memory(root),
        memory_limit=limits.memory_limit(root),
        cpu_quota=limits.cpu_quota(root),
        disks=devices.disks(root),
        nics=devices.nics(root),
        gpus=gpus(root, variables, driver),
        allocation=allocation(variables),
        mpi=mpi(variables),
    )

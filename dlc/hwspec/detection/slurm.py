"""What Slurm has given to this job, from the environment of its processes."""

import re
from collections.abc import Iterable, Mapping
from itertools import product

from dlc.hwspec.detection.facts import Allocation

MAX_NODES = 1_000_000
_MEBI = 1 << 20


def allocation(environment: Mapping[str, str]) -> Allocation | None:
    """The allocation, None outside a job or where its variables make no sense."""
    nodes = expand(environment.get("SLURM_JOB_NODELIST") or environment.get("SLURM_NODELIST", ""))
    if not nodes:
        return None
    cpus = _repeated(environment.get("SLURM_JOB_CPUS_PER_NODE", ""), len(nodes))
    here = _count(environment, "SLURM_CPUS_ON_NODE")
    if not here and cpus:
        name = environment.get("SLURMD_NODENAME", "")
        here = cpus[nodes.index(name) if name in nodes else 0]
    # `--mem=0` asks for all the memory of a node.
    memory = _count(environment, "SLURM_MEM_PER_NODE") or _count(environment, "SLURM_MEM_PER_CPU") * here
    type_, _, gpus = environment.get("SLURM_GPUS_PER_NODE", "").rpartition(":")
    return Allocation(
        job=re.sub(r"\D", "", environment.get("SLURM_JOB_ID", ""))[:20],
        nodes=nodes,
        cpus=cpus,
        cpus_here=here,
        tasks=_count(environment, "SLURM_NTASKS"),
        memory=memory * _MEBI,
        gpus=_count(environment, "SLURM_GPUS_ON_NODE") or _whole(gpus),
        gpu_type=type_,
    )


def _count(environment: Mapping[str, str], name: str) -> int:
    return _whole(environment.get(name, ""))


def _whole(content: str) -> int:
    return int(content) if re.fullmatch(r"\d{1,9}", content) else 0


def _repeated(counts: str, nodes: int) -> tuple[int, ...]:
    """`72(x2),36` as a number for each node; empty unless there is one for each."""
    found: list[int] = []
    for entry in counts.split(","):
        match = re.fullmatch(r"([1-9]\d{0,5})(?:\(x(\d{1,7})\))?", entry)
        if match is None or len(found) + int(match[2] or 1) > nodes:
            return ()
        found += [int(match[1])] * int(match[2] or 1)
    return tuple(found) if len(found) == nodes else ()


def expand(nodes: str) -> tuple[str, ...]:
    """The names that a list such as `n[01-03,7],login` stands for, in order; empty if it is none."""
    found: list[str] = []
    for entry in re.findall(r"(?:[^,\[\]]|\[[^\]]*\])+", nodes):
        pieces: list[tuple[str, ...]] = []
        for literal, ranges in re.findall(r"([^\[\]]+)|\[([^\]]*)\]", entry):
            pieces.append((literal,) if literal else tuple(_numbers(ranges)))
        names = 1
        for piece in pieces:
            names *= len(piece)
        if not 0 < names <= MAX_NODES - len(found):
            return ()
        found += ["".join(parts) for parts in product(*pieces)]
    return tuple(found)


def _numbers(ranges: str) -> Iterable[str]:
    """`01-03,7` as 01, 02, 03, 7: leading zeros are part of a name."""
    for entry in ranges.split(","):
        match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", entry)
        if match is None or int(match[2] or 0) - int(match[1]) > MAX_NODES:
            return
        for index in range(int(match[1]), int(match[2] or match[1]) + 1):
            yield str(index).zfill(len(match[1]))

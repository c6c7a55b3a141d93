"""Facts as `.hw` text. What Linux does not tell is assumed, low, so that a prediction errs on the slow side.

`@measured` was read from the running system; `@spec("…")` is the rate that a device states for itself;
`@assumed` waits for calibration.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from dlc.hwspec.detection.attached import (
    Groups,
    attached,
    fastest,
    gpu_types,
    gpus_of_socket,
    gpus_of_sockets,
    nvlinks,
)
from dlc.hwspec.detection.facts import Allocation, Facts
from dlc.hwspec.units import text

_MEMORY_BANDWIDTH = 20e9
_SHARED_BANDWIDTH, _SHARED_LATENCY = 10e9, 1e-6
_NETWORK_BANDWIDTH, _NETWORK_LATENCY = 1.25e9, 50e-6
_CLOCK = 2e9
# Double-precision operations per cycle and core; wider units of some processors take two cycles an operation.
_FLOP_PER_CYCLE = {"avx2": 16, "avx": 8, "sve": 8, "asimd": 8, "vsx": 8}


def describe(facts: Facts) -> str:
    """The `.hw` text of these facts: one node, or all nodes of the Slurm job that this process is in."""
    lines = [
        "# Written by `dlc hw detect`. @measured: read from the running system; @spec: what a device states;",
        "# @assumed: to be replaced by `dlc hw calibrate`.",
    ]
    limits = _limited(facts)
    if sum(limits.sockets) < sum(facts.sockets):
        lines.append(f"# This process may use {sum(limits.sockets)} of {sum(facts.sockets)} cores.")
    if 0 < limits.memory < facts.memory:
        lines.append(
            f"# This process may use {text(limits.memory, 'B')} of {text(facts.memory, 'B')} of memory."
        )
    nodes = list(_nodes(limits))
    lines += [*gpu_types(limits), f"machine {'allocation' if facts.allocation else 'host'} {{", *_meta(facts)]
    for name, copies, sockets in nodes:
        lines.append(f"  node {name}{_range(copies)} {{")
        node = replace(limits, sockets=sockets)
        lines += [*_sockets(node), *attached(node)]
        bandwidth, latency = text(_SHARED_BANDWIDTH, "B/s"), text(_SHARED_LATENCY, "s")
        shared = f"scope = core; bandwidth = {bandwidth} @assumed; latency = {latency} @assumed"
        lines += [f"    interconnect shm {{ {shared} }}", "  }"]
    if sum(copies for _, copies, _ in nodes) > 1:
        lines.append(_network(facts, [(name, copies) for name, copies, _ in nodes]))
    return "\n".join([*lines, "}"]) + "\n"


def _limited(facts: Facts) -> Facts:
    """The facts as far as control groups and Slurm let this process use them."""
    total, threads = sum(facts.sockets), facts.threads
    cores = max(1, int(facts.cpu_quota)) if facts.cpu_quota else total
    job = facts.allocation
    if job and job.cpus_here and job.cpus_here != total:
        # Slurm counts threads, or cores where it is set up so: then the whole node has as many as cores.
        cores = min(cores, -(-job.cpus_here // threads))
    # A quota counts time on any core; a socket of so many cores stands for it.
    sockets = (cores,) if cores < total else facts.sockets
    sizes = (facts.memory, facts.memory_limit, job.memory if job else 0)
    memory = min((size for size in sizes if size), default=0)
    return replace(facts, sockets=sockets, memory=memory)


def _nodes(facts: Facts) -> Iterator[tuple[str, int, tuple[int, ...]]]:
    """Name, copies and sockets of each sort of node; those of a job differ in what Slurm tells of them."""
    job = facts.allocation
    if job is None:
        yield "n", 1, facts.sockets
        return
    here = job.cpus_here
    counts = Counter(job.cpus or (here,) * len(job.nodes))
    for index, (cpus, copies) in enumerate(counts.items()):
        # Only the node at hand can be looked into; others have its cores in proportion.
        cores = max(1, sum(facts.sockets) * cpus // here) if here else sum(facts.sockets)
        name = "n" if len(counts) == 1 else f"n{index}"
        yield name, copies, facts.sockets if cpus == here or not here else (cores,)


def _range(copies: int) -> str:
    return "" if copies == 1 else f"[0..{copies - 1}]"


def _meta(facts: Facts) -> list[str]:
    """What is worth knowing and no figure: models, the MPI, the job."""
    found: dict[str, str] = {"mpi": facts.mpi}
    found |= {f"disk_{disk.name}": f"{disk.model} {disk.kind}" for disk in facts.disks}
    if job := facts.allocation:
        found |= {"slurm_job": job.job, "slurm_nodes": _some(job), "slurm_tasks": str(job.tasks or "")}
    cleaned = {
        re.sub(r"\W", "_", name): re.sub(r"[^ !#-~]", "", words).strip() for name, words in found.items()
    }
    entries = [f'    {name} = "{words}"' for name, words in cleaned.items() if words]
    return ["  meta {", *entries, "  }"] if entries else []


def _some(job: Allocation) -> str:
    names = job.nodes if len(job.nodes) <= 4 else (*job.nodes[:2], "...", job.nodes[-1])
    return " ".join(names)


def _sockets(facts: Facts) -> Iterator[str]:
    """The sockets of a node, equal ones told once."""
    banks = [max(1, facts.domains.count(index)) for index in range(len(facts.sockets))]
    share = facts.memory // sum(banks)
    each = list(zip(facts.sockets, banks, gpus_of_sockets(facts), strict=True))
    if len(set(each)) == 1:
        yield from _socket(f"s{_range(len(each))}", *each[0], share, facts)
        paths = [f"s[{index}]" for index in range(len(each))] if len(each) > 1 else ["s"]
    else:
        for index, socket in enumerate(each):
            yield from _socket(f"s{index}", *socket, share, facts)
        paths = [f"s{index}" for index in range(len(each))]
    yield from nvlinks(facts, paths)


def _socket(name: str, cores: int, banks: int, gpus: Groups, share: int, facts: Facts) -> Iterator[str]:
    clock = facts.clock or _CLOCK
    mark = '@spec("cpufreq")' if facts.nominal else "@measured" if facts.clock else "@assumed"
    width = next((flops for isa, flops in _FLOP_PER_CYCLE.items() if isa in facts.isa), 4)
    rate = cores * clock * width
    yield f"    socket {name} {{"
    yield "      cpu c {"
    yield f"        cores = {cores} @measured; smt = {facts.threads} @measured"
    yield f"        clock = {text(clock, 'Hz')} {mark}"
    if facts.isa:
        quoted = ", ".join(f'"{isa}"' for isa in facts.isa)
        yield f"        isa = [{quoted}]"
    doubled = f"f64: {text(rate, 'FLOP/s')} @assumed, f32: {text(2 * rate, 'FLOP/s')} @assumed"
    yield f"        compute = {{ {doubled} }}"
    yield "      }"
    for cache in facts.caches:
        line = f"; line = {cache.line} B @measured" if cache.line else ""
        # One for some cores of a socket, as in chiplets, says for how many.
        several = cache.cpus > facts.threads and cache.instances > 1
        shared = f"; shared_by = {cache.cpus // facts.threads} @measured" if several else ""
        per = "core" if cache.cpus <= facts.threads else "socket"
        size = f"per = {per}{shared}; capacity = {text(cache.size, 'B')} @measured{line}"
        yield f"      cache {cache.name} {{ {size} }}"
    size = f"{text(share, 'B')} @measured" if share else "1 GiB @assumed"
    bandwidth = text(_MEMORY_BANDWIDTH / banks, "B/s")
    yield f"      memory ram{_range(banks)} {{ capacity = {size}; bandwidth = {bandwidth} @assumed }}"
    yield from gpus_of_socket(gpus)
    yield "    }"


def _network(facts: Facts, nodes: list[tuple[str, int]]) -> str:
    """The network that joins the nodes through their fastest interfaces; its shape is not to be seen."""
    every = [f"{name}[*]" if copies > 1 else name for name, copies in nodes]
    if facts.nics:
        ends = ", ".join(f"{node}.{nic}" for node in every for nic in fastest(facts.nics))
        return f"  network fabric : star {{ attach = [{ends}] }}"
    rate = f"bandwidth = {text(_NETWORK_BANDWIDTH, 'B/s')} @assumed"
    delay = f"latency = {text(_NETWORK_LATENCY, 's')} @assumed"
    return f"  network fabric : star {{ attach = [{', '.join(every)}]; {rate}; {delay} }}"

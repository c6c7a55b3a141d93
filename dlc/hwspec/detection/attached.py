"""What stands beside the sockets of a node, as `.hw` text: disks, network interfaces and gpus."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dlc.hwspec.detection.facts import Disk, Facts, Gpu, Nic
from dlc.hwspec.units import text

# Read and write in B/s and the delay of a request, by kind of disk; low for the kind.
_DISKS = {
    "nvme": (2e9, 1e9, 100e-6),
    "ssd": (500e6, 400e6, 100e-6),
    "hdd": (150e6, 150e6, 8e-3),
    "": (500e6, 500e6, 0.0),
}
_NIC_RATE = 1.25e9
_NIC_LATENCY = {"infiniband": 2e-6, "ethernet": 50e-6}
_GPU_LINK, _GPU_LATENCY = 8e9, 10e-6


def identifier(name: str, prefix: str) -> str:
    """A device's name as one of the language."""
    word = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return word if word[:1].isalpha() else f"{prefix}_{word}"


def attached(facts: Facts) -> Iterator[str]:
    """The lines of a node that follow its sockets."""
    for disk in facts.disks:
        yield _disk(disk)
    for nic in facts.nics:
        yield _nic(nic)


def _disk(disk: Disk) -> str:
    read, write, latency = _DISKS[disk.kind]
    rates = f"read = {text(read, 'B/s')} @assumed; write = {text(write, 'B/s')} @assumed"
    delay = f"; latency = {text(latency, 's')} @assumed" if latency else ""
    size = f"capacity = {text(disk.size, 'B')} @measured"
    return f"    disk {identifier(disk.name, 'disk')} {{ {size}; {rates}{delay} }}"


def _nic(nic: Nic) -> str:
    rate = f'{text(nic.rate, "B/s")} @spec("sysfs")' if nic.rate else f"{text(_NIC_RATE, 'B/s')} @assumed"
    delay = f"latency = {text(_NIC_LATENCY[nic.kind], 's')} @assumed"
    return f"    nic {identifier(nic.name, 'nic')} {{ bandwidth = {rate}; {delay}; duplex = full }}"


def fastest(nics: tuple[Nic, ...]) -> list[str]:
    """The names of the interfaces that carry messages between nodes: all of the fastest sort."""
    return [
        identifier(nic.name, "nic") for nic in nics if (nic.kind, nic.rate) == (nics[0].kind, nics[0].rate)
    ]


def gpu_types(facts: Facts) -> Iterator[str]:
    """A type for each model of graphics processor."""
    for gpu in dict.fromkeys(_comparable(gpu) for gpu in _all(facts)):
        yield f"type gpu {identifier(gpu.name, 'gpu')} {{"
        if gpu.clock:
            yield f'  clock = {text(gpu.clock, "Hz")} @spec("nvml")'
        rates = {"f64": gpu.f64, "f32": gpu.f32}
        known = [f"{name}: {text(rate, 'FLOP/s')} @assumed" for name, rate in rates.items() if rate]
        if known:
            yield f"  compute = {{ {', '.join(known)} }}"
        if gpu.memory:
            size = f'capacity = {text(gpu.memory, "B")} @measured("nvml")'
            rate = f'{text(gpu.bandwidth, "B/s")} @spec("nvml")' if gpu.bandwidth else "100 GB/s @assumed"
            yield f"  memory ram {{ {size}; bandwidth = {rate} }}"
        yield "}"


def _all(facts: Facts) -> tuple[Gpu, ...]:
    """Those that the driver shows, else those that Slurm speaks of."""
    job = facts.allocation
    if facts.gpus or job is None:
        return facts.gpus
    return (Gpu(job.gpu_type or "Gpu"),) * job.gpus


def _comparable(gpu: Gpu) -> Gpu:
    """A model without where it stands."""
    return replace(gpu, link=0.0, numa=-1, bus="", peers=())


Groups = tuple[tuple[Gpu, int], ...]


def gpus_of_sockets(facts: Facts) -> tuple[Groups, ...]:
    """For each socket its graphics processors, equal ones counted."""
    return tuple(
        tuple(Counter(gpu for socket, gpu in _dealt(facts) if socket == index).items())
        for index in range(len(facts.sockets))
    )


def _dealt(facts: Facts) -> list[tuple[int, Gpu]]:
    """Each graphics processor with its socket; they are dealt out evenly where nobody knows."""
    sockets, found = len(facts.sockets), _all(facts)
    dealt: list[tuple[int, Gpu]] = []
    for index, gpu in enumerate(found):
        known = 0 <= gpu.numa < len(facts.domains)
        socket = facts.domains[gpu.numa] if known else index * sockets // len(found)
        at_cpu = dict(gpu.peers).get("cpu", 0.0)
        kind = replace(gpu, link=at_cpu or gpu.link, numa=-1, bus="", peers=())
        dealt.append((min(socket, sockets - 1), kind))
    return dealt


def nvlinks(facts: Facts, sockets: Sequence[str]) -> Iterator[str]:
    """The lines of a node for what joins its graphics processors; `sockets` has the path of each socket."""
    groups, seen, paths = gpus_of_sockets(facts), Counter[tuple[int, Gpu]](), list[str]()
    for socket, gpu in _dealt(facts):
        kinds = [kind for kind, _ in groups[socket]]
        name = _name(kinds.index(gpu), len(kinds))
        several = dict(groups[socket])[gpu] > 1
        paths.append(f"{sockets[socket]}.{name}" + (f"[{seen[socket, gpu]}]" if several else ""))
        seen[socket, gpu] += 1
    places = {gpu.bus: path for gpu, path in zip(facts.gpus, paths, strict=False) if gpu.bus}
    switched: dict[float, list[str]] = {}
    for gpu, path in zip(facts.gpus, paths, strict=False):
        for peer, rate in gpu.peers:
            channel = f'bandwidth = {text(rate, "B/s")} @spec("nvml"); latency = 2 us @assumed; duplex = full'
            if peer == "switch":
                switched.setdefault(rate, []).append(path)
            elif peer in places and gpu.bus < peer:
                yield f"    link {path} <-> {places[peer]} {{ {channel} }}"
    for index, (rate, attached) in enumerate(switched.items()):
        channel = f'bandwidth = {text(rate, "B/s")} @spec("nvml"); latency = 2 us @assumed; duplex = full'
        name = "nvlink" if len(switched) == 1 else f"nvlink{index}"
        yield f"    network {name} : star {{ attach = [{', '.join(attached)}]; {channel} }}"


def _name(index: int, kinds: int) -> str:
    return "g" if kinds == 1 else f"g{index}"


def gpus_of_socket(groups: Groups) -> Iterator[str]:
    """The lines of a socket for its graphics processors, each with a link to the processor beside it."""
    for index, (gpu, count) in enumerate(groups):
        name = _name(index, len(groups))
        copies, every = (f"[0..{count - 1}]", "[*]") if count > 1 else ("", "")
        link = f'{text(gpu.link, "B/s")} @spec("nvml")' if gpu.link else f"{text(_GPU_LINK, 'B/s')} @assumed"
        delay = f"latency = {text(_GPU_LATENCY, 's')} @assumed"
        yield f"      gpu {name}{copies} : {identifier(gpu.name, 'gpu')}"
        yield f"      link c <-> {name}{every} {{ bandwidth = {link}; {delay} }}"

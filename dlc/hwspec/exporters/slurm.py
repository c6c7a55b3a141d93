"""A machine for Slurm: nodes for slurm.conf, devices for gres.conf, switches for topology.conf.

What Slurm has no word for is left out: rates, caches, and networks other than trees, which it takes as flat.
"""

from __future__ import annotations

from collections.abc import Iterator

from dlc.hwspec import topologies
from dlc.hwspec.collectives import host_memory
from dlc.hwspec.detection.slurm import expand
from dlc.hwspec.model import Machine, cores_below
from dlc.hwspec.networks import Network
from dlc.hwspec.parts import Part, Placed, steps, walk

_MIB = 1 << 20
_DEVICES = ("gpu", "accel")


def write(machine: Machine) -> dict[str, str]:
    """The three texts; gres.conf and topology.conf only where there is something to say."""
    hosts = {node.part.name: _hosts(machine, node) for node in machine.of_kind("node")}
    head = f"# Machine {machine.name}, written by dlc; only what its description tells.\n"
    lines = [_node(node, _listed(hosts[node.part.name])) for node in machine.of_kind("node")]
    texts = {"slurm.conf": [f"ClusterName={machine.name.lower()}", *lines]}
    texts["gres.conf"] = [
        line for node in machine.of_kind("node") for line in _devices(node, _listed(hosts[node.part.name]))
    ]
    texts["topology.conf"] = list(_topology(machine, hosts))
    if texts["topology.conf"]:
        texts["slurm.conf"].insert(1, "TopologyPlugin=topology/tree")
    return {name: head + "\n".join(content) + "\n" for name, content in texts.items() if content}


def _hosts(machine: Machine, node: Placed) -> tuple[str, ...]:
    """The names of the hosts: those that an import from Slurm has kept, else the part's with a number."""
    kept = expand(dict(machine.meta).get(f"slurm_{node.part.name}", ""))
    if len(kept) == node.copies:
        return kept
    name = node.part.name.replace("_", "-")
    return (name,) if node.copies == 1 else tuple(f"{name}{index}" for index in range(node.copies))


def _listed(names: tuple[str, ...]) -> str:
    """Names as a host list: runs of numbers with the same prefix and width are ranges."""
    groups: dict[tuple[str, int], list[int]] = {}
    plain: list[str] = []
    for name in names:
        prefix = name.rstrip("0123456789")
        digits = name[len(prefix) :]
        if digits:
            width = len(digits) if digits[0] == "0" and len(digits) > 1 else 0
            groups.setdefault((prefix, width), []).append(int(digits))
        else:
            plain.append(name)
    # A run may leave its zeros behind, as 08, 09, 10 do: then the width of the padded ones holds for all.
    for (prefix, width), numbers in list(groups.items()):
        if width and (prefix, 0) in groups and all(len(str(n)) == width for n in groups[prefix, 0]):
            numbers += groups.pop((prefix, 0))
    return ",".join([*(_ranges(*key, numbers) for key, numbers in groups.items()), *plain])


def _ranges(prefix: str, width: int, numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"{prefix}{str(numbers[0]).zfill(width)}"
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    texts = (
        str(first).zfill(width) + (f"-{str(last).zfill(width)}" if last > first else "")
        for first, last in runs
    )
    return f"{prefix}[{','.join(texts)}]"


def _node(node: Placed, names: str) -> str:
    inside = list(walk(node.part.parts))
    cpus = [placed for placed in inside if placed.part.kind == "cpu"]
    sockets = sum(placed.copies for placed in cpus)
    threads = max(int(placed.part.number("smt", 1) or 1) for placed in cpus)
    cores = cores_below(node.part) // sockets
    entries = [
        f"NodeName={names}",
        f"Sockets={sockets}",
        f"CoresPerSocket={cores}",
        f"ThreadsPerCore={threads}",
        f"RealMemory={host_memory(node.part) // _MIB}",
    ]
    if disk := sum(
        p.copies * int(p.part.number("capacity", 0) or 0) for p in inside if p.part.kind == "disk"
    ):
        entries.append(f"TmpDisk={disk // _MIB}")
    if devices := [f"{placed.part.kind}:{_type(placed.part)}:{placed.copies}" for placed in _held(node)]:
        entries.append(f"Gres={','.join(devices)}")
    return " ".join(entries)


def _held(node: Placed) -> list[Placed]:
    """The devices of one node, each sort once."""
    return [placed for placed in walk(node.part.parts) if placed.part.kind in _DEVICES]


def _type(device: Part) -> str:
    return (device.type or device.name).lower().replace("-", "_")


def _devices(node: Placed, names: str) -> Iterator[str]:
    """Lines of gres.conf; which device files stand for them, a description does not tell."""
    for placed in _held(node):
        yield f"NodeName={names} Name={placed.part.kind} Type={_type(placed.part)} Count={placed.copies}"


def _topology(machine: Machine, hosts: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """A tree of switches: what the links to `switch` parts say, else the leaves of a network."""
    if any(placed.part.kind == "switch" and not placed.parents for placed in machine.placed):
        yield from _switches(machine, hosts)
        return
    for placed in machine.of_kind("network"):
        network = Network(placed.part, machine.tree)
        members = _members(network, hosts)
        if placed.parents or {name for name, _ in members} != {h for names in hosts.values() for h in names}:
            continue
        match network.topology:
            case topologies.Star():
                leaves = [[name for name, _ in members]]
            case topologies.FatTree(down, _) if len(down) > 1:
                leaves = _cut(members, down[0])
            case topologies.Dragonfly(_, routers, per_router):
                leaves = _cut(members, routers * per_router)
            case _:
                return
        for index, leaf in enumerate(leaves):
            yield f"SwitchName={placed.part.name}{index} Nodes={_listed(tuple(dict.fromkeys(leaf)))}"
        if len(leaves) > 1:
            yield f"SwitchName={placed.part.name}-top Switches={placed.part.name}[0-{len(leaves) - 1}]"
        return


def _cut(members: list[tuple[str, int]], size: int) -> list[list[str]]:
    """The hosts by the switch that their first wire leads to."""
    leaves: dict[int, list[str]] = {}
    seen: set[str] = set()
    for name, number in members:
        if name not in seen:
            seen.add(name)
            leaves.setdefault(number // size, []).append(name)
    return list(leaves.values())


def _members(network: Network, hosts: dict[str, tuple[str, ...]]) -> list[tuple[str, int]]:
    """The host of each part that a network joins, with the part's number; only nodes beside the network."""
    found: list[tuple[str, int]] = []
    for path in network.part.texts("attach"):
        head, *rest = steps(path)
        if head.name not in hosts:
            continue
        names = hosts[head.name]
        part = next(part for part in network.siblings if part.name == head.name)
        width = 1
        for step in rest:
            part = next(inner for inner in part.parts if inner.name == step.name)
            width *= part.copies if step.last is None else step.last - step.first + 1
        last = len(names) - 1 if head.last is None else head.last
        for name in names[head.first : last + 1]:
            found += [(name, len(found) + offset) for offset in range(width)]
    return found


def _switches(machine: Machine, hosts: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """One line a switch, from the links that end at it: nodes below it, or switches of lower number."""
    below: dict[str, tuple[list[str], list[str]]] = {}
    kinds = {part.name: part.kind for part in machine.tree}
    counts = {part.name: part.copies for part in machine.tree}
    for link in (part for part in machine.tree if part.kind == "link"):
        lower, upper = (steps(path)[0] for path in link.texts("ends"))
        if kinds.get(lower.name) == "switch" and kinds.get(upper.name) != "switch":
            lower, upper = upper, lower
        if kinds.get(upper.name) != "switch" or kinds.get(lower.name) not in ("switch", "node"):
            continue
        last = counts[lower.name] - 1 if lower.last is None else lower.last
        indices = range(lower.first, last + 1)
        children = [hosts[lower.name][i] if lower.name in hosts else f"{lower.name}{i}" for i in indices]
        line = below.setdefault(f"{upper.name}{upper.first}", ([], []))
        line[0 if lower.name in hosts else 1].extend(children)
    for name, (nodes, switches) in below.items():
        nodes_text = f" Nodes={_listed(tuple(nodes))}" if nodes else ""
        switches_text = f" Switches={_listed(tuple(switches))}" if switches else ""
        yield f"SwitchName={name}{nodes_text}{switches_text}"

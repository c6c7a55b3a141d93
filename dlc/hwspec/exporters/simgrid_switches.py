"""Nodes and switches that links join, as a zone of SimGrid in which it looks for the shortest ways.

Of several ways SimGrid takes the one over the fewest links, dlc the fastest; in a tree there is but one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from dlc.diagnostics import DlcError
from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Part, steps

_MAX_LINKS = 1 << 18


def routers(machine: Machine) -> list[str]:
    """The names of all switches; none where links join nodes directly."""
    return [name for part in machine.tree if part.kind == "switch" for name in _names(part)]


def links(machine: Machine) -> Iterator[str]:
    """The lines of all links. Raises DLC418 for what links join besides nodes and switches."""
    parts = {part.name: part for part in machine.tree if part.name}
    wires: dict[tuple[str, str], tuple[float, float, str]] = {}
    for link in (part for part in machine.tree if part.kind == "link"):
        (first, a), (second, b) = (_ends(path, parts) for path in link.texts("ends"))
        if {first.kind, second.kind} - {"node", "switch"} or len(wires) > _MAX_LINKS or link.get("directed"):
            raise DlcError(
                "DLC418",
                f"SimGrid has no words for {link.label}",
                loc=link.loc,
                help="it has at most 2^18 links in both directions, between nodes and switches",
            )
        # Half of a switch's delay lies on each of the links that a message passes it by.
        delay = _delay(link) + sum(_delay(end) / 2 for end in (first, second) if end.kind == "switch")
        for ends in product(a, b):
            before = wires.get(ends, (0.0, 0.0, ""))[0]
            wires[ends] = before + (link.rate or 0.0), delay, _policy(link)
    for index, ((a, b), (rate, delay, policy)) in enumerate(wires.items()):
        attributes = f'bandwidth="{rate!r}Bps" latency="{delay!r}s" sharing_policy="{policy}"'
        up = ' direction="UP"' if policy == "SPLITDUPLEX" else ""
        yield f'<link id="link-{index}" {attributes}/>'
        yield f'<route src="{a}" dst="{b}"><link_ctn id="link-{index}"{up}/></route>'


def _ends(path: str, parts: dict[str, Part]) -> tuple[Part, list[str]]:
    step = steps(path)[0]
    part = parts[step.name]
    last = part.copies - 1 if step.last is None else step.last
    return part, _names(part)[step.first : last + 1]


def _names(part: Part) -> list[str]:
    return [f"{part.name}-{index}" for index in range(part.copies)]


def _delay(part: Part) -> float:
    return sum(part.number(name, 0.0) or 0.0 for name in ("latency", "overhead"))


def _policy(link: Part) -> str:
    if link.text("sharing") == "fatpipe":
        return "FATPIPE"
    return "SHARED" if link.text("duplex") == "half" else "SPLITDUPLEX"

"""The grids of a machine as `shard.grid` of MLIR's shard dialect.

Each `grid` of the description is one. Without any, each kind of node gives one: its copies by the processors
that compute in a copy.
"""

from __future__ import annotations

from collections.abc import Iterator

from dlc.hwspec.model import Machine
from dlc.hwspec.parts import walk


def write(machine: Machine) -> dict[str, str]:
    """A module of grids."""
    grids = "".join(
        f"  shard.grid @{name.replace('-', '_')}(shape = {'x'.join(map(str, shape))})\n"
        for name, shape in _grids(machine)
    )
    return {f"{machine.name}.mlir": f"module @{machine.name.replace('-', '_')} {{\n{grids}}}\n"}


def _grids(machine: Machine) -> Iterator[tuple[str, tuple[int, ...]]]:
    described = machine.of_kind("grid")
    for placed in described:
        shape = placed.part.get("shape")
        yield placed.part.name, tuple(int(extent) for extent in shape) if isinstance(shape, tuple) else ()
    if not described:
        nodes = machine.of_kind("node")
        for node in nodes:
            inside = list(walk(node.part.parts))
            kinds = ("gpu", "accel") if any(p.part.kind in ("gpu", "accel") for p in inside) else ("cpu",)
            width = sum(placed.copies for placed in inside if placed.part.kind in kinds)
            yield node.part.name, (node.copies, width)

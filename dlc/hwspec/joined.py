"""Whether links and networks join all nodes, without a look at each: nodes that are named alike are one.

The paths that stand among the parts of a machine cut the copies of each part into runs of equal ones. What a
link or a network joins is one group of runs, and all nodes must come to be in one group. What joins the nodes
within a `cluster` or `group` is not looked at here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from dlc.diagnostics import DlcError
from dlc.hwspec.graph import holds_nodes
from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Part, steps

_Run = tuple[str, int]
"""Name of a part, and the number of a run of its copies."""


def apart(machine: Machine) -> Iterator[DlcError]:
    """`DLC405` for the first nodes, if any, that nothing joins to the first of all."""
    if any(part.kind == "interconnect" for part in machine.tree):
        return  # a medium among nodes joins them all
    parts = {part.name: part for part in machine.tree if part.name}
    joints = [
        (part, [*part.texts("ends"), *part.texts("attach")])
        for part in machine.tree
        if part.kind in ("link", "network")
    ]
    cuts: dict[str, set[int]] = {name: {0, part.copies} for name, part in parts.items()}
    for _, paths in joints:
        for name, first, last in (_span(path, parts) for path in paths):
            cuts[name] |= {first, last + 1}
    starts = {name: sorted(found) for name, found in cuts.items()}
    above: dict[_Run, _Run] = {}

    def top(run: _Run) -> _Run:
        while (higher := above.get(run, run)) != run:
            above[run] = above.get(higher, higher)
            run = higher
        return run

    for part, paths in joints:
        runs = [(part.name, 0)] if part.kind == "network" else []
        for name, first, last in (_span(path, parts) for path in paths):
            numbers = range(bisect_left(starts[name], first), bisect_left(starts[name], last + 1))
            runs += [(name, number) for number in numbers]
        for run in runs[1:]:
            above[top(run)] = top(runs[0])
    nodes = [
        (part, (part.name, number))
        for part in machine.tree
        if holds_nodes(part)
        for number in range(len(starts[part.name]) - 1)
    ]
    for part, run in nodes[1:]:
        if top(run) != top(nodes[0][1]):
            first, other = (
                _instance(parts[name], starts[name][number]) for name, number in (nodes[0][1], run)
            )
            message = f"nothing joins `{first}` and `{other}`"
            yield DlcError("DLC405", message, loc=part.loc, help="add a `link` or a `network`")
            return


def _span(path: str, parts: dict[str, Part]) -> tuple[str, int, int]:
    """The part at the head of a path, and the first and last of its copies that it selects."""
    step = steps(path)[0]
    return step.name, step.first, parts[step.name].copies - 1 if step.last is None else step.last


def _instance(part: Part, index: int) -> str:
    return part.name if part.count is None else f"{part.name}[{index}]"

"""How many messages of a pattern go over each wire of a network: array arithmetic for each of its shapes.

Parts of a network are numbered as `hwspec.topologies` has it, and messages take the ways that it tells.
Equal messages are one entry with a count. Messages of one size that begin together and share all wires fairly
have all arrived when the fullest wire has carried its messages: it is the first that max-min filling fixes,
and what other messages get cannot slow it. So the fullest wire is all that a round of a collective needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dlc.hwspec.topologies import Dragonfly, FatTree, Rails, Topology, Torus

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass
class Wires:
    """Messages over equal wires, in both directions; a wire has the same place in each.

    `number` is how many there are in the part of the network that is in use, 0 for those with messages.
    """

    ahead: Floats
    back: Floats
    number: int = 0

    def fullest(self, *, half: bool, mean: bool = False) -> float:
        """Messages that share a wire, of each direction or of both if half-duplex: the most, or the mean."""
        loads = [self.ahead + self.back] if half else [self.ahead, self.back]
        if mean:
            return max(float(each.sum()) / (self.number or np.count_nonzero(each) or 1) for each in loads)
        return max(float(each.max(initial=0.0)) for each in loads)


@dataclass
class Spread:
    """Messages on a network. `ports` are the wires of the parts, or what leads to them if they are routers.

    `inner` has the wires between switches, one entry for each kind, `most` how many of them lie on the
    longest way, `passed` how many all messages pass together, and `reach` counts messages by the farthest
    kind of wire that they use.
    """

    ports: Wires
    inner: list[Wires] = field(default_factory=list[Wires])
    most: int = 0
    passed: float = 0.0
    reach: dict[str, float] = field(default_factory=dict[str, float])

    def count(self, name: str, messages: Floats, wires: Ints | int) -> None:
        """Count messages that reach so far, over so many inner wires each."""
        if messages.size:
            self.reach[name] = self.reach.get(name, 0.0) + float(messages.sum())
            self.most = max(self.most, int(np.max(wires)))
            self.passed += float((messages * wires).sum())


def spread(shape: Topology, source: Ints, target: Ints, messages: Floats) -> Spread:
    """Where messages go, of which there are so many from each source to the target beside it."""
    match shape:
        case FatTree():
            return _fat_tree(shape, source, target, messages, _level)
        case Rails():
            # A rail is a leaf of the tree; ports are the same in either numbering.
            places = (_on_rails(shape, source), _on_rails(shape, target))
            return _fat_tree(shape.tree, *places, messages, _rail)
        case Torus():
            return _torus(shape, source, target, messages)
        case Dragonfly():
            return _dragonfly(shape, source, target, messages)
        case _:
            found = Spread(_ports(source, target, messages))
            found.count("", messages, 0)
            return found


def _add(places: Ints, messages: Floats, size: int = 0) -> Floats:
    return np.bincount(places, messages, minlength=size).astype(np.float64, copy=False)


def _pair(ahead: tuple[Ints, Floats], back: tuple[Ints, Floats], number: int = 0) -> Wires:
    """Wires at places, which are packed when there are many more of them than messages."""
    places = np.concatenate([ahead[0], back[0]])
    size = int(places.max()) + 1 if places.size else 0
    if size > 4 * places.size:
        places = np.unique(places, return_inverse=True)[1]
        size = int(places.max()) + 1
    cut = ahead[0].size
    return Wires(_add(places[:cut], ahead[1], size), _add(places[cut:], back[1], size), number)


def _ports(source: Ints, target: Ints, messages: Floats) -> Wires:
    return _pair((source, messages), (target, messages))


def _used(source: Ints, target: Ints) -> int:
    """Parts in use, which are the first ones."""
    return int(max(source.max(), target.max())) + 1


def _level(level: int) -> str:
    return f"over level {level}" if level else "within a leaf"


def _rail(level: int) -> str:
    return "over spines" if level else "on a rail"


def _fat_tree(
    shape: FatTree, source: Ints, target: Ints, messages: Floats, name: Callable[[int], str]
) -> Spread:
    found = Spread(_ports(source, target, messages))
    width, parents, parts = shape.down[0], 1, _used(source, target)
    rest, above = target, np.zeros_like(target)
    for level in range(len(shape.down)):
        climbs = source // width != target // width
        found.count(name(level), messages[~climbs], 2 * level)
        source, target, messages = source[climbs], target[climbs], messages[climbs]
        if not source.size:
            break
        # As the wires: the receiver decides by which parents, and a cable has the same parent at both ends.
        up = shape.up[level]
        above = above[climbs] * up + rest[climbs] % up
        rest, parents = rest[climbs] // up, parents * up
        climb, fall = (ends // width * parents + above for ends in (source, target))
        found.inner.append(_pair((climb, messages), (fall, messages), -(-parts // width) * parents))
        width *= shape.down[level + 1]
    return found


def _on_rails(shape: Rails, part: Ints) -> Ints:
    """Where the tree of the rails has a part: rail by rail within its unit."""
    node, rail = np.divmod(part, shape.rails)
    unit, inside = np.divmod(node, shape.tree.down[0])
    return (unit * shape.rails + rail) * shape.tree.down[0] + inside


def _torus(shape: Torus, source: Ints, target: Ints, messages: Floats) -> Spread:
    found = Spread(_ports(source, target, messages))
    hops, here, step = np.zeros_like(source), source, shape.places
    for extent in shape.dims:
        step //= extent
        start, goal = here // step % extent, target // step % extent
        ahead, back = (goal - start) % extent, (start - goal) % extent
        forward = ahead <= back if shape.wrap else goal > start
        corner = here - start * step  # the first place of the line along the axis
        lines, line = np.unique(corner, return_inverse=True)
        # A wire is named by its lower end: the way back from s to g has the wires from g to s.
        there, again = (
            _ranges((len(lines), extent), line[chosen], first[chosen], length[chosen], messages[chosen])
            for chosen, first, length in ((forward, start, ahead), (~forward, goal, back))
        )
        found.inner.append(Wires(there, again))
        hops += np.where(forward, ahead, back)
        here = corner + goal * step
    found.count("", messages, hops - 1)
    return found


def _ranges(shape: tuple[int, int], line: Ints, first: Ints, length: Ints, messages: Floats) -> Floats:
    """Messages over each wire of lines that close to rings, if each takes `length` wires from `first` on."""
    lines, extent = shape
    row = line * (2 * extent)
    change = _add(row + first, messages, lines * 2 * extent) - _add(
        row + first + length, messages, lines * 2 * extent
    )
    carried = change.reshape(lines, 2 * extent).cumsum(axis=1)
    return (carried[:, :extent] + carried[:, extent:]).reshape(-1)


def _dragonfly(shape: Dragonfly, source: Ints, target: Ints, messages: Floats) -> Spread:
    found = Spread(_ports(source, target, messages))
    here, goal = source // shape.hosts, target // shape.hosts
    ours, theirs = here // shape.routers, goal // shape.routers
    groups = -(-_used(source, target) // (shape.routers * shape.hosts))
    far = ours != theirs
    alike = here == goal
    found.count("within a router", messages[alike], 0)
    found.count("within a group", messages[~(far | alike)], 1)
    a, b, count = here[~far], goal[~far], messages[~far]
    if far.any():
        here, goal, ours, theirs, messages = here[far], goal[far], ours[far], theirs[far], messages[far]
        number = target[far] % shape.pair
        door, entrance = _door(shape, ours, theirs, number), _door(shape, theirs, ours, number)
        inner = 1 + (here != door).astype(np.int64) + (entrance != goal)
        found.count("between groups", messages, inner)
        forward = ours < theirs
        low, high = np.minimum(ours, theirs), np.maximum(ours, theirs)
        cable = (low * shape.groups + high) * shape.pair + number
        found.inner.append(_directed(cable, forward, messages, groups * (groups - 1) // 2 * shape.pair))
        a, b = np.concatenate([a, here, entrance]), np.concatenate([b, door, goal])
        count = np.concatenate([count, messages, messages])
    moves = a != b
    a, b, count = a[moves], b[moves], count[moves]
    forward = a < b
    low, high = np.minimum(a, b), np.maximum(a, b)
    cable = low * shape.routers + high - high // shape.routers * shape.routers
    between = shape.routers * (shape.routers - 1) // 2
    found.inner.append(_directed(cable, forward, count, groups * between))
    return found


def _directed(cable: Ints, forward: npt.NDArray[np.bool_], messages: Floats, number: int) -> Wires:
    back = ~forward
    return _pair((cable[forward], messages[forward]), (cable[back], messages[back]), number)


def _door(shape: Dragonfly, group: Ints, other: Ints, number: Ints) -> Ints:
    """The router of a group with wire `number` to another group."""
    offset = other - group - 1
    offset[offset < 0] += shape.groups
    return group * shape.routers + (offset * shape.pair + number) // shape.links

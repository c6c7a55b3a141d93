"""Shapes of networks as arithmetic: which wires a message takes, and how many wires the worst even cut has.

Parts that a network joins are numbered from 0 in the order in which it attaches them. Switches and wires are
computed from these numbers, never listed, so a network of 100,000 parts costs what one of ten does.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dlc.hwspec.parts import Table

MAX_LEVELS = 32
"""Levels of a fat tree."""

MAX_AROUND = 1 << 14
"""Parts along all axes of a torus together, which bounds the length of a way."""


@dataclass(frozen=True)
class Wire:
    """One wire on a way: `cable` names it, `forward` is the direction on it, `switch` stands at its far end.

    `switch` is empty at the receiver. `inner` wires lead on from a switch to another and add a delay.
    """

    cable: str
    forward: bool
    switch: str
    inner: bool


class Topology(Protocol):
    """What all shapes answer."""

    @property
    def places(self) -> int:
        """How many parts fit."""
        ...

    def way(self, a: int, b: int) -> tuple[Wire, ...]:
        """The wires from part `a` to part `b`, two different ones."""
        ...

    def bisection(self, parts: int) -> float:
        """Wires, in one direction, between the halves of `parts` parts that fill the network in order."""
        ...


def _up(a: int, switch: str) -> Wire:
    return Wire(f"host {a}", forward=True, switch=switch, inner=False)


def _down(b: int) -> Wire:
    return Wire(f"host {b}", forward=False, switch="", inner=False)


@dataclass(frozen=True)
class Star:
    """One switch that never blocks."""

    places: int

    def way(self, a: int, b: int) -> tuple[Wire, ...]:
        """Up to the switch and down."""
        return _up(a, "switch"), _down(b)

    def bisection(self, parts: int) -> float:
        """The wires of one half of the parts."""
        return parts / 2


@dataclass(frozen=True)
class FatTree:
    """An extended generalised fat tree (Öhring et al., IPPS 1995), leaf level first.

    A switch of level l has `down[l]` children, and `up[l]` parents below the top level.
    """

    down: tuple[int, ...]
    up: tuple[int, ...]

    @property
    def places(self) -> int:
        """All leaves' parts."""
        return math.prod(self.down)

    def way(self, a: int, b: int) -> tuple[Wire, ...]:
        """Up to the lowest common level and down; the parents taken follow from the receiver (D-mod-k).

        That spreads the receivers below a leaf over its uplinks: Zahavi, "D-Mod-K routing", 2010.
        """
        level, width, copy, rest = 0, self.down[0], 0, b
        ascent: list[tuple[str, str]] = []
        descent: list[tuple[str, str]] = []
        first = _up(a, _switch(0, a // width, 0))
        while a // width != b // width:
            parents = self.up[level]
            parent, rest = rest % parents, rest // parents
            above = copy * parents + parent
            grown = width * self.down[level + 1]
            climbed = _switch(level + 1, a // grown, above)
            ascent.append((f"{_switch(level, a // width, copy)} up {parent}", climbed))
            descent.append(
                (f"{_switch(level, b // width, copy)} up {parent}", _switch(level, b // width, copy))
            )
            level, width, copy = level + 1, grown, above
        return (
            first,
            *(Wire(cable, forward=True, switch=switch, inner=True) for cable, switch in ascent),
            *(Wire(cable, forward=False, switch=switch, inner=True) for cable, switch in reversed(descent)),
            _down(b),
        )

    def bisection(self, parts: int) -> float:
        """Half of the parts, less where the uplinks of a subtree are fewer than what is below it."""
        share, hosts, uplinks = 1.0, 1, 1
        for below, parents in zip(self.down, self.up, strict=False):
            hosts, uplinks = hosts * below, uplinks * parents
            if hosts < parts:
                share = min(share, uplinks / hosts)
        return parts / 2 * share


def _switch(level: int, subtree: int, copy: int) -> str:
    return f"level {level} switch {subtree}.{copy}"


@dataclass(frozen=True)
class Rails:
    """A two-level fat tree that joins part r of each node of a unit, a rail, at one leaf switch.

    The parts are numbered node by node: part i is on rail i mod `rails`.
    """

    rails: int
    tree: FatTree

    @property
    def places(self) -> int:
        """All leaves' parts."""
        return self.tree.places

    def way(self, a: int, b: int) -> tuple[Wire, ...]:
        """Through one leaf on the same rail of a unit, otherwise over a spine."""
        first, *between, _ = self.tree.way(self._place(a), self._place(b))
        return _up(a, first.switch), *between, _down(b)

    def _place(self, part: int) -> int:
        """Where the tree has a part: rail by rail within its unit."""
        node, rail = divmod(part, self.rails)
        unit, inside = divmod(node, self.tree.down[0])
        return (unit * self.rails + rail) * self.tree.down[0] + inside

    def bisection(self, parts: int) -> float:
        """That of the tree; one unit alone is cut within its leaves."""
        return self.tree.bisection(parts) if parts > self.rails * self.tree.down[0] else parts / 2


@dataclass(frozen=True)
class Torus:
    """A grid in which every part is its own router; the last axis runs fastest."""

    dims: tuple[int, ...]
    wrap: bool

    @property
    def places(self) -> int:
        """All points of the grid."""
        return math.prod(self.dims)

    def way(self, a: int, b: int) -> tuple[Wire, ...]:
        """Axis by axis, each the shorter way round."""
        here, goal = self._point(a), self._point(b)
        wires: list[Wire] = []
        for axis, extent in enumerate(self.dims):
            while here[axis] != goal[axis]:
                ahead = (goal[axis] - here[axis]) % extent
                back = (here[axis] - goal[axis]) % extent
                forward = ahead <= back if self.wrap else goal[axis] > here[axis]
                behind = tuple(here)
                here[axis] = (here[axis] + (1 if forward else -1)) % extent
                start = behind if forward else tuple(here)
                last = here == goal
                wires.append(
                    Wire(f"{_point(start)} axis {axis}", forward, "" if last else _point(here), bool(wires))
                )
        return tuple(wires)

    def _point(self, part: int) -> list[int]:
        point: list[int] = []
        for extent in reversed(self.dims):
            part, index = divmod(part, extent)
            point.insert(0, index)
        return point

    def bisection(self, parts: int) -> float:
        """The wires across the middle of the longest axis, twice as many where it closes to a ring."""
        longest = max(self.dims)
        return (
            math.prod(self.dims)
            / longest
            * (2 if self.wrap and longest > 2 else 1)
            * min(1, parts / self.places)
        )


def _point(point: list[int] | tuple[int, ...]) -> str:
    return ",".join(map(str, point))


@dataclass(frozen=True)
class Dragonfly:
    """Groups of routers, all to all within a group, and `links` wires of each router to other groups.

    Kim et al., "Technology-driven, highly-scalable dragonfly topology", ISCA 2008. Links left over when the
    other groups have had equally many are not used.
    """

    groups: int
    routers: int
    hosts: int
    links: int

    @property
    def places(self) -> int:
        """The parts of all routers."""
        return self.groups * self.routers * self.hosts

    @property
    def pair(self) -> int:
        """Wires between two groups."""
        return self.routers * self.links // max(1, self.groups - 1)

    def way(self, a: int, b: int) -> tuple[Wire, ...]:
        """The minimal way: at most one wire between groups, and one before and after it."""
        here, goal = a // self.hosts, b // self.hosts
        wires = [_up(a, _router(here))]
        ours, theirs = here // self.routers, goal // self.routers
        if ours != theirs:
            number = b % self.pair
            door, entrance = self._door(ours, theirs, number), self._door(theirs, ours, number)
            wires += self._across(here, door)
            cable = f"groups {min(ours, theirs)}-{max(ours, theirs)} wire {number}"
            wires.append(Wire(cable, forward=ours < theirs, switch=_router(entrance), inner=True))
            here = entrance
        return (*wires, *self._across(here, goal), _down(b))

    def _door(self, group: int, other: int, number: int) -> int:
        """The router of `group` with wire `number` to the group `other`."""
        offset = (other - group - 1) % self.groups
        return group * self.routers + (offset * self.pair + number) // self.links

    def _across(self, here: int, goal: int) -> list[Wire]:
        """The wire between two routers of a group."""
        if here == goal:
            return []
        cable = f"routers {min(here, goal)}-{max(here, goal)}"
        return [Wire(cable, forward=here < goal, switch=_router(goal), inner=True)]

    def bisection(self, parts: int) -> float:
        """The wires between halves of the groups, or within a group those between halves of its routers."""
        groups = min(self.groups, math.ceil(parts / (self.routers * self.hosts)))
        routers = min(self.routers, math.ceil(parts / self.hosts))
        between = self.pair * _halves(groups) if groups > 1 else _halves(routers) if routers > 1 else math.inf
        return min(parts / 2, between)


def _router(number: int) -> str:
    return f"router {number}"


def _halves(count: int) -> int:
    return (count // 2) * (count - count // 2)


def make(name: str, arguments: Table, parts: int) -> Topology:
    """The shape of that name for so many parts; ValueError says what is wrong with the arguments."""
    shape = _MAKERS[name](arguments, parts)
    if shape.places < parts:
        raise ValueError(
            f"has {shape.places} {'ports' if name == 'star' else 'places'} for {parts} attached parts"
        )
    return shape


def _star(arguments: Table, parts: int) -> Star:
    return Star(arguments.count("ports") or parts)


def _fat_tree(arguments: Table, parts: int) -> FatTree:
    down, up = arguments.counts("down"), arguments.counts("up")
    levels, radix = arguments.count("levels"), arguments.count("radix")
    if down:
        if len(up) != len(down) - 1:
            raise ValueError(f"has {len(down)} levels and {len(up)} counts of uplinks, not {len(down) - 1}")
        if levels not in (0, len(down)):
            raise ValueError(f"has {levels} levels and {len(down)} counts of children")
        return FatTree(down, up)
    if not radix:
        raise ValueError("needs `radix` or `down` and `up`")
    # A leaf switch gives `taper` ports to parts for one to the level above; the levels between divide evenly.
    levels = levels or _levels(radix, parts)
    if levels > MAX_LEVELS:
        raise ValueError(f"has {levels} levels, more than {MAX_LEVELS}")
    leaf = round(radix * (taper := arguments.number("taper", 1.0)) / (1 + taper))
    if levels == 1:
        return FatTree((radix,), ())
    if not 0 < leaf < radix:
        raise ValueError(f"has switches of {radix} ports, too few for a taper of {taper:g}")
    middle = (radix // 2,) * (levels - 2)
    return FatTree((leaf, *middle, radix), (radix - leaf, *middle))


def _levels(radix: int, parts: int) -> int:
    """The fewest levels of switches that hold so many parts without a taper."""
    levels, places = 1, radix
    while places < parts and radix > 3:
        levels, places = levels + 1, places * (radix // 2)
    return levels


def _rails(arguments: Table, parts: int) -> Rails:
    rails, nodes = arguments.count("rails"), arguments.count("nodes")
    if parts % rails:
        raise ValueError(f"has {rails} rails, of which {parts} attached parts are no multiple")
    units = math.ceil(parts / (rails * nodes))
    return Rails(rails, FatTree((nodes, rails * units), (arguments.count("uplinks") or nodes,)))


def _torus(arguments: Table, _parts: int) -> Torus:
    shape = Torus(arguments.counts("dims"), arguments.flag("wrap", default=True))
    if sum(shape.dims) > MAX_AROUND:
        raise ValueError(f"is {sum(shape.dims)} parts around, more than {MAX_AROUND}")
    return shape


def _dragonfly(arguments: Table, _parts: int) -> Dragonfly:
    groups, routers, hosts = (arguments.count(name) for name in ("groups", "routers", "hosts"))
    shape = Dragonfly(groups, routers, hosts, arguments.count("links"))
    if groups > 1 and not shape.pair:
        raise ValueError(
            f"has {groups} groups, and {routers * shape.links} links of each do not reach all others"
        )
    return shape


_MAKERS: dict[str, Callable[[Table, int], Topology]] = {
    "star": _star,
    "fat_tree": _fat_tree,
    "rail_optimised": _rails,
    "torus": _torus,
    "dragonfly": _dragonfly,
}

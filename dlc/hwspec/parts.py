"""The parts of a machine as plain data: quantities, parts, types, and paths that select parts.

Instances are counted, never expanded: a part stands for all its copies, so a large machine costs what a small
one does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from dlc.diagnostics import DlcError, SourceLoc, suggest

MAX_PARTS = 100_000
"""Parts that a description may come to once its types are filled in."""

MAX_HEIGHT = 32
"""Levels of parts within parts, and of types within types."""


@dataclass(frozen=True)
class Provenance:
    """Where a number comes from: `kind` is spec, measured or assumed; `spread` 0.03 stands for ± 3 %."""

    kind: str = "assumed"
    source: str = ""
    spread: float = 0.0


@dataclass(frozen=True)
class Quantity:
    """A number in a base unit, and where it comes from."""

    value: float
    unit: str
    provenance: Provenance = Provenance()


@dataclass(frozen=True)
class Counts:
    """Whole numbers in order, such as the extents of a torus."""

    items: tuple[Quantity, ...]


Entry = Quantity | Counts | bool


@dataclass(frozen=True)
class Table:
    """Entries by name: rates by element type, or the arguments of a topology."""

    entries: tuple[tuple[str, Entry], ...]

    def get(self, name: str) -> Quantity | None:
        """The quantity of that name, if any."""
        entry = dict(self.entries).get(name)
        return entry if isinstance(entry, Quantity) else None

    def number(self, name: str, default: float) -> float:
        """The quantity of that name in its base unit, or `default`."""
        entry = self.get(name)
        return default if entry is None else entry.value

    def count(self, name: str) -> int:
        """The whole number of that name, 0 without one."""
        return int(self.number(name, 0))

    def counts(self, name: str) -> tuple[int, ...]:
        """The list of whole numbers of that name, empty without one."""
        entry = dict(self.entries).get(name)
        return tuple(int(item.value) for item in entry.items) if isinstance(entry, Counts) else ()

    def flag(self, name: str, *, default: bool) -> bool:
        """The flag of that name, or `default`."""
        entry = dict(self.entries).get(name)
        return entry if isinstance(entry, bool) else default


Value = Entry | Table | str | tuple[str, ...] | tuple[int, ...]
Properties = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Part:
    """A part with all its copies; `count` is None without a range: one copy, or as many as what it overrides.

    Before `resolve` a part holds only what its own block says; afterwards also what its type says.
    Links have no name; their ends are the property `ends`.
    """

    kind: str
    name: str
    count: int | None = None
    type: str = ""
    properties: Properties = ()
    parts: tuple["Part", ...] = ()
    loc: SourceLoc = field(default=SourceLoc("", 0), compare=False)
    size: int = field(init=False, compare=False, repr=False)
    """Number of parts here and below, copies not counted."""
    height: int = field(init=False, compare=False, repr=False)
    """Number of levels here and below."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 1 + sum(part.size for part in self.parts))
        object.__setattr__(self, "height", 1 + max((part.height for part in self.parts), default=0))

    @property
    def copies(self) -> int:
        """The number of instances, at least 1."""
        return 1 if self.count is None else self.count

    def get(self, name: str) -> Value | None:
        """The property of that name, if any."""
        return next((value for key, value in self.properties if key == name), None)

    def number(self, name: str, default: float | None = None) -> float | None:
        """The value of a quantity in its base unit, or `default`."""
        value = self.get(name)
        return value.value if isinstance(value, Quantity) else default

    def text(self, name: str, default: str = "") -> str:
        """The value of a text, choice, type or path property, or `default`."""
        value = self.get(name)
        return value if isinstance(value, str) else default

    def texts(self, name: str) -> tuple[str, ...]:
        """The value of a property that lists texts or paths; empty when it is left out."""
        value = self.get(name)
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()

    @property
    def rate(self) -> float | None:
        """What a channel really carries in one direction, B/s: `sustained`, else `bandwidth`."""
        return self.number("sustained", self.number("bandwidth"))

    @property
    def label(self) -> str:
        """How messages name the part."""
        ends = self.texts("ends")
        return f"{self.kind} {' <-> '.join(ends)}" if ends else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Type:
    """A named prototype; `part.name` is the name of the type and `base` the type that it extends, or ""."""

    part: Part
    base: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a path: the instances `first..last` of a part, or all of them when `last` is None."""

    name: str
    first: int = 0
    last: int | None = None
    explicit: bool = True


_STEP = re.compile(r"([A-Za-z_][\w-]*)(?:\[(?:(\*)|(\d{1,12})(?:\.\.(\d{1,12}))?)\])?")


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[Step, ...]:
    """The steps of a path such as `n[0..3].s[*].cpu`; raises `ValueError` when it is none."""
    return tuple(_step(text) for text in re.split(r"\.(?![^\[]*\])", path))


def _step(text: str) -> Step:
    match = _STEP.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is not a step of a path")
    name, star, first, last = match.groups()
    if first is not None:
        return Step(name, int(first), int(last or first))
    return Step(name, explicit=star is not None)


def quantities(properties: Properties) -> Iterator[Quantity]:
    """All figures in some properties."""
    for _, value in properties:
        entries = value.entries if isinstance(value, Table) else (("", value),)
        for _, entry in entries:
            for item in entry.items if isinstance(entry, Counts) else (entry,):
                if isinstance(item, Quantity):
                    yield item


class Resolver:
    """Fills in types; what it has built is shared, so that the cost follows the text, not the size."""

    def __init__(self, types: tuple[Type, ...]) -> None:
        self._types = {type_.part.name: type_ for type_ in types}
        self._done: dict[str, Part] = {}
        self._open: list[str] = []

    def type(self, name: str, loc: SourceLoc) -> Part:
        """The type `name` with everything that it inherits; raises `DLC403`, `DLC404` or `DLC405`."""
        if name not in self._types:
            guess = suggest(name, self._types)
            fix = f"did you mean `{guess}`?" if guess else "define it with `type`"
            raise DlcError("DLC403", f"unknown type `{name}`", loc=loc, help=fix)
        if name in self._open:
            chain = " -> ".join([*self._open[self._open.index(name) :], name])
            raise DlcError("DLC405", f"type `{name}` contains itself: {chain}", loc=loc)
        if name not in self._done:
            if len(self._open) >= MAX_HEIGHT:
                raise DlcError("DLC404", f"types refer to one another more than {MAX_HEIGHT} deep", loc=loc)
            self._open.append(name)
            own, base = self._types[name].part, self._types[name].base
            self._done[name] = self._lay(self.type(base, own.loc) if base else None, own)
            self._open.pop()
        return self._done[name]

    def part(self, part: Part) -> Part:
        """A part with what its type says, and its parts in turn; raises `DLC403`, `DLC404` or `DLC405`."""
        return self._lay(None, part)

    def _lay(self, below: Part | None, own: Part) -> Part:
        """`own` over the resolved part `below`: its properties win, parts of the same name are laid in turn.

        A part that names a type starts over from that type.
        """
        if below is not None and below.kind != own.kind:
            raise DlcError("DLC405", f"{own.label} overrides a {below.kind}", loc=own.loc)
        start = self.type(own.type, own.loc) if own.type else below
        over = {_key(part): part for part in own.parts}
        inherited = () if start is None else start.parts
        parts = [self._lay(part, over.pop(_key(part))) if _key(part) in over else part for part in inherited]
        parts += [self._lay(None, part) for part in over.values()]
        laid = replace(
            own,
            count=below.count if own.count is None and below is not None else own.count,
            type=own.type or ("" if below is None else below.type),
            properties=tuple(
                sorted((dict(start.properties if start else ()) | dict(own.properties)).items())
            ),
            parts=tuple(parts),
        )
        if laid.size > MAX_PARTS or laid.height > MAX_HEIGHT:
            limit = f"{MAX_PARTS} parts" if laid.size > MAX_PARTS else f"{MAX_HEIGHT} levels"
            fix = "copies are written as a range, `n[0..99]`, and cost nothing"
            raise DlcError("DLC404", f"{own.label} comes to more than {limit}", loc=own.loc, help=fix)
        return laid


def _key(part: Part) -> str:
    return part.name or part.label


@dataclass(frozen=True)
class Placed:
    """A part where it stands: `path` selects all instances, `copies` counts them, `parents` lead to it."""

    path: str
    part: Part
    copies: int
    parents: tuple[Part, ...]


@dataclass(frozen=True)
class Selected:
    """What a path selects: `count` of all instances of a part, and the parts that lead to it."""

    part: Part
    count: int
    parents: tuple[Part, ...]


def select(parts: tuple[Part, ...], path: str, loc: SourceLoc) -> Selected:
    """The part at `path` below resolved `parts`; `DLC403` for unknown names, `DLC405` for bad selectors."""
    try:
        wanted = steps(path)
    except ValueError as error:
        raise DlcError("DLC404", str(error), loc=loc, help="write a path such as `n[*].hca`") from None
    parents: list[Part] = []
    count = 1
    for step in wanted:
        found = next((part for part in parts if part.name == step.name), None)
        if found is None:
            names = [part.name for part in parts if part.name]
            guess = suggest(step.name, names)
            holder = f" in {parents[-1].label}" if parents else ""
            fix = f"did you mean `{guess}`?" if guess else f"known: {', '.join(names)}" if names else None
            raise DlcError("DLC403", f"unknown part `{step.name}`{holder}", loc=loc, help=fix)
        if not step.explicit and found.copies > 1:
            fix = f"write `{step.name}[*]` for all or `{step.name}[0]` for one"
            raise DlcError("DLC405", f"there are {found.copies} of `{step.name}`", loc=loc, help=fix)
        last = found.copies - 1 if step.last is None else step.last
        if not step.first <= last < found.copies:
            span = f"{step.first}" if step.first == last else f"{step.first}..{last}"
            fix = f"`{step.name}` has {found.copies} copies, 0..{found.copies - 1}"
            raise DlcError("DLC405", f"`{step.name}[{span}]` is out of range", loc=loc, help=fix)
        count *= last - step.first + 1
        parents.append(found)
        parts = found.parts
    return Selected(parents[-1], count, tuple(parents[:-1]))


def walk(
    parts: tuple[Part, ...], prefix: str = "", copies: int = 1, parents: tuple[Part, ...] = ()
) -> Iterator[Placed]:
    """All parts of resolved `parts`, outer before inner, each once for all its instances."""
    for part in parts:
        step = part.name if part.count is None else f"{part.name}[*]"
        placed = Placed(prefix + step, part, copies * part.copies, parents)
        yield placed
        yield from walk(part.parts, f"{placed.path}.", placed.copies, (*parents, part))

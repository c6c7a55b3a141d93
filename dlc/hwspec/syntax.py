"""The syntax tree of a machine description: what was written and where, nothing checked."""

from dataclasses import dataclass

from dlc.diagnostics import SourceLoc


@dataclass(frozen=True)
class Name:
    """An identifier."""

    text: str
    loc: SourceLoc


@dataclass(frozen=True)
class Mark:
    """Where a number comes from: `@measured("stream", 3 %)`."""

    name: Name
    notes: tuple["Text | Number", ...]


@dataclass(frozen=True)
class Number:
    """A number with the unit and the mark that follow it; `unit` is empty when there is none."""

    digits: str
    unit: str
    mark: Mark | None
    loc: SourceLoc


@dataclass(frozen=True)
class Text:
    """A string without its quotes."""

    text: str
    loc: SourceLoc


@dataclass(frozen=True)
class Flag:
    """`true` or `false`."""

    value: bool
    loc: SourceLoc


@dataclass(frozen=True)
class Selector:
    """One step of a path; `index` is None, "*", "3" or "0..15"."""

    name: Name
    index: str | None
    loc: SourceLoc

    @property
    def text(self) -> str:
        """The step as written."""
        return self.name.text if self.index is None else f"{self.name.text}[{self.index}]"


@dataclass(frozen=True)
class Path:
    """Steps from the enclosing block to a part."""

    steps: tuple[Selector, ...]
    loc: SourceLoc

    @property
    def text(self) -> str:
        """The path as written, without blanks."""
        return ".".join(step.text for step in self.steps)


@dataclass(frozen=True)
class Items:
    """A list in brackets; a mark behind it holds for all numbers in it that have none."""

    items: tuple["Node", ...]
    mark: Mark | None
    loc: SourceLoc


@dataclass(frozen=True)
class Entries:
    """A map in braces; a mark behind it holds for all numbers in it that have none."""

    entries: tuple[tuple[Name, "Node"], ...]
    mark: Mark | None
    loc: SourceLoc


Node = Number | Text | Flag | Path | Items | Entries


@dataclass(frozen=True)
class Assignment:
    """`name = value`."""

    name: Name
    value: Node


@dataclass(frozen=True)
class PartDef:
    """`kind name[0..3] : type(arguments) { … }`."""

    kind: Name
    selector: Selector
    type: Name | None
    arguments: tuple[Assignment, ...]
    block: tuple["Statement", ...]


@dataclass(frozen=True)
class LinkDef:
    """`link a <-> b : type { … }`; `directed` when the arrow has one head."""

    keyword: Name
    ends: tuple[Path, Path]
    directed: bool
    type: Name | None
    block: tuple["Statement", ...]


@dataclass(frozen=True)
class TypeDef:
    """`type kind name extends base { … }`, or with `:` for `extends`."""

    kind: Name
    name: Name
    base: Name | None
    block: tuple["Statement", ...]


@dataclass(frozen=True)
class Section:
    """A block with a name alone, such as `meta { … }`."""

    name: Name
    block: tuple["Statement", ...]


Statement = Assignment | PartDef | LinkDef | TypeDef | Section


@dataclass(frozen=True)
class MachineDef:
    """`machine name { … }`."""

    name: Name
    block: tuple[Statement, ...]


@dataclass(frozen=True)
class File:
    """A whole description."""

    file: str
    types: tuple[TypeDef, ...]
    machines: tuple[MachineDef, ...]

"""XML as plain elements that know their lines.

Hostile documents are bounded: no entity is ever expanded, nothing is fetched, size and nesting have limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from dlc.diagnostics import DlcError, SourceLoc

MAX_SIZE = 64 << 20
MAX_DEPTH = 256
MAX_ELEMENTS = 1_000_000


@dataclass
class Element:
    """An element without its text; `loc` is where its tag begins."""

    tag: str
    attributes: dict[str, str]
    loc: SourceLoc
    children: list[Element] = field(default_factory=list["Element"])

    def get(self, name: str, default: str = "") -> str:
        """An attribute, or `default`."""
        return self.attributes.get(name, default)

    def number(self, name: str) -> int:
        """An attribute as a whole number, 0 where it is none."""
        text = self.get(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0

    def walk(self) -> Iterator[Element]:
        """The element itself and all below it, outer before inner."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse(text: str, file: str) -> Element:
    """The root element of a document; `file` is its name in messages. Raises DLC415."""
    if len(text) > MAX_SIZE:
        raise DlcError("DLC415", f"XML has at most {MAX_SIZE} characters here", loc=SourceLoc(file, 1))
    return _Builder(file).build(text)


class _Builder:
    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[Element] = []
        self._root: Element | None = None
        self._count = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        # An entity is how a small document becomes a huge one, or reads a file of the reader's.
        self._parser.EntityDeclHandler = self._refuse
        self._parser.ExternalEntityRefHandler = self._refuse
        self._parser.UnparsedEntityDeclHandler = self._refuse

    def build(self, text: str) -> Element:
        try:
            # The text is decoded already, whatever encoding its first line names.
            self._parser.Parse(text.encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            message = f"this is not XML: {expat.errors.messages[error.code]}"
            raise DlcError(
                "DLC415", message, loc=SourceLoc(self._file, error.lineno, error.offset + 1)
            ) from None
        assert self._root is not None, "expat refuses a document without a root"
        return self._root

    def _here(self) -> SourceLoc:
        return SourceLoc(self._file, self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MAX_DEPTH or self._count > MAX_ELEMENTS:
            limit = f"nested more than {MAX_DEPTH} deep" if len(self._open) >= MAX_DEPTH else "too large"
            raise DlcError("DLC415", f"the document is {limit}", loc=self._here())
        element = Element(tag, attributes, self._here())
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, tag: str) -> None:
        del tag
        self._open.pop()

    def _refuse(self, *entity: object) -> int:
        del entity
        raise DlcError(
            "DLC415", "the document declares an entity", loc=self._here(), help="a description needs none"
        )

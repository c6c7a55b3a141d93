"""Reads the text of a machine description into a syntax tree; `DLC401` at the first thing that is not syntax.

Hostile text is bounded before and while it is read: size, nesting and the length of a number.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path as FilePath
from typing import Any, cast

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken

from dlc.diagnostics import DlcError, SourceLoc, suggest
from dlc.hwspec import syntax

MAX_SIZE = 1 << 18
MAX_DEPTH = 32
MAX_NUMBER = 40
MAX_NAME = 64

_BOUNDED = re.compile(r'"[^"\n]*"|#[^\n]*|[{}()\[\]]|\d[\d_.]*|[A-Za-z_][\w-]*')
_NUMBER = re.compile(r"([-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?)[ \t]*(.*)")
_WHAT = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    "INT": "an index",
    "RANGE": "a range such as `0..3`",
    "STAR": "`*`",
    "ARROW": "`<->`",
    "$END": "the end of the file",
}


@cache
def _grammar() -> Lark:
    text = FilePath(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", propagate_positions=True, maybe_placeholders=True)


def parse(text: str, file: str) -> syntax.File:
    """The syntax tree of `text`; `file` is the name that messages give it."""
    _check_bounds(text, file)
    try:
        tree = cast("Any", _grammar()).parse(text)
    except UnexpectedInput as error:
        raise _syntax_error(error, text, file) from None
    return cast("syntax.File", _Builder(file).transform(tree))


def _check_bounds(text: str, file: str) -> None:
    if len(text) > MAX_SIZE:
        raise DlcError(
            "DLC401", f"a machine description has at most {MAX_SIZE} characters", loc=SourceLoc(file, 1)
        )
    depth = 0
    for match in _BOUNDED.finditer(text):
        if match[0] in "{([":
            depth += 1
        elif match[0] in "})]":
            depth -= 1
        if depth > MAX_DEPTH:
            fix = "name inner parts with `type` and refer to them"
            raise DlcError(
                "DLC401", f"nested more than {MAX_DEPTH} deep", loc=_loc(text, file, match), help=fix
            )
        if match[0][0].isdigit() and len(match[0]) > MAX_NUMBER:
            raise DlcError("DLC401", f"a number has at most {MAX_NUMBER} digits", loc=_loc(text, file, match))
        if len(match[0]) > MAX_NAME and (match[0][0].isalpha() or match[0][0] == "_"):
            raise DlcError("DLC401", f"a name has at most {MAX_NAME} characters", loc=_loc(text, file, match))


def _loc(text: str, file: str, match: re.Match[str]) -> SourceLoc:
    line, column = text.count("\n", 0, match.start()) + 1, match.start() - text.rfind("\n", 0, match.start())
    return SourceLoc(file, line, column, column + len(match[0]))


def _syntax_error(error: UnexpectedInput, text: str, file: str) -> DlcError:
    line, column = max(error.line, 1), max(error.column, 1)
    expected: set[str]
    if isinstance(error, UnexpectedToken):
        details = cast("Any", error)  # lark leaves these without types
        token, expected = cast("Token", details.token), set(details.accepts or details.expected)
        found, width = f"`{shorten(token)}`", len(token)
        if token.type == "$END":
            lines = text.rstrip().splitlines() or [""]
            line, column, found, width = len(lines), len(lines[-1]) + 1, "the end of the file", 1
    else:
        lines = text.split("\n")
        found, width = f"`{lines[line - 1][column - 1 : column]}`", 1
        expected = set(cast("Any", error).allowed or ())
    # A long list of what could stand here helps nobody.
    expectation = f"expected {_one_of(expected)}, found" if 0 < len(expected) <= 8 else "unexpected"
    return DlcError(
        "DLC401",
        f"{expectation} {found}",
        loc=SourceLoc(file, line, column, column + width),
        help=_fix(found, expected),
    )


def _fix(found: str, expected: set[str]) -> str | None:
    word = found.strip("`")
    keywords = [
        name.lower() for name in expected if name.isupper() and name in {"TYPE", "MACHINE", "EXTENDS"}
    ]
    if guess := suggest(word, keywords):
        return f"did you mean `{guess}`?"
    if word == "the end of the file" and "RBRACE" in expected:
        return "close the block with `}`"
    if word.startswith('"'):
        return 'a string ends with `"` on the line where it begins'
    if word in {":", "{"} and "EQUAL" in expected:
        return "a property is written `name = value`"
    if word == "=":
        return "write `;` between properties on one line"
    return None


def _one_of(expected: Iterable[str]) -> str:
    names = _grammar_literals()
    words = sorted({_WHAT.get(name) or f"`{names.get(name, name.lower())}`" for name in expected})
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)


@cache
def _grammar_literals() -> dict[str, str]:
    return {terminal.name: terminal.pattern.value for terminal in _grammar().terminals}


def shorten(text: str) -> str:
    """Text as quoted in a message: a giant literal must not fill the screen."""
    return text if len(text) <= MAX_NUMBER else text[: MAX_NUMBER - 1] + "…"


class _Builder(Transformer[Token, Any]):
    """Turns lark's tree into our own, so that nothing else sees lark."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file

    def _loc(self, first: Token | SourceLoc, last: Token | SourceLoc | None = None) -> SourceLoc:
        """From the beginning of `first` to the end of `last`, as far as they share a line."""
        last = first if last is None else last
        line, column = cast("int", first.line), cast("int", first.column)
        same_line = (last.end_line if isinstance(last, Token) else last.line) == line
        return SourceLoc(self.file, line, column, cast("int", last.end_column) if same_line else column + 1)

    def _name(self, token: Token) -> syntax.Name:
        return syntax.Name(str(token), self._loc(token))

    def start(self, children: list[Any]) -> syntax.File:
        types = tuple(child for child in children if isinstance(child, syntax.TypeDef))
        machines = tuple(child for child in children if isinstance(child, syntax.MachineDef))
        return syntax.File(self.file, types, machines)

    def machine(self, children: list[Any]) -> syntax.MachineDef:
        return syntax.MachineDef(self._name(children[0]), children[1])

    def typedef(self, children: list[Any]) -> syntax.TypeDef:
        kind, name, base, block = children
        return syntax.TypeDef(self._name(kind), self._name(name), base and self._name(base), block)

    def block(self, children: list[Any]) -> tuple[syntax.Statement, ...]:
        return tuple(children)

    def assignment(self, children: list[Any]) -> syntax.Assignment:
        return syntax.Assignment(self._name(children[0]), children[1])

    def part(self, children: list[Any]) -> syntax.PartDef:
        kind, selector, base, arguments, block = children
        return syntax.PartDef(
            self._name(kind), selector, base and self._name(base), arguments or (), block or ()
        )

    def link(self, children: list[Any]) -> syntax.LinkDef:
        first, arrow, second, base, block = children
        keyword = syntax.Name("link", self._loc(first.loc, second.loc))
        return syntax.LinkDef(keyword, (first, second), arrow == "->", base and self._name(base), block or ())

    def section(self, children: list[Any]) -> syntax.Section:
        return syntax.Section(self._name(children[0]), children[1])

    def arguments(self, children: list[Any]) -> tuple[syntax.Assignment, ...]:
        return tuple(child for child in children if child is not None)

    def quantity(self, children: list[Any]) -> syntax.Number:
        token, mark = children
        match = _NUMBER.fullmatch(token)
        assert match is not None, "the grammar's NUMBER and this pattern agree"
        return syntax.Number(match[1].replace("_", ""), match[2], mark, self._loc(token))

    def mark(self, children: list[Any]) -> syntax.Mark:
        return syntax.Mark(self._name(children[0]), tuple(note for note in children[1:] if note is not None))

    def string(self, children: list[Any]) -> syntax.Text:
        return syntax.Text(str(children[0][1:-1]), self._loc(children[0]))

    def flag(self, children: list[Any]) -> syntax.Flag:
        return syntax.Flag(children[0] == "true", self._loc(children[0]))

    def items(self, children: list[Any]) -> syntax.Items:
        *inner, closing, mark = children
        items = tuple(child for child in inner if child is not None and not isinstance(child, Token))
        return syntax.Items(items, mark, self._loc(children[0], closing))

    def entries(self, children: list[Any]) -> syntax.Entries:
        *inner, closing, mark = children
        entries = tuple(cast("tuple[syntax.Name, syntax.Node]", c) for c in inner if isinstance(c, tuple))
        return syntax.Entries(entries, mark, self._loc(children[0], closing))

    def entry(self, children: list[Any]) -> tuple[syntax.Name, syntax.Node]:
        return self._name(children[0]), children[1]

    def path(self, children: list[Any]) -> syntax.Path:
        return syntax.Path(tuple(children), self._loc(children[0].loc, children[-1].loc))

    def selector(self, children: list[Any]) -> syntax.Selector:
        name, opening, index, closing = children
        loc = self._loc(name, closing if opening else name)
        return syntax.Selector(self._name(name), index and str(index), loc)

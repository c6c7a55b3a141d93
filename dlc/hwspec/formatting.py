"""Writes a machine description in its one canonical layout; comments stay, and no word is changed.

Blocks of a few properties stand on one line, others have properties filled into lines and a line for each
part. One blank line between statements is kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dlc.hwspec.parse import parse

WIDTH = 110

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)|(?P<string>"[^"\n]*")|(?P<range>\d+\.\.\d+)
    |(?P<number>[-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?(?:[ \t]*[A-Za-zµμ%$][\w/µμ%$]*)?)
    |(?P<name>[A-Za-z_](?:[A-Za-z0-9_]|-(?=[A-Za-z0-9_]))*)|(?P<sign><->|->|[{}()\[\]=:;,.@*])|(?P<line>\n)""",
    re.VERBOSE,
)
_QUANTITY = re.compile(r"([-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?)[ \t]*(.*)")


@dataclass
class _Token:
    kind: str
    text: str
    line: int


@dataclass
class _Statement:
    """One statement: `head` is all but its block; comments before it, and the one behind it on its line."""

    head: str = ""
    entries: list[str] = field(default_factory=list[str])
    closing: str = ""
    block: list["_Statement"] | None = None
    before: list[str] = field(default_factory=list[str])
    behind: str = ""
    spaced: bool = False

    @property
    def is_property(self) -> bool:
        return self.block is None and " = " in self.head

    @property
    def comments(self) -> bool:
        return bool(self.before or self.behind) or any(inner.comments for inner in self.block or ())

    @property
    def spread(self) -> bool:
        """Whether something keeps the statement from standing on one line with others."""
        inner = self.block or []
        return self.comments or any(part.spread or part.spaced for part in inner)

    @property
    def parts(self) -> int:
        return sum(1 + inner.parts for inner in self.block or () if not inner.is_property)

    @property
    def flat(self) -> str:
        head = f"{self.head}{' ' if self.entries else ''}{', '.join(self.entries)}{self.closing}"
        if self.block is None:
            return head
        return (
            f"{head} {{ {'; '.join(inner.flat for inner in self.block)} }}" if self.block else f"{head} {{ }}"
        )


def canonical(text: str, file: str = "<text>") -> str:
    """The text in its canonical layout; raises `DLC401` when it is no machine description."""
    parse(text, file)
    statements = _Reader(text).file()
    return "\n".join(_lines(statements, 0)) + "\n" if statements else ""


class _Reader:
    """Reads statements from text that the grammar accepts."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._comments: list[str] = []

    def file(self) -> list[_Statement]:
        return self._statements("end")

    def _peek(self) -> _Token:
        """The next token that is no comment."""
        at = self._at
        while self._tokens[at].kind == "comment":
            at += 1
        return self._tokens[at]

    def _next(self) -> str:
        """Take that token; comments on the way are kept for the statement around them."""
        while self._tokens[self._at].kind == "comment":
            self._comments.append(self._tokens[self._at].text)
            self._at += 1
        self._at += 1
        return self._tokens[self._at - 1].text

    def _statements(self, end: str) -> list[_Statement]:
        found: list[_Statement] = []
        last = self._tokens[self._at - 1].line if self._at else 0
        while True:
            # A blank line before a comment belongs to the statement that the comment speaks of.
            start = self._tokens[self._at].line
            token = self._peek()
            spaced = bool(found) and start > last + 1
            if token.text == end or token.kind == end:
                self._next()
                if self._comments:
                    found.append(_Statement(before=self._comments, spaced=spaced))
                    self._comments = []
                return found
            statement = self._statement(spaced)
            while self._tokens[self._at].text == ";":
                self._at += 1
            last = self._tokens[self._at - 1].line
            following = self._tokens[self._at]
            if following.kind == "comment" and following.line == last:
                statement.behind = following.text
                self._at += 1
            found.append(statement)

    def _statement(self, spaced: bool) -> _Statement:
        made = _Statement(spaced=spaced)
        words: list[str] = [self._next()]
        if self._peek().text == "=":
            self._value(made, words)
        else:
            while self._peek().text not in ("{", ";", "}") and not self._begins(words):
                words.append(self._next())
            made.head = _spaced(words)
        opens = "=" not in words[1:2] and self._peek().text == "{"
        if opens:
            self._next()
        made.before, self._comments = self._comments, []
        made.block = self._statements("}") if opens else None
        return made

    def _begins(self, words: list[str]) -> bool:
        """Whether the next token begins a new statement: a name where the head of this one is complete."""
        token = self._peek()
        if token.kind == "end":
            return True
        if token.kind != "name" or words[0] in ("type", "machine"):
            return False
        if words[-1] in (":", ".", "<->", "->", "(", "=", ",", "[") or words.count("(") > words.count(")"):
            return False
        return len(words) > 1

    def _value(self, made: _Statement, words: list[str]) -> None:
        """The value of a property; of a map the entries stay apart, so that they can be broken into lines."""
        words.append(self._next())
        if self._peek().text == "{":
            made.head = f"{words[0]} = {self._next()}"
            while self._peek().text != "}":
                name, _ = self._next(), self._next()
                made.entries.append(f"{name}: {_spaced(self._term())}")
                if self._peek().text == ",":
                    self._next()
            self._next()
            made.closing = " }" + (_spaced(self._mark()) if self._peek().text == "@" else "")
            made.closing = made.closing.replace("}@", "} @")
        else:
            made.head = _spaced([*words, *self._term()])

    def _term(self) -> list[str]:
        """One value: a list, a number, a string or a path, with the mark behind it."""
        words = [self._next()]
        if words[0] == "[":
            while self._peek().text != "]":
                words += [self._next()] if self._peek().text == "," else self._term()
            words.append(self._next())
        elif words[0] == "{":
            while self._peek().text != "}":
                words += [self._next()] if self._peek().text in (",", ":") else self._term()
            words.append(self._next())
        else:
            while self._peek().text in (".", "["):
                # `.name` or `[index]`: of a list around the path, the closing bracket is not its own.
                words += [self._next() for _ in range(2 if self._peek().text == "." else 3)]
        return words + (self._mark() if self._peek().text == "@" else [])

    def _mark(self) -> list[str]:
        words = [self._next(), self._next()]
        if self._peek().text == "(":
            words.append(self._next())
            while self._peek().text != ")":
                words += [self._next()] if self._peek().text == "," else self._term()
            words.append(self._next())
        return words


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "line":
            line += 1
        elif kind == "number":
            digits, unit = (_QUANTITY.fullmatch(match[0]) or match).groups()[:2]
            yield _Token(kind, f"{digits} {unit}".rstrip(), line)
        else:
            yield _Token(kind, match[0].rstrip(), line)
    yield _Token("end", "", line)


def _spaced(words: list[str]) -> str:
    """Words with the blanks that the canonical layout has between them."""
    line = ""
    for word in words:
        selects = word == "[" and not line.endswith(("=", ","))
        tight = not line or selects or line[-1] in "([.@" or word in ("]", ")", "(", ".", ",")
        line += word if tight else f" {word}"
    return line


def _lines(statements: list[_Statement], depth: int) -> Iterator[str]:
    """The lines of a block's statements, indented."""
    indent = "  " * depth
    filled: list[str] = []
    for statement in statements:
        joins = statement.is_property and not statement.comments and not statement.spaced
        if joins and len(indent + "; ".join([*filled, statement.flat])) <= WIDTH:
            filled.append(statement.flat)
            continue
        if filled:
            yield indent + "; ".join(filled)
            filled = []
        if statement.spaced:
            yield ""
        yield from (indent + comment for comment in statement.before)
        if not statement.head:
            continue
        if statement.is_property and not statement.behind and len(indent + statement.flat) <= WIDTH:
            filled = [statement.flat]
            continue
        yield from _statement_lines(statement, indent, depth)
    if filled:
        yield indent + "; ".join(filled)


def _statement_lines(statement: _Statement, indent: str, depth: int) -> Iterator[str]:
    behind = f"  {statement.behind}" if statement.behind else ""
    inner = any(part.spread for part in statement.block or ())
    if statement.parts <= 1 and not inner and len(indent + statement.flat + behind) <= WIDTH:
        yield indent + statement.flat + behind
    elif statement.entries:
        yield indent + statement.head
        for entry in statement.entries:
            yield f"{indent}  {entry}{',' if entry is not statement.entries[-1] else ''}"
        yield indent + statement.closing.lstrip() + behind
    elif statement.block is None:
        yield from _head_lines(statement.head + behind, indent)
    else:
        yield from _head_lines(f"{statement.head} {{", indent)
        yield from _lines(statement.block, depth + 1)
        yield f"{indent}}}{behind}"


def _head_lines(head: str, indent: str) -> Iterator[str]:
    """The head of a part; arguments that are too long for its line stand on one of their own."""
    opening, closing = head.find("("), head.rfind(")")
    if len(indent + head) <= WIDTH or "=" in head[: max(opening, 0)] or not 0 < opening < closing:
        yield indent + head
    else:
        yield indent + head[: opening + 1]
        yield f"{indent}  {head[opening + 1 : closing]}"
        yield indent + head[closing:]

"""Modules from text and back; whatever is wrong with a text becomes a diagnostic that points into it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import StringIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnknownLoc
from xdsl.ir import Attribute, Operation, TypeAttribute
from xdsl.parser.generic_parser import ParserState
from xdsl.printer import Printer
from xdsl.utils.exceptions import MultipleSpansParseError, ParseError, VerifyException
from xdsl.utils.lexer import Input, Span
from xdsl.utils.mlir_lexer import MLIRLexer, MLIRToken, MLIRTokenKind, StringLiteral

from dlc.diagnostics import DlcError, Note, SourceLoc, suggest
from dlc.dialects.dense import DenseParser

from .bounds import check_bounds, too_large
from .locations import file_location
from .wellformed import invalid, verify

_UNREGISTERED = re.compile(r"(?:Operation (\S+)|'(\S+)') is not registered")


def parse_module(
    text: str, filename: str, ctx: Context, *, verified: bool = True, first_line: int = 1
) -> ModuleOp:
    """The module that a text describes; operations without a location of their own get their place in it.

    `first_line` is the number of the text's first line within the file. Raises DLC301 for syntax, DLC302
    for a module that does not verify (unless `verified` is false) and DLC304 for a text beyond the bounds.
    """
    check_bounds(text, filename, first_line)
    source = _Source(text, filename, first_line)
    parser: _LocatingParser | None = None
    try:
        # The constructor reads the first word.
        parser = _LocatingParser(ctx, source)
        module = parser.parse_module()
    except Exception as error:
        raise _explain(error, source, parser) from error
    module.location = file_location(filename, first_line, 1)
    if verified:
        verify_text(module)
    return module


def verify_text(module: ModuleOp) -> None:
    """Verify a module as its author wrote it: an exception of any kind is a fault of the text, DLC302."""
    try:
        verify(module)
    except DlcError:
        raise
    except RecursionError as error:
        raise too_large("the module is nested too deeply") from error
    except Exception as error:
        raise invalid(module, f"{type(error).__name__}: {error}") from error


def print_module(
    op: Operation, *, generic: bool = False, debuginfo: bool = False, properties_as_attributes: bool = False
) -> str:
    """The text of a module, with a final newline; `debuginfo` adds locations. Raises DLC304."""
    stream = StringIO()
    printer = Printer(
        stream,
        print_generic_format=generic,
        print_debuginfo=debuginfo,
        print_properties_as_attributes=properties_as_attributes,
    )
    try:
        printer.print_op(op)
    except RecursionError as error:
        raise too_large("the module is nested too deeply to be printed") from error
    return stream.getvalue() + "\n"


class _Lexer(MLIRLexer):
    """A lexer that takes text for text: xDSL prints é as escaped bytes, but does not read those as text."""

    # xDSL's own pattern takes exponential time on a string that does not end.
    _unescaped_characters_regex = re.compile(r'"(?:[^"\\\n\v\f]++|\\[^\n\v\f])*+"')

    def lex(self) -> MLIRToken:
        token = super().lex()
        if token.kind is MLIRTokenKind.BYTES_LIT and _is_text(StringLiteral.from_span(token.span)):
            token.kind = MLIRTokenKind.STRING_LIT
        return token


def _is_text(literal: StringLiteral | None) -> bool:
    try:
        return literal is not None and bool(literal.bytes_contents.decode())
    except UnicodeDecodeError:
        return False


@dataclass(frozen=True)
class _Source:
    """The text of a module and where it stands in its file."""

    text: str
    filename: str
    first_line: int

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first character of every line."""
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def place(self, start: int, end: int | None = None) -> SourceLoc:
        """The location of a character offset, marked up to `end` when that is on the same line."""
        line = bisect_right(self.line_starts, start)
        column = start - self.line_starts[line - 1] + 1
        end_column = 0 if end is None or "\n" in self.text[start:end] else column + end - start
        return SourceLoc(self.filename, line - 1 + self.first_line, column, end_column)

    def place_of(self, span: Span) -> SourceLoc:
        """The location of a span."""
        return self.place(span.start, span.end)


class _LocatingParser(DenseParser):
    """A parser that records where each operation stands."""

    def __init__(self, ctx: Context, source: _Source):
        self.source = source
        super().__init__(ctx, "", source.filename)
        self._parser_state = ParserState(_Lexer(Input(source.text, source.filename)))

    def parse_operation(self) -> Operation:
        start = self.pos
        with self.blaming(start):
            op = super().parse_operation()
        if isinstance(op.location, UnknownLoc):
            place = self.source.place(start)
            op.location = file_location(place.file, place.line, place.column)
        return op

    def parse_optional_type(self) -> TypeAttribute | None:
        with self.blaming(self.pos):
            return super().parse_optional_type()

    def parse_optional_attribute(self) -> Attribute | None:
        with self.blaming(self.pos):
            return super().parse_optional_attribute()

    @contextmanager
    def blaming(self, start: int) -> Generator[None, None, None]:
        """Make DLC302 at an offset of what a verifier says of the construct that begins there."""
        try:
            yield
        except VerifyException as error:
            raise DlcError("DLC302", " ".join(str(error).split()), loc=self.source.place(start)) from error

    def known_names(self) -> Iterable[str]:
        """Names of operations, types and attributes that the text may use."""
        for name in self.ctx.registered_dialect_names:
            dialect = self.ctx.get_dialect(name)
            yield from (op.name for op in dialect.operations)
            yield from (attribute.name for attribute in dialect.attributes)


def _explain(error: Exception, source: _Source, parser: _LocatingParser | None) -> DlcError:
    """The diagnostic for whatever xDSL raises on a text; without a parser its first word is at fault."""
    if isinstance(error, DlcError):
        return error
    here = source.place(min(parser.pos, len(source.text)) if parser else 0)
    if isinstance(error, RecursionError | MemoryError):
        return too_large("the module is nested too deeply to be parsed", here)
    if not isinstance(error, ParseError):
        return DlcError("DLC301", f"cannot be parsed: {type(error).__name__}: {error}", loc=here)
    notes: list[Note] = []
    if isinstance(error, MultipleSpansParseError):
        notes = [Note(text or "see here", source.place_of(span)) for span, text in error.refs]
    message = " ".join(error.msg.split())
    unknown = _UNREGISTERED.search(message)
    if unknown and parser:
        return _unregistered(unknown[1] or unknown[2], error.span.start, message, parser)
    return DlcError("DLC301", message, loc=source.place_of(error.span), notes=notes)


def _unregistered(name: str, end: int, message: str, parser: _LocatingParser) -> DlcError:
    near = suggest(name, list(parser.known_names()))
    start = parser.source.text.rfind(name, 0, end)  # xDSL points at the word that follows
    loc = parser.source.place(end) if start < 0 else parser.source.place(start, start + len(name))
    return DlcError(
        "DLC301",
        message,
        loc=loc,
        help=f"did you mean {near!r}?" if near else "dlc opt --show-dialects names what there is",
    )

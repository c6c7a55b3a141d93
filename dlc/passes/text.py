"""Modules from text and back; whatever is wrong with a text becomes a diagnostic that points into it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from io import StringIO
from typing import NoReturn

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnknownLoc
from xdsl.ir import Attribute, Operation, TypeAttribute
from xdsl.parser import Parser
from xdsl.parser.generic_parser import ParserState
from xdsl.printer import Printer
from xdsl.utils.exceptions import MultipleSpansParseError, ParseError, VerifyException
from xdsl.utils.lexer import Input, Span
from xdsl.utils.mlir_lexer import MLIRLexer, MLIRToken, MLIRTokenKind, StringLiteral

from dlc.diagnostics import DlcError, Note, SourceLoc, suggest

from .bounds import check_bounds, place, too_large
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
    parser = _LocatingParser(ctx, text, filename, first_line)
    try:
        module = parser.parse_module()
    except Exception as error:
        raise _explain(error, parser) from error
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


class _LocatingParser(Parser):
    """A parser that records where each operation stands."""

    def __init__(self, ctx: Context, text: str, filename: str, first_line: int):
        self.text, self.filename, self.first_line = text, filename, first_line
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        super().__init__(ctx, text, filename)
        self._parser_state = ParserState(_Lexer(Input(text, filename)))

    def parse_operation(self) -> Operation:
        start = self.pos
        with self.blaming(start):
            op = super().parse_operation()
        if isinstance(op.location, UnknownLoc):
            line = bisect_right(self.line_starts, start)
            column = start - self.line_starts[line - 1] + 1
            op.location = file_location(self.filename, line - 1 + self.first_line, column)
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
            raise DlcError("DLC302", " ".join(str(error).split()), loc=self.place(start)) from error

    def parse_dense_int_or_fp_elements_attr(self, type: object) -> NoReturn:
        # xDSL expands a splat in memory, and none of the dialects holds tensors.
        self.raise_error("dense constants are not supported")

    def place(self, start: int, end: int | None = None) -> SourceLoc:
        """The location of a character offset."""
        return place(self.text, start, self.filename, self.first_line, end)

    def place_of(self, span: Span) -> SourceLoc:
        """The location of a span."""
        return self.place(span.start, span.end)

    def known_names(self) -> Iterable[str]:
        """Names of operations, types and attributes that the text may use."""
        for name in self.ctx.registered_dialect_names:
            dialect = self.ctx.get_dialect(name)
            yield from (op.name for op in dialect.operations)
            yield from (attribute.name for attribute in dialect.attributes)


def _explain(error: Exception, parser: _LocatingParser) -> DlcError:
    """The diagnostic for whatever xDSL raises on a text."""
    if isinstance(error, DlcError):
        return error
    if isinstance(error, RecursionError | MemoryError):
        return too_large("the module is nested too deeply to be parsed", parser.place(_position(parser)))
    if isinstance(error, ParseError):
        notes: list[Note] = []
        if isinstance(error, MultipleSpansParseError):
            notes = [Note(text or "see here", parser.place_of(span)) for span, text in error.refs]
        message = " ".join(error.msg.split())
        return DlcError(
            "DLC301", message, loc=parser.place_of(error.span), notes=notes, help=_advice(message, parser)
        )
    where = parser.place(_position(parser))
    return DlcError("DLC301", f"cannot be parsed: {type(error).__name__}: {error}", loc=where)


def _position(parser: _LocatingParser) -> int:
    return min(parser.pos, len(parser.text))


def _advice(message: str, parser: _LocatingParser) -> str | None:
    match = _UNREGISTERED.search(message)
    if not match:
        return None
    near = suggest(match[1] or match[2], list(parser.known_names()))
    return f"did you mean {near!r}?" if near else "dlc opt --show-dialects names what there is"

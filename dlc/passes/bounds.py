"""Bounds on the text of a module, checked before a parser spends time or stack on it."""

from __future__ import annotations

import re

from dlc.diagnostics import DlcError, SourceLoc

MAX_BYTES = 16 << 20
"""Size of a file that is read at all."""
MAX_TOKENS = 250_000
"""Words, literals and brackets of one module: some ten seconds of parsing."""
MAX_DEPTH = 48
"""Nesting of brackets of any kind; the parser recurses into each."""
MAX_LITERAL = 1 << 16
"""Characters of one literal or name."""

_TOKEN = re.compile(
    r"""
      //[^\n]*                                      # comment
    | (?P<literal> "(?:[^"\\]++|\\.)*+"?            # string, perhaps cut off
                 | [\w$.%@^!\#]++ )                 # name or number
    | (?P<arrow> -> | >= )
    | (?P<open> [(\[{<] )
    | (?P<close> [)\]}>] )
    | [^\s]
    """,
    re.VERBOSE | re.DOTALL,
)
_WIDE = re.compile(r"!?[su]?i[0-9]{5,}")


def check_bounds(text: str, filename: str, first_line: int = 1) -> None:
    """Raise DLC304 at the place where the text leaves the bounds; `first_line` numbers its first line."""
    depth = 0
    for tokens, match in enumerate(_TOKEN.finditer(text), 1):
        kind = match.lastgroup
        reason = ""
        if kind == "open":
            depth += 1
            if depth > MAX_DEPTH:
                reason = f"brackets are nested deeper than {MAX_DEPTH}"
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "literal":
            if match.end() - match.start() > MAX_LITERAL:
                reason = f"a literal is longer than {MAX_LITERAL} characters"
            elif _WIDE.fullmatch(match[0]):
                reason = f"no integer is as wide as {match[0][:20]}"
        if tokens > MAX_TOKENS:
            reason = f"the module has more than {MAX_TOKENS} words and brackets"
        if reason:
            raise too_large(reason, _place(text, match.start(), filename, first_line))


def too_large(reason: str, loc: SourceLoc | None = None) -> DlcError:
    """A DLC304."""
    return DlcError("DLC304", reason, loc=loc, help="split the program into several")


def _place(text: str, start: int, filename: str, first_line: int) -> SourceLoc:
    line_start = text.rfind("\n", 0, start) + 1
    return SourceLoc(filename, first_line + text.count("\n", 0, start), start - line_start + 1)

"""Draws an error for a terminal: message, the user's line with carets, notes and help."""

import linecache
from dataclasses import dataclass
from pathlib import Path

from dlc.diagnostics.error import DlcError, SourceLoc

_MAX_FILE = 16 << 20  # bytes; a location in a larger file is data, which must not be read for a message
_MAX_LINE = 160
_RED, _BLUE, _CYAN, _BOLD, _RESET = "\x1b[1;31m", "\x1b[1;34m", "\x1b[1;36m", "\x1b[1m", "\x1b[0m"


def render(error: DlcError, color: bool = False) -> str:
    """The error as text without a final newline; `color` adds ANSI escapes."""
    pen = _Pen(color)
    lines = [pen.draw(f"error[{error.code}]", _RED) + pen.draw(f": {_printable(error.message)}", _BOLD)]
    gutter = " "
    if error.loc is not None:
        gutter = " " * len(str(error.loc.line))
        lines += _excerpt(error.loc, pen, _RED)
    bullet = f"{gutter} {pen.draw('=', _BLUE)} "
    lines += [f"{bullet}note: {_printable(note.text)}" for note in error.notes if note.loc is None]
    if error.help is not None:
        lines.append(f"{bullet}{pen.draw('help', _CYAN)}: {_printable(error.help)}")
    for note in error.notes:
        if note.loc is not None:
            lines.append(f"{pen.draw('note', _CYAN)}: {_printable(note.text)}")
            lines += _excerpt(note.loc, pen, _CYAN)
    return "\n".join(lines)


@dataclass(frozen=True)
class _Pen:
    color: bool

    def draw(self, text: str, style: str) -> str:
        return f"{style}{text}{_RESET}" if self.color else text


def _excerpt(loc: SourceLoc, pen: _Pen, style: str) -> list[str]:
    """The arrow with the place, and the line itself when it can be read."""
    blank = " " * len(str(loc.line))
    bar = f"{blank} {pen.draw('|', _BLUE)}"
    lines = [f"{blank}{pen.draw('-->', _BLUE)} {_printable(str(loc))}"]
    source = _source_line(loc)
    if source:
        lines += [bar, f"{pen.draw(f'{loc.line} |', _BLUE)} {source}"]
        margin, carets = _carets(source, loc)
        if carets:
            lines.append(f"{bar} {margin}{pen.draw(carets, style)}")
    return lines


def _source_line(loc: SourceLoc) -> str:
    path = Path(loc.file)
    if path.is_file() and path.stat().st_size > _MAX_FILE:
        return ""
    linecache.checkcache(loc.file)
    # A long line is cut; columns beyond the cut get no carets either.
    return _printable(linecache.getline(loc.file, loc.line).rstrip("\r\n").replace("\t", " "))[:_MAX_LINE]


def _carets(source: str, loc: SourceLoc) -> tuple[str, str]:
    """The space before the marked text, and the carets under it; no carets when the column is unknown."""
    if not 0 < loc.column <= len(source) + 1:
        return "", ""
    marked = source[loc.column - 1 : loc.end_column - 1] if loc.end_column else ""
    return " " * _cells(source[: loc.column - 1]), "^" * max(1, _cells(marked))


def _cells(text: str) -> int:
    """The columns that the text takes on a terminal."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _printable(text: str) -> str:
    """Text that cannot move the cursor or change the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)

"""Draws an error for a terminal: message, the user's line with carets, notes and help."""

import linecache
from pathlib import Path

from dlc.diagnostics.error import DlcError, SourceLoc

_MAX_FILE = 16 << 20  # bytes; a location in a larger file is data, which must not be read for a message
_MAX_LINE = 160
_RED, _BLUE, _CYAN, _BOLD, _RESET = "\x1b[1;31m", "\x1b[1;34m", "\x1b[1;36m", "\x1b[1m", "\x1b[0m"


def render(error: DlcError, color: bool = False) -> str:
    """The error as text without a final newline; `color` adds ANSI escapes."""
    paint = _paint if color else _plain
    lines = [paint(f"error[{error.code}]", _RED) + paint(f": {_printable(error.message)}", _BOLD)]
    gutter = " "
    if error.loc is not None:
        gutter = " " * len(str(error.loc.line))
        lines += _excerpt(error.loc, paint(_carets(error.loc), _RED), color)
    located = [note for note in error.notes if note.loc is not None]
    lines += [
        f"{gutter} {paint('=', _BLUE)} note: {_printable(note.text)}" for note in error.notes if note.loc is None
    ]
    if error.help is not None:
        lines.append(f"{gutter} {paint('=', _BLUE)} {paint('help', _CYAN)}: {_printable(error.help)}")
    for note in located:
        assert note.loc is not None
        lines.append(paint("note", _CYAN) + f": {_printable(note.text)}")
        lines += _excerpt(note.loc, paint(_carets(note.loc), _CYAN), color)
    return "\n".join(lines)


def _excerpt(loc: SourceLoc, carets: str, color: bool) -> list[str]:
    """The arrow with the place, and the line itself when it can be read."""
    paint = _paint if color else _plain
    number = str(loc.line)
    blank = " " * len(number)
    lines = [f"{blank}{paint('-->', _BLUE)} {_printable(str(loc))}"]
    source = _source_line(loc)
    if source:
        lines += [f"{blank} {paint('|', _BLUE)}", f"{paint(f'{number} |', _BLUE)} {source}"]
        if carets:
            lines.append(f"{blank} {paint('|', _BLUE)} {carets}")
    return lines


def _source_line(loc: SourceLoc) -> str:
    path = Path(loc.file)
    if path.is_file() and path.stat().st_size > _MAX_FILE:
        return ""
    linecache.checkcache(loc.file)
    # A long line is cut; columns beyond the cut get no carets either.
    return _printable(linecache.getline(loc.file, loc.line).rstrip("\r\n").replace("\t", " "))[:_MAX_LINE]


def _carets(loc: SourceLoc) -> str:
    """Carets under the marked text, or nothing when the column is unknown."""
    source = _source_line(loc)
    if not loc.column or loc.column > len(source) + 1:
        return ""
    end = min(loc.end_column, len(source) + 1)
    padding = "".join("  " if _is_wide(character) else " " for character in source[: loc.column - 1])
    marked = source[loc.column - 1 : end - 1]
    return padding + "^" * max(1, sum(2 if _is_wide(character) else 1 for character in marked))


def _is_wide(character: str) -> bool:
    if character.isascii():
        return False
    import unicodedata

    return unicodedata.east_asian_width(character) in "WF"


def _printable(text: str) -> str:
    """Text that cannot move the cursor or change the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def _paint(text: str, style: str) -> str:
    return f"{style}{text}{_RESET}"


def _plain(text: str, style: str) -> str:
    return text

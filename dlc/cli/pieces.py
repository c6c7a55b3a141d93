"""Pieces of test input, and the diagnostics that comments in them expect (as mlir-opt has them)."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from dlc.diagnostics import DlcError, SourceLoc

SEPARATOR = "// -----"
_EXPECTATION = re.compile(
    r"//.*?expected-(error|note)(-re)?\s*(?:@(above|below|unknown|[+-]\d+))?\s*\{\{(.*?)\}\}"
)


@dataclass(frozen=True)
class Piece:
    """Text that is processed on its own; `first_line` is the number of its first line in the file."""

    text: str
    file: str
    first_line: int = 1


@dataclass(frozen=True)
class _Expectation:
    kind: str
    line: int  # 0 for a diagnostic without a place in the file
    text: str
    regex: bool
    written_at: int

    def meets(self, kind: str, line: int, message: str) -> bool:
        pattern = self.text if self.regex else re.escape(self.text)
        return self.kind == kind and self.line == line and re.search(pattern, message) is not None


def split(text: str, file: str, separated: bool) -> list[Piece]:
    """The pieces of a file: those between separator lines, or the whole."""
    if not separated:
        return [Piece(text, file)]
    pieces: list[Piece] = []
    line = 1
    for part in re.split(rf"(?m)^{SEPARATOR}.*\n?", text):
        pieces.append(Piece(part, file, line))
        line += part.count("\n") + 1
    return pieces


def check_expectations(pieces: Sequence[Piece], outcomes: Sequence[str | DlcError]) -> int:
    """Compare outcomes with the comments; mismatches go to stderr and give exit code 1."""
    wrong = [
        mismatch
        for piece, outcome in zip(pieces, outcomes, strict=True)
        for mismatch in mismatches(piece, outcome if isinstance(outcome, DlcError) else None)
    ]
    for mismatch in wrong:
        print(mismatch, file=sys.stderr)
    return 1 if wrong else 0


def mismatches(piece: Piece, error: DlcError | None) -> list[str]:
    """What the comments of a piece expect and did not get, and what they got and do not expect."""
    expected = _expectations(piece)
    wrong: list[str] = []
    for kind, loc, message in _produced(error):
        line = loc.line if loc is not None and loc.file == piece.file else 0
        found = next((e for e in expected if e.meets(kind, line, message)), None)
        if found is not None:
            expected.remove(found)
        elif kind == "error":
            wrong.append(f"{loc or piece.file}: unexpected {kind}: {message}")
    wrong += [f'{piece.file}:{e.written_at}: expected {e.kind} "{e.text}" was not produced' for e in expected]
    return wrong


def _produced(error: DlcError | None) -> list[tuple[str, SourceLoc | None, str]]:
    if error is None:
        return []
    message = f"{error.code}: {error.message}"
    return [("error", error.loc, message), *(("note", note.loc, note.text) for note in error.notes)]


def _expectations(piece: Piece) -> list[_Expectation]:
    found: list[_Expectation] = []
    lines = piece.text.split("\n")
    for number, line in enumerate(lines, piece.first_line):
        for kind, regex, where, text in _EXPECTATION.findall(line):
            found.append(_Expectation(kind, _target(where, number, piece, lines), text, bool(regex), number))
    return found


def _target(where: str, number: int, piece: Piece, lines: Sequence[str]) -> int:
    """The line that a comment on line `number` speaks of."""
    if where == "unknown":
        return 0
    if where in ("above", "below"):
        # The next line in that direction that is not itself an expectation.
        step = -1 if where == "above" else 1
        number += step
        while 0 <= number - piece.first_line < len(lines) and _EXPECTATION.search(
            lines[number - piece.first_line]
        ):
            number += step
        return number
    return number + int(where or 0)

"""The error that every layer raises, and where in the user's files it points."""

from collections.abc import Sequence
from dataclasses import dataclass

from dlc.diagnostics.pages import exit_code


@dataclass(frozen=True)
class SourceLoc:
    """A place in a user's file; lines and columns count from 1, and 0 means unknown.

    `end_column` is the first column after the marked text.
    """

    file: str
    line: int
    column: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


@dataclass(frozen=True)
class Note:
    """A second remark on an error, such as where a value came from."""

    text: str
    loc: SourceLoc | None = None


class DlcError(Exception):
    """A diagnostic with a code, a message, the user's line and a way to fix it.

    `code` names a page in `dlc/diagnostics/codes`; the page gives the exit code of the process.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        loc: SourceLoc | None = None,
        help: str | None = None,
        notes: Sequence[Note] = (),
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.loc = loc
        self.help = help
        self.notes = tuple(notes)

    @property
    def exit_code(self) -> int:
        """The exit code of a process that ends with this error."""
        return exit_code(self.code)

    def __str__(self) -> str:
        # Rendering reads the user's source, which only a person who sees the error needs.
        from dlc.diagnostics.render import render

        return render(self)

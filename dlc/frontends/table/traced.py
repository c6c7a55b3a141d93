"""What frames and expressions have in common: they stand for data that exists only when the plan runs."""

from __future__ import annotations

import linecache
import re
from typing import NoReturn

from dlc.diagnostics import DlcError
from dlc.frontends.location import caller

# What the user most likely wrote on the line, and what to write instead.
_REMEDIES = (
    (r"\band\b", "write & for 'and', with each side in parentheses"),
    (r"\bor\b", "write | for 'or', with each side in parentheses"),
    (r"\bnot in\b", "write ~expression.is_in([…])"),
    (r"\bnot\b", "write ~ for 'not'"),
    (r"[<>]=?[^<>&|]+[<>]=?", "write expression.is_between(low, high), or two comparisons joined by &"),
    (r"\bin\b", "write expression.is_in([…])"),
    (r"\b(if|while|else)\b", "write dlc.when(…).then(…).otherwise(…), or frame.filter(…)"),
)


class Traced:
    """Refuses every use as a value of Python, which would be asked for before there is one."""

    traced_as = "value"

    def _refuse(self, what: str, help: str) -> NoReturn:
        raise DlcError(
            "DLC104",
            f"{self.traced_as} has no {what} while the program is being traced",
            loc=caller(),
            help=help,
        )

    def __bool__(self) -> bool:  # noqa: PLE0304
        loc = caller()
        line = linecache.getline(loc.file, loc.line)
        remedy = next((text for pattern, text in _REMEDIES if re.search(pattern, line)), None)
        self._refuse("truth value", remedy or "write dlc.when(…).then(…).otherwise(…), or frame.filter(…)")

    def __len__(self) -> int:  # noqa: PLE0303
        self._refuse("length", "count rows with dlc.len(), characters with .str.len_chars()")

    def __iter__(self) -> NoReturn:
        self._refuse("elements to iterate over", "name the columns; frame.columns is a list of their names")

    def __contains__(self, _item: object) -> bool:
        self._refuse("elements to look among", "write expression.is_in([…]), or name in frame.columns")

    def __float__(self) -> float:
        self._refuse("number", "write expressions: col(…).sqrt(), .exp(), .cast(dlc.Float64)")

    def __int__(self) -> int:
        self._refuse("number", "write an expression: .cast(dlc.Int64)")

    def __index__(self) -> int:  # noqa: PLE0305
        self._refuse("number", "an argument that shapes the program must be a plain Python number")

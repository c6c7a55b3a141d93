"""Methods of expressions on strings (`.str`) and on dates and times (`.dt`)."""

from __future__ import annotations

import re

from dlc.frontends.location import caller

from .errors import bad_argument
from .expression import Expr

_UNIT = re.compile(r"[1-9][0-9]*(ms|us|ns|mo|[smhdwqy])")


class StringMethods:
    """Methods on strings; positions and lengths count characters."""

    def __init__(self, expression: Expr):
        self._expression = expression

    def starts_with(self, prefix: str) -> Expr:
        """Whether it begins with a prefix."""
        return self._expression.call("str_starts_with", pattern=_text(prefix))

    def ends_with(self, suffix: str) -> Expr:
        """Whether it ends with a suffix."""
        return self._expression.call("str_ends_with", pattern=_text(suffix))

    def contains(self, pattern: str, *, literal: bool = False) -> Expr:
        """Whether a regular expression, or the text itself when `literal`, occurs in it."""
        return self._expression.call("str_contains", pattern=_text(pattern), literal=bool(literal))

    def like(self, pattern: str) -> Expr:
        """SQL's LIKE: `%` stands for any characters, `_` for one."""
        return self._expression.call("like", pattern=_text(pattern))

    def to_uppercase(self) -> Expr:
        """Upper case."""
        return self._expression.call("str_upper")

    def to_lowercase(self) -> Expr:
        """Lower case."""
        return self._expression.call("str_lower")

    def len_chars(self) -> Expr:
        """Number of characters."""
        return self._expression.call("str_len")

    def strip_chars(self) -> Expr:
        """Without white space at both ends."""
        return self._expression.call("str_strip")

    def slice(self, offset: int, length: int | None = None) -> Expr:
        """`length` characters from an offset (0 is the first; negative counts from the end)."""
        if length is None:
            return self._expression.call("str_slice", offset=_whole(offset))
        if _whole(length) < 0:
            raise bad_argument(
                f"a length cannot be {length}", caller(), "leave it out to take all to the end"
            )
        return self._expression.call("str_slice", offset=_whole(offset), length=length)


class DateMethods:
    """Methods on dates and timestamps; parts are 64-bit integers."""

    def __init__(self, expression: Expr):
        self._expression = expression

    def year(self) -> Expr:
        """Calendar year."""
        return self._expression.call("year")

    def quarter(self) -> Expr:
        """Quarter of the year, 1 to 4."""
        return self._expression.call("quarter")

    def month(self) -> Expr:
        """Month, 1 to 12."""
        return self._expression.call("month")

    def day(self) -> Expr:
        """Day of the month, from 1."""
        return self._expression.call("day")

    def weekday(self) -> Expr:
        """Day of the week, 1 (Monday) to 7."""
        return self._expression.call("weekday")

    def hour(self) -> Expr:
        """Hour of a timestamp, 0 to 23."""
        return self._expression.call("hour")

    def minute(self) -> Expr:
        """Minute of a timestamp, 0 to 59."""
        return self._expression.call("minute")

    def second(self) -> Expr:
        """Second of a timestamp, 0 to 59."""
        return self._expression.call("second")

    def date(self) -> Expr:
        """Calendar day of a timestamp."""
        return self._expression.call("to_date")

    def truncate(self, unit: str) -> Expr:
        """Start of the unit that holds it: `1h`, `1d`, `1w`, `1mo`, `1q`, `1y` and multiples."""
        if not isinstance(unit, str) or not _UNIT.fullmatch(unit):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise bad_argument(
                f"there is no unit {unit!r}", caller(), "use 1h, 1d, 1w, 1mo, 1q, 1y or multiples"
            )
        return self._expression.call("date_trunc", unit=unit)

    def offset_months(self, months: int) -> Expr:
        """The same day some months later, or the last day of a shorter month."""
        return self._expression.call("add_months", months=_whole(months))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise bad_argument(f"{value!r} is not a string", caller(), "patterns are Python strings, not columns")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 63:
        raise bad_argument(f"{value!r} is not a whole number", caller(), "give a Python integer")
    return value

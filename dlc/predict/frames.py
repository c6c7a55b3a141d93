"""Values of a plan as predictions see them: how many rows of which columns, and work on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

_WIDTHS = {"bool": 1.0, "date": 4.0, "string": 24.0}
_FEW_DIGITS = 18  # decimals of up to so many digits are 64-bit integers


@dataclass(frozen=True)
class Work:
    """Work of a class (see `coefficients.DEFAULTS`): `calls` on each rank, and an amount.

    Of the amount, `split` is shared by the ranks and `whole` is done on each. `flops` counts operations.
    """

    kind: str
    split: float = 0.0
    whole: float = 0.0
    calls: float = 0.0
    flops: float = 0.0


@dataclass(frozen=True)
class Frame:
    """A value: rows over all ranks, types of columns, and whether the ranks hold parts or copies of it.

    `width` is the bytes of a row beside the columns, `scale` the true size over that of rows and columns;
    `pending` is work that waits until the rows are needed. A `tensor` lies in the memory of the device where
    there is one.
    """

    rows: float
    columns: dict[str, str] = field(default_factory=dict[str, str])
    split: bool = True
    width: float = 0.0
    scale: float = 1.0
    pending: tuple[Work, ...] = ()
    stored: float = 0.0
    tensor: bool = False

    @property
    def bytes(self) -> float:
        """Size over all ranks, copies counted once."""
        return self.rows * (sum(map(width, self.columns.values())) + self.width) * self.scale

    def sized(self, rows: float | None, size: float | None) -> Frame:
        """The frame with the rows and bytes that are known of it."""
        frame = self if rows is None else replace(self, rows=float(rows), scale=1.0)
        own = frame.bytes
        return replace(frame, scale=size / own) if size and own else frame

    def on_rank(self, ranks: int) -> float:
        """Rows on each of so many ranks."""
        return self.rows / ranks if self.split else self.rows

    def work(self, kind: str, amount: float) -> Work:
        """Work on the rows of the frame, which ranks share as they share the rows."""
        return Work(kind, amount, 0.0) if self.split else Work(kind, 0.0, amount)


def width(type_: str) -> float:
    """Bytes of a value of a column type in memory."""
    kind = type_.rstrip("?")
    if match := re.match(r"decimal\((\d+)", kind):
        return 8.0 if int(match[1]) <= _FEW_DIGITS else 16.0
    if match := re.fullmatch(r"(?:ui|i|f)(\d+)", kind):
        return int(match[1]) / 8
    return _WIDTHS.get(kind, 8.0)


def is_text(type_: str) -> bool:
    """Whether values of a column type are of any length."""
    return type_.startswith("string")


def columns_of(schema: Iterable[Sequence[str]]) -> dict[str, str]:
    """The types of the columns of a schema by name."""
    return {column[0]: column[1] for column in schema}

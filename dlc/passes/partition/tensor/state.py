"""How the entries of one tensor lie over the ranks while a tensor function is analysed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .factors import Span


@dataclass(frozen=True)
class State:
    """What is known of a value.

    Args:
        spans: how the rows lie in each dimension, None for dimensions without rows
        split: each rank has its own rows; else every rank has all
        partial: reduction over the ranks that is pending, "" for none
        zero: all entries are zero, which is also what every rank may contribute to a sum
        numbers: entries are row numbers, which a rank counts from its own first row
        uniform: entries are the same for all rows, so that it does not matter how the rows lie

    """

    spans: tuple[Span | None, ...] = ()
    split: bool = False
    partial: str = ""
    zero: bool = False
    numbers: bool = False
    uniform: bool = False

    def join(self, other: State) -> State | None:
        """What holds of a value that may be either; None when nothing does."""
        if self.partial != other.partial:
            a, b = (self, other) if other.partial else (other, self)
            if not (a.zero and b.partial == "sum" and not a.split):
                return None
            return replace(b, zero=False, uniform=False)
        if (self.spans, self.split, self.numbers) != (other.spans, other.split, other.numbers):
            return None
        return replace(self, zero=self.zero and other.zero, uniform=self.uniform and other.uniform)

    def has_rows(self) -> bool:
        """Whether a dimension depends on the number of rows."""
        return any(span is not None for span in self.spans)

    def shape(self, static: Sequence[int], rows: int) -> tuple[int, ...]:
        """Sizes of the dimensions for a number of rows."""
        return tuple(
            size if span is None else span.per_row * rows
            for size, span in zip(static, self.spans, strict=True)
        )

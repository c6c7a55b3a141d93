"""Factors: which dimensions of an operation's tensors run together. Pure algebra, no IR.

A rule is an einsum in words: every dimension of every operand and result is a product of factors, major to
minor, and dimensions that share a factor are walked in step. So `[i, k], [k, j] → [i, j]` with reduction
factor `k` is a matrix product. The form is that of Shardy's `OpShardingRule`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DYNAMIC = -1
"""Size of a dimension or factor that depends on the number of rows."""

Dimensions = tuple[tuple[int, ...], ...]
"""Factors of each dimension of a tensor, major to minor."""


@dataclass(frozen=True)
class Span:
    """A dimension, or a factor of one, of `outer` × rows × `inner` entries, in this order."""

    outer: int = 1
    inner: int = 1

    @property
    def per_row(self) -> int:
        """Entries of each row."""
        return self.outer * self.inner


@dataclass(frozen=True)
class FactorRule:
    """How the dimensions of an operation hang together.

    Args:
        operands: dimensions of each operand
        results: dimensions of each result
        sizes: size of each factor, DYNAMIC where it depends on the number of rows
        reductions: factors that results no longer have, with the reduction that removes them
        whole: factors along which the operation mixes entries, or needs to know their position

    """

    operands: tuple[Dimensions, ...]
    results: tuple[Dimensions, ...]
    sizes: tuple[int, ...]
    reductions: Mapping[int, str]
    whole: frozenset[int]

    def locate(self, dimension: tuple[int, ...], span: Span) -> tuple[int, Span] | None:
        """The factor of a dimension in which the rows lie, and how they lie in it; None if they straddle."""
        outer, inner, found = 1, 1, None
        for factor in dimension:
            if self.sizes[factor] == DYNAMIC:
                found = factor
            elif found is None:
                outer *= self.sizes[factor]
            else:
                inner *= self.sizes[factor]
        if found is None or span.outer % outer or span.inner % inner:
            return None
        return found, Span(span.outer // outer, span.inner // inner)

    def place(self, dimension: tuple[int, ...], factor: int, span: Span) -> Span:
        """How the rows lie in a dimension when they lie so in one of its factors."""
        at = dimension.index(factor)
        outer, inner = span.outer, span.inner
        for position, other in enumerate(dimension):
            if position < at:
                outer *= self.sizes[other]
            elif position > at:
                inner *= self.sizes[other]
        return Span(outer, inner)

    def __str__(self) -> str:
        names = [chr(ord("a") + f) if f < 26 else f"f{f}" for f in range(len(self.sizes))]

        def tensors(parts: Sequence[Dimensions]) -> str:
            return ", ".join(
                "[" + ", ".join("·".join(names[f] for f in d) or "1" for d in dims) + "]" for dims in parts
            )

        text = f"{tensors(self.operands)} → {tensors(self.results)}"
        for factor, reduction in self.reductions.items():
            text += f" {reduction}({names[factor]})"
        return text + "".join(f" whole({names[factor]})" for factor in sorted(self.whole))


@dataclass
class Factors:
    """Factors while a rule is written down."""

    sizes: list[int] = field(default_factory=list[int])
    reductions: dict[int, str] = field(default_factory=dict[int, str])
    whole: set[int] = field(default_factory=set[int])

    def new(self, size: int, *, reduction: str = "", whole: bool = False) -> int:
        """One more factor."""
        self.sizes.append(size)
        factor = len(self.sizes) - 1
        if reduction:
            self.reductions[factor] = reduction
        if whole:
            self.whole.add(factor)
        return factor

    def each(self, shape: Sequence[int]) -> Dimensions:
        """A factor of its own for every dimension."""
        return tuple((self.new(size),) for size in shape)

    def rule(self, operands: Sequence[Dimensions], results: Sequence[Dimensions]) -> FactorRule:
        """The finished rule."""
        return FactorRule(
            tuple(operands), tuple(results), tuple(self.sizes), self.reductions, frozenset(self.whole)
        )

"""Layout propagation: for every value and every layout it can be had in, the cheapest way to get there.

One visit in program order, for all operators alike; `partition` then builds what the program's ends need.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Block, Operation, SSAValue

from dlc.dialects.flow import ReturnOp
from dlc.dialects.frame import FrameType

from .costs import Costs
from .layouts import Hash, Layout, Replicated, Single
from .rules import RULES, Alternative, Rule, Site, deliver, frame_inputs, is_ordered

UNKNOWN_SIZE = 64e6
"""Bytes assumed of a frame about which nothing is known."""


@dataclass(frozen=True)
class Choice:
    """The cheapest way to a layout, and the seconds until it is there, inputs included."""

    seconds: float
    alternative: Alternative


def size_of(value: SSAValue) -> float:
    """Estimated bytes of a frame: what its operator says, or the size of its largest input."""
    op = value.owner
    if isinstance(op, Block):
        return UNKNOWN_SIZE
    known = op.attributes.get("bytes")
    if isinstance(known, IntegerAttr):
        return float(known.value.data)
    inputs = [size_of(operand) for operand in op.operands if isinstance(operand.type, FrameType)]
    return max(inputs, default=UNKNOWN_SIZE)


@dataclass
class Propagation:
    """Cheapest choices for every frame of a program."""

    costs: Costs
    choices: dict[SSAValue, dict[Layout, Choice]] = field(
        default_factory=dict[SSAValue, dict[Layout, Choice]]
    )
    deliveries: dict[tuple[Operation, int], Choice] = field(
        default_factory=dict[tuple[Operation, int], Choice]
    )

    def run(self, operations: Iterable[Operation]) -> None:
        """Visit operators in order; a value's choices stand before its users are visited."""
        for op in operations:
            if isinstance(op, ReturnOp):
                for index, value in enumerate(op.values):
                    self.deliveries[op, index] = self._best(self._offers(op, [value], deliver))
                continue
            rule = RULES[type(op)]
            offers = list(self._offers(op, frame_inputs(op), rule))
            if not op.results:
                self.deliveries[op, 0] = self._best(offers)
                continue
            table = self.choices.setdefault(op.results[0], {})
            for choice in offers:
                layout = choice.alternative.output
                if layout not in table or choice.seconds < table[layout].seconds:
                    table[layout] = choice

    def _offers(self, op: Operation, inputs: list[SSAValue], rule: Rule) -> list[Choice]:
        site = Site(
            op,
            tuple(tuple(self.choices[value]) for value in inputs),
            tuple(size_of(value) for value in inputs),
            size_of(op.results[0]) if op.results else 0.0,
            self.costs,
        )
        offers = list[Choice]()
        for alternative in rule(site):
            wanted = zip(inputs, alternative.inputs, strict=True)
            seconds = alternative.seconds + sum(self.source(value, layout)[1] for value, layout in wanted)
            if math.isfinite(seconds):
                offers.append(Choice(seconds, alternative))
        return offers

    @staticmethod
    def _best(offers: list[Choice]) -> Choice:
        return min(offers, key=lambda choice: choice.seconds)

    def source(self, value: SSAValue, wanted: Layout) -> tuple[Layout, float]:
        """The layout from which a value is brought to the wanted one, and the seconds of both."""
        best, least = wanted, math.inf
        for layout, choice in self.choices[value].items():
            seconds = choice.seconds + self.conversion(value, layout, wanted)
            if seconds < least:
                best, least = layout, seconds
        return best, least

    def conversion(self, value: SSAValue, have: Layout, want: Layout) -> float:
        """Seconds of the collective that brings a value from one layout to another; infinite if none does."""
        if have == want:
            return 0.0
        if not have.disjoint:
            return math.inf
        size = size_of(value)
        # A whole frame that has an order must not be put together from rows that have lost it.
        if isinstance(want, Replicated | Single) and not have.ordered and is_ordered(value):
            return math.inf
        if isinstance(want, Replicated):
            return self.costs.all_gather(size)
        if isinstance(want, Single):
            return self.costs.gather(size)
        if isinstance(want, Hash):
            return self.costs.shuffle(size)
        return math.inf

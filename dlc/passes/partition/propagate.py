"""Layout propagation: for every value and every layout it can be had in, the cheapest way to get there.

One visit in program order, for all operators alike; `partition` then builds what the program's ends need.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, FixedBitwidthType, IntegerAttr, TensorType
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, SSAValue

from dlc.dialects.flow import ReturnOp
from dlc.dialects.frame import FrameType

from .costs import Costs
from .layouts import Hash, Layout, Partial, Replicated, Shards, Single
from .refusal import refusal
from .rules import LAID_OUT, RULES, Alternative, Rule, Site, deliver, inputs_of, is_ordered
from .training_rules import TRAINING_RULES, everywhere

UNKNOWN_SIZE = 64e6
"""Bytes assumed of a frame about which nothing is known."""
UNKNOWN_ROWS = 1e5
"""Rows assumed of a tensor."""

ALL_RULES: dict[type[Operation], Rule] = {**RULES, **TRAINING_RULES}


@dataclass(frozen=True)
class Choice:
    """The cheapest way to a layout, and the seconds until it is there, inputs included."""

    seconds: float
    alternative: Alternative


def size_of(value: SSAValue) -> float:
    """Estimated bytes of a value: what its type or its operator says, or the size of its largest input."""
    type_: Attribute = value.type
    if isinstance(type_, TensorType):
        return _tensor_size(cast("TensorType[Attribute]", type_))
    op = value.owner
    if isinstance(op, Block):
        return UNKNOWN_SIZE
    known = op.attributes.get("bytes")
    if isinstance(known, IntegerAttr):
        return float(known.value.data)
    inputs = [size_of(operand) for operand in op.operands if isinstance(operand.type, FrameType)]
    return max(inputs, default=UNKNOWN_SIZE)


def _tensor_size(type_: TensorType[Attribute]) -> float:
    sizes = [UNKNOWN_ROWS if size == DYNAMIC_INDEX else size for size in type_.get_shape()]
    element = type_.element_type
    return math.prod(sizes) * (element.size if isinstance(element, FixedBitwidthType) else 4)


@dataclass
class Propagation:
    """Cheapest choices for every frame, tensor and set of batches of a program."""

    costs: Costs
    fast_math: bool = False
    choices: dict[SSAValue, dict[Layout, Choice]] = field(
        default_factory=dict[SSAValue, dict[Layout, Choice]]
    )
    deliveries: dict[tuple[Operation, int], Choice] = field(
        default_factory=dict[tuple[Operation, int], Choice]
    )

    def run(self, operations: Iterable[Operation]) -> None:
        """Visit operators in order; a value's choices stand before its users are visited."""
        for op in operations:
            match op:
                case ReturnOp():
                    for index, value in enumerate(op.values):
                        self.deliveries[op, index] = self._best(op, self._offers(op, [value], deliver))
                case YieldOp():
                    self.deliveries[op, 0] = self._best(op, self._offers(op, inputs_of(op), everywhere))
                case _ if type(op) in ALL_RULES:
                    self._visit(op)
                case _:
                    pass  # numbers that every rank computes for itself

    def _visit(self, op: Operation) -> None:
        offers = self._offers(op, inputs_of(op), ALL_RULES[type(op)])
        if not offers or not op.results:
            self.deliveries[op, 0] = self._best(op, offers)
        for index, result in enumerate(op.results):
            table = self.choices.setdefault(result, {})
            for choice in offers:
                layout = choice.alternative.outputs[index]
                if layout not in table or choice.seconds < table[layout].seconds:
                    table[layout] = choice
        if isinstance(op, ForOp):
            self._enter(op.body.block)

    def _enter(self, block: Block) -> None:
        """Visit the body of a loop, whose carried values are the same on every rank."""
        for argument in block.args:
            if isinstance(argument.type, LAID_OUT):
                given = Alternative("given", (), (Replicated(),), 0.0)
                self.choices[argument] = {Replicated(): Choice(0.0, given)}
        self.run(block.ops)

    def _offers(self, op: Operation, inputs: list[SSAValue], rule: Rule) -> list[Choice]:
        site = Site(
            op,
            tuple(tuple(self.choices[value]) for value in inputs),
            tuple(size_of(value) for value in inputs),
            size_of(op.results[0]) if op.results else 0.0,
            self.costs,
            self.fast_math,
        )
        offers = list[Choice]()
        for alternative in rule(site):
            wanted = zip(inputs, alternative.inputs, strict=True)
            seconds = alternative.seconds + sum(self.source(value, layout)[1] for value, layout in wanted)
            if math.isfinite(seconds):
                offers.append(Choice(seconds, alternative))
        return offers

    @staticmethod
    def _best(op: Operation, offers: list[Choice]) -> Choice:
        if not offers:
            raise refusal(op)
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
        size = size_of(value)
        if isinstance(have, Partial) and have.op != "merge" and isinstance(want, Replicated):
            return self.costs.all_reduce(size)
        if not have.disjoint or not isinstance(value.type, FrameType):
            return math.inf
        # A whole frame that has an order must not be put together from rows that have lost it.
        if isinstance(want, Replicated | Single) and not have.ordered and is_ordered(value):
            return math.inf
        if isinstance(want, Replicated):
            return self.costs.all_gather(size)
        if isinstance(want, Single):
            return self.costs.gather(size)
        if isinstance(want, Hash | Shards):
            return self.costs.shuffle(size)
        return math.inf

"""Row analysis of tensor functions: how results lie over the ranks when the rows of arguments are split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from dlc.diagnostics import DlcError
from dlc.passes.locations import source_loc
from dlc.passes.partition.layouts import Layout, Partial, Replicated, Split

from .factors import DYNAMIC, FactorRule, Span
from .index_rules import own_rows
from .linear import counted, partial_of
from .ops import NeedsWhole, Unsupported, named, shape, splat, terminator
from .sizes import Size, result_sizes
from .stablehlo_rules import ELEMENTWISE, factor_rule
from .state import State

_ZERO_STAYS = named(
    "abs add broadcast_in_dim concatenate convert dynamic_broadcast_in_dim dynamic_reshape negate "
    "optimization_barrier pad reduce reshape reverse slice subtract transpose"
)
"""Operations that make zeros of zeros."""

_UNIFORM_STAYS = ELEMENTWISE | named("broadcast_in_dim dynamic_broadcast_in_dim")
"""Operations that make entries which are the same for all rows of such entries."""

_NUMBERS_STAY = named(
    "broadcast_in_dim concatenate dynamic_broadcast_in_dim dynamic_gather dynamic_iota dynamic_reshape "
    "gather reshape scatter slice transpose"
)
"""Operations other than element by element that leave row numbers alone or, as indices, use them up."""

_POSITION = "it needs the position of a row among all rows"
_HELP_WHOLE = (
    "compute what needs all rows with the data frame before the tensors are made, or return it as a sum, "
    "mean, maximum or minimum over the rows"
)
_HELP_RULE = "write it with element-wise operations, products, reductions, or indexing along other dimensions"


def analyse(function: FuncOp, given: Sequence[Layout]) -> list[Layout]:
    """Layouts of the results of a tensor function.

    Args:
        function: a tensor function; its first argument is the number of rows
        given: layout of each argument: Split(0) for those with rows (Replicated() for all when every rank has
            all rows), Replicated() or Partial(op) for the others

    Raises:
        NeedsWhole: an operation needs other ranks' rows or a finished reduction
        Unsupported: an operation has no rule

    """
    states = Analysis(function, given).states
    last = terminator(function.body.block)
    split = next((layout for layout in given if isinstance(layout, Split)), Split())
    return [_layout(states[value], split, _blamed(value, last)) for value in last.operands]


def no_rule(error: Unsupported) -> DlcError:
    """The diagnostic for an operation that keeps a tensor function from running on a part of the rows."""
    whole = isinstance(error, NeedsWhole)
    return DlcError(
        "DLC307",
        f"the rows of a tensor cannot be shared out over the ranks here: {error}",
        loc=source_loc(error.op),
        help=_HELP_WHOLE if whole else _HELP_RULE,
    )


class Analysis:
    """The state of every value of a tensor function, and the operands that go into sums in shares."""

    def __init__(self, function: FuncOp, given: Sequence[Layout]):
        block = function.body.block
        self.rows = block.args[0]
        self.split = any(isinstance(layout, Split) for layout in given)
        self.states: dict[SSAValue, State] = {}
        self.spans: dict[SSAValue, tuple[Span | None, ...]] = {}
        self.shared: dict[Operation, frozenset[int]] = {}
        for argument, layout in zip(block.args, given, strict=True):
            self._set(argument, self._argument(function, argument, layout))
        self._block(block)

    def _argument(self, function: FuncOp, argument: SSAValue, layout: Layout) -> State:
        spans = tuple(Span() if size == DYNAMIC else None for size in shape(argument))
        if isinstance(layout, Split):
            if layout.axis >= len(spans) or spans[layout.axis] is None:
                raise Unsupported(function, f"an argument without rows along axis {layout.axis} is split")
        elif self.split and any(spans):
            raise NeedsWhole(function, "some arguments hold all rows and others a part of them")
        partial = layout.op if isinstance(layout, Partial) else ""
        return State(spans, isinstance(layout, Split), partial)

    def _set(self, value: SSAValue, state: State) -> None:
        self.states[value] = state
        self.spans[value] = state.spans

    def _block(self, block: Block) -> None:
        for op in block.ops:
            if op is block.last_op:
                return
            match op.name:
                case "stablehlo.while":
                    self._loop(op)
                case "stablehlo.if" | "stablehlo.case":
                    self._branches(op)
                case "stablehlo.optimization_barrier":
                    for operand, result in zip(op.operands, op.results, strict=True):
                        self._set(result, self.states[operand])
                case _:
                    self._operation(op)

    def _loop(self, op: Operation) -> None:
        """What holds of the carried values before and after every pass."""
        carried = [self.states[operand] for operand in op.operands]
        while True:
            for region in op.regions:
                for argument, state in zip(region.block.args, carried, strict=True):
                    self._set(argument, state)
                self._block(region.block)
            self._decides(op, terminator(op.regions[0].block).operands[0])
            left = [self.states[value] for value in terminator(op.regions[1].block).operands]
            joined = self._joined(op, carried, left)
            if joined == carried:
                break
            carried = joined
        for result, state in zip(op.results, carried, strict=True):
            self._set(result, state)

    def _branches(self, op: Operation) -> None:
        self._decides(op, op.operands[0])
        results: list[State] | None = None
        for region in op.regions:
            self._block(region.block)
            left = [self.states[value] for value in terminator(region.block).operands]
            results = left if results is None else self._joined(op, results, left)
        for result, state in zip(op.results, results or [], strict=True):
            self._set(result, state)

    def _joined(self, op: Operation, some: Sequence[State], others: Sequence[State]) -> list[State]:
        joined: list[State] = []
        for a, b in zip(some, others, strict=True):
            both = a.join(b)
            if both is None:
                raise NeedsWhole(
                    op, "a value lies in one way over the ranks on one path, in another on another"
                )
            joined.append(both)
        return joined

    def _decides(self, op: Operation, value: SSAValue) -> None:
        state = self.states[value]
        if state.split or state.partial or state.numbers:
            raise NeedsWhole(op, "its condition is not the same on every rank")

    def _operation(self, op: Operation) -> None:
        rule = factor_rule(op)
        given = [self.states[operand] for operand in op.operands]
        located = self.located(op, rule, given)
        split = any(state.split for state in given)
        reduced = [factor for factor in located if factor in rule.reductions]
        partial, self.shared[op] = partial_of(op, given)
        if split:
            self._crosses(op, rule, located, given)
            if reduced:
                partial = rule.reductions[reduced[0]]
        # Sizes alone follow the rows, too: a constant in the shape of the rows is split as they are.
        zero = self._is_zero(op, given)
        numbers = self._numbers(op, rule, given)
        uniform = op.name in _UNIFORM_STAYS and all(state.uniform or not state.has_rows() for state in given)
        for result, dims in zip(op.results, rule.results, strict=True):
            spans = self._result_spans(op, rule, result, dims, located)
            carries = any(span is not None for span in spans)
            self._set(
                result, State(spans, self.split and carries, partial, zero, numbers, uniform and carries)
            )

    def located(self, op: Operation, rule: FactorRule, given: Sequence[State]) -> dict[int, Span]:
        """The factors of an operation that hold rows, and how."""
        located: dict[int, Span] = {}
        for state, dims in sorted(zip(given, rule.operands, strict=True), key=lambda pair: pair[0].uniform):
            for span, dimension in zip(state.spans, dims, strict=True):
                if span is None or (state.uniform and any(factor in located for factor in dimension)):
                    continue
                found = rule.locate(dimension, span)
                if found is None or located.setdefault(found[0], found[1]) != found[1]:
                    raise Unsupported(op, "it regroups rows in a way that no rule describes")
        if self.split and len(located) > 1:
            raise NeedsWhole(op, "it combines every row with every other")
        return located

    def _crosses(
        self, op: Operation, rule: FactorRule, located: dict[int, Span], given: Sequence[State]
    ) -> None:
        """Refuse what needs other ranks' rows, or would count what all ranks have once for each rank."""
        if any(factor in rule.whole for factor in located):
            raise NeedsWhole(op, "it mixes rows, or needs their position among all rows")
        reductions = {rule.reductions[factor] for factor in located if factor in rule.reductions}
        if not reductions:
            return
        start = {"stablehlo.reduce": 1, "stablehlo.scatter": 0}.get(op.name)
        if start is None:
            return
        (reduction,) = reductions
        shared = counted(op, given, frozenset((start,)), reduction)
        if shared is None and not (reduction == "prod" and splat(op.operands[start]) == 1):
            raise NeedsWhole(op, "it starts from a value that each rank would count again")
        self.shared[op] = shared or frozenset()

    def _is_zero(self, op: Operation, given: Sequence[State]) -> bool:
        if op.name == "stablehlo.constant":
            return splat(op.results[0]) == 0
        if op.name not in _ZERO_STAYS:
            return False
        values = given[:1] if "broadcast" in op.name or op.name.endswith("reshape") else given
        return all(state.zero for state in values)

    def _numbers(self, op: Operation, rule: FactorRule, given: Sequence[State]) -> bool:
        """Whether the results are row numbers, which mean something only as indices of these very rows."""
        if self.split and op.name in ("stablehlo.dynamic_iota", "stablehlo.iota"):
            return any(rule.sizes[factor] == DYNAMIC for factor in rule.whole)
        if not any(state.numbers for state in given):
            return False
        if op.name not in _NUMBERS_STAY and op.name not in ELEMENTWISE:
            raise NeedsWhole(op, _POSITION)
        if not op.name.endswith(("gather", "scatter")):
            return True
        # As indices, row numbers are good for finding the rows themselves.
        if any(self.states[column].numbers for column in own_rows(op)[1]):
            raise NeedsWhole(op, _POSITION)
        return given[0].numbers

    def _result_spans(
        self,
        op: Operation,
        rule: FactorRule,
        result: SSAValue,
        dims: tuple[tuple[int, ...], ...],
        located: dict[int, Span],
    ) -> tuple[Span | None, ...]:
        sizes = result_sizes(op, self.rows, self.spans)
        spans: list[Span | None] = []
        for axis, (size, dimension) in enumerate(zip(shape(result), dims, strict=True)):
            factor = next((factor for factor in dimension if factor in located), None)
            known = sizes[axis] if sizes else None
            if size != DYNAMIC:
                spans.append(None)
            elif factor is not None:
                spans.append(rule.place(dimension, factor, located[factor]))
            elif known is not None and known.per_row > 0 and known.fixed == 0:
                spans.append(Span(1, known.per_row))
            else:
                raise Unsupported(op, "the size of its result is no multiple of the number of rows")
            span = spans[-1]
            if span is not None and sizes and factor is not None and known != Size(span.per_row):
                raise NeedsWhole(op, "it takes a part of the rows")
        return tuple(spans)


def _blamed(value: SSAValue, last: Operation) -> Operation:
    """The operation at which a result that cannot be had is reported."""
    return value.owner if isinstance(value.owner, Operation) else last


def _layout(state: State, split: Split, op: Operation) -> Layout:
    if state.numbers:
        raise NeedsWhole(op, _POSITION)
    if state.partial:
        return Partial(state.partial)
    if not state.split:
        return Replicated()
    axis, span = next((axis, span) for axis, span in enumerate(state.spans) if span is not None)
    if span != Span():
        raise Unsupported(op, "a result has its rows merged with another dimension")
    return replace(split, axis=axis)


def whole(function: FuncOp) -> list[Layout]:
    """Layouts of the arguments when every rank has all rows."""
    return [Replicated() for _ in function.body.block.args]

"""The static function that one rank runs on a chunk of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FunctionType, TensorType, UnitAttr, i32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from dlc.dialects.stablehlo import tensor
from dlc.passes.partition.layouts import Layout

from .build import Emitter, integer_array
from .factors import FactorRule, Span
from .function import Analysis
from .index_rules import slice_sizes
from .masks import hidden, identity, real_rows
from .ops import Unsupported, attribute, number, shape, terminator
from .sizes import sizes
from .stablehlo_rules import factor_rule

_WITH_BLOCKS = ("stablehlo.while", "stablehlo.if", "stablehlo.case")

ROWS = "flow.rows"
"""Attribute of the argument of a tensor function that holds the global number of rows."""


def localise(function: FuncOp, given: Sequence[Layout], rows: int, masked: bool, name: str) -> FuncOp:
    """A tensor function for a chunk of `rows` rows, in which every size is known.

    The first argument stays the global number of rows, for use as a value. With `masked` there is one more
    argument, the last: how many rows of the chunk are real (`tensor<i32>`); the others follow them and add
    nothing to any reduction. Results that keep the rows hold anything in the rows that are not real.

    Args:
        function: a tensor function
        given: layout of each argument, as for `analyse`
        rows: rows of a chunk
        masked: whether the chunk may be padded
        name: symbol of the new function

    Raises:
        NeedsWhole, Unsupported: as `analyse` does

    """
    return _Localiser(Analysis(function, given), rows).function(function, masked, name)


class _Localiser:
    def __init__(self, analysis: Analysis, rows: int):
        self.analysis = analysis
        self.rows = rows
        self.valid: SSAValue | None = None
        self.values: dict[SSAValue, SSAValue] = {}
        self.real: dict[tuple[Block, Span], SSAValue] = {}

    def function(self, function: FuncOp, masked: bool, name: str) -> FuncOp:
        source = function.body.block
        block = self._block_like(source)
        if masked:
            self.valid = block.insert_arg(TensorType(i32, []), len(block.args))
        self._fill(block, source)
        remove_dead(block)
        results = [value.type for value in terminator(block).operands]
        local = FuncOp(name, FunctionType.from_lists(block.arg_types, results), Region(block), "private")
        local.location = function.location
        local.arg_attrs = marked(len(block.args))
        return local

    def _type(self, value: SSAValue) -> Attribute:
        state = self.analysis.states[value]
        if not state.has_rows():
            return value.type
        return TensorType(tensor(value).element_type, state.shape(shape(value), self.rows))

    def _block_like(self, source: Block) -> Block:
        block = Block(arg_types=[self._type(argument) for argument in source.args])
        self.values.update(zip(source.args, block.args, strict=True))
        return block

    def _fill(self, block: Block, source: Block) -> None:
        for op in source.ops:
            emit = Emitter(block.add_op, op.location)
            if op is source.last_op or op.name in _WITH_BLOCKS:
                self._copy(block, op)
            elif op.name in self.STATIC:
                self.values[op.results[0]] = self.STATIC[op.name](self, op, emit)
            else:
                operands = self._masked(op, factor_rule(op), block, emit)
                for index in self.analysis.shared.get(op, ()):
                    operands[index] = self._share(operands[index], emit)
                self._copy(block, op, operands)

    def _copy(self, block: Block, op: Operation, operands: Sequence[SSAValue] | None = None) -> None:
        """The same operation on local values."""
        regions: list[Region] = []
        for region in op.regions:
            if op.name in _WITH_BLOCKS:
                inner = self._block_like(region.block)
                self._fill(inner, region.block)
                remove_dead(inner)
                regions.append(Region(inner))
            else:
                regions.append(region.clone())
        copy = type(op).create(
            operands=operands or [self.values[operand] for operand in op.operands],
            result_types=[self._type(result) for result in op.results],
            properties=dict(op.properties),
            attributes=dict(op.attributes),
            regions=regions,
            location=op.location,
        )
        block.add_op(copy)
        self.values.update(zip(op.results, copy.results, strict=True))

    def _masked(self, op: Operation, rule: FactorRule, block: Block, emit: Emitter) -> list[SSAValue]:
        """Operands, those masked whose rows the operation reduces.

        Both sides of a product are: a padding row may hold what is not finite, and 0 · ∞ is not 0.
        """
        given = [self.values[operand] for operand in op.operands]
        if self.valid is None or not rule.reductions:
            return given
        states = [self.analysis.states[operand] for operand in op.operands]
        located = self.analysis.located(op, rule, states)
        for factor in located:
            if factor not in rule.reductions:
                continue
            for at, (state, dims) in enumerate(zip(states, rule.operands, strict=True)):
                axis = next((axis for axis, dimension in enumerate(dims) if factor in dimension), None)
                if axis is not None and state.has_rows():
                    span = rule.place(dims[axis], factor, located[factor])
                    filler = identity(op, tensor(given[at]).element_type, rule.reductions[factor])
                    given[at] = hidden(emit, given[at], axis, self._real(block, span, emit), filler)
        return given

    def _share(self, value: SSAValue, emit: Emitter) -> SSAValue:
        """The part of a value that falls to the rows of the chunk, so that all parts add up to it."""
        element, sizes = tensor(value).element_type, tensor(value).get_shape()
        here = emit.constant(i32, self.rows) if self.valid is None else self.valid
        kind = TensorType(element, [])
        mine, rows = (emit.op("convert", [count], kind) for count in (here, self.values[self.analysis.rows]))
        return emit.binary("multiply", value, emit.broadcast(emit.binary("divide", mine, rows), sizes))

    def _real(self, block: Block, span: Span, emit: Emitter) -> SSAValue:
        assert self.valid is not None
        if (block, span) not in self.real:
            self.real[block, span] = real_rows(emit, self.valid, span, self.rows)
        return self.real[block, span]

    # Static forms of dynamic operations.

    def _with_type(
        self, op: Operation, emit: Emitter, name: str, keep: Sequence[str], count: int
    ) -> SSAValue:
        """The static operation of that name with the first operands and some of the attributes."""
        properties = {key: found for key in keep if (found := attribute(op, key)) is not None}
        operands = [self.values[operand] for operand in op.operands[:count]]
        return emit.op(name, operands, self._type(op.results[0]), properties)

    def _broadcast(self, op: Operation, emit: Emitter) -> SSAValue:
        return self._with_type(op, emit, "broadcast_in_dim", ["broadcast_dimensions"], 1)

    def _reshape(self, op: Operation, emit: Emitter) -> SSAValue:
        return self._with_type(op, emit, "reshape", [], 1)

    def _iota(self, op: Operation, emit: Emitter) -> SSAValue:
        return self._with_type(op, emit, "iota", ["iota_dimension"], 0)

    def _gather(self, op: Operation, emit: Emitter) -> SSAValue:
        numbers = attribute(op, "dimension_numbers")
        assert numbers is not None
        local = self.analysis.states[op.results[0]].shape(shape(op.results[0]), self.rows)
        slices = integer_array(slice_sizes(op, local))
        operands = [self.values[operand] for operand in op.operands[:2]]
        properties = {"dimension_numbers": numbers, "slice_sizes": slices}
        return emit.op("gather", operands, self._type(op.results[0]), properties)

    def _slice(self, op: Operation, emit: Emitter) -> SSAValue:
        operand, local = self.values[op.operands[0]], self._type(op.results[0])
        if op.operands[0].type == op.results[0].type:
            return operand
        start, stop, step = (self._sizes(op, at) for at in (1, 2, 3))
        if None not in (*start, *stop, *step):
            return emit.slice(operand, *(cast("list[int]", bounds) for bounds in (start, stop, step)))
        # A slice that begins where the data says has strides of one.
        position = self.values[op.operands[1]]
        starts = [
            emit.reshape(emit.slice(position, [axis], [axis + 1], [1]), []) for axis in range(len(start))
        ]
        sizes = integer_array(cast("TensorType[Attribute]", local).get_shape())
        return emit.op("dynamic_slice", [operand, *starts], local, {"slice_sizes": sizes})

    def _pad(self, op: Operation, emit: Emitter) -> SSAValue:
        names = ("edge_padding_low", "edge_padding_high", "interior_padding")
        properties: dict[str, Attribute] = {
            name: integer_array(self._known(op, at)) for at, name in enumerate(names, start=2)
        }
        operands = [self.values[operand] for operand in op.operands[:2]]
        return emit.op("pad", operands, self._type(op.results[0]), properties)

    def _sizes(self, op: Operation, at: int) -> list[int | None]:
        """The entries of a shape operand for the rows of a chunk; None for those that the data decides."""
        found = sizes(op.operands[at], self.analysis.rows, self.analysis.spans)
        return [None if size is None else size.per_row * self.rows + size.fixed for size in found]

    def _known(self, op: Operation, at: int) -> list[int]:
        known = [size for size in self._sizes(op, at) if size is not None]
        if len(known) < len(shape(op.operands[0])):
            raise Unsupported(op, "its bounds depend on the data")
        return known

    def _size(self, op: Operation, emit: Emitter) -> SSAValue:
        """The global size: the number of rows as a value."""
        axis = number(op, "dimension")
        span = self.analysis.states[op.operands[0]].spans[axis]
        if span is None:
            return emit.constant(i32, shape(op.operands[0])[axis])
        rows = self.values[self.analysis.rows]
        return rows if span.per_row == 1 else emit.binary("multiply", rows, emit.constant(i32, span.per_row))

    STATIC: ClassVar = {
        "stablehlo.dynamic_broadcast_in_dim": _broadcast,
        "stablehlo.dynamic_gather": _gather,
        "stablehlo.dynamic_iota": _iota,
        "stablehlo.dynamic_pad": _pad,
        "stablehlo.dynamic_reshape": _reshape,
        "stablehlo.get_dimension_size": _size,
        "stablehlo.real_dynamic_slice": _slice,
    }


def remove_dead(block: Block) -> None:
    """Erase the operations of a block whose results nobody reads; none has side effects."""
    for op in reversed(list(block.ops)):
        if op is not block.last_op and not any(result.uses for result in op.results):
            op.detach()
            op.erase()


def marked(count: int) -> ArrayAttr[DictionaryAttr]:
    """Attributes of the arguments of a tensor function: the first is the number of rows."""
    return ArrayAttr([DictionaryAttr({ROWS: UnitAttr()})] + [DictionaryAttr({})] * (count - 1))

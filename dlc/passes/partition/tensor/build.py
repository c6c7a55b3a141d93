"""Writing StableHLO: one call an operation, with result types worked out from the operands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import (
    I64,
    AnyFloat,
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    LocationAttr,
    TensorType,
    i1,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl_jax.dialects.stablehlo.attributes import ComparisonDirection, ComparisonDirectionAttr, DotAttr

from dlc.dialects.stablehlo import Stablehlo, tensor

_OPS = {op.name: op for op in Stablehlo.operations}


def integer_array(values: Sequence[int]) -> DenseArrayBase:
    """An `array<i64: …>` attribute."""
    return DenseArrayBase.from_list(i64, list(values))


@dataclass(frozen=True)
class Emitter:
    """Builds operations at one location and hands them to `place`."""

    place: Callable[[Operation], object]
    location: LocationAttr

    def op(
        self,
        name: str,
        operands: Sequence[SSAValue],
        result: Attribute,
        properties: dict[str, Attribute] | None = None,
    ) -> SSAValue:
        """An operation of StableHLO with one result."""
        made = _OPS[f"stablehlo.{name}"].create(
            operands=operands, result_types=[result], properties=properties or {}, location=self.location
        )
        self.place(made)
        return made.results[0]

    def constant(self, element: Attribute, value: float, shape: Sequence[int] = ()) -> SSAValue:
        """The same number in every entry."""
        kind = TensorType(element, [])
        dense = DenseIntOrFPElementsAttr.from_list(cast("TensorType[AnyFloat]", kind), [value])
        scalar = self.op("constant", [], kind, {"value": dense})
        return self.broadcast(scalar, shape) if shape else scalar

    def binary(self, name: str, left: SSAValue, right: SSAValue) -> SSAValue:
        """An element-wise operation of two tensors of one type."""
        return self.op(name, [left, right], left.type)

    def compare(self, direction: str, left: SSAValue, right: SSAValue) -> SSAValue:
        """Element by element."""
        shape = tensor(left).get_shape()
        how = ComparisonDirectionAttr(ComparisonDirection(direction))
        return self.op("compare", [left, right], TensorType(i1, shape), {"comparison_direction": how})

    def select(self, condition: SSAValue, yes: SSAValue, no: SSAValue) -> SSAValue:
        """Element by element."""
        return self.op("select", [condition, yes, no], yes.type)

    def iota(self, size: int) -> SSAValue:
        """0, 1, … as `i32`."""
        return self.op("iota", [], TensorType(i32, [size]), {"iota_dimension": IntegerAttr(0, i64)})

    def broadcast(self, value: SSAValue, shape: Sequence[int], axes: Sequence[int] = ()) -> SSAValue:
        """`broadcast_in_dim`."""
        kind = TensorType(tensor(value).element_type, shape)
        return self.op("broadcast_in_dim", [value], kind, {"broadcast_dimensions": integer_array(axes)})

    def reshape(self, value: SSAValue, shape: Sequence[int]) -> SSAValue:
        """The same entries in another shape; the value itself when it has that shape."""
        if tuple(shape) == tensor(value).get_shape():
            return value
        return self.op("reshape", [value], TensorType(tensor(value).element_type, shape))

    def transpose(self, value: SSAValue, order: Sequence[int]) -> SSAValue:
        """Dimensions in another order; the value itself when it is theirs."""
        if list(order) == list(range(len(order))):
            return value
        shape = tensor(value).get_shape()
        kind = TensorType(tensor(value).element_type, [shape[axis] for axis in order])
        return self.op("transpose", [value], kind, {"permutation": integer_array(order)})

    def slice(
        self, value: SSAValue, start: Sequence[int], stop: Sequence[int], step: Sequence[int]
    ) -> SSAValue:
        """A strided slice; the value itself when it is all of it."""
        shape = [-((a - b) // s) for a, b, s in zip(start, stop, step, strict=True)]
        if tuple(shape) == tensor(value).get_shape():
            return value
        properties = {"start_indices": start, "limit_indices": stop, "strides": step}
        return self.op(
            "slice",
            [value],
            TensorType(tensor(value).element_type, shape),
            {name: integer_array(values) for name, values in properties.items()},
        )

    def pad(
        self,
        value: SSAValue,
        low: Sequence[int],
        high: Sequence[int],
        between: Sequence[int],
        filler: SSAValue | None = None,
    ) -> SSAValue:
        """Zeros, or a scalar, around and between the entries; the value itself when there are none."""
        if not any((*low, *high, *between)):
            return value
        shape = [
            a + size + max(size - 1, 0) * gap + b
            for size, a, b, gap in zip(tensor(value).get_shape(), low, high, between, strict=True)
        ]
        element = tensor(value).element_type
        properties = {"edge_padding_low": low, "edge_padding_high": high, "interior_padding": between}
        return self.op(
            "pad",
            [value, self.constant(element, 0) if filler is None else filler],
            TensorType(element, shape),
            {name: integer_array(values) for name, values in properties.items()},
        )

    def reverse(self, value: SSAValue, axes: Sequence[int]) -> SSAValue:
        """Dimensions back to front; the value itself when there are none."""
        return self.op("reverse", [value], value.type, {"dimensions": integer_array(axes)}) if axes else value

    def concatenate(self, values: Sequence[SSAValue], axis: int) -> SSAValue:
        """Tensors one after the other along an axis; the value itself when it is one."""
        if len(values) == 1:
            return values[0]
        shape = list(tensor(values[0]).get_shape())
        shape[axis] = sum(tensor(value).get_shape()[axis] for value in values)
        kind = TensorType(tensor(values[0]).element_type, shape)
        return self.op("concatenate", values, kind, {"dimension": IntegerAttr(axis, i64)})

    def dot_general(
        self,
        left: SSAValue,
        right: SSAValue,
        contracting: tuple[Sequence[int], Sequence[int]],
        precision: Attribute | None = None,
    ) -> SSAValue:
        """A product that contracts axes of the left with axes of the right; the others stay in order."""

        def axes(values: Sequence[int]) -> ArrayAttr[IntegerAttr[I64]]:
            return ArrayAttr(IntegerAttr(value, i64) for value in values)

        shape = [
            size
            for value, gone in zip((left, right), contracting, strict=True)
            for axis, size in enumerate(tensor(value).get_shape())
            if axis not in gone
        ]
        numbers = DotAttr(axes(()), axes(()), axes(contracting[0]), axes(contracting[1]))
        properties: dict[str, Attribute] = {"dot_dimension_numbers": numbers}
        if precision is not None:
            properties["precision_config"] = precision
        kind = TensorType(tensor(left).element_type, shape)
        return self.op("dot_general", [left, right], kind, properties)

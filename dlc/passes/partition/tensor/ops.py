"""Reading StableHLO operations: shapes, integer attributes, reducers, constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IntAttr,
    IntegerAttr,
    TensorType,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from dlc.dialects.stablehlo import tensor

from .factors import DYNAMIC

REDUCERS = {
    "stablehlo.add": "sum",
    "stablehlo.maximum": "max",
    "stablehlo.minimum": "min",
    "stablehlo.multiply": "prod",
    "stablehlo.and": "and",
    "stablehlo.or": "or",
}
"""The reduction that an operation does when a region applies it to two scalars."""


def named(words: str, dialect: str = "stablehlo") -> frozenset[str]:
    """Full names of the operations of a dialect, which `words` lists."""
    return frozenset(f"{dialect}.{word}" for word in words.split())


class Unsupported(Exception):
    """An operation has no partition rule, or mixes rows in a way that none describes."""

    def __init__(self, op: Operation, reason: str):
        super().__init__(f"{op.name}: {reason}")
        self.op = op
        self.reason = reason


class NeedsWhole(Unsupported):
    """An operation needs all rows, or a finished reduction, where a rank has only its part."""


def shape(value: SSAValue) -> tuple[int, ...]:
    """Sizes of the dimensions, DYNAMIC where unknown; empty for what is no tensor."""
    if not isinstance(value.type, TensorType):
        return ()
    return tuple(DYNAMIC if size == DYNAMIC_INDEX else size for size in tensor(value).get_shape())


def attribute(op: Operation, name: str) -> Attribute | None:
    """A property or attribute of an operation."""
    return op.properties.get(name, op.attributes.get(name))


def ints(op: Operation, name: str, default: Sequence[int] = ()) -> tuple[int, ...]:
    """A list of integers among the attributes."""
    return integers(attribute(op, name), default)


def integers(found: Attribute | None, default: Sequence[int] = ()) -> tuple[int, ...]:
    """The integers of an attribute, whichever way they are written; a matrix row by row."""
    match found:
        case None:
            return tuple(default)
        case DenseArrayBase() | DenseIntOrFPElementsAttr():
            return tuple(int(value) for value in cast("Any", found).get_values())
        case ArrayAttr():
            return tuple(entry for part in found for entry in integers(part))
        case IntegerAttr():
            return (found.value.data,)
        case IntAttr():
            return (found.data,)
        case _:
            raise TypeError(f"{found} is not a list of integers")


def number(op: Operation, name: str, default: int = 0) -> int:
    """An integer attribute."""
    return ints(op, name, (default,))[0]


def terminator(block: Block) -> Operation:
    """The last operation of a block."""
    assert block.last_op is not None
    return block.last_op


def reducer(op: Operation, region: int = 0) -> str | None:
    """The reduction that a region applies to its two scalars, None for any other."""
    block = op.regions[region].block
    inner = [o for o in block.ops if o is not block.last_op]
    if len(inner) != 1 or set(inner[0].operands) != set(block.args) or len(block.args) != 2:
        return None
    returned = terminator(block).operands
    return REDUCERS.get(inner[0].name) if list(returned) == list(inner[0].results) else None


def splat(value: SSAValue) -> int | float | bool | None:
    """The one number that all entries of a constant are, None for any other value."""
    owner = value.owner
    if not isinstance(owner, Operation) or owner.name != "stablehlo.constant":
        return None
    dense = attribute(owner, "value")
    if not isinstance(dense, DenseIntOrFPElementsAttr):
        return None
    if dense.is_splat():
        return cast("float", dense.get_values()[0])
    values = dense.get_values()
    return cast("float", values[0]) if len(set(values)) == 1 else None

"""Builds the `expr` ops of a region and brings operands to types that fit one another."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce

from xdsl.ir import Operation, Region, SSAValue

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import datatypes as t
from dlc.dialects import expr
from dlc.dialects.frame import frame_of
from dlc.dialects.table import region_of
from dlc.frontends.location import attribute

from .errors import unknown_column
from .literals import Literal, UnfitError, constant, literal_type
from .node import Node

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
SYMBOLS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "and": "&",
    "or": "|",
    "not": "~",
    "neg": "-",
}
"""How a program spells the operators."""


@dataclass(frozen=True)
class Weak:
    """A literal whose type the operand beside it decides."""

    value: Literal


Operand = SSAValue | Weak


class Builder:
    """The ops of one expression region over the rows of a frame."""

    def __init__(self, frame: SSAValue):
        self.frame = frame
        self.schema = frame_of(frame).columns
        self.ops: list[Operation] = []
        self._columns: dict[str, SSAValue] = {}

    def region(self, values: Sequence[SSAValue], loc: SourceLoc) -> Region:
        """The region of all ops so far, which yields the values."""
        region = region_of(self.ops, values)
        assert region.block.last_op is not None
        region.block.last_op.location = attribute(loc)
        return region

    def add(self, op: Operation, loc: SourceLoc) -> SSAValue:
        """Append an op that stands for the user's expression at `loc`."""
        op.location = attribute(loc)
        self.ops.append(op)
        return op.results[0]

    def column(self, name: str, loc: SourceLoc) -> SSAValue:
        """The value of a column; DLC101 when there is none."""
        if name not in self._columns:
            if name not in self.schema:
                raise unknown_column(name, self.frame, loc)
            self._columns[name] = self.add(expr.ColumnOp(name, self.schema[name]), loc)
            name_value(self._columns[name], name)
        return self._columns[name]

    def is_column(self, value: SSAValue, name: str) -> bool:
        """Whether a value is the column of that name."""
        return self._columns.get(name) is value

    def types(
        self, operands: Sequence[Operand], node: Node, expected: t.DataType | None = None
    ) -> list[t.DataType]:
        """Types of operands; literals take theirs from the operands beside them. DLC102 when they cannot.

        Literals alone take the `expected` type, if there is one.
        """
        stated = [operand.type for operand in operands if isinstance(operand, SSAValue)]
        if len(stated) == len(operands):
            return stated
        beside = self.common(stated, node) if stated else expected
        with explained(node):
            if beside is None:
                known = [o.value for o in operands if isinstance(o, Weak) and o.value is not None]
                beside = literal_type(known[0]) if known else None
            return [
                operand.type if isinstance(operand, SSAValue) else literal_type(operand.value, beside)
                for operand in operands
            ]

    def common(self, types: Sequence[t.DataType], node: Node) -> t.DataType:
        """The type that values of all these types convert to; DLC102 when there is none."""

        def meet(left: t.DataType, right: t.DataType) -> t.DataType:
            both = t.common_type(left, right)
            if both is None:
                raise mismatch(node, [left, right])
            return both

        return reduce(meet, types)

    def convert(self, operand: Operand, type_: t.DataType, node: Node) -> SSAValue:
        """The operand in a type (nulls stay possible where they were); DLC102 for an unfit literal."""
        base = t.strip(type_)
        if isinstance(operand, Weak):
            if operand.value is None:
                return self.add(expr.NullOp(t.nullable(base)), node.loc)
            with explained(node):
                return self.add(expr.LiteralOp(constant(operand.value, base), base), node.loc)
        if t.strip(operand.type) == base:
            return operand
        return self.add(expr.CastOp(operand, t.nullable(base, t.is_nullable(operand.type))), node.loc)

    def unify(self, operands: Sequence[Operand], node: Node) -> list[SSAValue]:
        """The operands in their common type; DLC102 when there is none."""
        common = self.common(self.types(operands, node), node)
        return [self.convert(operand, common, node) for operand in operands]

    def alone(self, operand: Operand, node: Node) -> SSAValue:
        """An operand that stands beside no other."""
        return self.convert(operand, self.types([operand], node)[0], node)


def name_value(value: SSAValue, name: str) -> None:
    """Let printed IR call a value by a name of the user's, where that is an identifier."""
    # A leading underscore is the mark of names made here, and some of those xDSL cannot copy.
    if _IDENTIFIER.fullmatch(name):
        value.name_hint = name


@contextmanager
def explained(node: Node) -> Generator[None]:
    """Turns what is wrong with a literal into DLC102 at the node."""
    try:
        yield
    except UnfitError as error:
        raise DlcError(
            "DLC102",
            str(error),
            loc=node.loc,
            help="write a literal of the column's type, or cast the column",
        ) from None


def mismatch(node: Node, types: Sequence[t.DataType], help: str | None = None) -> DlcError:
    """DLC102: the node's operator has no meaning for operands of these types."""
    given = " and ".join(t.text(type_) for type_ in types)
    return DlcError(
        "DLC102", f"{spelling(node)} does not take {given}", loc=node.loc, help=help or _fix(types)
    )


def spelling(node: Node) -> str:
    """What a program writes for a node."""
    if node.kind in SYMBOLS:
        return f"'{SYMBOLS[node.kind]}'"
    if node.kind == "case":
        return "dlc.when(…).then(…)"
    name = str(node.value[0] if node.kind == "call" else node.value if node.kind == "agg" else node.kind)
    return f".{name.replace('str_', 'str.')}()"


def _fix(types: Sequence[t.DataType]) -> str:
    if any(map(t.is_bool, types)):
        return "a boolean counts as 0 or 1 after .cast(dlc.Int64)"
    if any(t.strip(type_) == t.string for type_ in types):
        other = next((type_ for type_ in types if t.strip(type_) != t.string), None)
        name = "Date" if other is not None and t.is_temporal(other) else "Int64"
        return f"if the text holds such values, cast it first: .cast(dlc.{name})"
    return "cast one side, as in .cast(dlc.Float64)"

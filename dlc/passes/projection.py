"""Builds `table.project` ops, every op at the location of the one that it stands for."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Attribute, Operation, SSAValue

from dlc.dialects import datatypes as t
from dlc.dialects.arithmetic import ArithmeticOp
from dlc.dialects.expr import CastOp, ColumnOp, LiteralOp
from dlc.dialects.frame import frame_of
from dlc.dialects.table import ProjectOp, region_of


class Projection:
    """Expressions over the columns of one frame; `build` leaves the `outputs`, in their order."""

    def __init__(self, frame: SSAValue, location: LocationAttr):
        self.frame = frame
        self.location = location
        self.outputs = dict[str, SSAValue]()
        self._types = frame_of(frame).columns
        self._columns = dict[str, SSAValue]()
        self._operations = list[Operation]()

    def add(self, op: Operation) -> SSAValue:
        """Append an expression op; its result."""
        op.location = self.location
        self._operations.append(op)
        return op.results[0]

    def column(self, name: str) -> SSAValue:
        """A column of the frame."""
        if name not in self._columns:
            self._columns[name] = self.add(ColumnOp(name, self._types[name]))
        return self._columns[name]

    def literal(self, value: float | str | bool, type_: Attribute) -> SSAValue:
        """A constant."""
        return self.add(LiteralOp(value, type_))

    def arithmetic(self, kind: type[ArithmeticOp], lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """An arithmetic op of the type that its operands give."""
        type_ = t.arithmetic_type(kind.name.partition(".")[2], lhs.type, rhs.type)
        assert type_ is not None
        return self.add(kind(lhs, rhs, type_))

    def cast(self, value: SSAValue, type_: Attribute) -> SSAValue:
        """The value in another type of the same nullability; itself when it has that type."""
        wanted = t.nullable(t.strip(type_), t.is_nullable(value.type))
        return value if value.type == wanted else self.add(CastOp(value, wanted))

    def keep(self, names: Iterable[str]) -> None:
        """Pass columns on as they are."""
        for name in names:
            self.outputs.setdefault(name, self.column(name))

    def build(self) -> ProjectOp:
        """The op, not yet in any block."""
        op = ProjectOp(
            self.frame, list(self.outputs), region_of(self._operations, list(self.outputs.values()))
        )
        op.location = self.location
        last = op.body.block.last_op
        assert last is not None
        last.location = self.location
        return op


def fresh(name: str, taken: set[str]) -> str:
    """A column name like `name` that is not taken yet; it is taken from now on."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}.{number}"
    taken.add(found)
    return found

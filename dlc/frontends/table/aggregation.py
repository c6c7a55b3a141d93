"""Splits expressions over aggregates: what is computed before, the plain aggregates, and what after.

`(col("a") * 2).sum() / dlc.len()` becomes a projection of `a * 2`, the aggregates `sum` and `len`, and a
projection of their quotient.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from xdsl.ir import Operation, SSAValue

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import datatypes as t
from dlc.dialects.frame import AggregateAttr, frame_of
from dlc.dialects.table import AggregateOp, ProjectOp
from dlc.frontends.location import attribute

from .builder import mismatch
from .errors import unknown_column
from .lowering import Lowering
from .node import Node


class Aggregation:
    """One `group_by(keys).agg(outputs)` over a frame; without keys, a `select` of aggregates."""

    def __init__(
        self, frame: SSAValue, keys: Mapping[str, Node], outputs: Mapping[str, Node], loc: SourceLoc
    ):
        self._frame, self._keys, self._outputs, self._loc = frame, keys, outputs, loc
        taken = {*frame_of(frame).columns, *keys, *outputs}
        self._fresh = (name for i in count() if (name := f"_{i}") not in taken)
        self._before = Lowering(frame)
        self._inputs = {name: self._before.value(node) for name, node in keys.items()}
        self._aggregates: list[AggregateAttr] = []
        self._slots: dict[tuple[str, str], str] = {}
        self._results: dict[int, str] = {}

    def build(self) -> SSAValue:
        """The aggregated frame: keys, then outputs; DLC101, DLC102 and DLC107."""
        for name, node in self._outputs.items():
            self._collect(name, node)
        frame = self._frame
        if not self._is_plain():
            region = self._before.region(list(self._inputs.values()), self._loc)
            frame = self._located(ProjectOp(frame, list(self._inputs), region))
        result = self._located(AggregateOp(frame, list(self._keys), self._aggregates))
        if list(frame_of(result).columns) == [*self._keys, *self._outputs] and all(
            node.kind == "agg" for node in self._outputs.values()
        ):
            return result
        after = Lowering(result, self._results)
        values = [after.column(key, node.loc) for key, node in self._keys.items()]
        values += [after.value(node) for node in self._outputs.values()]
        region = after.region(values, self._loc)
        return self._located(ProjectOp(result, [*self._keys, *self._outputs], region))

    def _collect(self, name: str, root: Node) -> None:
        """Find the aggregates of one output; everything else in it must be a key or a constant."""
        pending = [root]
        while pending:
            node = pending.pop()
            if node.kind == "agg":
                self._add(node, name if node is root else None)
            elif node.kind == "col" and node.value not in self._keys:
                if node.value not in frame_of(self._frame).columns:
                    raise unknown_column(node.value, self._frame, node.loc)
                raise DlcError(
                    "DLC107",
                    f"column '{node.value}' stands beside aggregates and is no key",
                    loc=node.loc,
                    help=f"reduce it, as in col('{node.value}').max(), or group by it",
                )
            else:
                pending.extend(reversed(node.args))

    def _add(self, node: Node, output: str | None) -> None:
        column = self._input(node.args[0]) if node.args else ""
        type_ = self._inputs[column].type if column else None
        if t.aggregate_type(node.value, type_) is None:
            assert type_ is not None
            raise mismatch(node, [type_])
        slot = (node.value, column)
        if output is None and slot in self._slots:
            self._results[id(node)] = self._slots[slot]
            return
        name = output or next(self._fresh)
        self._slots.setdefault(slot, name)
        self._results[id(node)] = name
        self._aggregates.append(AggregateAttr.of(name, node.value, column))

    def _input(self, node: Node) -> str:
        """The column before the aggregation that holds an aggregate's argument."""
        value = self._before.value(node)
        for name, known in self._inputs.items():
            if known is value:
                return name
        is_free = node.kind == "col" and node.value not in self._inputs
        name = node.value if is_free else next(self._fresh)
        self._inputs[name] = value
        return name

    def _is_plain(self) -> bool:
        """Whether every key and argument is a column under its own name."""
        return all(self._before.is_column(value, name) for name, value in self._inputs.items())

    def _located(self, op: Operation) -> SSAValue:
        op.location = attribute(self._loc)
        return op.results[0]

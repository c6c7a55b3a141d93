"""What a program does while it is traced, and the module that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp, StringAttr, UnitAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import datatypes as t
from dlc.dialects.expr import ParamOp
from dlc.dialects.flow import ParameterAttr, ProgramOp, ReturnOp
from dlc.dialects.table import SinkOp

from .location import attribute, source_loc

if TYPE_CHECKING:
    import polars


Runner = Callable[[ModuleOp], "polars.DataFrame | None"]


@dataclass
class Recording:
    """Parameters, outputs and loops of the program that is being traced, and the functions that it calls."""

    parameters: dict[str, ParameterAttr] = field(default_factory=dict[str, ParameterAttr])
    sinks: list[SinkOp] = field(default_factory=list[SinkOp])
    loops: list[ForOp] = field(default_factory=list[ForOp])
    functions: dict[str, FuncOp] = field(default_factory=dict[str, FuncOp])

    def define(self, function: FuncOp) -> str:
        """Add a function to the module, under its name or one with a number; returns the name."""
        wanted = name = function.sym_name.data
        number = 1
        while name in self.functions and not function.is_structurally_equivalent(self.functions[name]):
            number += 1
            name = f"{wanted}.{number}"
            function.sym_name = StringAttr(name)
        self.functions.setdefault(name, function)
        return name

    def declare(self, name: str, type_: t.DataType, default: Attribute | None = None) -> None:
        """Add a parameter, required unless it has a default."""
        self.parameters[name] = ParameterAttr(
            StringAttr(name), type_, UnitAttr() if default is None else default
        )

    def module(self, name: str, results: Mapping[str, SSAValue], loc: SourceLoc) -> ModuleOp:
        """A verified module of one program: what the sinks and results need, in copies of its own."""
        copies: dict[SSAValue, SSAValue] = {}
        # A loop writes checkpoints, so it runs even when nothing reads what it leaves.
        effects = [*self.loops, *self.sinks]
        needed = _in_order([*(value for op in effects for value in _read(op)), *results.values()])
        ends = [op for op in effects if op not in needed]
        ops: list[Operation] = [op.clone(copies) for op in (*needed, *ends)]
        ops.append(ReturnOp(list(results), [copies[value] for value in results.values()]))
        program = ProgramOp(name, list(self.parameters.values()), Region(Block(ops)))
        program.stage = StringAttr("flow")
        called = {op.callee.root_reference.data for op in program.walk() if isinstance(op, CallOp)}
        functions = [op.clone() for name, op in self.functions.items() if name in called]
        module = ModuleOp([*functions, program])
        for op in (ops[-1], program, module):
            op.location = attribute(loc)
        self._check_parameters(module)
        module.verify()
        return module

    def _check_parameters(self, module: ModuleOp) -> None:
        for op in module.walk():
            if isinstance(op, ParamOp) and op.parameter.data not in self.parameters:
                raise DlcError(
                    "DLC110",
                    f"parameter '{op.parameter.data}' belongs to another program",
                    loc=source_loc(op.location),
                    help="a parameter can be used only in the program that declares it",
                )


def _in_order(roots: Iterable[SSAValue]) -> Sequence[Operation]:
    """The ops that compute some values, each after those that it needs."""
    ordered = dict[Operation, None]()
    stack = [root.owner for root in reversed(list(roots))]
    while stack:
        op = stack[-1]
        assert isinstance(op, Operation)
        waiting = [value.owner for value in _read(op) if value.owner not in ordered]
        if op in ordered or not waiting:
            ordered[op] = None
            stack.pop()
        else:
            stack.extend(reversed(waiting))
    return list(ordered)


def _read(op: Operation) -> list[SSAValue]:
    """Values from outside that an op or the regions in it read."""
    found = list(op.operands)
    if not isinstance(op, ForOp):
        return found
    inside = {value for inner in op.walk() for value in inner.results}
    inside |= {value for inner in op.walk() for region in inner.regions for value in region.block.args}
    return found + [v for inner in op.body.walk() for v in inner.operands if v not in inside]


current: ContextVar[Recording | None] = ContextVar("current", default=None)
"""The program that is being traced, if any."""

_outside = Recording()


def here() -> Recording:
    """The program that is being traced; outside of any, what all frames that are used at once share."""
    return current.get() or _outside


runner: Runner | None = None
"""Compiles and runs a module at once, for frames that are used outside of a program."""


def run(sinks: Sequence[SinkOp], results: Mapping[str, SSAValue], loc: SourceLoc) -> polars.DataFrame | None:
    """Run what the sinks and results need, at once; returns the one result, None on ranks that have none."""
    assert runner is not None, "importing the package sets the runner"
    recorded = Recording(sinks=list(sinks), functions=_outside.functions)
    return runner(recorded.module("main", results, loc))

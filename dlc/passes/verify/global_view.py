"""The invariant that the `flow` and `opt` stages share: a global view, without layouts or collectives."""

from __future__ import annotations

from xdsl.dialects.builtin import IndexType, ModuleOp, TensorType
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block

from dlc.dialects import flow, table
from dlc.dialects.frame import FrameType
from dlc.dialects.nn import BatchesType
from dlc.passes.locations import source_loc

from .common import broken, programs, require_locations

GLOBAL = (FrameType, TensorType, IndexType, BatchesType)
"""Types of values in the global view."""


def verify_global_view(module: ModuleOp, stage: str) -> None:
    """DLC305 unless programs hold operators on whole frames and tensors, each with its source location."""
    functions = {op.sym_name.data: op for op in module.ops if isinstance(op, FuncOp)}
    for function in functions.values():
        _verify_function(function, stage)
    for program in programs(module):
        require_locations(program, stage)
        _verify_block(program.body.block, functions, stage)


def _verify_block(block: Block, functions: dict[str, FuncOp], stage: str) -> None:
    for op in block.ops:
        match op:
            case table.YieldOp():
                raise broken(op, stage, "a yield ends an expression region, not a program")
            case CallOp():
                verify_call(op, functions, stage)
            case ForOp():
                _verify_block(op.body.block, functions, stage)
            case flow.ReturnOp() | YieldOp():
                pass
            case _ if op.dialect_name() not in ("table", "nn", "arith"):
                raise broken(op, stage, "only table operators, training, calls and loops stand here")
            case _:
                pass
        for value in (*op.operands, *op.results):
            if not isinstance(value.type, GLOBAL):
                raise broken(op, stage, f"{value.type} is not a plain frame or tensor")


def verify_call(op: CallOp, functions: dict[str, FuncOp], stage: str) -> None:
    """DLC305 unless the function called stands in the module and takes and gives what the call says."""
    name = op.callee.root_reference.data
    if name not in functions:
        raise broken(op, stage, f"there is no function @{name}")
    type_ = functions[name].function_type
    given, left = [value.type for value in op.operands], [value.type for value in op.results]
    if given != list(type_.inputs) or left != list(type_.outputs):
        raise broken(op, stage, f"@{name} takes or gives other types")


def _verify_function(function: FuncOp, stage: str) -> None:
    for op in function.body.walk():
        if op.dialect_name() not in ("stablehlo", "chlo", "func"):
            raise broken(op, stage, "a tensor function holds StableHLO operations alone")
        if source_loc(op) is None:
            raise broken(op, stage, "it has no source location", "carry `location` over when rewriting")

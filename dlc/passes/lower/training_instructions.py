"""Instructions for tensors and training as data, in plan format 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xdsl.dialects import scf
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import IntegerAttr
from xdsl.dialects.func import CallOp
from xdsl.ir import Operation, SSAValue

from dlc.diagnostics import DlcError
from dlc.dialects import datatypes as t
from dlc.dialects import nn, plan, table
from dlc.dialects.plan_training import MapRowsOp, MicroOp, ReduceOp, WaitOp
from dlc.dialects.table_tensors import tensor_of
from dlc.passes.locations import source_loc

Json = dict[str, Any]
Names = Mapping[SSAValue, str]


def constant(op: Operation) -> int | None:
    """The number that an op stands for, if it is one."""
    if isinstance(op, ConstantOp) and isinstance(op.value, IntegerAttr):
        return int(op.value.value.data)
    return None


def number(value: SSAValue, names: Names) -> int | str:
    """A bound of a loop: the number itself, or the name of the value that holds it."""
    known = constant(value.owner) if isinstance(value.owner, Operation) else None
    return names[value] if known is None else known


def loop(op: scf.ForOp, names: Names, body: list[Json]) -> Json:
    """A loop with its body."""
    index, *carried = op.body.block.args
    end = op.body.block.last_op
    assert end is not None
    return {
        "op": "for",
        "index": names[index],
        "start": number(op.lb, names),
        "stop": number(op.ub, names),
        "step": number(op.step, names),
        "ins": [names[value] for value in op.iter_args],
        "args": [names[value] for value in carried],
        "yields": [names[value] for value in end.operands],
        "outs": [names[value] for value in op.results],
        "body": body,
    }


def between(op: plan.RunOp, inputs: list[str], outputs: list[str]) -> Json | None:
    """A fragment that goes between frames and tensors, which has an instruction of its own."""
    first = op.body.block.first_op
    match first:
        case table.ToTensorOp():
            dtypes = [t.text(tensor_of(value).element_type).replace("ui", "u") for value in first.tensors]
            return {
                "op": "to_tensor", "in": inputs[0], "outs": outputs, "columns": first.names, "dtypes": dtypes
            }  # fmt: skip
        case table.RowsOp():
            # Ranks count their own rows; a reduction adds them.
            return {"op": "rows", "in": inputs[0], "out": outputs[0], "whole": True}
        case table.FromTensorOp():
            frame, tensors = (inputs[0], inputs[1:]) if first.frame is not None else (None, inputs)
            columns = [name.data for name in first.columns]
            return {
                "op": "from_tensor",
                "in": frame,
                "tensors": tensors,
                "columns": columns,
                "out": outputs[0],
            }
        case _:
            return None


def holds_calls(op: plan.RunOp) -> bool:
    """Whether a fragment calls functions."""
    return any(isinstance(inner, CallOp) for inner in op.body.block.ops)


def training(op: Operation, names: Names) -> Json | None:
    """The fields of an instruction of training, except those of a kernel; None for other ops."""
    outputs = [names[value] for value in op.results]

    def named(value: SSAValue | None) -> str | None:
        return None if value is None else names[value]

    match op:
        case nn.ParametersOp():
            tensors = [name.data for name in op.names]
            return {"op": "parameters", "outs": outputs, "name": op.values.data.sha256, "tensors": tensors}
        case nn.BatchesOp():
            return {
                "frame": names[op.frame],
                "ins": [names[value] for value in op.tensors],
                "out": outputs[0],
                "size": op.size.value.data,
                "micro_batches": op.micro_batches.value.data,
                "seed": op.seed.value.data,
                "shuffle": op.epoch is not None,
                "epoch": named(op.epoch),
                "keys": [key.data for key in op.keys],
                "owned": op.owned.data if op.owned is not None else "all",
            }
        case nn.StepsOp():
            return {"in": names[op.batches], "out": outputs[0]}
        case nn.LogOp():
            return {
                "in": names[op.value], "name": op.label.data, "epoch": names[op.epoch], "step": named(op.step)
            }  # fmt: skip
        case nn.HistoryOp():
            return {"out": outputs[0]}
        case nn.SaveOp():
            return {**_checkpoint(op, names), "epoch": names[op.epoch]}
        case nn.LoadOp():
            optional = {"optional": op.optional is not None}
            return {**_checkpoint(op, names), "out": outputs[0], "outs": outputs[1:], **optional}
        case ReduceOp():
            return {
                "ins": [names[value] for value in op.partials],
                "outs": outputs,
                "combine": op.op.data,
                "order": op.order.data,
                "async": True,
            }
        case WaitOp():
            return {"ins": [names[value] for value in op.values]}
        case MicroOp():
            return {
                "in": names[op.batches],
                "step": named(op.step),
                "ins": [names[value] for value in op.inputs],
                "outs": outputs,
                "combine": op.combine.data,
            }
        case MapRowsOp():
            return {"op": "run", "ins": [names[value] for value in op.inputs], "outs": outputs}
        case _:
            return None


def _checkpoint(op: nn.SaveOp | nn.LoadOp, names: Names) -> Json:
    tensors = op.tensors if isinstance(op, nn.SaveOp) else op.initial
    return {
        "ins": [names[value] for value in tensors],
        "names": [name.data for name in op.names],
        "path": op.path.data,
        "model": op.model.data,
    }


def content(op: nn.ParametersOp) -> bytes:
    """The constants of a program. Raises DLC306 when the module was read from a text."""
    data = op.values.data.content
    if data is None:
        raise DlcError(
            "DLC306",
            "the values of the parameters are not at hand: a text names them by their hash alone",
            loc=source_loc(op),
            help="build the plan from the Python program",
        )
    return data

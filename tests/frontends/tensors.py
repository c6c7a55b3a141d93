"""Runs tensor functions through XLA, whose own refinement of shapes puts a number of rows into them."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax._src.interpreters import mlir
from jax.extend.backend import get_backend
from jaxlib import _jax
from jaxlib.mlir import ir
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    FunctionType,
    ModuleOp,
    StringAttr,
    TensorType,
    i32,
)
from xdsl.dialects.func import FuncOp
from xdsl_jax.dialects.stablehlo.miscellaneous_ops import ConstantOp

from dlc.frontends.tensor.training import Training
from dlc.passes.text import print_module


def run(function: FuncOp, rows: int, *arrays: np.ndarray) -> list[np.ndarray]:
    """Results of a tensor function for so many rows."""
    main = _with_rows(function, rows, arrays)
    text = print_module(ModuleOp([main]), generic=True)
    backend = get_backend("cpu")
    with mlir.make_ir_context():
        code = mlir.module_to_bytecode(ir.Module.parse(text))
        static = ir.Module.parse(_jax.mlir.refine_polymorphic_shapes(code, True, True))
        program = backend.compile_and_load(str(static), backend.devices()[:1])
    outputs = program.execute_sharded([jax.device_put(array) for array in arrays])
    return [np.asarray(output[0]) for output in outputs.disassemble_into_single_device_arrays()]


def _with_rows(function: FuncOp, rows: int, arrays: Sequence[np.ndarray]) -> FuncOp:
    main = function.clone()
    block = main.body.block
    constant = ConstantOp(DenseIntOrFPElementsAttr.from_list(TensorType(i32, []), [rows]))
    assert block.first_op is not None
    block.insert_op_before(constant, block.first_op)
    block.args[0].replace_all_uses_with(constant.output)
    block.erase_arg(block.args[0])
    for argument, array in zip(block.args, arrays, strict=True):
        argument._type = TensorType(argument.type.element_type, array.shape)
    main.sym_name, main.sym_visibility = StringAttr("main"), StringAttr("public")
    main.arg_attrs = ArrayAttr([DictionaryAttr({})] * len(arrays))
    assert block.last_op is not None
    main.function_type = FunctionType.from_lists(block.arg_types, block.last_op.operand_types)
    return main


def loss_and_gradients(training: Training, rows: int, arrays: Sequence[np.ndarray]) -> list[Any]:
    """The loss, then the gradients in the flat order of the parameters."""
    forward = run(training.forward.function, rows, *arrays)
    kept = [(arrays if kind == "argument" else forward)[index] for kind, index in training.given]
    return [forward[0], *run(training.backward.function, rows, *kept)]

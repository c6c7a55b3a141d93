"""From the MLIR module that JAX lowered a function to, to one function of xDSL ops with the user's lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeVar, cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    Builtin,
    BytesAttr,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    FileLineColLoc,
    FunctionType,
    TensorType,
    UnitAttr,
    i32,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import IRDLOperation
from xdsl_jax.dialects.stablehlo.elementwise_unary_ops import ConvertOp

from dlc.diagnostics import DlcError
from dlc.dialects.chlo import Chlo
from dlc.dialects.dense import DenseParser
from dlc.dialects.stablehlo import Stablehlo
from dlc.frontends.location import source_loc

from .source import user_location
from .untyped import mlir

ROWS = TensorType(i32, [])
_Map = dict[Any, SSAValue]
OpT = TypeVar("OpT", bound=Operation)


def import_function(module: Any, name: str, default: FileLineColLoc) -> FuncOp:
    """The function `main` of a module under another name, with the functions that it calls inlined.

    Its first argument is the number of rows, an i32 scalar with the attribute `flow.rows`. Ops that stand for
    no line of the user's get the location `default`. Raises DLC115 for an operation that has no
    definition.
    """
    return _Importer(module).function(name, default)


class _Importer:
    def __init__(self, module: Any):
        operations = [operation.operation for operation in module.body.operations]
        self._functions = {_symbol(operation, "sym_name"): operation for operation in operations}

    def function(self, name: str, default: FileLineColLoc) -> FuncOp:
        main = self._functions["main"]
        source = main.regions[0].blocks[0]
        symbolic = ["jax.global_constant" in attributes for attributes in main.attributes["arg_attrs"]]
        arguments = list(zip(source.arguments, symbolic, strict=True))
        given = [argument for argument, is_rows in arguments if not is_rows]
        block = Block(arg_types=[ROWS, *(_type(argument.type) for argument in given)])
        values: _Map = dict(zip(given, block.args[1:], strict=True))
        for argument, is_rows in arguments:
            if is_rows:
                values[argument] = self._rows(block, _type(argument.type), default)
        results = self._body(source, block, values, default)
        block.add_op(_at(ReturnOp(*results), default))
        attributes = [DictionaryAttr({"flow.rows": UnitAttr()}), *(DictionaryAttr({}) for _ in given)]
        type_ = FunctionType.from_lists(block.arg_types, [value.type for value in results])
        function = FuncOp(name, type_, Region(block), "private", arg_attrs=ArrayAttr(attributes))
        return _at(function, default)

    def _rows(self, block: Block, type_: Attribute, location: FileLineColLoc) -> SSAValue:
        """The number of rows in the type that shapes have, which is i64 where 64-bit types are enabled."""
        if type_ == ROWS:
            return block.args[0]
        convert = _at(ConvertOp(block.args[0], type_), location)
        block.add_op(convert)
        return convert.result

    def _body(self, source: Any, into: Block, values: _Map, default: FileLineColLoc) -> Sequence[SSAValue]:
        """Append the ops of a block, and return the operands of its terminator, which is not copied."""
        *operations, terminator = (operation.operation for operation in source.operations)
        for operation in operations:
            location = user_location(operation.location) or default
            operands = [values[operand] for operand in operation.operands]
            if operation.name == "func.call":
                results = self._call(operation, into, operands, location)
            else:
                copy = self._copy(operation, operands, values, location)
                into.add_op(copy)
                results = copy.results
            values.update(zip(operation.results, results, strict=True))
        return [values[operand] for operand in terminator.operands]

    def _call(
        self, call: Any, into: Block, operands: Sequence[SSAValue], location: FileLineColLoc
    ) -> Sequence[SSAValue]:
        """The callee's ops in place of the call, whose line they get if JAX shares them among several."""
        source = self._functions[_symbol(call, "callee")].regions[0].blocks[0]
        return self._body(source, into, dict(zip(source.arguments, operands, strict=True)), location)

    def _copy(
        self, operation: Any, operands: Sequence[SSAValue], values: _Map, location: FileLineColLoc
    ) -> Operation:
        kind = _definition(operation, location)
        regions = [self._region(region, values, location) for region in operation.regions]
        known = kind.get_irdl_definition().properties
        properties = {name: _property(operation, name) for name in operation.attributes if name in known}
        types = [_type(result.type) for result in operation.results]
        copy = kind.create(operands=operands, result_types=types, properties=properties, regions=regions)
        return _at(copy, location)

    def _region(self, source: Any, values: _Map, location: FileLineColLoc) -> Region:
        block_source = source.blocks[0]
        block = Block(arg_types=[_type(argument.type) for argument in block_source.arguments])
        inner = {**values, **dict(zip(block_source.arguments, block.args, strict=True))}
        results = self._body(block_source, block, inner, location)
        terminator = _kinds()["stablehlo.return"]
        block.add_op(_at(terminator.create(operands=results), location))
        return Region(block)


def _definition(operation: Any, location: FileLineColLoc) -> type[IRDLOperation]:
    """The class of an op; one that hides what it does has none."""
    if operation.name == "stablehlo.custom_call":
        target = _symbol(operation, "call_target_name")
        raise _unsupported(f"'{target}', a routine of a library", location)
    kind = _kinds().get(operation.name)
    if kind is None:
        raise _unsupported(f"the operation '{operation.name}'", location)
    return kind


def _unsupported(what: str, location: FileLineColLoc) -> DlcError:
    return DlcError(
        "DLC115",
        f"this line needs {what}, which is not supported",
        loc=source_loc(location),
        help="write it with other functions of jax.numpy than factorisations such as jnp.linalg.inv",
    )


def _symbol(operation: Any, name: str) -> str:
    return str(operation.attributes[name]).strip('@"')


def _at(op: OpT, location: FileLineColLoc) -> OpT:
    op.location = location
    return op


@cache
def _kinds() -> dict[str, type[IRDLOperation]]:
    operations = cast("Iterable[type[IRDLOperation]]", (*Stablehlo.operations, *Chlo.operations))
    return {operation.name: operation for operation in operations}


@cache
def _context() -> Context:
    ctx = Context()
    for dialect in (Builtin, Stablehlo, Chlo):
        ctx.load_dialect(dialect)
    return ctx


def _property(operation: Any, name: str) -> Attribute:
    """An attribute by its text, except for constants, whose text takes long to parse."""
    try:
        attribute = operation.attributes[name]
    except TypeError:  # the bindings know no constants of complex numbers
        return _parse(operation.get_asm().partition("constant")[2].strip())
    if not isinstance(attribute, mlir.DenseFPElementsAttr | mlir.DenseIntElementsAttr):
        return _parsed(str(attribute))
    try:
        data = np.array(attribute)
    except TypeError:  # NumPy has no bf16, nor what is narrower
        return _parse(str(attribute))
    return DenseIntOrFPElementsAttr(cast("Any", _type(attribute.type)), BytesAttr(data.tobytes()))


def _parse(text: str) -> Attribute:
    return DenseParser(_context(), text).parse_attribute()


_parsed = cache(_parse)


def _type(type_: Any) -> Attribute:
    return _parsed(str(type_))

"""Expression regions as the nested data that kernels build their queries from."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FloatAttr, IntegerAttr, StringAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue

from dlc.dialects import datatypes as t
from dlc.dialects import expr
from dlc.dialects.arithmetic import kind_of

Json = dict[str, Any]


def expression(value: SSAValue, frames: dict[SSAValue, int], locate: Callable[[Operation], int]) -> Json:
    """The tree that computes a value; `frames` numbers the frames of the fragment, for scalars.

    A value used twice stands twice: the query engine shares equal subtrees again.
    """
    op = value.owner
    assert not isinstance(op, Block)
    tree: Json = {"f": kind_of(op), "type": t.text(value.type), "loc": locate(op)}
    arguments = list(op.operands)
    match op:
        case expr.ColumnOp():
            tree["name"] = op.column.data
        case expr.LiteralOp():
            tree |= {"f": "lit", "value": _number(op.python_value)}
        case expr.NullOp():
            tree |= {"f": "lit", "value": None}
        case expr.ParamOp():
            tree["name"] = op.parameter.data
        case expr.ScalarOp():
            tree |= {"input": frames[op.frame], "name": op.column.data}
            arguments = []
        case expr.CompareOp():
            tree["f"] = op.predicate.data
        case expr.CastOp():
            tree["strict"] = op.lenient is None
        case expr.IsInOp():
            tree["values"] = [_number(expr.python_literal(v, op.operand.type)) for v in op.values]
        case expr.CallOp():
            tree["f"] = op.function.data
            tree |= plain_options(op.options)
        case _:
            tree["checked"] = expr.may_fail(op)
    if arguments:
        tree["args"] = [expression(argument, frames, locate) for argument in arguments]
    return tree


def plain_options(options: DictionaryAttr | None) -> Json:
    """A dictionary of constants as Python values."""
    if options is None:
        return {}
    return {name: _plain(value) for name, value in cast("dict[str, Attribute]", options.data).items()}


def _number(value: float | str | bool) -> int | float | str | bool:
    # JSON has no word for these floats.
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _plain(value: Attribute) -> Any:
    if isinstance(value, StringAttr):
        return value.data
    if isinstance(value, ArrayAttr):
        return [_plain(item) for item in cast("ArrayAttr[Attribute]", value)]
    if isinstance(value, FloatAttr):
        return cast("FloatAttr[Any]", value).value.data
    number = cast("IntegerAttr[Any]", value)
    return bool(number.value.data) if t.is_bool(number.type) else int(number.value.data)

"""One rule for each kind of node: from typed operands to the op that computes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from xdsl.dialects.builtin import BoolAttr, IntegerAttr, StringAttr, f64, i1, i64
from xdsl.ir import Attribute, SSAValue

from dlc.diagnostics import DlcError
from dlc.dialects import arithmetic, expr
from dlc.dialects import datatypes as t
from dlc.dialects.functions import FUNCTIONS

from .builder import Builder, Operand, Weak, explained, mismatch
from .literals import Literal, UnfitError, constant
from .node import Node

Rule = Callable[[Builder, Node, list[Operand]], Operand]

_ARITHMETIC: dict[str, type[arithmetic.ArithmeticOp]] = {
    "add": arithmetic.AddOp,
    "sub": arithmetic.SubOp,
    "mul": arithmetic.MulOp,
    "div": arithmetic.DivOp,
    "floordiv": arithmetic.FloorDivOp,
    "mod": arithmetic.ModOp,
    "pow": arithmetic.PowOp,
}
_FLOATING = ("sqrt", "exp", "log", "sin", "cos")


def _column(builder: Builder, node: Node, _: list[Operand]) -> Operand:
    return builder.column(node.value, node.loc)


def _literal(_builder: Builder, node: Node, _: list[Operand]) -> Operand:
    return Weak(node.value)


def _parameter(builder: Builder, node: Node, _: list[Operand]) -> Operand:
    name, type_ = cast("tuple[str, t.DataType]", node.value)
    return builder.add(expr.ParamOp(name, type_), node.loc)


def _arithmetic(builder: Builder, node: Node, operands: list[Operand]) -> Operand:
    types = _arithmetic_types(node.kind, *builder.types(operands, node))
    if types is None or (result := t.arithmetic_type(node.kind, *types)) is None:
        given = builder.types(operands, node)
        if node.kind == "add" and all(t.strip(type_) == t.string for type_ in given):
            return _concatenation(builder, node, operands)
        too_fine = node.kind == "mul" and all(map(t.is_decimal, given))
        raise mismatch(node, given, "cast one side to a smaller scale" if too_fine else None)
    left, right = (
        builder.convert(operand, type_, node) for operand, type_ in zip(operands, types, strict=True)
    )
    return builder.add(_ARITHMETIC[node.kind](left, right, result), node.loc)


def _arithmetic_types(op: str, left: t.DataType, right: t.DataType) -> tuple[t.DataType, t.DataType] | None:
    """Types to which the operands of an arithmetic op are brought, None when there are none."""
    if t.is_numeric(left) and t.is_numeric(right):
        if op == "pow":
            floating = t.arithmetic_type(op, left, right)
            return None if floating is None else (floating, floating)
        if t.is_float(left) or t.is_float(right) or not (t.is_decimal(left) or t.is_decimal(right)):
            common = t.common_type(left, right)
            if common is None or not t.is_decimal(common):
                return None if common is None else (common, common)
        # Decimals keep their own scales, for the result's scale follows from them.
        x, y = t.as_decimal(left), t.as_decimal(right)
        return None if x is None or y is None else (_like(x, left), _like(y, right))
    return _temporal_types(left, right)


def _temporal_types(left: t.DataType, right: t.DataType) -> tuple[t.DataType, t.DataType] | None:
    a, b = t.strip(left), t.strip(right)
    if t.is_temporal(a) and t.is_temporal(b):
        common = t.common_type(a, b)
        return None if common is None else (_like(common, left), _like(common, right))
    units = [type_.unit for type_ in (a, b) if isinstance(type_, t.TimestampType | t.DurationType)]
    if not any(isinstance(type_, t.DurationType) for type_ in (a, b)):
        return left, right
    finest = max(units, key=lambda unit: t.TIME_UNITS.index(unit.data))

    def fine(type_: t.DataType) -> t.DataType:
        match type_:
            case t.TimestampType():
                return t.TimestampType(finest, type_.zone)
            case t.DurationType():
                return t.DurationType(finest)
            case _:
                return type_

    return _like(fine(a), left), _like(fine(b), right)


def _like(type_: t.DataType, original: t.DataType) -> t.DataType:
    return t.nullable(type_, t.is_nullable(original))


def _concatenation(builder: Builder, node: Node, operands: list[Operand]) -> Operand:
    return _called(builder, node, "str_concat", builder.unify(operands, node))


def _negation(builder: Builder, node: Node, operands: list[Operand]) -> Operand:
    if isinstance(operands[0], Weak) and type(operands[0].value) in (int, float):
        number = cast("float", operands[0].value)
        return Weak(-number if node.kind == "neg" else abs(number))
    value = builder.alone(operands[0], node)
    if not (t.is_numeric(value.type) or isinstance(t.strip(value.type), t.DurationType)):
        raise mismatch(node, [value.type])
    op = arithmetic.NegOp(value) if node.kind == "neg" else arithmetic.AbsOp(value)
    return builder.add(op, node.loc)


def _comparison(builder: Builder, node: Node, operands: list[Operand]) -> Operand:
    if any(isinstance(operand, Weak) and operand.value is None for operand in operands):
        raise DlcError(
            "DLC102",
            "a comparison with None is null for every row",
            loc=node.loc,
            help="write .is_null() or .is_not_null()",
        )
    types = builder.types(operands, node)
    common = builder.common(types, node)
    # Decimals of different scales compare as they are.
    wanted = types if all(map(t.is_decimal, types)) else [common, common]
    left, right = (
        builder.convert(operand, type_, node) for operand, type_ in zip(operands, wanted, strict=True)
    )
    return builder.add(expr.CompareOp(node.kind, left, right), node.loc)


def _logic(builder: Builder, node: Node, operands: list[Operand]) -> Operand:
    types = builder.types(operands, node, i1)
    if not all(map(t.is_bool, types)):
        raise mismatch(node, types, "& and | bind more tightly than comparisons: write (a > 0) & (b > 0)")
    values = [builder.convert(operand, i1, node) for operand in operands]
    if node.kind == "not":
        return builder.add(expr.NotOp(values[0]), node.loc)
    return builder.add((expr.AndOp if node.kind == "and" else expr.OrOp)(*values), node.loc)


def _is_null(builder: Builder, node: Node, operands: list[Operand]) -> Operand:
    return builder.add(expr.IsNullOp(builder.alone(operands[0], node)), node.loc)


def _case(builder: Builder, node: Node, operands: list[Operand]) -> Operand:
    values = builder.unify([*operands[1::2], operands[-1]], node)
    arguments: list[SSAValue] = []
    for condition, value in zip(operands[:-1:2], values, strict=False):
        checked = builder.alone(condition, node)
        if not t.is_bool(checked.type):
            raise DlcError(
                "DLC102",
                f"dlc.when needs a boolean, got {t.text(checked.type)}",
                loc=node.loc,
                help="compare it, as in dlc.when(col('a') > 0)",
            )
        arguments += [checked, value]
    arguments.append(values[-1])
    result = t.nullable(t.strip(values[0].type), any(t.is_nullable(value.type) for value in values))
    return builder.add(expr.CaseOp(arguments, result), node.loc)


def _coalesce(builder: Builder, node: Node, operands: list[Operand]) -> Operand:
    return builder.add(expr.CoalesceOp(builder.unify(operands, node)), node.loc)


def _cast(builder: Builder, node: Node, operands: list[Operand]) -> Operand:
    type_, strict = cast("tuple[t.DataType, bool]", node.value)
    operand = operands[0]
    if isinstance(operand, Weak):
        try:
            if operand.value is None:
                return builder.convert(operand, type_, node)
            return builder.add(expr.LiteralOp(constant(operand.value, type_), type_), node.loc)
        except UnfitError:
            operand = builder.alone(operand, node)
    if not _castable(t.strip(operand.type), type_):
        raise DlcError(
            "DLC102",
            f"{t.text(operand.type)} cannot be cast to {t.text(type_)}",
            loc=node.loc,
            help="extract what is meant first, as with .dt.year() or .str.slice(0, 4)",
        )
    result = t.nullable(type_, t.is_nullable(operand.type) or not strict)
    if operand.type == result:
        return operand
    return builder.add(expr.CastOp(operand, result, lenient=not strict), node.loc)


def _castable(source: t.DataType, target: t.DataType) -> bool:
    def counts(type_: t.DataType) -> bool:
        return t.is_numeric(type_) or t.is_bool(type_)

    return (
        source == target
        or t.string in (source, target)
        or (counts(source) and counts(target))
        or (t.is_temporal(source) and t.is_temporal(target))
        or (isinstance(source, t.DurationType) and isinstance(target, t.DurationType))
    )


def _is_in(builder: Builder, node: Node, operands: list[Operand]) -> Operand:
    members = [Weak(value) for value in cast("list[Literal]", node.value)]
    if not members:
        return builder.add(expr.IsInOp(builder.alone(operands[0], node), []), node.loc)
    everything = [operands[0], *members]
    value = builder.convert(operands[0], builder.common(builder.types(everything, node), node), node)
    base = t.strip(value.type)
    with explained(node):
        values = [expr.literal_attribute(constant(member.value, base), base) for member in members]
    return builder.add(expr.IsInOp(value, values), node.loc)


def _call(builder: Builder, node: Node, operands: list[Operand]) -> Operand:
    name, options = cast("tuple[str, dict[str, int | str | bool]]", node.value)
    if name.endswith("_horizontal"):
        return _called(builder, node, name, builder.unify(operands, node))
    values = [builder.alone(operand, node) for operand in operands]
    if name in _FLOATING:
        values = [
            builder.convert(value, f64, node)
            if t.is_numeric(value.type) and not t.is_float(value.type)
            else value
            for value in values
        ]
    return _called(builder, node, name, values, **{key: _option(value) for key, value in options.items()})


def _called(
    builder: Builder, node: Node, name: str, values: list[SSAValue], **options: Attribute
) -> SSAValue:
    types = [value.type for value in values]
    result = FUNCTIONS[name].result_type(types)
    if result is None:
        raise mismatch(node, types)
    return builder.add(expr.CallOp(name, values, result, **options), node.loc)


def _option(value: int | str | bool) -> Attribute:
    if isinstance(value, bool):
        return BoolAttr.from_bool(value)
    return StringAttr(value) if isinstance(value, str) else IntegerAttr(value, i64)


RULES: dict[str, Rule] = {
    "col": _column,
    "lit": _literal,
    "param": _parameter,
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    "neg": _negation,
    "abs": _negation,
    **dict.fromkeys(expr.COMPARISONS, _comparison),
    **dict.fromkeys(("and", "or", "not"), _logic),
    "is_null": _is_null,
    "case": _case,
    "coalesce": _coalesce,
    "cast": _cast,
    "is_in": _is_in,
    "call": _call,
}

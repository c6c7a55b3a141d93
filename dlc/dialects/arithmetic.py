"""Arithmetic ops of the `expr` dialect.

Integer overflow, and division of integers and decimals by zero, are run-time errors unless `proven`.
"""

from __future__ import annotations

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, opt_prop_def, result_def, traits_def
from xdsl.traits import Commutative, NoMemoryEffect, Pure
from xdsl.utils.exceptions import VerifyException

from . import datatypes as t


def kind_of(op: Operation) -> str:
    """Name of an op without its dialect: `add`."""
    return op.name.partition(".")[2]


def check_result(found: Attribute, expected: Attribute | None, what: str) -> None:
    """VerifyException unless the result type follows from the operands."""
    if expected is None:
        raise VerifyException(f"{what} are not defined for these operand types")
    if found != expected:
        raise VerifyException(f"result must be {t.text(expected)}, got {t.text(found)}")


class ArithmeticOp(IRDLOperation):
    """Base of the binary arithmetic ops; `proven` states that the op cannot fail at run time."""

    lhs = operand_def()
    rhs = operand_def()
    proven = opt_prop_def(UnitAttr)
    result = result_def()

    assembly_format = (
        "$lhs `,` $rhs (`proven` $proven^)? attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)"
    )

    def __init__(self, lhs: SSAValue, rhs: SSAValue, type_: Attribute, proven: bool = False):
        super().__init__(
            operands=[lhs, rhs], result_types=[type_], properties={"proven": UnitAttr() if proven else None}
        )

    def verify_(self) -> None:
        expected = t.arithmetic_type(kind_of(self), self.lhs.type, self.rhs.type)
        if expected is not None and t.is_decimal(expected):
            self._verify_decimal(expected)
        else:
            check_result(self.result.type, expected, f"{kind_of(self)} operands")

    def _verify_decimal(self, expected: Attribute) -> None:
        # Range analysis may have narrowed the precision; the scale is fixed.
        found, rule = t.strip(self.result.type), t.strip(expected)
        assert isinstance(rule, t.DecimalType)
        if (
            not isinstance(found, t.DecimalType)
            or found.scale != rule.scale
            or found.precision.data > rule.precision.data
            or t.is_nullable(self.result.type) != t.is_nullable(expected)
        ):
            raise VerifyException(
                f"result must be {t.text(expected)} or narrower, got {t.text(self.result.type)}"
            )


@irdl_op_definition
class AddOp(ArithmeticOp):
    """Sum of numbers, or an instant and a duration."""

    name = "expr.add"
    traits = traits_def(NoMemoryEffect(), Commutative())


@irdl_op_definition
class SubOp(ArithmeticOp):
    """Difference of numbers or instants."""

    name = "expr.sub"
    traits = traits_def(NoMemoryEffect())


@irdl_op_definition
class MulOp(ArithmeticOp):
    """Product."""

    name = "expr.mul"
    traits = traits_def(NoMemoryEffect(), Commutative())


@irdl_op_definition
class DivOp(ArithmeticOp):
    """True division, in floating point whatever the operands are."""

    name = "expr.div"
    traits = traits_def(NoMemoryEffect())


@irdl_op_definition
class FloorDivOp(ArithmeticOp):
    """Division rounded towards minus infinity."""

    name = "expr.floordiv"
    traits = traits_def(NoMemoryEffect())


@irdl_op_definition
class ModOp(ArithmeticOp):
    """Remainder with the sign of the divisor."""

    name = "expr.mod"
    traits = traits_def(NoMemoryEffect())


@irdl_op_definition
class PowOp(ArithmeticOp):
    """Power, in floating point."""

    name = "expr.pow"
    traits = traits_def(Pure())


class UnaryArithmeticOp(IRDLOperation):
    """Base of negation and magnitude."""

    operand = operand_def()
    proven = opt_prop_def(UnitAttr)
    result = result_def()
    assembly_format = "$operand (`proven` $proven^)? attr-dict `:` type($operand)"

    def __init__(self, operand: SSAValue, proven: bool = False):
        super().__init__(
            operands=[operand],
            result_types=[operand.type],
            properties={"proven": UnitAttr() if proven else None},
        )

    def verify_(self) -> None:
        if not (t.is_numeric(self.operand.type) or isinstance(t.strip(self.operand.type), t.DurationType)):
            raise VerifyException(f"{kind_of(self)} needs a number, got {t.text(self.operand.type)}")
        check_result(self.result.type, self.operand.type, "operands")


@irdl_op_definition
class NegOp(UnaryArithmeticOp):
    """Negation."""

    name = "expr.neg"
    assembly_format = "$operand (`proven` $proven^)? attr-dict `:` type($operand) `->` type($result)"
    traits = traits_def(NoMemoryEffect())


@irdl_op_definition
class AbsOp(UnaryArithmeticOp):
    """Magnitude."""

    name = "expr.abs"
    assembly_format = "$operand (`proven` $proven^)? attr-dict `:` type($operand) `->` type($result)"
    traits = traits_def(NoMemoryEffect())

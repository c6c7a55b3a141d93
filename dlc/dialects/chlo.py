"""`chlo`: functions that StableHLO spells as expansions, as JAX writes them."""

from __future__ import annotations

from abc import ABC

from xdsl.dialects.builtin import AnyTensorType, IntegerAttr, TensorType, i32, i64
from xdsl.ir import Dialect
from xdsl.irdl import (
    AtLeast,
    IRDLOperation,
    eq,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from .stablehlo import tensor


class UnaryOp(IRDLOperation, ABC):
    """Base of functions of each element."""

    operand = operand_def(AnyTensorType)
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())
    assembly_format = "$operand attr-dict `:` type($operand) `->` type($result)"

    def verify_(self) -> None:
        if tensor(self.operand).get_shape() != tensor(self.result).get_shape():
            raise VerifyException("operand and result must have the same shape")


class BinaryOp(IRDLOperation, ABC):
    """Base of functions of each two elements."""

    lhs = operand_def(AnyTensorType)
    rhs = operand_def(AnyTensorType)
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())
    assembly_format = "$lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)"

    def verify_(self) -> None:
        if len({self.lhs.type, self.rhs.type, self.result.type}) != 1:
            raise VerifyException("operands and result must have the same type")


@irdl_op_definition
class TopKOp(IRDLOperation):
    """The largest `k` elements along the last dimension, and their indices."""

    name = "chlo.top_k"
    operand = operand_def(AnyTensorType)
    k = prop_def(IntegerAttr.constr(type=eq(i64), value=AtLeast(0)))
    values = result_def(AnyTensorType)
    indices = result_def(AnyTensorType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        shape = tensor(self.operand).get_shape()
        if not shape:
            raise VerifyException("a scalar has no largest elements")
        expected = [*shape[:-1], self.k.value.data]
        element = tensor(self.operand).element_type
        if self.result_types != (TensorType(element, expected), TensorType(i32, expected)):
            raise VerifyException(f"results must have the shape {expected}")


def _unary(name: str, meaning: str) -> type[UnaryOp]:
    class_name = f"{name.title().replace('_', '')}Op"
    return irdl_op_definition(type(class_name, (UnaryOp,), {"name": f"chlo.{name}", "__doc__": meaning}))


def _binary(name: str, meaning: str) -> type[BinaryOp]:
    class_name = f"{name.title().replace('_', '')}Op"
    return irdl_op_definition(type(class_name, (BinaryOp,), {"name": f"chlo.{name}", "__doc__": meaning}))


_UNARY = {
    "acos": "Inverse cosine.",
    "acosh": "Inverse hyperbolic cosine.",
    "asin": "Inverse sine.",
    "asinh": "Inverse hyperbolic sine.",
    "atan": "Inverse tangent.",
    "atanh": "Inverse hyperbolic tangent.",
    "bessel_i1e": "Exponentially scaled modified Bessel function of the first kind and order 1.",
    "conj": "Complex conjugate.",
    "cosh": "Hyperbolic cosine.",
    "digamma": "Derivative of the logarithm of the gamma function.",
    "erf": "Error function.",
    "erf_inv": "Inverse of the error function.",
    "erfc": "One minus the error function.",
    "is_inf": "Whether an element is infinite.",
    "is_neg_inf": "Whether an element is negative infinity.",
    "is_pos_inf": "Whether an element is positive infinity.",
    "lgamma": "Logarithm of the absolute gamma function.",
    "sinh": "Hyperbolic sine.",
    "square": "The element times itself.",
    "tan": "Tangent.",
}
_BINARY = {
    "next_after": "The number next to the first in the direction of the second.",
    "polygamma": "Derivative of the digamma function of an order.",
    "zeta": "Hurwitz zeta function.",
}

Chlo = Dialect(
    "chlo",
    [
        *(_unary(name, meaning) for name, meaning in _UNARY.items()),
        *(_binary(name, meaning) for name, meaning in _BINARY.items()),
        TopKOp,
    ],
)

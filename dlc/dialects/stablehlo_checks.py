"""What the verifiers of tensor ops share; a dimension whose size is not known fits any size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException


def tensor(value: SSAValue) -> TensorType[Attribute]:
    """The type of a value that is a tensor."""
    return cast("TensorType[Attribute]", value.type)


def rank(value: SSAValue) -> int:
    """Number of dimensions of a tensor."""
    return len(tensor(value).get_shape())


def require(holds: bool, what: str) -> None:
    """VerifyException unless something holds."""
    if not holds:
        raise VerifyException(what)


def same_elements(values: Iterable[SSAValue]) -> None:
    """VerifyException unless the tensors have one element type."""
    require(len({tensor(value).element_type for value in values}) == 1, "element types must be the same")


def check_lengths(arrays: Iterable[Sequence[int]], ndim: int) -> None:
    """VerifyException unless every array has an element for each dimension."""
    require(all(len(array) == ndim for array in arrays), f"arrays must have {ndim} elements, one a dimension")


def check_shape(value: SSAValue, expected: Sequence[int]) -> None:
    """VerifyException unless the shape of a tensor fits."""
    found = tensor(value).get_shape()
    fits = len(found) == len(expected) and all(
        a == b or DYNAMIC_INDEX in (a, b) for a, b in zip(found, expected, strict=True)
    )
    require(fits, f"expected the shape {list(expected)}, found {list(found)}")


def check_dimensions(found: Sequence[int], ndim: int) -> None:
    """VerifyException unless these are different dimensions of a tensor of that rank."""
    require(len(set(found)) == len(found), "dimensions must differ")
    require(all(0 <= dimension < ndim for dimension in found), f"dimensions must be less than {ndim}")


def check_arguments(op: Operation, elements: Sequence[SSAValue]) -> None:
    """VerifyException unless every region takes scalars of the elements of these tensors."""
    expected = [TensorType(tensor(value).element_type, []) for value in elements]
    for region in op.regions:
        found = list(region.block.arg_types)
        require(found == expected, f"a region must take {len(expected)} scalars of the operands' elements")

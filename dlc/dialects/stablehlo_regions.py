"""Ops of StableHLO whose regions say what to do with elements or, for `while`, with whole tensors."""

from __future__ import annotations

from xdsl.dialects.builtin import (
    AnyTensorType,
    BoolAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    TensorType,
    i1,
    i64,
)
from xdsl.ir import Region
from xdsl.irdl import (
    IRDLOperation,
    SameVariadicOperandSize,
    eq,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import RecursiveMemoryEffect

from .stablehlo_checks import (
    check_arguments,
    check_dimensions,
    check_lengths,
    check_shape,
    rank,
    require,
    same_elements,
    tensor,
)

_Integers = DenseArrayBase.constr(i64)


@irdl_op_definition
class ReduceOp(IRDLOperation):
    """Inputs reduced together along some dimensions by a function of two elements of each."""

    name = "stablehlo.reduce"
    inputs = var_operand_def(AnyTensorType)
    init_values = var_operand_def(AnyTensorType)
    dimensions = prop_def(_Integers)
    body = region_def("single_block")
    result = var_result_def(AnyTensorType)
    irdl_options = (SameVariadicOperandSize(),)
    traits = traits_def(RecursiveMemoryEffect())

    def verify_(self) -> None:
        require(len(self.inputs) == len(self.result) > 0, "each input needs one result")
        dimensions = self.dimensions.get_values()
        for operand, init, result in zip(self.inputs, self.init_values, self.result, strict=True):
            same_elements([operand, init, result])
            require(rank(init) == 0, "initial values must be scalars")
            check_dimensions(dimensions, rank(operand))
            sizes = enumerate(tensor(operand).get_shape())
            check_shape(result, [size for dimension, size in sizes if dimension not in dimensions])
        check_arguments(self, [*self.inputs, *self.inputs])


@irdl_op_definition
class SortOp(IRDLOperation):
    """Operands ordered together along one dimension by a comparator of two elements of each."""

    name = "stablehlo.sort"
    inputs = var_operand_def(AnyTensorType)
    dimension = opt_prop_def(IntegerAttr.constr(type=eq(i64)))
    is_stable = opt_prop_def(BoolAttr)
    comparator = region_def("single_block")
    results_ = var_result_def(AnyTensorType)
    traits = traits_def(RecursiveMemoryEffect())

    def verify_(self) -> None:
        require(len(self.inputs) > 0, "there must be an operand")
        require(self.operand_types == self.result_types, "results must have the types of the operands")
        shapes = {tensor(value).get_shape() for value in self.inputs}
        require(len(shapes) == 1, "operands must have the same shape")
        check_arguments(self, [element for value in self.inputs for element in (value, value)])


@irdl_op_definition
class ReduceWindowOp(IRDLOperation):
    """Windows that slide over the inputs, each reduced to one element."""

    name = "stablehlo.reduce_window"
    inputs = var_operand_def(AnyTensorType)
    init_values = var_operand_def(AnyTensorType)
    window_dimensions = prop_def(_Integers)
    window_strides = opt_prop_def(_Integers)
    base_dilations = opt_prop_def(_Integers)
    window_dilations = opt_prop_def(_Integers)
    padding = opt_prop_def(DenseIntOrFPElementsAttr)
    body = region_def("single_block")
    results_ = var_result_def(AnyTensorType)
    irdl_options = (SameVariadicOperandSize(),)
    traits = traits_def(RecursiveMemoryEffect())

    def verify_(self) -> None:
        require(len(self.inputs) == len(self.results_) > 0, "each input needs one result")
        ndim = rank(self.inputs[0])
        windows = (self.window_dimensions, self.window_strides, self.base_dilations, self.window_dilations)
        check_lengths([window.get_values() for window in windows if window is not None], ndim)
        for value in (*self.inputs, *self.results_):
            require(rank(value) == ndim, "inputs and results must have the same rank")
        check_arguments(self, [*self.inputs, *self.inputs])


@irdl_op_definition
class SelectAndScatterOp(IRDLOperation):
    """Scatters each source element to the place in its window that a comparison selects."""

    name = "stablehlo.select_and_scatter"
    operand = operand_def(AnyTensorType)
    source = operand_def(AnyTensorType)
    init_value = operand_def(AnyTensorType)
    window_dimensions = opt_prop_def(_Integers)
    window_strides = opt_prop_def(_Integers)
    padding = opt_prop_def(DenseIntOrFPElementsAttr)
    select = region_def("single_block")
    scatter = region_def("single_block")
    result = result_def(AnyTensorType)
    traits = traits_def(RecursiveMemoryEffect())

    def verify_(self) -> None:
        same_elements([self.operand, self.source, self.init_value, self.result])
        ndim = rank(self.operand)
        check_shape(self.result, tensor(self.operand).get_shape())
        require(rank(self.source) == ndim, "operand and source must have the same rank")
        windows = (self.window_dimensions, self.window_strides)
        check_lengths([window.get_values() for window in windows if window is not None], ndim)
        check_arguments(self, [self.operand, self.operand])


@irdl_op_definition
class WhileOp(IRDLOperation):
    """Values that the body replaces as long as the condition holds of them."""

    name = "stablehlo.while"
    operand = var_operand_def(AnyTensorType)
    cond = region_def("single_block")
    body = region_def("single_block")
    res = var_result_def(AnyTensorType)
    traits = traits_def(RecursiveMemoryEffect())

    def verify_(self) -> None:
        require(self.operand_types == self.result_types, "results must have the types of the operands")
        for region in self.regions:
            given = tuple(region.block.arg_types)
            require(given == self.operand_types, "a region must take values of the types of the operands")
        require(_yielded(self.cond) == (TensorType(i1, []),), "the condition must return one scalar i1")
        require(_yielded(self.body) == self.operand_types, "the body must return the operands' types")


def _yielded(region: Region) -> tuple[object, ...]:
    last = region.block.last_op
    return tuple(last.operand_types) if last is not None else ()

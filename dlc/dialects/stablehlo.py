"""`stablehlo`: tensor operations, those of xdsl-jax and the ones that it lacks.

Together they hold what JAX writes for pure functions, in the syntax that XLA reads.
"""

from __future__ import annotations

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AnyTensorType,
    ArrayAttr,
    BoolAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    i1,
    i64,
)
from xdsl.ir import Dialect
from xdsl.irdl import (
    AtLeast,
    IRDLOperation,
    eq,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import Pure
from xdsl_jax.dialects.stablehlo import StableHLO
from xdsl_jax.dialects.stablehlo.attributes import GatherDimensionNumbers, PrecisionAttr
from xdsl_jax.dialects.stablehlo.custom_directives import SameOperandsAndResultType
from xdsl_jax.dialects.stablehlo.types import DimensionTensorType, IntegerTensorType, ScalarIntTensorType

from .stablehlo_attributes import ConvDimensionNumbers, FftTypeAttr, RngAlgorithmAttr
from .stablehlo_checks import (
    check_dimensions,
    check_lengths,
    check_shape,
    rank,
    require,
    same_elements,
    tensor,
)
from .stablehlo_regions import ReduceOp, ReduceWindowOp, SelectAndScatterOp, SortOp, WhileOp

__all__ = ["Stablehlo", "tensor"]

_Integers = DenseArrayBase.constr(i64)
_Count = IntegerAttr.constr(type=eq(i64), value=AtLeast(1))
_Dimension = IntegerAttr.constr(type=eq(i64), value=AtLeast(0))


@irdl_op_definition
class ConvolutionOp(IRDLOperation):
    """Sums of products of a window that slides over the input, and a kernel."""

    name = "stablehlo.convolution"
    lhs = operand_def(AnyTensorType)
    rhs = operand_def(AnyTensorType)
    window_strides = opt_prop_def(_Integers)
    padding = opt_prop_def(DenseIntOrFPElementsAttr)
    lhs_dilation = opt_prop_def(_Integers)
    rhs_dilation = opt_prop_def(_Integers)
    window_reversal = opt_prop_def(DenseArrayBase.constr(i1))
    dimension_numbers = prop_def(ConvDimensionNumbers)
    feature_group_count = prop_def(_Count)
    batch_group_count = prop_def(_Count)
    precision_config = opt_prop_def(ArrayAttr[PrecisionAttr])
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        spatial = len(self.dimension_numbers.input_spatial_dimensions)
        for value in (self.lhs, self.rhs, self.result):
            require(rank(value) == spatial + 2, f"tensors must have {spatial} + 2 dimensions")
        lhs, rhs = (tensor(value).get_shape() for value in (self.lhs, self.rhs))
        numbers = self.dimension_numbers
        features = lhs[numbers.input_feature_dimension.data]
        taken = rhs[numbers.kernel_input_feature_dimension.data] * self.feature_group_count.value.data
        if DYNAMIC_INDEX not in (features, rhs[numbers.kernel_input_feature_dimension.data]):
            require(features == taken, f"the input has {features} features, the kernel takes {taken}")


@irdl_op_definition
class PadOp(IRDLOperation):
    """The operand with a value before, after and between its elements; negative edges cut off."""

    name = "stablehlo.pad"
    operand = operand_def(AnyTensorType)
    padding_value = operand_def(AnyTensorType)
    edge_padding_low = prop_def(_Integers)
    edge_padding_high = prop_def(_Integers)
    interior_padding = prop_def(_Integers)
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$operand `,` $padding_value `,` `low` `=` $edge_padding_low `,` `high` `=` $edge_padding_high `,`"
        " `interior` `=` $interior_padding attr-dict `:` functional-type(operands, results)"
    )

    def verify_(self) -> None:
        same_elements([self.operand, self.padding_value, self.result])
        require(rank(self.padding_value) == 0, "the padding value must be a scalar")
        shape = tensor(self.operand).get_shape()
        edges = (self.edge_padding_low, self.edge_padding_high, self.interior_padding)
        check_lengths([edge.get_values() for edge in edges], len(shape))
        expected = [
            size if size == DYNAMIC_INDEX else low + size + max(size - 1, 0) * between + high
            for size, low, high, between in zip(shape, *(edge.get_values() for edge in edges), strict=True)
        ]
        check_shape(self.result, expected)


@irdl_op_definition
class DynamicPadOp(IRDLOperation):
    """`pad` by amounts that are operands."""

    name = "stablehlo.dynamic_pad"
    operand = operand_def(AnyTensorType)
    padding_value = operand_def(AnyTensorType)
    edge_padding_low = operand_def(DimensionTensorType)
    edge_padding_high = operand_def(DimensionTensorType)
    interior_padding = operand_def(DimensionTensorType)
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        same_elements([self.operand, self.padding_value, self.result])
        require(rank(self.operand) == rank(self.result), "operand and result must have the same rank")


@irdl_op_definition
class DynamicGatherOp(IRDLOperation):
    """`gather` with slice sizes that are an operand."""

    name = "stablehlo.dynamic_gather"
    operand = operand_def(AnyTensorType)
    start_indices = operand_def(IntegerTensorType)
    slice_sizes = operand_def(DimensionTensorType)
    dimension_numbers = prop_def(GatherDimensionNumbers)
    indices_are_sorted = opt_prop_def(BoolAttr)
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        same_elements([self.operand, self.result])
        check_shape(self.slice_sizes, [rank(self.operand)])


@irdl_op_definition
class DynamicIotaOp(IRDLOperation):
    """Numbers from zero along a dimension, in a shape that is an operand."""

    name = "stablehlo.dynamic_iota"
    output_shape = operand_def(DimensionTensorType)
    iota_dimension = prop_def(_Dimension)
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$output_shape `,` `dim` `=` $iota_dimension attr-dict `:` functional-type(operands, results)"
    )

    def verify_(self) -> None:
        ndim = rank(self.result)
        check_shape(self.output_shape, [ndim])
        require(self.iota_dimension.value.data < ndim, f"the dimension must be less than {ndim}")


@irdl_op_definition
class DynamicReshapeOp(IRDLOperation):
    """The same elements in a shape that is an operand."""

    name = "stablehlo.dynamic_reshape"
    operand = operand_def(AnyTensorType)
    output_shape = operand_def(DimensionTensorType)
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())
    assembly_format = "$operand `,` $output_shape attr-dict `:` functional-type(operands, results)"

    def verify_(self) -> None:
        same_elements([self.operand, self.result])
        check_shape(self.output_shape, [rank(self.result)])


@irdl_op_definition
class DynamicUpdateSliceOp(IRDLOperation):
    """The operand with a slice replaced, which begins at indices that are operands."""

    name = "stablehlo.dynamic_update_slice"
    operand = operand_def(AnyTensorType)
    update = operand_def(AnyTensorType)
    start_indices = var_operand_def(ScalarIntTensorType)
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        same_elements([self.operand, self.update, self.result])
        check_shape(self.result, tensor(self.operand).get_shape())
        require(rank(self.update) == rank(self.operand), "operand and update must have the same rank")
        require(len(self.start_indices) == rank(self.operand), "each dimension needs one start index")


@irdl_op_definition
class RealDynamicSliceOp(IRDLOperation):
    """A slice with starts, limits and strides that are operands."""

    name = "stablehlo.real_dynamic_slice"
    operand = operand_def(AnyTensorType)
    start_indices = operand_def(DimensionTensorType)
    limit_indices = operand_def(DimensionTensorType)
    strides = operand_def(DimensionTensorType)
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        same_elements([self.operand, self.result])
        ndim = rank(self.operand)
        require(rank(self.result) == ndim, "operand and result must have the same rank")
        for bounds in (self.start_indices, self.limit_indices, self.strides):
            check_shape(bounds, [ndim])


@irdl_op_definition
class GetDimensionSizeOp(IRDLOperation):
    """The size of one dimension, as a scalar."""

    name = "stablehlo.get_dimension_size"
    operand = operand_def(AnyTensorType)
    dimension = prop_def(_Dimension)
    result = result_def(ScalarIntTensorType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        ndim = rank(self.operand)
        require(self.dimension.value.data < ndim, f"the dimension must be less than {ndim}")


@irdl_op_definition
class ReverseOp(IRDLOperation):
    """The operand with some dimensions in opposite order."""

    name = "stablehlo.reverse"
    operand = operand_def(AnyTensorType)
    dimensions = prop_def(_Integers)
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$operand `,` `dims` `=` $dimensions attr-dict `:` "
        "custom<SameOperandsAndResultType>(type($operand), type($result))"
    )
    custom_directives = (SameOperandsAndResultType,)

    def verify_(self) -> None:
        same_elements([self.operand, self.result])
        check_shape(self.result, tensor(self.operand).get_shape())
        check_dimensions(self.dimensions.get_values(), rank(self.operand))


@irdl_op_definition
class RngBitGeneratorOp(IRDLOperation):
    """Random bits that follow from a state, and the state after them."""

    name = "stablehlo.rng_bit_generator"
    initial_state = operand_def(IntegerTensorType)
    rng_algorithm = prop_def(RngAlgorithmAttr)
    output_state = result_def(IntegerTensorType)
    output = result_def(AnyTensorType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        require(self.output_state.type == self.initial_state.type, "the state must keep its type")


@irdl_op_definition
class FftOp(IRDLOperation):
    """Fourier transform along the last dimensions."""

    name = "stablehlo.fft"
    operand = operand_def(AnyTensorType)
    fft_type = prop_def(FftTypeAttr)
    fft_length = prop_def(_Integers)
    result = result_def(AnyTensorType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        ndim = rank(self.operand)
        require(rank(self.result) == ndim, "operand and result must have the same rank")
        require(1 <= len(self.fft_length) <= min(ndim, 3), "one to three of the dimensions are transformed")


_OWN = [
    ConvolutionOp,
    DynamicGatherOp,
    DynamicIotaOp,
    DynamicPadOp,
    DynamicReshapeOp,
    DynamicUpdateSliceOp,
    FftOp,
    GetDimensionSizeOp,
    PadOp,
    RealDynamicSliceOp,
    ReduceOp,
    ReduceWindowOp,
    ReverseOp,
    RngBitGeneratorOp,
    SelectAndScatterOp,
    SortOp,
    WhileOp,
]
_NAMES = {op.name for op in _OWN}

Stablehlo = Dialect(
    "stablehlo",
    # Of those of xdsl-jax, pad takes integers alone, and while and reduce print what cannot be read.
    [*(op for op in StableHLO.operations if op.name not in _NAMES), *_OWN],
    [*StableHLO.attributes, ConvDimensionNumbers, FftTypeAttr, RngAlgorithmAttr],
)

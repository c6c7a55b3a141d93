"""Attributes of StableHLO that xdsl-jax lacks, in the syntax of the upstream dialect."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, IntAttr
from xdsl.dialects.utils import EnumAttribute, StrEnum
from xdsl.ir import Attribute, ParametrizedAttribute, SpacedOpaqueSyntaxAttribute
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.parser import AttrParser
from xdsl.printer import Printer

# The letters of the two dimensions of each tensor that are not spatial.
_LETTERS = (("b", "f"), ("i", "o"), ("b", "f"))


@irdl_attr_definition
class ConvDimensionNumbers(ParametrizedAttribute):
    """Which dimension of a convolution's input, kernel and output means what.

    Printed as `#stablehlo.conv<[b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]>`: batch, feature and spatial
    dimensions of the input and the output, input and output features of the kernel.
    """

    name = "stablehlo.conv"
    input_batch_dimension: IntAttr = param_def()
    input_feature_dimension: IntAttr = param_def()
    input_spatial_dimensions: ArrayAttr[IntAttr] = param_def()
    kernel_input_feature_dimension: IntAttr = param_def()
    kernel_output_feature_dimension: IntAttr = param_def()
    kernel_spatial_dimensions: ArrayAttr[IntAttr] = param_def()
    output_batch_dimension: IntAttr = param_def()
    output_feature_dimension: IntAttr = param_def()
    output_spatial_dimensions: ArrayAttr[IntAttr] = param_def()

    def print_parameters(self, printer: Printer) -> None:
        tensors = (
            (self.input_batch_dimension, self.input_feature_dimension, self.input_spatial_dimensions),
            (
                self.kernel_input_feature_dimension,
                self.kernel_output_feature_dimension,
                self.kernel_spatial_dimensions,
            ),
            (self.output_batch_dimension, self.output_feature_dimension, self.output_spatial_dimensions),
        )
        input_, kernel, output = (_printed(*pair) for pair in zip(_LETTERS, tensors, strict=True))
        with printer.in_angle_brackets():
            printer.print_string(f"{input_}x{kernel}->{output}")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        parameters: list[Attribute] = []
        with parser.in_angle_brackets():
            for tensor, letters in enumerate(_LETTERS):
                if tensor == 1:
                    # The lexer reads `x` as the start of a word, or alone.
                    parser.parse_keyword("x")
                elif tensor == 2:
                    parser.parse_punctuation("->")
                parameters += _parsed(parser, letters)
        return parameters


def _printed(letters: tuple[str, str], tensor: tuple[IntAttr, IntAttr, ArrayAttr[IntAttr]]) -> str:
    """One tensor's dimensions in order, as `[b, f, 0, 1]`."""
    first, second, spatial = tensor
    labels = {first.data: letters[0], second.data: letters[1]}
    labels |= {dimension.data: str(number) for number, dimension in enumerate(spatial)}
    return f"[{', '.join(labels[dimension] for dimension in sorted(labels))}]"


def _parsed(parser: AttrParser, letters: tuple[str, str]) -> list[Attribute]:
    """The two letters' dimensions, and the spatial ones in their order."""

    def label() -> str:
        number = parser.parse_optional_integer(allow_boolean=False, allow_negative=False)
        return parser.parse_identifier() if number is None else str(number)

    start = parser.pos
    labels = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, label)
    spatial = [str(number) for number in range(len(labels) - 2)]
    if sorted(labels) != sorted([*letters, *spatial]):
        parser.raise_error(f"expected the dimensions {', '.join([*letters, *spatial])}", start, parser.pos)
    first, second = (IntAttr(labels.index(letter)) for letter in letters)
    return [first, second, ArrayAttr(IntAttr(labels.index(number)) for number in spatial)]


class FftType(StrEnum):
    """Direction of a Fourier transform, and whether one side is real."""

    FFT = "FFT"
    IFFT = "IFFT"
    RFFT = "RFFT"
    IRFFT = "IRFFT"


@irdl_attr_definition
class FftTypeAttr(EnumAttribute[FftType], SpacedOpaqueSyntaxAttribute):
    """Direction of a Fourier transform, and whether one side is real."""

    name = "stablehlo.fft_type"


class RngAlgorithm(StrEnum):
    """Generator of random bits."""

    DEFAULT = "DEFAULT"
    THREE_FRY = "THREE_FRY"
    PHILOX = "PHILOX"


@irdl_attr_definition
class RngAlgorithmAttr(EnumAttribute[RngAlgorithm], SpacedOpaqueSyntaxAttribute):
    """Generator of random bits."""

    name = "stablehlo.rng_algorithm"

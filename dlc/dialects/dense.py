"""Dense constants in text, within bounds, and with the bits that hexadecimal floats spell."""

from __future__ import annotations

import math
import re
from typing import Any, cast

from xdsl.dialects.builtin import AnyFloat, DenseIntOrFPElementsAttr
from xdsl.parser import Parser

MAX_ELEMENTS = 1 << 24
"""Elements of all constants of a text; a few characters repeat a single value as often as they like."""

_LITERAL = re.compile(r'<("[^"]*"|[^">]*)>')
_TYPE = re.compile(r"\s*:\s*\w+<((?:\d+x)*)")
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|[-+]?[\d.]+(?:[eE][-+]?\d+)?")


class DenseParser(Parser):
    """A parser that reads `dense<0xFF800000> : tensor<f32>` as minus infinity, as MLIR does."""

    elements = 0
    """Elements of the constants read so far."""

    def parse_dense_int_or_fp_elements_attr(self, type: Any) -> DenseIntOrFPElementsAttr:
        source = self.lexer.input.content
        literal = _LITERAL.match(source, self.pos)
        stated = _TYPE.match(source, literal.end()) if literal else None
        sizes = [int(size) for size in stated[1].split("x") if size] if stated else []
        self.elements += math.prod(sizes)
        if self.elements > MAX_ELEMENTS:
            self.raise_error(f"the constants have more than {MAX_ELEMENTS} elements")
        if literal is not None and literal[1] and literal[1][0] not in '["':
            return self._splat(type)
        attribute: DenseIntOrFPElementsAttr = super().parse_dense_int_or_fp_elements_attr(type)
        element = attribute.get_element_type()
        if (
            literal is None
            or not isinstance(element, AnyFloat)
            or "0x" not in literal[1]
            or '"' in literal[1]
        ):
            return attribute
        # xDSL takes the bits for an integer, and converts it.
        values = [_value(number, element) for number in _NUMBER.findall(literal[1])]
        return DenseIntOrFPElementsAttr.from_list(cast("Any", attribute.type), values)

    def _splat(self, type: Any) -> DenseIntOrFPElementsAttr:
        """One value for all elements, which xDSL would convert one by one."""
        self.parse_punctuation("<", " in dense attribute")
        start = self.pos
        (value,), _ = self._parse_tensor_literal()
        spelling = self.lexer.input.content[start : self.pos].strip()
        self.parse_punctuation(">", " in dense attribute")
        shape = type
        if shape is None:
            self.parse_punctuation(":", " in dense attribute")
            shape = cast("Any", self._parse_dense_literal_type())
        element = shape.element_type
        if isinstance(element, AnyFloat) and spelling.startswith("0x"):
            return DenseIntOrFPElementsAttr.from_list(shape, [_value(spelling, element)])
        return DenseIntOrFPElementsAttr.from_list(shape, [cast("Any", value.to_type(self, element))])


def _value(number: str, element: AnyFloat) -> float:
    if not number.startswith("0x"):
        return float(number)
    raw = int(number, 16).to_bytes(element.compile_time_size, "little")
    return element.unpack(raw, 1)[0]

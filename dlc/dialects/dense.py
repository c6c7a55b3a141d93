"""Dense constants in text, within bounds, and with the bits that hexadecimal floats spell."""

from __future__ import annotations

import math
import re
from typing import Any, cast

from xdsl.dialects.builtin import AnyFloat, DenseIntOrFPElementsAttr
from xdsl.parser import Parser

MAX_ELEMENTS = 1 << 28
"""Elements that a constant may have; xDSL writes out one that repeats a single value."""

_LITERAL = re.compile(r'<("[^"]*"|[^">]*)>')
_TYPE = re.compile(r"\s*:\s*\w+<((?:\d+x)*)")
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|[-+]?[\d.]+(?:[eE][-+]?\d+)?")


class DenseParser(Parser):
    """A parser that reads `dense<0xFF800000> : tensor<f32>` as minus infinity, as MLIR does."""

    def parse_dense_int_or_fp_elements_attr(self, type: Any) -> DenseIntOrFPElementsAttr:
        source = self.lexer.input.content
        literal = _LITERAL.match(source, self.pos)
        stated = _TYPE.match(source, literal.end()) if literal else None
        sizes = [int(size) for size in stated[1].split("x") if size] if stated else []
        if math.prod(sizes) > MAX_ELEMENTS:
            self.raise_error(f"a dense constant has more than {MAX_ELEMENTS} elements")
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


def _value(number: str, element: AnyFloat) -> float:
    if not number.startswith("0x"):
        return float(number)
    raw = int(number, 16).to_bytes(element.compile_time_size, "little")
    return element.unpack(raw, 1)[0]

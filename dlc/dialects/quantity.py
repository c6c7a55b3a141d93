"""Numbers with a unit and a provenance: what the figures of a machine are made of."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite

from xdsl.dialects.builtin import Float64Type, FloatAttr, StringAttr
from xdsl.ir import Attribute, ParametrizedAttribute
from xdsl.irdl import (
    AnyAttr,
    AttrConstraint,
    EqAttrConstraint,
    MessageConstraint,
    ParamAttrConstraint,
    irdl_attr_definition,
    param_def,
)
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

PRICES = ("USD/h", "EUR/h", "GBP/h", "CHF/h", "JPY/h")
"""Units of prices, which are not converted into one another."""

UNITS = ("1", "B", "s", "B/s", "FLOP/s", "Hz", "W", "IO/s", *PRICES)
"""Base units of a quantity; `1` is that of counts and ratios."""

PROVENANCES = ("spec", "measured", "assumed")


@irdl_attr_definition
class ProvenanceAttr(ParametrizedAttribute):
    """Where a number comes from, with its source and its relative spread."""

    name = "hw.provenance"
    kind: StringAttr = param_def()
    source: StringAttr = param_def()
    spread: FloatAttr[Float64Type] = param_def()

    def verify(self) -> None:
        if self.kind.data not in PROVENANCES:
            raise VerifyException(
                f"provenance must be one of {', '.join(PROVENANCES)}, not {self.kind.data!r}"
            )


@irdl_attr_definition
class QuantityAttr(ParametrizedAttribute):
    """A number in a base unit and where it comes from: `#hw.quantity<1.6e+10 : f64, "B", "spec">`.

    The provenance is one of "spec", "measured" and "assumed", or a `#hw.provenance` that says more.
    """

    name = "hw.quantity"
    value: FloatAttr[Float64Type] = param_def()
    unit: StringAttr = param_def()
    provenance: StringAttr | ProvenanceAttr = param_def()

    def print_parameters(self, printer: Printer) -> None:
        # The usual text of a float is hexadecimal beyond six digits, which nobody reads as a size of memory.
        with printer.in_angle_brackets():
            printer.print_string(f"{_digits(self.value.value.data)} : f64, ")
            printer.print_list((self.unit, self.provenance), printer.print_attribute)

    def verify(self) -> None:
        if self.unit.data not in UNITS:
            raise VerifyException(f"unit must be one of {', '.join(UNITS)}, not {self.unit.data!r}")
        if isinstance(self.provenance, StringAttr) and self.provenance.data not in PROVENANCES:
            known = ", ".join(PROVENANCES)
            raise VerifyException(f"provenance must be one of {known}, not {self.provenance.data!r}")
        if not isfinite(self.value.value.data) or self.value.value.data < 0:
            raise VerifyException(f"a quantity is finite and at least 0, not {self.value.value.data}")


def _digits(value: float) -> str:
    """The shortest text of a finite float that MLIR reads back to the bit; it wants a point in all."""
    plain = repr(value)
    if len(plain) <= 8 and "e" not in plain:
        return plain
    mantissa, _, exponent = f"{Decimal(plain).normalize():e}".partition("e")
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}e{exponent}"


def quantity(unit: str) -> AttrConstraint[Attribute]:
    """Constrains an attribute to a quantity in one unit."""
    in_unit = ParamAttrConstraint(QuantityAttr, (AnyAttr(), EqAttrConstraint(StringAttr(unit)), AnyAttr()))
    return MessageConstraint(in_unit, f'expected a quantity in "{unit}"')

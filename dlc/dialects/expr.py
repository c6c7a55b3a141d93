"""`expr`: scalar expressions over the rows of a table, with SQL semantics.

Null propagates through arithmetic, comparison and functions; `and`/`or` are Kleene's. Integer overflow and
division by zero of integers and decimals are run-time errors unless the op carries `proven`.
"""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    UnitAttr,
    f64,
    i1,
    i64,
)
from xdsl.ir import Attribute, Dialect, Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Commutative, ConstantLike, NoMemoryEffect, Pure
from xdsl.utils.exceptions import VerifyException

from . import datatypes as t
from .arithmetic import (
    AbsOp,
    AddOp,
    DivOp,
    FloorDivOp,
    ModOp,
    MulOp,
    NegOp,
    PowOp,
    SubOp,
    check_result,
)
from .functions import FUNCTIONS

ui64 = t.integers["ui64"]
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


@irdl_op_definition
class ColumnOp(IRDLOperation):
    """Value of a column of the row at hand; the enclosing table op says which table."""

    name = "expr.col"
    column = prop_def(StringAttr)
    result = result_def()
    traits = traits_def(Pure())
    assembly_format = "$column attr-dict `:` type($result)"

    def __init__(self, column: str, type_: Attribute):
        super().__init__(properties={"column": StringAttr(column)}, result_types=[type_])


@irdl_op_definition
class LiteralOp(IRDLOperation):
    """Constant: dates as days, instants and durations as counts, decimals as scaled integers in text.

    Printed as `expr.literal value attr-dict : type($result)`; a value is `3`, `0.5`, `inf`, `true` or `"a"`.
    """

    name = "expr.literal"
    value = prop_def()
    result = result_def()
    traits = traits_def(Pure(), ConstantLike())

    def __init__(self, value: float | str | bool, type_: Attribute):
        super().__init__(properties={"value": literal_attribute(value, type_)}, result_types=[type_])

    @property
    def python_value(self) -> int | float | str | bool:
        """The constant as Python holds it: text for strings and decimals, numbers otherwise."""
        return python_literal(self.value, self.result.type)

    def verify_(self) -> None:
        type_, value = self.result.type, self.value
        if isinstance(value, StringAttr):
            fits = type_ == t.string or t.is_decimal(type_)
        elif isinstance(value, FloatAttr):
            fits = t.is_float(type_)
        else:
            fits = isinstance(value, IntegerAttr) and not (
                type_ == t.string or t.is_float(type_) or t.is_decimal(type_)
            )
        if t.is_nullable(type_) or not fits:
            raise VerifyException(f"literal {value} does not fit type {t.text(type_)}")

    def print(self, printer: Printer) -> None:
        value = self.python_value
        if isinstance(value, str):
            printer.print_string(" ")
            printer.print_string_literal(value)
        else:
            printer.print_string(f" {number_text(value)}")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)

    @classmethod
    def parse(cls, parser: Parser) -> LiteralOp:
        value: int | float | str | bool | None = parser.parse_optional_str_literal()
        if value is None:
            value = parser.parse_optional_boolean()
        if value is None:
            negative = parser.parse_optional_punctuation("-") is not None
            special = parser.parse_optional_keyword("inf") or parser.parse_optional_keyword("nan")
            value = float(special) if special else parser.parse_number()
            value = -value if negative else value
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = LiteralOp(value, parser.parse_type())
        op.attributes.update(attributes)
        return op


def literal_attribute(value: float | str | bool, type_: Attribute) -> Attribute:
    """The attribute that holds a constant of a data type."""
    if isinstance(value, str):
        return StringAttr(value)
    if t.is_float(type_):
        return FloatAttr(float(value), f64)
    # The upper half of ui64 does not fit i64; everything else does.
    width = i1 if t.is_bool(type_) else ui64 if type_ == ui64 else i64
    return IntegerAttr(int(value), width)


def number_text(value: float | bool) -> str:
    """A number as the parser reads it: a mantissa needs its point, `1.0e-300`."""
    text = str(value).lower()
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}.0e{exponent}" if e and mantissa.lstrip("-").isdigit() else text


def python_literal(value: Attribute, type_: Attribute) -> int | float | str | bool:
    """Inverse of `literal_attribute`."""
    if isinstance(value, StringAttr):
        return value.data
    if isinstance(value, FloatAttr):
        return cast("FloatAttr[Float64Type]", value).value.data
    number = cast("IntegerAttr[IntegerType]", value).value.data
    return bool(number) if t.is_bool(type_) else number


@irdl_op_definition
class NullOp(IRDLOperation):
    """The null of a nullable type."""

    name = "expr.null"
    result = result_def(t.NullableType)
    traits = traits_def(Pure(), ConstantLike())
    assembly_format = "attr-dict `:` type($result)"

    def __init__(self, type_: Attribute):
        super().__init__(result_types=[type_])


@irdl_op_definition
class ParamOp(IRDLOperation):
    """Run-time parameter of the enclosing program."""

    name = "expr.param"
    parameter = prop_def(StringAttr)
    result = result_def()
    traits = traits_def(Pure())
    assembly_format = "$parameter attr-dict `:` type($result)"

    def __init__(self, parameter: str, type_: Attribute):
        super().__init__(properties={"parameter": StringAttr(parameter)}, result_types=[type_])


@irdl_op_definition
class ScalarOp(IRDLOperation):
    """Column of a one-row frame, the same for every row at hand."""

    name = "expr.scalar"
    frame = operand_def()
    column = prop_def(StringAttr)
    result = result_def()
    traits = traits_def(Pure())
    assembly_format = "$frame $column attr-dict `:` type($frame) `->` type($result)"

    def __init__(self, frame: SSAValue, column: str, type_: Attribute):
        super().__init__(operands=[frame], properties={"column": StringAttr(column)}, result_types=[type_])


@irdl_op_definition
class CompareOp(IRDLOperation):
    """Comparison `eq ne lt le gt ge`; null if either side is."""

    name = "expr.cmp"
    predicate = prop_def(StringAttr)
    lhs = operand_def()
    rhs = operand_def()
    result = result_def()
    traits = traits_def(Pure())
    assembly_format = "$predicate $lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)"

    def __init__(self, predicate: str, lhs: SSAValue, rhs: SSAValue):
        result = t.nullable(i1, t.is_nullable(lhs.type) or t.is_nullable(rhs.type))
        super().__init__(
            operands=[lhs, rhs], properties={"predicate": StringAttr(predicate)}, result_types=[result]
        )

    def verify_(self) -> None:
        if self.predicate.data not in COMPARISONS:
            raise VerifyException(f"predicate must be one of {', '.join(COMPARISONS)}, got {self.predicate}")
        a, b = t.strip(self.lhs.type), t.strip(self.rhs.type)
        if a != b and not (t.is_decimal(a) and t.is_decimal(b)):
            raise VerifyException(f"cannot compare {t.text(a)} with {t.text(b)}: cast one of them")
        null = t.is_nullable(self.lhs.type) or t.is_nullable(self.rhs.type)
        check_result(self.result.type, t.nullable(i1, null), "comparisons")


class LogicOp(IRDLOperation):
    """Base of the Kleene connectives."""

    lhs = operand_def()
    rhs = operand_def()
    result = result_def()
    assembly_format = "$lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)"

    def __init__(self, lhs: SSAValue, rhs: SSAValue):
        result = t.nullable(i1, t.is_nullable(lhs.type) or t.is_nullable(rhs.type))
        super().__init__(operands=[lhs, rhs], result_types=[result])

    def verify_(self) -> None:
        for side in (self.lhs, self.rhs):
            if not t.is_bool(side.type):
                raise VerifyException(f"needs booleans, got {t.text(side.type)}")
        null = t.is_nullable(self.lhs.type) or t.is_nullable(self.rhs.type)
        check_result(self.result.type, t.nullable(i1, null), "connectives")


@irdl_op_definition
class AndOp(LogicOp):
    """Kleene conjunction."""

    name = "expr.and"
    traits = traits_def(Pure(), Commutative())


@irdl_op_definition
class OrOp(LogicOp):
    """Kleene disjunction."""

    name = "expr.or"
    traits = traits_def(Pure(), Commutative())


@irdl_op_definition
class NotOp(IRDLOperation):
    """Kleene negation."""

    name = "expr.not"
    operand = operand_def()
    result = result_def()
    traits = traits_def(Pure())
    assembly_format = "$operand attr-dict `:` type($operand) `->` type($result)"

    def __init__(self, operand: SSAValue):
        super().__init__(operands=[operand], result_types=[operand.type])

    def verify_(self) -> None:
        if not t.is_bool(self.operand.type):
            raise VerifyException(f"needs a boolean, got {t.text(self.operand.type)}")
        check_result(self.result.type, self.operand.type, "negations")


@irdl_op_definition
class IsNullOp(IRDLOperation):
    """Whether a value is null; never null itself."""

    name = "expr.is_null"
    operand = operand_def()
    result = result_def(i1)
    traits = traits_def(Pure())
    assembly_format = "$operand attr-dict `:` type($operand)"

    def __init__(self, operand: SSAValue):
        super().__init__(operands=[operand], result_types=[i1])


@irdl_op_definition
class CaseOp(IRDLOperation):
    """First value whose condition is true: operands are condition, value, …, and the value otherwise.

    Values of branches not taken are not evaluated as far as errors go.
    """

    name = "expr.case"
    arguments = var_operand_def()
    result = result_def()
    traits = traits_def(Pure())
    assembly_format = "$arguments attr-dict `:` type($arguments) `->` type($result)"

    def __init__(self, arguments: list[SSAValue], type_: Attribute):
        super().__init__(operands=[arguments], result_types=[type_])

    def verify_(self) -> None:
        arguments = self.arguments
        if len(arguments) < 3 or len(arguments) % 2 == 0:
            raise VerifyException("needs pairs of condition and value, then one value")
        if not all(t.is_bool(condition.type) for condition in arguments[:-1:2]):
            raise VerifyException("conditions must be booleans")
        values = [*arguments[1::2], arguments[-1]]
        null = any(t.is_nullable(v.type) for v in values)
        if {t.strip(v.type) for v in values} != {t.strip(self.result.type)}:
            raise VerifyException("values and result must have one type")
        check_result(self.result.type, t.nullable(self.result.type, null), "cases")


@irdl_op_definition
class CoalesceOp(IRDLOperation):
    """First operand that is not null."""

    name = "expr.coalesce"
    arguments = var_operand_def()
    result = result_def()
    traits = traits_def(Pure())
    assembly_format = "$arguments attr-dict `:` type($arguments) `->` type($result)"

    def __init__(self, arguments: list[SSAValue]):
        null = all(t.is_nullable(a.type) for a in arguments)
        super().__init__(operands=[arguments], result_types=[t.nullable(t.strip(arguments[0].type), null)])

    def verify_(self) -> None:
        if not self.arguments or {t.strip(a.type) for a in self.arguments} != {t.strip(self.result.type)}:
            raise VerifyException("operands and result must have one type")
        null = all(t.is_nullable(a.type) for a in self.arguments)
        check_result(self.result.type, t.nullable(t.strip(self.result.type), null), "operands")


@irdl_op_definition
class CastOp(IRDLOperation):
    """Conversion; a value that does not fit is a run-time error, or null where `lenient`."""

    name = "expr.cast"
    operand = operand_def()
    lenient = opt_prop_def(UnitAttr)
    result = result_def()
    traits = traits_def(NoMemoryEffect())
    assembly_format = "$operand (`lenient` $lenient^)? attr-dict `:` type($operand) `->` type($result)"

    def __init__(self, operand: SSAValue, type_: Attribute, lenient: bool = False):
        super().__init__(
            operands=[operand], result_types=[type_], properties={"lenient": UnitAttr() if lenient else None}
        )

    def verify_(self) -> None:
        if t.is_nullable(self.operand.type) and not t.is_nullable(self.result.type):
            raise VerifyException("a cast does not remove nulls: coalesce first")


@irdl_op_definition
class IsInOp(IRDLOperation):
    """Whether the operand equals one of the constants; null for null."""

    name = "expr.is_in"
    operand = operand_def()
    values = prop_def(ArrayAttr)
    result = result_def()
    traits = traits_def(Pure())
    assembly_format = "$operand $values attr-dict `:` type($operand) `->` type($result)"

    def __init__(self, operand: SSAValue, values: list[Attribute]):
        result = t.nullable(i1, t.is_nullable(operand.type))
        super().__init__(operands=[operand], properties={"values": ArrayAttr(values)}, result_types=[result])

    def verify_(self) -> None:
        check_result(self.result.type, t.nullable(i1, t.is_nullable(self.operand.type)), "memberships")


@irdl_op_definition
class CallOp(IRDLOperation):
    """Call of a named scalar function (strings, dates, mathematics) with constant options."""

    name = "expr.call"
    function = prop_def(StringAttr)
    arguments = var_operand_def()
    options = opt_prop_def(DictionaryAttr)
    result = result_def()
    traits = traits_def(Pure())
    assembly_format = (
        "$function `(` $arguments `)` (`options` $options^)? attr-dict"
        " `:` type($arguments) `->` type($result)"
    )

    def __init__(self, function: str, arguments: list[SSAValue], type_: Attribute, **options: Attribute):
        super().__init__(
            operands=[arguments],
            properties={
                "function": StringAttr(function),
                "options": DictionaryAttr(options) if options else None,
            },
            result_types=[type_],
        )

    def verify_(self) -> None:
        function = FUNCTIONS.get(self.function.data)
        if function is None:
            raise VerifyException(f"unknown function {self.function.data!r}")
        given = set(self.options.data) if self.options else set[str]()
        if unknown := given - set(function.options):
            raise VerifyException(f"{self.function.data} has no option {min(unknown)!r}")
        expected = function.result_type([a.type for a in self.arguments])
        check_result(self.result.type, expected, f"{self.function.data} arguments")


Expr = Dialect(
    "expr",
    [
        ColumnOp,
        LiteralOp,
        NullOp,
        ParamOp,
        ScalarOp,
        AddOp,
        SubOp,
        MulOp,
        DivOp,
        FloorDivOp,
        ModOp,
        PowOp,
        NegOp,
        AbsOp,
        CompareOp,
        AndOp,
        OrOp,
        NotOp,
        IsNullOp,
        CaseOp,
        CoalesceOp,
        CastOp,
        IsInOp,
        CallOp,
    ],
    [t.StringType, t.DateType, t.DecimalType, t.TimestampType, t.DurationType, t.NullableType],
)


def may_fail(op: Operation) -> bool:
    """Whether evaluating the op on more rows than the program asks for could raise a run-time error."""
    if isinstance(op, AddOp | SubOp | MulOp | FloorDivOp | ModOp | DivOp):
        return op.proven is None and not t.is_float(op.lhs.type)
    if isinstance(op, NegOp | AbsOp):
        return op.proven is None and not t.is_float(op.operand.type)
    if isinstance(op, CastOp):
        return op.lenient is None and not t.holds_all(op.result.type, op.operand.type)
    return False

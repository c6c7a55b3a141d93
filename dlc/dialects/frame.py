"""Frame types of the `table` dialect, its attributes, and the schema each operator leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from xdsl.dialects.builtin import ArrayAttr, BoolAttr, IntegerAttr, StringAttr
from xdsl.ir import Attribute, ParametrizedAttribute, SSAValue, TypeAttribute
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from . import datatypes as t


@irdl_attr_definition
class FrameType(ParametrizedAttribute, TypeAttribute):
    """Rows of named, typed columns: `!table.frame<["user" : i64, "name" : !expr.nullable<!expr.string>]>`."""

    name = "table.frame"
    names: ArrayAttr[StringAttr] = param_def()
    types: ArrayAttr[Attribute] = param_def()

    @classmethod
    def of(cls, columns: Mapping[str, t.DataType]) -> FrameType:
        """Build from an ordered mapping of column names to types."""
        return cls(ArrayAttr([StringAttr(name) for name in columns]), ArrayAttr(columns.values()))

    @property
    def columns(self) -> dict[str, t.DataType]:
        """Column types by name, in order."""
        return {name.data: type_ for name, type_ in zip(self.names, self.types, strict=True)}

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        def column() -> tuple[StringAttr, Attribute]:
            name = StringAttr(parser.parse_str_literal(" as the name of a column"))
            parser.parse_punctuation(":")
            return name, parser.parse_type()

        with parser.in_angle_brackets():
            columns = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, column)
        return [ArrayAttr([name for name, _ in columns]), ArrayAttr([type_ for _, type_ in columns])]

    def print_parameters(self, printer: Printer) -> None:
        # A list of typed string attributes, which MLIR's own parser reads as one array.
        with printer.in_angle_brackets(), printer.in_square_brackets():
            for index, (name, type_) in enumerate(zip(self.names, self.types, strict=True)):
                printer.print_string(", " if index else "")
                printer.print_string_literal(name.data)
                printer.print_string(" : ")
                printer.print_attribute(type_)

    def verify(self) -> None:
        if len(self.names) != len(self.types):
            raise VerifyException("as many names as types are needed")
        seen = set[str]()
        for name, type_ in zip(self.names, self.types, strict=True):
            if name.data in seen:
                raise VerifyException(f"duplicate column {name.data!r}")
            if not t.is_data_type(type_):
                raise VerifyException(f"column {name.data!r}: {type_} cannot be a column type")
            seen.add(name.data)


@irdl_attr_definition
class StatisticsAttr(ParametrizedAttribute):
    """Bounds of a scanned column, which nulls and NaN lie outside of, its number of nulls, and more.

    `distinct` is about how many different values it holds besides nulls, `width` the mean width of its texts
    in bytes. Unknown bounds are `unit`, an unknown number is -1.
    """

    name = "table.statistics"
    column: StringAttr = param_def()
    minimum: Attribute = param_def()
    maximum: Attribute = param_def()
    nulls: IntegerAttr = param_def()
    distinct: IntegerAttr = param_def()
    width: IntegerAttr = param_def()


@irdl_attr_definition
class AggregateAttr(ParametrizedAttribute):
    """One aggregate: output name, function, input column ("" for `len`)."""

    name = "table.agg"
    output: StringAttr = param_def()
    function: StringAttr = param_def()
    column: StringAttr = param_def()

    @classmethod
    def of(cls, output: str, function: str, column: str = "") -> AggregateAttr:
        """Build from plain strings."""
        return cls(StringAttr(output), StringAttr(function), StringAttr(column))


@irdl_attr_definition
class OrderAttr(ParametrizedAttribute):
    """One sort key: column, whether descending, whether nulls come last."""

    name = "table.order"
    column: StringAttr = param_def()
    descending: BoolAttr = param_def()
    nulls_last: BoolAttr = param_def()

    @classmethod
    def of(cls, column: str, descending: bool = False, nulls_last: bool = False) -> OrderAttr:
        """Build from plain values."""
        return cls(StringAttr(column), BoolAttr.from_bool(descending), BoolAttr.from_bool(nulls_last))

    @property
    def key(self) -> tuple[str, bool, bool]:
        """Column, whether descending, whether nulls come last."""
        return self.column.data, bool(self.descending.value.data), bool(self.nulls_last.value.data)


def strings(values: Iterable[str]) -> ArrayAttr[StringAttr]:
    """An array attribute of strings."""
    return ArrayAttr([StringAttr(value) for value in values])


def frame_of(value: SSAValue) -> FrameType:
    """The frame type of a value; VerifyException if it has none."""
    if not isinstance(value.type, FrameType):
        raise VerifyException(f"expected a frame, got {value.type}")
    return value.type


def require(columns: Mapping[str, t.DataType], names: Iterable[str]) -> None:
    """VerifyException unless every name is a column."""
    for name in names:
        if name not in columns:
            raise VerifyException(f"no column {name!r} among {', '.join(columns) or 'no columns'}")


def require_schema(found: FrameType, expected: Mapping[str, t.DataType]) -> None:
    """VerifyException unless the frame has exactly the expected columns."""
    if list(found.columns.items()) != list(expected.items()):
        wanted = ", ".join(f"{name}: {t.text(type_)}" for name, type_ in expected.items())
        raise VerifyException(f"result schema must be {wanted or 'empty'}")


def join_schema(
    kind: str, left: FrameType, right: FrameType, right_on: Sequence[str]
) -> dict[str, t.DataType]:
    """Columns of a join: those of the left, then those of the right except its keys."""
    columns = left.columns
    if kind in ("inner", "left"):
        for name, type_ in right.columns.items():
            if name not in right_on:
                if name in columns:
                    raise VerifyException(f"column {name!r} stands on both sides")
                columns[name] = t.nullable(type_, t.is_nullable(type_) or kind == "left")
    return columns


def narrower(found: t.DataType, rule: t.DataType) -> bool:
    """Whether a type is the rule's decimal with fewer digits, as range analysis may find."""
    a, b = t.strip(found), t.strip(rule)
    return (
        isinstance(a, t.DecimalType)
        and isinstance(b, t.DecimalType)
        and a.scale == b.scale
        and a.precision.data <= b.precision.data
        and t.is_nullable(found) == t.is_nullable(rule)
    )


def aggregate_schema(
    frame: FrameType, keys: Sequence[str], aggregates: Iterable[AggregateAttr]
) -> dict[str, t.DataType]:
    """Columns of an aggregation: the keys, then the aggregates."""
    columns = frame.columns
    require(columns, keys)
    schema = {key: columns[key] for key in keys}
    for agg in aggregates:
        column = agg.column.data
        if column:
            require(columns, [column])
        type_ = t.aggregate_type(agg.function.data, columns[column] if column else None)
        if type_ is None:
            given = t.text(columns[column]) if column else "no column"
            raise VerifyException(f"aggregate {agg.function.data!r} is not defined for {given}")
        if agg.output.data in schema:
            raise VerifyException(f"duplicate column {agg.output.data!r}")
        schema[agg.output.data] = type_
    return schema

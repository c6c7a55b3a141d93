"""`table`: operators over data frames. A frame is a bag of rows until something orders it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    i64,
)
from xdsl.ir import (
    Attribute,
    Block,
    Dialect,
    Operation,
    Region,
    SSAValue,
)
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    opt_region_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import IsTerminator, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from . import datatypes as t
from .expr import ColumnOp
from .frame import (
    AggregateAttr,
    FrameType,
    OrderAttr,
    StatisticsAttr,
    aggregate_schema,
    frame_of,
    join_schema,
    narrower,
    require,
    require_schema,
    strings,
)
from .table_tensors import FromTensorOp, RowsOp, ToTensorOp

JOIN_KINDS = ("inner", "left", "semi", "anti")
FORMATS = ("parquet", "csv")


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Values of an expression region, one each per row."""

    name = "table.yield"
    values = var_operand_def()
    traits = traits_def(IsTerminator())
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, values: Sequence[SSAValue]):
        super().__init__(operands=[list(values)])


def yielded(region: Region) -> Sequence[SSAValue]:
    """Values at the end of an expression region."""
    last = region.block.last_op
    if not isinstance(last, YieldOp):
        raise VerifyException("an expression region must end in table.yield")
    return last.values


def verify_expressions(region: Region, columns: Mapping[str, t.DataType]) -> None:
    """VerifyException unless every column read in the region exists with the type stated."""
    for op in region.block.ops:
        if isinstance(op, ColumnOp):
            require(columns, [op.column.data])
            if columns[op.column.data] != op.result.type:
                raise VerifyException(
                    f"column {op.column.data!r} is {t.text(columns[op.column.data])}, "
                    f"not {t.text(op.result.type)}"
                )


@irdl_op_definition
class ScanOp(IRDLOperation):
    """Rows of files, in file and row order.

    `pieces` lists (file, first row, rows) triples that are read, `statistics` what footers say of columns;
    the optional region is a predicate applied while reading.
    """

    name = "table.scan"
    format = prop_def(StringAttr)
    paths = prop_def(ArrayAttr[StringAttr])
    options = opt_prop_def(DictionaryAttr)
    pieces = opt_prop_def()
    statistics = opt_prop_def(ArrayAttr[StatisticsAttr])
    predicate = opt_region_def("single_block")
    result = result_def(FrameType)
    traits = traits_def(Pure())
    assembly_format = (
        "$format $paths (`options` $options^)? (`pieces` $pieces^)? (`statistics` $statistics^)?"
        " (`where` $predicate^)? attr-dict `:` type($result)"
    )

    def __init__(
        self,
        format_: str,
        paths: Iterable[str],
        type_: FrameType,
        *,
        options: DictionaryAttr | None = None,
        pieces: Sequence[int] | None = None,
        statistics: ArrayAttr[StatisticsAttr] | None = None,
        predicate: Region | None = None,
    ):
        super().__init__(
            properties={
                "format": StringAttr(format_),
                "paths": strings(paths),
                "options": options,
                "pieces": None if pieces is None else DenseArrayBase.from_list(i64, pieces),
                "statistics": statistics,
            },
            result_types=[type_],
            regions=[predicate],
        )

    @property
    def piece_list(self) -> list[tuple[int, int, int]] | None:
        """(file index, first row, rows) of each piece to read; None before they are known."""
        if self.pieces is None:
            return None
        flat = cast("DenseArrayBase[IntegerType]", self.pieces).get_values()
        return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))

    def verify_(self) -> None:
        if self.format.data not in FORMATS:
            raise VerifyException(f"format must be one of {', '.join(FORMATS)}, got {self.format}")
        if not self.paths.data:
            raise VerifyException("no file to scan")
        pieces: Attribute | None = self.pieces
        if pieces is not None and not isinstance(pieces, DenseArrayBase):
            raise VerifyException("pieces must be a dense array of i64")
        if pieces is not None and len(cast("DenseArrayBase[IntegerType]", pieces)) % 3:
            raise VerifyException("pieces come in triples (file, first row, rows)")
        # The predicate may read columns that the result drops: their types are checked while reading.
        if self.predicate is not None:
            values = yielded(self.predicate)
            if len(values) != 1 or not t.is_bool(values[0].type):
                raise VerifyException("a predicate yields one boolean")


@irdl_op_definition
class FilterOp(IRDLOperation):
    """Rows for which the predicate is true."""

    name = "table.filter"
    frame = operand_def(FrameType)
    predicate = region_def("single_block")
    result = result_def(FrameType)
    traits = traits_def(Pure())

    def __init__(self, frame: SSAValue, predicate: Region):
        super().__init__(operands=[frame], regions=[predicate], result_types=[frame.type])

    assembly_format = "$frame $predicate attr-dict `:` type($frame) `->` type($result)"

    def verify_(self) -> None:
        frame = frame_of(self.frame)
        verify_expressions(self.predicate, frame.columns)
        values = yielded(self.predicate)
        if len(values) != 1 or not t.is_bool(values[0].type):
            raise VerifyException("a predicate yields one boolean")
        require_schema(frame_of(self.result), frame.columns)


@irdl_op_definition
class ProjectOp(IRDLOperation):
    """Exactly the named columns, computed by the region row by row."""

    name = "table.project"
    frame = operand_def(FrameType)
    names = prop_def(ArrayAttr[StringAttr])
    body = region_def("single_block")
    result = result_def(FrameType)
    traits = traits_def(Pure())
    assembly_format = "$names $frame $body attr-dict `:` type($frame) `->` type($result)"

    def __init__(self, frame: SSAValue, names: Sequence[str], body: Region):
        columns = dict(zip(names, (value.type for value in yielded(body)), strict=True))
        super().__init__(
            operands=[frame],
            properties={"names": strings(names)},
            regions=[body],
            result_types=[FrameType.of(columns)],
        )

    def verify_(self) -> None:
        verify_expressions(self.body, frame_of(self.frame).columns)
        values = yielded(self.body)
        if len(values) != len(self.names):
            raise VerifyException(f"{len(self.names)} names for {len(values)} values")
        expected = {name.data: value.type for name, value in zip(self.names, values, strict=True)}
        require_schema(frame_of(self.result), expected)

    @property
    def outputs(self) -> Iterator[tuple[str, SSAValue]]:
        """(name, value) of each column."""
        return zip((name.data for name in self.names), yielded(self.body), strict=True)


@irdl_op_definition
class JoinOp(IRDLOperation):
    """Equi-join `inner`, `left`, `semi` or `anti`; null keys never match."""

    name = "table.join"
    kind = prop_def(StringAttr)
    left = operand_def(FrameType)
    right = operand_def(FrameType)
    left_on = prop_def(ArrayAttr[StringAttr])
    right_on = prop_def(ArrayAttr[StringAttr])
    result = result_def(FrameType)
    traits = traits_def(Pure())
    assembly_format = (
        "$kind $left `,` $right `on` $left_on `=` $right_on attr-dict"
        " `:` type($left) `,` type($right) `->` type($result)"
    )

    def __init__(
        self, kind: str, left: SSAValue, right: SSAValue, left_on: Sequence[str], right_on: Sequence[str]
    ):
        columns = join_schema(kind, frame_of(left), frame_of(right), right_on)
        super().__init__(
            operands=[left, right],
            properties={
                "kind": StringAttr(kind),
                "left_on": strings(left_on),
                "right_on": strings(right_on),
            },
            result_types=[FrameType.of(columns)],
        )

    @property
    def keys(self) -> tuple[list[str], list[str]]:
        """Key columns of the left and of the right."""
        return [k.data for k in self.left_on], [k.data for k in self.right_on]

    def verify_(self) -> None:
        if self.kind.data not in JOIN_KINDS:
            raise VerifyException(f"join kind must be one of {', '.join(JOIN_KINDS)}, got {self.kind}")
        left, right = frame_of(self.left), frame_of(self.right)
        left_on, right_on = self.keys
        if not left_on or len(left_on) != len(right_on):
            raise VerifyException("both sides need the same number of keys, at least one")
        require(left.columns, left_on)
        require(right.columns, right_on)
        for a, b in zip(left_on, right_on, strict=True):
            x, y = t.strip(left.columns[a]), t.strip(right.columns[b])
            if x != y:
                raise VerifyException(f"keys {a!r} and {b!r} differ in type: {t.text(x)} and {t.text(y)}")
        require_schema(frame_of(self.result), join_schema(self.kind.data, left, right, right_on))


@irdl_op_definition
class AggregateOp(IRDLOperation):
    """Aggregates per group of equal keys (nulls are one group); without keys, one row over all rows."""

    name = "table.aggregate"
    frame = operand_def(FrameType)
    keys = prop_def(ArrayAttr[StringAttr])
    aggregates = prop_def(ArrayAttr[AggregateAttr])
    result = result_def(FrameType)
    traits = traits_def(Pure())
    assembly_format = (
        "$frame `keys` $keys `aggregates` $aggregates attr-dict `:` type($frame) `->` type($result)"
    )

    def __init__(
        self,
        frame: SSAValue,
        keys: Sequence[str],
        aggregates: Sequence[AggregateAttr],
        narrowed: Mapping[str, t.DataType] | None = None,
    ):
        """`narrowed` gives types of outputs that are narrower than the rule's."""
        schema = aggregate_schema(frame_of(frame), keys, aggregates) | dict(narrowed or {})
        super().__init__(
            operands=[frame],
            properties={"keys": strings(keys), "aggregates": ArrayAttr(aggregates)},
            result_types=[FrameType.of(schema)],
        )

    def verify_(self) -> None:
        keys = [key.data for key in self.keys]
        expected = aggregate_schema(frame_of(self.frame), keys, self.aggregates)
        found = frame_of(self.result)
        if list(found.columns) != list(expected):
            raise VerifyException(f"result columns must be {', '.join(expected)}")
        for name, type_ in expected.items():
            if found.columns[name] != type_ and not narrower(found.columns[name], type_):
                raise VerifyException(f"result column {name!r} must be {t.text(type_)}")


@irdl_op_definition
class SortOp(IRDLOperation):
    """Rows in the order of the keys, ties broken by the remaining columns; at most `limit` of them."""

    name = "table.sort"
    frame = operand_def(FrameType)
    by = prop_def(ArrayAttr[OrderAttr])
    limit = opt_prop_def(IntegerAttr[I64])
    result = result_def(FrameType)
    traits = traits_def(Pure())
    assembly_format = "$frame `by` $by (`limit` $limit^)? attr-dict `:` type($frame) `->` type($result)"

    def __init__(self, frame: SSAValue, by: Sequence[OrderAttr], limit: int | None = None):
        super().__init__(
            operands=[frame],
            properties={"by": ArrayAttr(by), "limit": None if limit is None else IntegerAttr(limit, i64)},
            result_types=[frame.type],
        )

    def verify_(self) -> None:
        columns = frame_of(self.frame).columns
        require(columns, [key.column.data for key in self.by])
        require_schema(frame_of(self.result), columns)


@irdl_op_definition
class UniqueOp(IRDLOperation):
    """One row per distinct value of the columns `on` (all when absent): the smallest by all columns."""

    name = "table.unique"
    frame = operand_def(FrameType)
    on = opt_prop_def(ArrayAttr[StringAttr])
    result = result_def(FrameType)
    traits = traits_def(Pure())
    assembly_format = "$frame (`on` $on^)? attr-dict `:` type($frame) `->` type($result)"

    def __init__(self, frame: SSAValue, on: Sequence[str] | None = None):
        super().__init__(
            operands=[frame],
            properties={"on": None if on is None else strings(on)},
            result_types=[frame.type],
        )

    def verify_(self) -> None:
        columns = frame_of(self.frame).columns
        require(columns, [name.data for name in self.on or ()])
        require_schema(frame_of(self.result), columns)


@irdl_op_definition
class HeadOp(IRDLOperation):
    """The first `count` rows of an ordered frame; of a bag, the smallest by all columns."""

    name = "table.head"
    frame = operand_def(FrameType)
    count = prop_def(IntegerAttr[I64])
    result = result_def(FrameType)
    traits = traits_def(Pure())
    assembly_format = "$frame $count attr-dict `:` type($frame) `->` type($result)"

    def __init__(self, frame: SSAValue, count: int):
        super().__init__(
            operands=[frame], properties={"count": IntegerAttr(count, i64)}, result_types=[frame.type]
        )

    def verify_(self) -> None:
        require_schema(frame_of(self.result), frame_of(self.frame).columns)


@irdl_op_definition
class SampleOp(IRDLOperation):
    """At most `count` evenly spaced rows of some columns, enough to split the whole evenly."""

    name = "table.sample"
    frame = operand_def(FrameType)
    columns = prop_def(ArrayAttr[StringAttr])
    count = prop_def(IntegerAttr[I64])
    result = result_def(FrameType)
    traits = traits_def(Pure())
    assembly_format = "$frame $columns $count attr-dict `:` type($frame) `->` type($result)"

    def __init__(self, frame: SSAValue, columns: Sequence[str], count: int):
        schema = frame_of(frame).columns
        super().__init__(
            operands=[frame],
            properties={"columns": strings(columns), "count": IntegerAttr(count, i64)},
            result_types=[FrameType.of({name: schema[name] for name in columns})],
        )

    def verify_(self) -> None:
        schema = frame_of(self.frame).columns
        names = [name.data for name in self.columns]
        require(schema, names)
        require_schema(frame_of(self.result), {name: schema[name] for name in names})


@irdl_op_definition
class ConcatOp(IRDLOperation):
    """Rows of several frames of one schema, one frame after the other."""

    name = "table.concat"
    frames = var_operand_def(FrameType)
    result = result_def(FrameType)
    traits = traits_def(Pure())
    assembly_format = "$frames attr-dict `:` type($frames) `->` type($result)"

    def __init__(self, frames: Sequence[SSAValue]):
        super().__init__(operands=[list(frames)], result_types=[frames[0].type])

    def verify_(self) -> None:
        for frame in self.frames:
            require_schema(frame_of(self.result), frame_of(frame).columns)


@irdl_op_definition
class SinkOp(IRDLOperation):
    """Writes a frame to a file, or to a directory of one part per rank; all outputs appear, or none."""

    name = "table.sink"
    frame = operand_def()
    format = prop_def(StringAttr)
    path = prop_def(StringAttr)
    layout = prop_def(StringAttr)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$frame `to` $format $path `as` $layout attr-dict `:` type($frame)"

    def __init__(self, frame: SSAValue, path: str, layout: str, format_: str = "parquet"):
        super().__init__(
            operands=[frame],
            properties={
                "path": StringAttr(path),
                "layout": StringAttr(layout),
                "format": StringAttr(format_),
            },
        )

    def verify_(self) -> None:
        if self.layout.data not in ("file", "directory"):
            raise VerifyException(f"layout must be file or directory, got {self.layout}")


Table = Dialect(
    "table",
    [
        ScanOp,
        FilterOp,
        ProjectOp,
        JoinOp,
        AggregateOp,
        SortOp,
        UniqueOp,
        HeadOp,
        SampleOp,
        ConcatOp,
        ToTensorOp,
        FromTensorOp,
        RowsOp,
        SinkOp,
        YieldOp,
    ],
    [FrameType, AggregateAttr, OrderAttr, StatisticsAttr],
)


def region_of(operations: Iterable[Operation], values: Sequence[SSAValue]) -> Region:
    """An expression region of these operations that yields these values."""
    return Region(Block([*operations, YieldOp(values)]))

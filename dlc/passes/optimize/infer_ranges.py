"""`infer-ranges`: which values columns can take, from what the files say of them.

Arithmetic that cannot overflow becomes `proven`, and so do sums: an aggregate lists them in its attribute
`proven`. Decimals that provably fit 64 bits get a type that says so; at sinks and results the types of the
program come back. Every bound is sound, also those of rows, by which sums are bounded: an inner join is taken
to leave all pairs, unless the keys of one side are known to be unique.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from dlc.dialects import datatypes as t
from dlc.dialects import expr, flow, table
from dlc.dialects.expr import python_literal
from dlc.dialects.frame import FrameType, aggregate_schema, frame_of, join_schema, strings
from dlc.passes.projection import Projection

from . import intervals
from .expression_ranges import NARROW, ExpressionRanges, Ranges, of_type, retype, with_precision
from .intervals import Interval
from .load_statistics import columns_of

COUNTS = ("len", "count", "n_unique", "merge_count")
SAME = ("min", "max", "first")


@dataclass(frozen=True)
class Facts:
    """What holds for a frame: the most rows it has, ranges of its columns, column sets that are unique."""

    rows: int | None = None
    columns: Ranges = field(default_factory=dict[str, Interval])
    unique: frozenset[frozenset[str]] = frozenset()

    def is_unique(self, columns: Iterable[str]) -> bool:
        """Whether no two rows agree in all these columns."""
        wanted = set(columns)
        return any(keys <= wanted for keys in self.unique)

    def limited(self, rows: int) -> Facts:
        """The facts of at most so many of the rows."""
        return replace(self, rows=rows if self.rows is None else min(rows, self.rows))


@dataclass(frozen=True)
class InferRangesPass(ModulePass):
    """Interval analysis, forward from the scans."""

    name = "infer-ranges"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for program in op.ops:
            if isinstance(program, flow.ProgramOp):
                Inference().run(program)


class Inference:
    """Visits the ops of one program in order; `facts` holds what is known of every frame so far."""

    def __init__(self) -> None:
        self.facts = dict[SSAValue, Facts]()

    def run(self, program: flow.ProgramOp) -> None:
        """Refine the program in place."""
        operations = list(program.body.block.ops)
        wanted = {
            op: [frame_of(value).columns for value in op.operands]
            for op in operations
            if isinstance(op, table.SinkOp | flow.ReturnOp)
        }
        for op in operations:
            if isinstance(op, table.SinkOp | flow.ReturnOp):
                for index, columns in enumerate(wanted[op]):
                    self._align(op, index, columns)
            elif op.results and isinstance(op.results[0].type, FrameType):
                type_, facts = self._visit(op)
                self.facts[retype(op.results[0], type_)] = facts

    def _visit(self, op: Operation) -> tuple[FrameType, Facts]:
        """Type and facts of the frame that an op leaves; its regions are refined on the way."""
        match op:
            case table.ScanOp():
                return frame_of(op.result), self._scan(op)
            case table.FilterOp():
                ranges = self._expressions(op.predicate.block, op.frame)
                kept = ranges.kept(table.yielded(op.predicate)[0])
                return frame_of(op.frame), replace(self.facts[op.frame], columns=kept)
            case table.ProjectOp():
                return self._project(op)
            case table.JoinOp():
                return self._join(op)
            case table.AggregateOp():
                return self._aggregate(op)
            case table.UniqueOp():
                facts, columns = self.facts[op.frame], frame_of(op.frame).columns
                on = frozenset(columns if op.on is None else (name.data for name in op.on))
                return frame_of(op.frame), replace(facts, unique=facts.unique | {on})
            case table.SortOp():
                facts = self.facts[op.frame]
                return frame_of(op.frame), facts if op.limit is None else facts.limited(op.limit.value.data)
            case table.HeadOp():
                return frame_of(op.frame), self.facts[op.frame].limited(op.count.value.data)
            case table.SampleOp():
                schema = frame_of(op.frame).columns
                type_ = FrameType.of({name.data: schema[name.data] for name in op.columns})
                facts = self.facts[op.frame].limited(op.count.value.data)
                return type_, Facts(facts.rows, _only(facts.columns, type_))
            case table.ConcatOp():
                return self._concat(op)
            case table.FromTensorOp() if op.frame is not None:
                added = {name.data: frame_of(op.result).columns[name.data] for name in op.columns}
                type_ = FrameType.of({**frame_of(op.frame).columns, **added})
                return type_, self.facts[op.frame]
            case _:
                return frame_of(op.results[0]), Facts()

    def _expressions(self, block: Block, frame: SSAValue) -> ExpressionRanges:
        return ExpressionRanges(block, self.facts[frame].columns, frame_of(frame).columns, self._scalar)

    def _scalar(self, frame: SSAValue, column: str) -> tuple[Interval | None, t.DataType]:
        return self.facts[frame].columns.get(column), frame_of(frame).columns[column]

    def _scan(self, op: table.ScanOp) -> Facts:
        types, columns = columns_of(op), dict[str, Interval]()
        for entry in op.statistics or ():
            if entry.column.data not in types:
                continue
            type_ = t.strip(types[entry.column.data])
            known = not isinstance(entry.minimum, UnitAttr) and not isinstance(entry.maximum, UnitAttr)
            if known and of_type(type_) is not None:
                low, high = (int(python_literal(value, type_)) for value in (entry.minimum, entry.maximum))
                columns[entry.column.data] = Interval(low, high)
        for name, type_ in types.items():
            if name not in columns and (everything := of_type(type_)) is not None:
                columns[name] = everything
        if op.predicate is not None:
            ranges = ExpressionRanges(op.predicate.block, columns, types, self._scalar)
            columns = ranges.kept(table.yielded(op.predicate)[0])
        pieces = op.piece_list
        rows = None if pieces is None else sum(count for _, _, count in pieces)
        return Facts(rows, _only(columns, frame_of(op.result)))

    def _project(self, op: table.ProjectOp) -> tuple[FrameType, Facts]:
        ranges = self._expressions(op.body.block, op.frame)
        facts, columns, names = self.facts[op.frame], dict[str, Interval](), dict[str, str]()
        for name, value in op.outputs:
            if (interval := ranges.get(value)) is not None:
                columns[name] = interval
            if isinstance(value.owner, expr.ColumnOp):
                names.setdefault(value.owner.column.data, name)
        type_ = FrameType.of({name: value.type for name, value in op.outputs})
        return type_, Facts(facts.rows, columns, _renamed(facts.unique, names))

    def _join(self, op: table.JoinOp) -> tuple[FrameType, Facts]:
        kind, (left_on, right_on) = op.kind.data, op.keys
        self._align_keys(op, left_on, right_on)
        left, right = self.facts[op.left], self.facts[op.right]
        type_ = FrameType.of(join_schema(kind, frame_of(op.left), frame_of(op.right), right_on))
        if kind in ("semi", "anti"):
            return type_, left
        columns = {**left.columns, **{n: i for n, i in right.columns.items() if n not in right_on}}
        if kind == "inner":
            for a, b in zip(left_on, right_on, strict=True):
                if a in left.columns and b in right.columns:
                    columns[a] = left.columns[a] & right.columns[b]
        rows, unique = _pairs(left.rows, right.rows, at_least_one=kind == "left"), frozenset[frozenset[str]]()
        if right.is_unique(right_on):
            rows, unique = left.rows, unique | left.unique
        if kind == "inner" and left.is_unique(left_on):
            rows = right.rows if rows is None else rows if right.rows is None else min(rows, right.rows)
            names = {name: name for name in frame_of(op.right).columns if name not in right_on}
            unique |= _renamed(right.unique, {**names, **dict(zip(right_on, left_on, strict=True))})
        return type_, Facts(rows, columns, unique)

    def _aggregate(self, op: table.AggregateOp) -> tuple[FrameType, Facts]:
        keys, facts = [key.data for key in op.keys], self.facts[op.frame]
        schema = aggregate_schema(frame_of(op.frame), keys, op.aggregates)
        columns = {key: facts.columns[key] for key in keys if key in facts.columns}
        proven = list[str]()
        for agg in op.aggregates:
            name, function = agg.output.data, agg.function.data
            everything, column = of_type(schema[name]), facts.columns.get(agg.column.data)
            if everything is None:
                continue
            columns[name] = everything
            if function in COUNTS and facts.rows is not None:
                columns[name] = Interval(0, facts.rows)
            elif function in SAME and column is not None:
                columns[name] = column
            elif function == "sum" and column is not None and facts.rows is not None:
                total = intervals.total(column, facts.rows)
                if t.is_decimal(schema[name]) and total.within(NARROW):
                    schema[name] = with_precision(schema[name], t.NARROW_PRECISION)
                if total.within(everything):
                    proven.append(name)
                    columns[name] = total
        if proven:
            op.attributes["proven"] = strings(proven)
        unique = frozenset({frozenset(keys), *(some for some in facts.unique if some <= set(keys))})
        return FrameType.of(schema), Facts(_groups(keys, facts), columns, unique)

    def _concat(self, op: table.ConcatOp) -> tuple[FrameType, Facts]:
        types = [frame_of(frame).columns for frame in op.frames]
        widest = {name: _widest(type_[name] for type_ in types) for name in types[0]}
        for index in range(len(types)):
            self._align(op, index, widest)
        facts = [self.facts[frame] for frame in op.frames]
        columns = {
            name: intervals.hull(part.columns[name] for part in facts)
            for name in widest
            if all(name in part.columns for part in facts)
        }
        counts = [part.rows for part in facts if part.rows is not None]
        return FrameType.of(widest), Facts(sum(counts) if len(counts) == len(facts) else None, columns)

    def _align_keys(self, op: table.JoinOp, left_on: list[str], right_on: list[str]) -> None:
        """Keys of the two sides have one type."""
        left, right = frame_of(op.left).columns, frame_of(op.right).columns
        for a, b in zip(left_on, right_on, strict=True):
            widest = t.strip(_widest([left[a], right[b]]))
            left[a] = t.nullable(widest, t.is_nullable(left[a]))
            right[b] = t.nullable(widest, t.is_nullable(right[b]))
        self._align(op, 0, left)
        self._align(op, 1, right)

    def _align(self, op: Operation, index: int, wanted: Mapping[str, t.DataType]) -> None:
        """Cast columns of an operand, so that it has these types."""
        frame = op.operands[index]
        if frame_of(frame).columns == wanted:
            return
        projection = Projection(frame, op.location)
        for name, type_ in wanted.items():
            projection.outputs[name] = projection.cast(projection.column(name), type_)
        aligned = projection.build()
        Rewriter.insert_op(aligned, InsertPoint.before(op))
        op.operands[index] = aligned.result
        self.facts[aligned.result] = self.facts[frame]


def _only(columns: Ranges, type_: FrameType) -> dict[str, Interval]:
    """Ranges of the columns that a frame has; others must not be taken for columns of the same name later."""
    return {name: columns[name] for name in type_.columns if name in columns}


def _renamed(unique: frozenset[frozenset[str]], names: Mapping[str, str]) -> frozenset[frozenset[str]]:
    """Unique keys under new names; those with a column that is gone are lost."""
    return frozenset(
        frozenset(names[key] for key in keys) for keys in unique if all(key in names for key in keys)
    )


def _pairs(left: int | None, right: int | None, *, at_least_one: bool) -> int | None:
    if left is None or right is None:
        return None
    return left * (max(right, 1) if at_least_one else right)


def _groups(keys: list[str], facts: Facts) -> int | None:
    """Most groups that there can be: one for each row, or for each combination of values and null."""
    if not keys:
        return 1
    if not all(key in facts.columns for key in keys):
        return facts.rows
    combinations = 1
    for key in keys:
        combinations *= facts.columns[key].size + 1
    return combinations if facts.rows is None else min(combinations, facts.rows)


def _widest(types: Iterable[t.DataType]) -> t.DataType:
    """The type with the most digits; types differ in digits only."""

    def digits(type_: t.DataType) -> int:
        base = t.strip(type_)
        return base.precision.data if isinstance(base, t.DecimalType) else 0

    return max(types, key=digits)

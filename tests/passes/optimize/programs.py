"""Random flow programs over two small tables, for tests that run them before and after a pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from hypothesis import strategies as st
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, i1, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from dlc.dialects import datatypes as t
from dlc.dialects import expr, table
from dlc.dialects.flow import ProgramOp, ReturnOp
from dlc.dialects.frame import AggregateAttr, FrameType, OrderAttr, frame_of
from tests.passes.optimize.interpreter import Row

i8 = t.integers["i8"]
SCHEMAS: dict[str, dict[str, t.DataType]] = {
    "a": {"k": i8, "x": t.nullable(i8), "s": t.nullable(t.string)},
    "b": {"k": t.nullable(i8), "x": i8, "s": t.string},
}
NUMBERS = (-2, -1, 0, 0, 1, 2, 3, 60)
TEXTS = ("", "a", "ab", "b")
T = TypeVar("T")


def draw_tables(random: Random) -> dict[str, list[Row]]:
    """Rows of both files; few values each time, so that keys meet."""
    numbers = random.sample(NUMBERS, 3)

    def value(type_: t.DataType) -> object:
        if t.is_nullable(type_) and random.random() < 0.2:
            return None
        return random.choice(TEXTS if t.strip(type_) == t.string else numbers)

    return {
        name: [{c: value(type_) for c, type_ in schema.items()} for _ in range(random.randint(0, 12))]
        for name, schema in SCHEMAS.items()
    }


def some(random: Random, values: Sequence[T], least: int = 0) -> list[T]:
    """Some of the values, in any order."""
    return random.sample(values, random.randint(min(least, len(values)), len(values)))


@dataclass
class Expressions:
    """Draws expressions over the columns of a frame into a block."""

    random: Random
    columns: dict[str, t.DataType]
    scalars: list[SSAValue] = field(default_factory=list[SSAValue])
    block: Block = field(default_factory=Block)

    def add(self, op: Operation) -> SSAValue:
        self.block.add_op(op)
        return op.results[0]

    def pick(self, *kinds: str) -> str:
        return self.random.choice(kinds)

    def column(self, type_: t.DataType) -> SSAValue | None:
        names = [name for name, found in self.columns.items() if t.strip(found) == type_]
        if not names:
            return None
        name = self.random.choice(names)
        return self.add(expr.ColumnOp(name, self.columns[name]))

    def number(self, depth: int = 2) -> SSAValue:
        kinds = (
            ["col"] * 6
            + ["literal"] * 2
            + ["add", "sub", "mul", "floordiv", "case", "coalesce"] * (depth > 0)
        )
        match self.pick(*kinds, *["scalar"] * bool(self.scalars)):
            case "scalar":
                frame = self.random.choice(self.scalars)
                name, type_ = next(iter(frame_of(frame).columns.items()))
                return self.add(expr.ScalarOp(frame, name, type_))
            case "add" | "sub" | "mul" | "floordiv" as kind:
                op = {"add": expr.AddOp, "sub": expr.SubOp, "mul": expr.MulOp, "floordiv": expr.FloorDivOp}[
                    kind
                ]
                a, b = self.number(depth - 1), self.number(depth - 1)
                type_ = t.arithmetic_type(kind, a.type, b.type)
                assert type_ is not None
                return self.add(op(a, b, type_))
            case "case":
                values = [self.number(depth - 1), self.number(depth - 1)]
                null = any(t.is_nullable(v.type) for v in values)
                return self.add(expr.CaseOp([self.truth(depth - 1), *values], t.nullable(i8, null)))
            case "coalesce":
                return self.add(expr.CoalesceOp([self.number(depth - 1), self.number(depth - 1)]))
            case kind:
                found = self.column(i8) if kind == "col" else None
                return found or self.add(expr.LiteralOp(self.random.choice(NUMBERS), i8))

    def text(self) -> SSAValue:
        return self.column(t.string) or self.add(expr.LiteralOp(self.random.choice(TEXTS), t.string))

    def truth(self, depth: int = 2) -> SSAValue:
        kinds = ["cmp", "cmp", "is_null", "in", "starts", "text", "literal"] + ["and", "and", "or", "not"] * (
            depth > 0
        )
        match self.pick(*kinds):
            case "cmp":
                sides = self.number(depth - 1), self.number(depth - 1)
                return self.add(expr.CompareOp(self.pick(*expr.COMPARISONS), *sides))
            case "text":
                literal = self.add(expr.LiteralOp(self.random.choice(TEXTS), t.string))
                return self.add(expr.CompareOp(self.pick(*expr.COMPARISONS), self.text(), literal))
            case "is_null":
                return self.add(expr.IsNullOp(self.random.choice([self.number, self.text])()))
            case "in":
                values = some(self.random, NUMBERS[3:6], 1)
                members: list[Attribute] = [IntegerAttr(value, i64) for value in values]
                return self.add(expr.IsInOp(self.number(0), members))
            case "starts":
                value, prefix = self.text(), StringAttr(self.random.choice(TEXTS))
                type_ = t.nullable(i1, t.is_nullable(value.type))
                return self.add(expr.CallOp("str_starts_with", [value], type_, pattern=prefix))
            case "literal":
                return self.add(expr.LiteralOp(self.random.random() < 0.5, i1))
            case "not":
                return self.add(expr.NotOp(self.truth(depth - 1)))
            case kind:
                op = expr.AndOp if kind == "and" else expr.OrOp
                return self.add(op(self.truth(depth - 1), self.truth(depth - 1)))

    def region(self, *values: SSAValue) -> Region:
        self.block.add_op(table.YieldOp(values))
        return Region(self.block)


@dataclass
class Programs:
    """Draws operators one after the other, each over frames that are there."""

    random: Random
    block: Block = field(default_factory=Block)
    frames: list[SSAValue] = field(default_factory=list[SSAValue])
    scalars: list[SSAValue] = field(default_factory=list[SSAValue])

    def add(self, op: Operation) -> SSAValue:
        self.block.add_op(op)
        self.frames.append(op.results[0])
        return op.results[0]

    def frame(self) -> SSAValue:
        # Mostly the latest, so that chains get long.
        return self.random.choice([*self.frames, *self.frames[-1:] * 3 * len(self.frames)])

    def names(self, frame: SSAValue, least: int = 1, type_: t.DataType | None = None) -> list[str]:
        columns = frame_of(frame).columns
        names = [name for name in columns if type_ in (None, t.strip(columns[name]))]
        return some(self.random, names, least)

    def scan(self) -> None:
        name = self.random.choice(["a", "b"])
        self.add(table.ScanOp("parquet", [name], FrameType.of(SCHEMAS[name])))

    def filter(self) -> None:
        frame = self.frame()
        expressions = Expressions(self.random, frame_of(frame).columns, self.scalars)
        self.add(table.FilterOp(frame, expressions.region(expressions.truth())))

    def project(self, frame: SSAValue | None = None, prefix: str = "") -> None:
        frame = frame or self.frame()
        columns = frame_of(frame).columns
        expressions = Expressions(self.random, columns, self.scalars)
        kept = self.names(frame, 0)
        outputs = {prefix + name: expressions.add(expr.ColumnOp(name, columns[name])) for name in kept}
        for index in range(self.random.randint(0 if kept else 1, 2)):
            outputs[f"{prefix}c{index}"] = expressions.number()
        self.add(table.ProjectOp(frame, list(outputs), expressions.region(*outputs.values())))

    def join(self) -> None:
        left, right = self.frame(), self.random.choice(self.frames)
        self.project(right, f"r{len(self.frames)}_")
        right = self.frames[-1]
        keys = zip(self.names(left, 1, i8), self.names(right, 1, i8), strict=False)
        if pairs := list(keys):
            kind = self.random.choice(table.JOIN_KINDS)
            self.add(table.JoinOp(kind, left, right, [a for a, _ in pairs], [b for _, b in pairs]))

    def aggregate(self) -> None:
        frame = self.frame()
        keys = self.names(frame, 0)
        aggregates = [AggregateAttr.of(f"n{len(self.frames)}", "len")]
        for name in self.names(frame, 0, i8):
            function = self.random.choice(["min", "max"])
            aggregates.append(AggregateAttr.of(f"{function}{len(self.frames)}_{name}", function, name))
        result = self.add(table.AggregateOp(frame, keys, aggregates))
        numbers = self.names(result, 1, i8)
        if not keys and numbers:
            block = Block([read := expr.ColumnOp(numbers[0], frame_of(result).columns[numbers[0]])])
            block.add_op(table.YieldOp([read.result]))
            self.scalars.append(self.add(table.ProjectOp(result, ["v"], Region(block))))

    def sort(self) -> None:
        frame = self.frame()
        flags = (False, True)
        by = [OrderAttr.of(n, *self.random.choices(flags, k=2)) for n in self.names(frame)]
        self.add(table.SortOp(frame, by, self.random.choice((None, None, 1, 3))))

    def unique(self) -> None:
        frame = self.frame()
        self.add(table.UniqueOp(frame, self.names(frame) if self.random.random() < 0.5 else None))

    def head(self) -> None:
        self.add(table.HeadOp(self.frame(), self.random.randint(0, 4)))

    def concat(self) -> None:
        frame = self.frame()
        alike = [other for other in self.frames if other.type == frame.type]
        self.add(table.ConcatOp([frame, *some(self.random, alike[-1:])]))


STEPS = (
    ["scan", "head", "concat"]
    + ["aggregate", "unique"] * 2
    + ["sort", "join"] * 3
    + ["project"] * 4
    + ["filter"] * 8
)
"""Operators and how often they come."""


def draw_program(random: Random) -> ModuleOp:
    """A module of one program with one or two results."""
    drawn = Programs(random)
    drawn.scan()
    for step in random.choices(STEPS, k=random.randint(2, 8)):
        getattr(drawn, step)()
    results = [drawn.frames[-1]]
    if random.random() < 0.2:
        results.append(random.choice(drawn.frames))
    drawn.block.add_op(ReturnOp([f"r{index}" for index in range(len(results))], results))
    return ModuleOp([ProgramOp("p", [], Region(drawn.block))])


def _seeds() -> st.SearchStrategy[Random]:
    # Hypothesis prefers the smallest choices, of which programs of any interest are rarely made.
    return st.integers(0, 2**32).map(Random)


def programs() -> st.SearchStrategy[ModuleOp]:
    """Any program."""
    return _seeds().map(draw_program)


def tables() -> st.SearchStrategy[dict[str, list[Row]]]:
    """Rows of both files."""
    return _seeds().map(draw_tables)

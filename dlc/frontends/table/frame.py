"""Data frames that record what is done to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from xdsl.ir import Operation, SSAValue

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import datatypes as t
from dlc.dialects.frame import OrderAttr, frame_of
from dlc.dialects.table import FilterOp, HeadOp, SinkOp, SortOp, UniqueOp
from dlc.frontends import recording
from dlc.frontends.location import attribute, caller

from . import arguments
from .aggregation import Aggregation
from .concat import concatenated
from .errors import bad_argument, duplicate, misplaced_aggregate, require_name, unknown_column
from .joining import join
from .lowering import Lowering
from .node import Node, make
from .project import project, with_keys
from .traced import Traced
from .types import DataType, of_ir

if TYPE_CHECKING:
    import polars

    from dlc.frontends.tensor.values import Tensor


P = ParamSpec("P")
R = TypeVar("R")


class Frame(Traced):
    """Rows of named, typed columns, known by schema; the rows themselves exist only when the plan runs."""

    traced_as = "a frame"

    def __init__(self, value: SSAValue):
        self.value = value

    def __repr__(self) -> str:
        columns = ", ".join(f"{name}: {type_}" for name, type_ in self.schema.items())
        return f"<frame {columns}>"

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(frame_of(self.value).columns)

    @property
    def schema(self) -> dict[str, DataType]:
        """Types of the columns by name, in order."""
        return {name: of_ir(type_) for name, type_ in frame_of(self.value).columns.items()}

    def filter(self, *predicates: object) -> Frame:
        """Rows for which all predicates are true; null is not true."""
        loc = caller()
        nodes = arguments.nodes("filter", predicates, loc)
        if not nodes:
            raise bad_argument("filter needs a condition", loc, "as in .filter(col('a') > 0)")
        condition = reduce(lambda a, b: make("and", a, b), nodes)
        if condition.aggregates:
            raise misplaced_aggregate("a filter", condition)
        lowering = Lowering(self.value)
        predicate = lowering.value(condition)
        if not t.is_bool(predicate.type):
            raise DlcError(
                "DLC102",
                f"a filter needs a boolean, got {t.text(predicate.type)}",
                loc=condition.loc,
                help="compare it, as in col('a') > 0",
            )
        return _frame(FilterOp(self.value, lowering.region([predicate], loc)), loc)

    def select(self, *outputs: object, **named: object) -> Frame:
        """Exactly these columns; a single row if all of them are aggregates."""
        loc = caller()
        nodes = arguments.expressions("select", outputs, named, loc)
        if not nodes:
            raise bad_argument("select needs a column", loc, "name the columns to keep")
        if any(node.aggregates for node in nodes.values()):
            return Frame(Aggregation(self.value, {}, nodes, loc).build())
        return Frame(project(self.value, nodes, loc))

    def with_columns(self, *outputs: object, **named: object) -> Frame:
        """All columns, those of the same name replaced, new ones after them."""
        loc = caller()
        nodes = arguments.expressions("with_columns", outputs, named, loc)
        for node in nodes.values():
            if node.aggregates:
                raise misplaced_aggregate("with_columns", node)
        return Frame(project(self.value, {**{name: name for name in self.columns}, **nodes}, loc))

    def rename(self, names: Mapping[str, str]) -> Frame:
        """The same columns, some under other names."""
        loc = caller()
        if not isinstance(names, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise bad_argument("rename takes a dict", loc, "as in .rename({'old': 'new'})")
        for name in names:
            require_name(name, loc)
            self._require(name, loc)
        outputs = dict[str, Node | str]()
        for name in self.columns:
            target = names.get(name, name)
            require_name(target, loc)
            if target in outputs:
                raise duplicate(target, "rename", loc, "give each column a name of its own")
            outputs[target] = name
        return Frame(project(self.value, outputs, loc))

    def drop(self, *columns: object) -> Frame:
        """All columns but these."""
        loc = caller()
        dropped = set[str]()
        for name, place in arguments.names("drop", columns, loc):
            self._require(name, place)
            dropped.add(name)
        kept = [name for name in self.columns if name not in dropped]
        if not kept:
            raise bad_argument("drop leaves no column", loc, "a frame has at least one column")
        return Frame(project(self.value, {name: name for name in kept}, loc))

    def group_by(self, *keys: object, **named: object) -> GroupBy:
        """Groups of rows with equal keys; nulls are one group."""
        loc = caller()
        nodes = arguments.expressions("group_by", keys, named, loc)
        if not nodes:
            raise bad_argument("group_by needs a key", loc, "for one row over all, select aggregates")
        for node in nodes.values():
            if node.aggregates:
                raise misplaced_aggregate("a key of group_by", node)
        return GroupBy(self.value, nodes)

    def join(
        self,
        other: Frame,
        on: object = None,
        how: str = "inner",
        *,
        left_on: object = None,
        right_on: object = None,
        suffix: str = "_right",
    ) -> Frame:
        """Rows of both frames with equal keys (`how`: inner, left, semi or anti); null keys never match.

        The right keys are left out; other columns of the right that clash with the left get the suffix.
        """
        loc = caller()
        if not isinstance(other, Frame):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise bad_argument(
                f"a frame joins a frame, not {type(other).__name__}", loc, "scan the other table first"
            )
        if (on is None) == (left_on is None) or (left_on is None) != (right_on is None):
            raise bad_argument(
                "the join keys are not clear", loc, "give on=…, or both left_on=… and right_on=…"
            )
        left, right = (
            arguments.nodes("join", [side], loc)
            for side in ((on, on) if on is not None else (left_on, right_on))
        )
        return Frame(join(self.value, other.value, left, right, how, suffix, loc))

    def sort(
        self,
        *by: object,
        descending: bool | Sequence[bool] = False,
        nulls_last: bool | Sequence[bool] = False,
    ) -> Frame:
        """Rows in the order of the keys, ties broken by the remaining columns; nulls first by default."""
        loc = caller()
        nodes = arguments.nodes("sort", by, loc)
        if not nodes:
            raise bad_argument("sort needs a key", loc, "name the columns to sort by")
        down = arguments.flags("sort", "descending", descending, len(nodes), loc)
        last = arguments.flags("sort", "nulls_last", nulls_last, len(nodes), loc)
        keys, frame = with_keys(self.value, nodes, "sort", loc)
        order = [OrderAttr.of(key, d, n) for key, d, n in zip(keys, down, last, strict=True)]
        ordered = _frame(SortOp(frame, order), loc)
        if frame is self.value:
            return ordered
        return Frame(project(ordered.value, {name: name for name in self.columns}, loc))

    def unique(self, *subset: object) -> Frame:
        """One row for each distinct value of some columns (of all, without arguments): the smallest."""
        loc = caller()
        on = arguments.names("unique", subset, loc)
        for name, place in on:
            self._require(name, place)
        return _frame(UniqueOp(self.value, [name for name, _ in on] or None), loc)

    def head(self, n: int = 5) -> Frame:
        """The first `n` rows of an ordered frame; of an unordered one, the smallest by all columns."""
        loc = caller()
        return _frame(HeadOp(self.value, arguments.row_count("head", n, loc)), loc)

    limit = head

    def to_tensor(self, columns: str | Sequence[str], dtype: str = "f32") -> Tensor:
        """Columns as a tensor: a name gives one number a row, a list of k names a matrix of rows × k.

        A null, or a number that does not fit the dtype, ends the run with an error.
        """
        from dlc.frontends.tensor.values import to_tensors

        loc = caller()
        return to_tensors(self.value, [_columns(columns, loc)], [dtype], loc)[0]

    def with_tensors(self, **tensors: Tensor) -> Frame:
        """All columns, and tensors that were made of this very frame as further ones."""
        from dlc.frontends.tensor.values import with_tensors

        return Frame(with_tensors(self.value, tensors, caller()))

    def pipe(self, function: Callable[Concatenate[Frame, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What a function makes of this frame."""
        return function(self, *args, **kwargs)

    def sink_parquet(self, path: object, *, layout: str | None = None) -> None:
        """Write a Parquet file, or a directory with one part for each rank (`layout`: file or directory).

        A path that ends in `.parquet` is a file unless the layout says otherwise. In a program the write is
        recorded, elsewhere it happens at once.
        """
        loc = caller()
        sink = _sink(self.value, path, layout, loc)
        if (recorded := recording.current.get()) is None:
            recording.run([sink], {}, loc)
            return
        if any(sink.path == other.path for other in recorded.sinks):
            raise bad_argument(f"{sink.path} is written twice", loc, "give each output a path of its own")
        recorded.sinks.append(sink)

    def collect(self) -> polars.DataFrame | None:
        """Compile and run at once, and return the rows; not within a program.

        Under mpiexec all ranks must call this together, and all but the first get None.
        """
        loc = caller()
        if recording.current.get() is not None:
            self._refuse("rows", "return the frame from the program, or write it with sink_parquet")
        return recording.run([], {"result": self.value}, loc)

    def __getitem__(self, key: Any) -> Frame:
        raise bad_argument("a frame has no items", caller(), f"write dlc.col({key!r}), or .select(…)")

    def _require(self, name: str, loc: SourceLoc) -> None:
        if name not in frame_of(self.value).columns:
            raise unknown_column(name, self.value, loc)


class GroupBy:
    """A frame with keys that waits for its aggregates."""

    def __init__(self, frame: SSAValue, keys: Mapping[str, Node]):
        self._frame, self._keys = frame, keys

    def agg(self, *outputs: object, **named: object) -> Frame:
        """One row per group: the keys, then expressions over aggregates and keys."""
        loc = caller()
        nodes = arguments.expressions("agg", outputs, named, loc)
        for name, node in nodes.items():
            if name in self._keys:
                raise duplicate(name, "agg", node.loc)
        return Frame(Aggregation(self._frame, self._keys, nodes, loc).build())


def concat(frames: Iterable[Frame]) -> Frame:
    """Rows of several frames of one schema, one frame after the other."""
    loc = caller()
    given = list(frames) if isinstance(frames, Iterable) and not isinstance(frames, Traced) else []  # pyright: ignore[reportUnnecessaryIsInstance]
    if not given or not all(isinstance(frame, Frame) for frame in given):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise bad_argument("concat takes a list of frames", loc, "as in dlc.concat([first, second])")
    return Frame(concatenated([frame.value for frame in given], loc))


def _columns(columns: object, loc: SourceLoc) -> str | list[str]:
    if isinstance(columns, str):
        return columns
    names = list(cast("Iterable[object]", columns)) if isinstance(columns, Iterable) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise bad_argument(f"{columns!r} names no columns", loc, "give a name, or a list of names")
    return cast("list[str]", names)


def _frame(op: Operation, loc: SourceLoc) -> Frame:
    op.location = attribute(loc)
    return Frame(op.results[0])


def _sink(frame: SSAValue, path: object, layout: str | None, loc: SourceLoc) -> SinkOp:
    target = os.fspath(cast("str", path)) if isinstance(path, str | os.PathLike) else ""
    if not target or "\0" in target:
        raise bad_argument(f"{path!r} is not a path", loc, "name a file, as in 'out.parquet'")
    if layout is None:
        layout = "file" if target.endswith(".parquet") else "directory"
    if layout not in ("file", "directory"):
        raise bad_argument(f"layout={layout!r} is unknown", loc, "use 'file' or 'directory'")
    op = SinkOp(frame, target, layout)
    op.location = attribute(loc)
    return op

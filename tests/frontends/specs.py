"""Writes recorded frames as short text, so that tests can say what a verb records."""

from collections.abc import Iterator, Mapping

from xdsl.ir import Operation, SSAValue

from dlc.diagnostics import SourceLoc
from dlc.dialects import arithmetic, expr, table
from dlc.dialects import datatypes as t
from dlc.frontends.recording import Recording
from dlc.frontends.table.frame import Frame


def steps(frame: Frame) -> list[str]:
    """One line for each table op of the module that the frame makes, in order, scans left out."""
    module = Recording().module("main", {"result": frame.value}, SourceLoc("test.py", 1))
    return [line for op in module.walk() if (line := step(op))]


def step(op: Operation) -> str:
    match op:
        case table.FilterOp():
            return f"filter {text(table.yielded(op.predicate)[0])}"
        case table.ProjectOp():
            columns = ((name, text(value)) for name, value in op.outputs)
            return "project " + ", ".join(
                name if name == value else f"{name}={value}" for name, value in columns
            )
        case table.AggregateOp():
            keys = " ".join(key.data for key in op.keys)
            aggregates = (f"{a.output.data}={a.function.data}({a.column.data})" for a in op.aggregates)
            return f"aggregate [{keys}] " + ", ".join(aggregates)
        case table.JoinOp():
            left, right = op.keys
            return f"join {op.kind.data} {','.join(left)} = {','.join(right)}"
        case table.SortOp():
            return "sort " + ", ".join(
                k.column.data + " desc" * bool(k.descending) + " last" * bool(k.nulls_last) for k in op.by
            )
        case table.UniqueOp():
            return "unique" + "".join(f" {name.data}" for name in op.on or ())
        case table.HeadOp():
            return f"head {op.count.value.data}"
        case table.ConcatOp():
            return f"concat {len(op.frames)}"
        case table.SinkOp():
            return f"sink {op.layout.data} {op.path.data}"
        case _:
            return ""


def text(value: SSAValue) -> str:
    """An expression as nested calls: `gt(amount, 5:i64)`."""
    op = value.owner
    assert isinstance(op, Operation)
    arguments = ", ".join(text(operand) for operand in op.operands)
    match op:
        case expr.ColumnOp():
            return op.column.data
        case expr.ParamOp():
            return f"${op.parameter.data}"
        case expr.LiteralOp():
            return f"{op.python_value}:{t.text(value.type)}"
        case expr.NullOp():
            return f"null:{t.text(value.type)}"
        case expr.CastOp():
            return f"cast{'?' * (op.lenient is not None)}({arguments}, {t.text(value.type)})"
        case expr.CompareOp():
            return f"{op.predicate.data}({arguments})"
        case expr.IsInOp():
            members = (expr.python_literal(member, t.strip(op.operand.type)) for member in op.values)
            return f"is_in({arguments}, [{', '.join(map(str, members))}])"
        case expr.CallOp():
            options = "".join(
                f", {key}={_option(value)}" for key, value in (op.options.data if op.options else {}).items()
            )
            return f"{op.function.data}({arguments}{options})"
        case _:
            return f"{arithmetic.kind_of(op)}({arguments})"


def _option(value: object) -> str:
    data = getattr(value, "data", None)
    return str(data if data is not None else getattr(getattr(value, "value", None), "data", value))


def computed(frame: Frame, expression: object) -> tuple[str, str]:
    """How an expression over the frame is computed, and its type."""
    selected = frame.select(x=expression)
    return steps(selected)[-1].removeprefix("project x=").removeprefix("project "), str(selected.schema["x"])


def schema(frame: Frame) -> Mapping[str, str]:
    return {name: str(type_) for name, type_ in frame.schema.items()}


def operations(frame: Frame) -> Iterator[Operation]:
    """Every op of the module that the frame makes."""
    yield from Recording().module("main", {"result": frame.value}, SourceLoc("test.py", 1)).walk()

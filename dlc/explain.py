"""A plan as a tree for people: what is computed where, how it lies, and how much of it moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlc.predict.report import seconds
from dlc.runtime.plan import Gang, Plan
from dlc.runtime.references import definitions, uses

Json = dict[str, Any]

_MOVES = ("shuffle", "all_gather", "gather", "broadcast", "all_reduce", "range_shuffle", "reduce")
_BRIEF = ("wait", "free", "steps")  # what a loop does beside its work
_NOTHING = 1e-6  # seconds that are not worth a word
_MANY = 4  # names of values that are listed


def draw(plan: Plan) -> str:
    """The tree, one line a step, results first; every line names the user's line that asked for it."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    ranks = f"{plan.world_size} rank{'s' if plan.world_size > 1 else ''}"
    machine = f" on {plan.machine['name']}" if plan.machine else ""
    yield f"{plan.program}: {ranks}{machine}"
    yield from _time(plan)
    if memory := plan.requires.get("memory_bytes_per_rank"):
        yield f"predicted peak memory {_size(memory)} a rank"
    moved, count = _traffic([step for gang in plan.gangs for step in gang.instructions])
    yield f"predicted traffic {_size(moved)} in {count:,} collective{'' if count == 1 else 's'}"
    for gang in plan.gangs:
        yield ""
        if len(plan.gangs) > 1:
            yield f"gang {gang.name}: ranks {gang.ranks[0]}–{gang.ranks[-1]}"
        yield from _Tree(plan, gang).lines()


def _time(plan: Plan) -> Iterator[str]:
    """The time of the gang that takes longest, and how long it is before the first instruction."""
    total = plan.requires.get("seconds")
    if total is None:
        return
    steps = max(
        sum(_predicted(step).get("seconds", 0.0) for step in gang.instructions) for gang in plan.gangs
    )
    begin = f", {seconds(total - steps)} of it to load XLA and compile kernels" if plan.kernels else ""
    yield f"predicted time {seconds(total)}{begin}"


def _traffic(steps: list[Json]) -> tuple[int, int]:
    """Bytes that steps move between ranks, and in how many collectives, with all rounds of loops."""
    moved = count = 0
    for step in steps:
        if step["op"] in _MOVES:
            told = _predicted(step)
            moved, count = moved + told.get("moved", told.get("bytes", 0)), count + 1
        inner = _traffic(step.get("body", []))
        rounds = _predicted(step).get("rounds", 1)
        moved, count = moved + rounds * inner[0], count + rounds * inner[1]
    return moved, count


class _Tree:
    """Steps of one gang, drawn from its ends down to its files; what is used twice is drawn once."""

    def __init__(self, plan: Plan, gang: Gang) -> None:
        self.plan = plan
        self.makers = {out: step for step in gang.instructions for out in _outputs(step)}
        self.notes = [
            out
            for step in gang.instructions
            if any(inner["op"] == "log" for inner in _nested(step))
            for out in _outputs(step)
        ]
        self.ends = [step for step in gang.instructions if step["op"] in ("result", "write")]
        self.drawn = set[int]()

    def lines(self) -> Iterator[str]:
        for end in self.ends:
            what = f"result {end['name']}" if end["op"] == "result" else f"write {end['path']}"
            yield f"{what}{self._source(end)}"
            yield from self._below([end["in"]], "")

    def _below(self, values: list[str], indent: str, last: bool = True) -> Iterator[str]:
        """The step that makes these values, and what it takes."""
        step = self.makers[values[0]]
        elbow, stem = ("└─ ", "   ") if last else ("├─ ", "│  ")
        if id(step) in self.drawn:
            yield f"{indent}{elbow}{_names(values)}, see above"
            return
        self.drawn.add(id(step))
        yield f"{indent}{elbow}{self._describe(values, step)}"
        # A history holds what loops have noted.
        inputs = self._by_maker(self.notes if step["op"] == "history" else _inputs(step))
        for line in self._inside(step):
            yield f"{indent}{stem}{'│' if inputs else ' '}    {line}"
        for index, sources in enumerate(inputs):
            yield from self._below(sources, indent + stem, index == len(inputs) - 1)

    def _by_maker(self, values: list[str]) -> list[list[str]]:
        """The values, those of one step together."""
        groups: dict[int, list[str]] = {}
        for value in values:
            groups.setdefault(id(self.makers[value]), []).append(value)
        return list(groups.values())

    def _inside(self, step: Json) -> Iterator[str]:
        """What a fragment computes, or what a loop does in order."""
        for operator in step.get("fragment", {}).get("ops", ()):
            yield f"{_operator(operator)}{self._source(operator)}"
        for inner in step.get("body", ()):
            if inner["op"] not in _BRIEF:
                names = _names(_outputs(inner))
                told = f" {found}" if (found := _figures(inner)) else ""
                yield f"{_action(inner)}{f' → {names}' if names else ''}{told}{self._source(inner)}"
                yield from (f"    {line}" for line in self._inside(inner))

    def _describe(self, values: list[str], step: Json) -> str:
        parts = [_names(values), _action(step)]
        if layouts := step.get("layouts"):
            parts.append(f"→ {layouts[_outputs(step).index(values[0])]}")
        if figures := _figures(step):
            parts.append(figures)
        return " ".join(parts) + (self._source(step) if step["op"] != "run" else "")

    def _source(self, step: Json) -> str:
        loc = self.plan.location(step["loc"])
        return f"  ({Path(loc.file).name}:{loc.line})" if loc is not None else ""


def _outputs(step: Json) -> list[str]:
    return list(definitions(step))


def _names(values: list[str]) -> str:
    shown = ", ".join(values[:_MANY])
    return f"{shown}, … ({len(values)})" if len(values) > _MANY else shown


def _inputs(step: Json) -> list[str]:
    """The values that a step takes, those that the body of a loop takes from outside too."""
    taken = list(uses(step))
    own = {step.get("index"), *step.get("args", ())}
    for inner in step.get("body", ()):
        taken += [name for name in _inputs(inner) if name not in own]
        own.update(_outputs(inner))
    return list(dict.fromkeys(taken))


def _nested(step: Json) -> Iterator[Json]:
    """The steps in the body of a loop, and in those of the loops in it."""
    for inner in step.get("body", ()):
        yield inner
        yield from _nested(inner)


def _predicted(step: Json) -> Json:
    return step.get("predicted", {})


def _figures(step: Json) -> str:
    """What a step is predicted to give and to take, in brackets; of a loop, what one of its rounds moves."""
    told = _predicted(step)
    rows = [f"{told[name]:,} {name}" for name in ("rows", "rounds") if name in told]
    size = [_size(told["bytes"])] if told.get("bytes") else []
    moved = [f"moves {_size(told['moved'])}"] if "moved" in told else []
    time = [seconds(told["seconds"])] if told.get("seconds", 0.0) > _NOTHING else []
    inner, count = _traffic(step.get("body", []))
    each = [f"a round moves {_size(inner)} in {count:,} collective{'' if count == 1 else 's'}"] * (inner > 0)
    figures = "; ".join(part for part in (", ".join(rows + size + moved + time), *each) if part)
    return f"[{figures}]" if figures else ""


def _action(step: Json) -> str:
    match step["op"]:
        case "read":
            columns = ", ".join(name for name, _ in step["schema"])
            names = ", ".join(Path(path).name for path in step["paths"])
            where = f" where {expression(step['predicate'])}" if step.get("predicate") else ""
            return f"read {names} ({columns}){where}"
        case "shuffle":
            return f"shuffle by {', '.join(step['keys'])}"
        case "range_shuffle":
            return f"range shuffle by {', '.join(key[0] for key in step['by'])}"
        case "recv":
            return f"receive from rank {step['peer']}"
        case "run" if step["fragment"].get("kind") == "xla":
            return f"run {_functions(step['fragment'])}"
        case "micro" | "reduce" | "batches" | "for" | "to_tensor" | "from_tensor" | "log" | "save" | "load":
            return _training(step)
        case op:
            return op.replace("_", "-")


def _training(step: Json) -> str:
    match step["op"]:
        case "micro":
            return f"on each micro-batch {_functions(step['fragment'])}"
        case "reduce":
            order = "in a fixed order" if step["order"] == "tree" else "in any order"
            return f"all-reduce {step['combine']} {order}"
        case "batches":
            order = f"shuffled by seed {step['seed']}" if step["shuffle"] else "in the order of their content"
            parts = f"{step['micro_batches']} micro-batches"
            return f"batches of {step['size']} rows in {parts}, {order}"
        case "for":
            return f"for {step['index']} from {step['start']} to {step['stop']}"
        case "to_tensor":
            columns = (name if isinstance(name, str) else f"[{', '.join(name)}]" for name in step["columns"])
            return f"to tensor {', '.join(columns)}"
        case "from_tensor":
            return f"append {', '.join(step['columns'])}"
        case "log":
            return f"log {step['name']}"
        case op:
            return f"{op} checkpoint {step['path']}"


def _functions(fragment: Json) -> str:
    names = ", ".join(fragment.get("functions", ())) or f"kernel {fragment['module'][:8]}"
    rows: Json | None = fragment["rows"]
    return f"{names} ({rows['chunk']} rows at a time)" if rows else names


def _operator(operator: Json) -> str:
    match operator["op"]:
        case "filter":
            return f"filter {expression(operator['predicate'])}"
        case "project":
            return f"project {', '.join(_column(name, tree) for name, tree in operator['columns'])}"
        case "join":
            on = ", ".join(
                a if a == b else f"{a} = {b}"
                for a, b in zip(operator["left_on"], operator["right_on"], strict=True)
            )
            return f"{operator['how']} join on {on}"
        case "aggregate":
            aggregates = ", ".join(
                f"{name} = {fn}({column or ''})" for name, fn, column, *_ in operator["aggs"]
            )
            keys = f" by {', '.join(operator['keys'])}" if operator["keys"] else ""
            return f"aggregate{keys}: {aggregates}"
        case "sort":
            by = ", ".join(f"{name}{' descending' if down else ''}" for name, down, _ in operator["by"])
            limit = f", first {operator['limit']}" if operator.get("limit") is not None else ""
            return f"sort by {by}{limit}"
        case "head":
            return f"head {operator['n']}"
        case op:
            return op


def _column(name: str, tree: Json) -> str:
    text = expression(tree)
    return name if text == name else f"{name} = {text}"


_SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "mod": "%", "eq": "=", "ne": "≠",
    "lt": "<", "le": "≤", "gt": ">", "ge": "≥", "and": "and", "or": "or",
}  # fmt: skip


_COMMON = ("f", "type", "loc", "args", "checked")


def expression(tree: Json) -> str:
    """An expression tree as people write it."""
    arguments = [expression(argument) for argument in tree.get("args", ())]
    match tree["f"]:
        case "col" | "param" | "scalar":
            return tree["name"]
        case "lit":
            return _literal(tree)
        case sign if sign in _SIGNS and len(arguments) == 2:
            return f"({arguments[0]} {_SIGNS[sign]} {arguments[1]})"
        case "cast":
            return f"{arguments[0]}::{tree['type']}"
        case "is_in":
            return f"({arguments[0]} in {tree['values']})"
        case name:
            options = [
                str(tree[key]) for key in ("pattern", "unit", "digits", "index", "months") if key in tree
            ]
            return f"{name}({', '.join(arguments + options)})"


def _literal(tree: Json) -> str:
    value, type_ = tree["value"], tree["type"].rstrip("?")
    if value is None:
        return "null"
    if type_.startswith("decimal"):
        scale = int(type_.rstrip(")").split(",")[1])
        digits = str(value).lstrip("-").rjust(scale + 1, "0")
        sign = "-" if str(value).startswith("-") else ""
        return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else str(value)
    if type_ == "date":
        from datetime import date, timedelta

        return str(date(1970, 1, 1) + timedelta(days=value))
    return repr(value) if isinstance(value, str) else str(value)


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError

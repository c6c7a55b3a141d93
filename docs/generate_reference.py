"""Writes the reference of dialects and passes from their definitions into docs/reference.

`python docs/generate_reference.py` writes; with `--check` it only says which pages are out of date.
"""

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

from xdsl.dialects.builtin import ArrayOfConstraint, SymbolNameConstraint
from xdsl.ir import Attribute, Dialect, Operation, TypeAttribute
from xdsl.irdl import (
    AllOf,
    AnyAttr,
    AnyOf,
    BaseAttr,
    EqAttrConstraint,
    IRDLOperation,
    MessageConstraint,
    OptionalDef,
    ParamAttrConstraint,
    RangeLengthConstraint,
    RangeOf,
    VariadicDef,
)
from xdsl.passes import ModulePass

import dlc.dialects
from dlc.dialects.functions import FUNCTIONS, MANY, Function
from dlc.dialects.irdl import is_described
from dlc.frontends.tensor import support
from dlc.passes import pipelines, registry
from dlc.passes.partition.tensor.stablehlo_rules import has_rule

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate_reference.py; edit the definitions instead. -->"
_BUILTIN = {
    "string": "string",
    "integer": "integer",
    "integer_type": "integer type",
    "float": "float",
    "array": "array",
    "dictionary": "dictionary",
    "symbol_ref": "symbol",
    "unit": "flag",
    "int": "number",
}
_NULL = {"any": "an argument is", "if_all_null": "all arguments are", "never": "never"}


def main(arguments: Sequence[str]) -> int:
    """Write or check all pages; the exit code of a check is 1 when a page is out of date."""
    stale = [name for name, text in pages().items() if not _is_current(FOLDER / name, text)]
    for name in stale:
        if arguments == ["--check"]:
            print(f"docs/reference/{name} is out of date: run python docs/generate_reference.py")
        else:
            (FOLDER / name).write_text(pages()[name], encoding="utf-8")
    return int(bool(stale) and arguments == ["--check"])


def pages() -> dict[str, str]:
    """Text of every page by file name."""
    texts = {f"{dialect.name}.md": dialect_page(dialect) for dialect in dlc.dialects.dialects()}
    texts["passes.md"] = passes_page()
    texts["stablehlo.md"] = support.page(NOTE, has_rule)
    return texts


def dialect_page(dialect: Dialect) -> str:
    """The page of one dialect."""
    module = sys.modules[f"dlc.dialects.{dialect.name}"]
    parts = [f"# `{dialect.name}`", NOTE, _sentence(module.__doc__)]
    if dialect.operations:
        parts.append("## Operations")
        parts += [part for operation in dialect.operations for part in _operation(operation)]
    attributes = sorted(dialect.attributes, key=lambda attribute: not issubclass(attribute, TypeAttribute))
    if attributes:
        parts.append("## Types and attributes")
        parts += [part for attribute in attributes for part in _attribute(attribute)]
    if dialect.name == "expr":
        parts += ["## Functions", "What `expr.call` may name.", _functions()]
    return "\n\n".join(part for part in parts if part) + "\n"


def passes_page() -> str:
    """The page of all passes, stage by stage in the order of the pipelines."""
    about = "In the order in which the stages run them; `dlc opt -p NAME` runs one by itself."
    parts = ["# Passes", NOTE, about]
    told = set[str]()
    for stage, names in pipelines.STAGES.items():
        parts += [f"## To stage `{stage}`", f"Pipeline: {', '.join(f'`{name}`' for name in names)}."]
        parts += [
            part for name in dict.fromkeys(names) if name not in told for part in _pass(registry.load(name))
        ]
        told.update(names)
    parts += [
        "## Run by `choose-engines`",
        *(part for name in registry.ENGINES for part in _pass(registry.load(name))),
    ]
    return "\n\n".join(parts) + "\n"


def _pass(pass_: type[ModulePass]) -> Iterator[str]:
    yield f"### `{pass_.name}`"
    yield _sentence(sys.modules[pass_.__module__].__doc__)
    yield _text(pass_.__doc__)
    if any(field.name != "name" for field in fields(pass_)):
        types = get_type_hints(pass_)
        yield _table(
            ("option", "type", "default"),
            (
                (f"`{field.name.replace('_', '-')}`", _type_name(types[field.name]), _default(field.default))
                for field in fields(pass_)
                if field.name != "name"
            ),
        )


def _operation(operation: type[Operation]) -> Iterator[str]:
    assert issubclass(operation, IRDLOperation)
    definition = operation.get_irdl_definition()
    yield f"### `{operation.name}`"
    yield _text(operation.__doc__)
    yield f"```text\n{_syntax(operation)}\n```"
    values = [("operand", name, part) for name, part in definition.operands]
    values += [("result", name, part) for name, part in definition.results]
    attributes = {**definition.properties, **definition.attributes}
    rows = [(kind, f"`{name}`", _presence(part) + _constraint(part.constr)) for kind, name, part in values]
    rows += [
        ("attribute", f"`{name}`", _presence(part) + _constraint(part.constr))
        for name, part in attributes.items()
    ]
    rows += [("region", f"`{name}`", _presence(part) + "one block") for name, part in definition.regions]
    if rows:
        yield _table(("", "name", "what"), rows)
    traits = sorted({type(trait).__name__ for trait in operation.traits.traits})
    remarks = [f"Traits: {', '.join(traits)}."] if traits else []
    if not is_described(operation):
        remarks.append("Beyond [IRDL](irdl.md).")
    yield " ".join(remarks)


def _syntax(operation: type[IRDLOperation]) -> str:
    """The assembly format, or for syntax written by hand what a docstring says of it."""
    if assembly_format := operation.get_irdl_definition().assembly_format:
        return f"{operation.name} {assembly_format}"
    for base in operation.__mro__:
        if match := re.search(r"Printed as `(.*?)`", base.__doc__ or ""):
            return match[1]
    raise ValueError(f"the docstring of {operation.name} does not say how it is printed")


def _attribute(attribute: type[Attribute]) -> Iterator[str]:
    prefix = "!" if issubclass(attribute, TypeAttribute) else "#"
    yield f"### `{prefix}{attribute.name}`"
    yield _text(attribute.__doc__)
    definition: Any = getattr(attribute, "get_irdl_definition", lambda: None)()
    if definition is not None and definition.parameters:
        yield _table(
            ("parameter", "what"),
            ((f"`{name}`", _constraint(part.constr)) for name, part in definition.parameters),
        )


def _functions() -> str:
    return _table(
        ("function", "arguments", "options", "null if", "meaning"),
        (
            (
                f"`{name}`",
                _arity(function),
                ", ".join(f"`{option}`: {type_.__name__}" for option, type_ in function.options.items()),
                {"any": "an argument is", "if_all_null": "all arguments are"}.get(
                    function.null_result, "never"
                ),
                function.summary,
            )
            for name, function in FUNCTIONS.items()
        ),
    )


def _arity(function: Function) -> str:
    least, most = function.arity
    return (
        f"{least} or more"
        if function.arity == MANY
        else str(least)
        if least == most
        else f"{least} to {most}"
    )


def _presence(part: object) -> str:
    if isinstance(part, OptionalDef):
        return "optional, "
    return "any number of " if isinstance(part, VariadicDef) else ""


def _constraint(constraint: object) -> str:
    """A constraint in words."""
    match constraint:
        case RangeLengthConstraint(constraint=inner) | RangeOf(constr=inner):
            return _constraint(inner)
        case MessageConstraint(message=message):
            return message.removeprefix("expected ")
        case EqAttrConstraint(attr=attribute):
            return f"`{attribute}`"
        case AnyOf(attr_constrs=parts):
            return " or ".join(_constraint(part) for part in parts)
        case AllOf(attr_constrs=parts):
            return _constraint(parts[0])
        case ArrayOfConstraint(elem_range_constraint=inner):
            return f"array of {_constraint(inner)}"
        case SymbolNameConstraint():
            return "symbol name"
        case ParamAttrConstraint(base_attr=base, param_constrs=(_, EqAttrConstraint(attr=attribute))):
            return f"{_name(base)} of type `{attribute}`"
        case BaseAttr(attr=base) | ParamAttrConstraint(base_attr=base):
            return _name(base)
        case AnyAttr():
            return "any"
        case _:
            return type(constraint).__name__


def _name(base: type[Attribute]) -> str:
    if "." in base.name:
        return f"`{'!' if issubclass(base, TypeAttribute) else '#'}{base.name}`"
    return _BUILTIN.get(base.name, base.name)


def _type_name(type_: Any) -> str:
    return f"`{getattr(type_, '__name__', str(type_))}`"


def _default(value: Any) -> str:
    return "must be given" if value is MISSING else f"`{str(value).lower()}`"


def _text(docstring: str | None) -> str:
    return inspect.cleandoc(docstring or "")


def _sentence(docstring: str | None) -> str:
    """A docstring that begins with the name of what it describes, without that name."""
    text = _text(docstring).partition(": ")[2]
    return text[:1].upper() + text[1:]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

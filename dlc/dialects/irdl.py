"""The dialects as IRDL text, from which MLIR's own tools know their operations, types and attributes.

IRDL states which types operands and results have, which attributes an operation must have, and its regions.
It has no words for terminators and other traits, optional attributes, elements of arrays, variadic operands
of several types, or rules between operands and results; `docs/reference/irdl.md` says what that leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from xdsl.dialects.builtin import (
    ArrayAttr,
    ArrayOfConstraint,
    DenseArrayBase,
    DictionaryAttr,
    FloatAttr,
    IndexType,
    IntAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
    TensorType,
    UnitAttr,
    UnregisteredOp,
)
from xdsl.ir import Attribute, Dialect, Operation, ParametrizedAttribute, Region, TypeAttribute
from xdsl.irdl import (
    BaseAttr,
    EqAttrConstraint,
    IRDLOperation,
    MessageConstraint,
    OptionalDef,
    ParamAttrConstraint,
    RangeLengthConstraint,
    RangeOf,
    VarConstraint,
    VariadicDef,
)
from xdsl.rewriter import Rewriter
from xdsl.traits import IsTerminator, NoTerminator

from . import NAMES, load

_BUILTIN: dict[type, str] = {
    ArrayAttr: "#builtin.array",
    DenseArrayBase: "#builtin.dense_array",
    DictionaryAttr: "#builtin.dictionary",
    FloatAttr: "#builtin.float",
    IndexType: "!builtin.index",
    IntAttr: "#builtin.integer",
    IntegerAttr: "#builtin.integer",
    IntegerType: "!builtin.integer",
    StringAttr: "#builtin.string",
    SymbolRefAttr: "#builtin.symbol_ref",
    TensorType: "!builtin.tensor",
    UnitAttr: "#builtin.unit",
}
"""MLIR's names of the builtin classes."""

_PRINTED = {"table.frame": {"columns": ArrayAttr}, "nn.tensors": {"sha256": StringAttr}}
"""Parameters in the text of types and attributes whose class has others, or none."""

_UNIFORM = ("table.concat",)
"""Operations whose variadic operands are all of one type, which is what IRDL means by variadic."""


def export(names: Iterable[str] = NAMES) -> str:
    """IRDL of these dialects and of those that they refer to."""
    texts: dict[str, str] = {}
    wanted = list(names)
    while wanted:
        name = wanted.pop(0)
        if name not in texts:
            writer = _Writer(load(name))
            texts[name] = writer.text()
            wanted += sorted(writer.referred)
    return "\n".join(texts[name] for name in NAMES if name in texts)


def is_described(operation: type[Operation]) -> bool:
    """Whether IRDL can describe an operation.

    It cannot say that an operation ends a block, nor that operands of one group differ in type.
    """
    if not issubclass(operation, IRDLOperation) or operation.has_trait(IsTerminator):
        return False
    definition = operation.get_irdl_definition()
    groups = [part for _, part in (*definition.operands, *definition.results)]
    return operation.name in _UNIFORM or not any(
        isinstance(part, VariadicDef) and not isinstance(part, OptionalDef) for part in groups
    )


def for_mlir(module: ModuleOp) -> ModuleOp:
    """A copy that MLIR can verify, to be printed in generic form with properties as attributes.

    Operations that IRDL cannot describe move to a dialect `dlc`, which stays unregistered. Optional regions
    are there, perhaps empty, and regions without a terminator get one.
    """
    copy = module.clone()
    for op in list(copy.walk()):
        if isinstance(op, ModuleOp) or not isinstance(op, IRDLOperation):
            continue
        if op.has_trait(NoTerminator):
            for block in (block for region in op.regions for block in region.blocks):
                block.add_op(UnregisteredOp.with_name("dlc.end").create())
        if not is_described(type(op)):
            _move(op)
            continue
        for _ in range(len(op.get_irdl_definition().regions) - len(op.regions)):
            op.add_region(Region())
    return copy


def _move(op: Operation) -> None:
    moved = UnregisteredOp.with_name(f"dlc.{op.name}").create(
        operands=op.operands,
        result_types=op.result_types,
        attributes={**op.properties, **op.attributes},
        regions=[op.detach_region(region) for region in list(op.regions)],
        location=op.location,
    )
    Rewriter.replace_op(op, moved)


class _Writer:
    """Writes one dialect."""

    _WIDTH: ClassVar[str] = "    "

    def __init__(self, dialect: Dialect):
        self.dialect = dialect
        self.referred = set[str]()
        self.lines: list[str] = []
        self.count = 0

    def text(self) -> str:
        """The `irdl.dialect`."""
        self.lines = [f"irdl.dialect @{self.dialect.name} {{"]
        for attribute in self.dialect.attributes:
            self._attribute(attribute)
        for operation in self.dialect.operations:
            if is_described(operation) and issubclass(operation, IRDLOperation):
                self._operation(operation)
        return "\n".join([*self.lines, "}", ""])

    def _attribute(self, attribute: type[Attribute]) -> None:
        keyword = "type" if issubclass(attribute, TypeAttribute) else "attribute"
        self._open(keyword, attribute.name)
        if attribute.name in _PRINTED:
            names = {name: self._base(base) for name, base in _PRINTED[attribute.name].items()}
        else:
            assert issubclass(attribute, ParametrizedAttribute)
            parameters = attribute.get_irdl_definition().parameters
            names = {name: self._constraint(parameter.constr) for name, parameter in parameters}
        self._list("parameters", (f"{name}: {value}" for name, value in names.items()))
        self.lines.append("  }")

    def _operation(self, operation: type[IRDLOperation]) -> None:
        definition = operation.get_irdl_definition()
        self._open("operation", operation.name)
        for keyword, parts in (("operands", definition.operands), ("results", definition.results)):
            self._list(
                keyword, [f"{name}: {_arity(part)}{self._constraint(part.constr)}" for name, part in parts]
            )
        required = {
            name: part
            for name, part in (*definition.properties.items(), *definition.attributes.items())
            if not isinstance(part, OptionalDef)
        }
        attributes = [f'"{name}" = {self._constraint(part.constr)}' for name, part in required.items()]
        if attributes:
            self.lines.append(f"{self._WIDTH}irdl.attributes {{{', '.join(attributes)}}}")
        self._list("regions", [f"{name}: {self._region(part)}" for name, part in definition.regions])
        self.lines.append("  }")

    def _region(self, part: object) -> str:
        # An optional region is there but may be empty, see `for_mlir`.
        single = type(part).__name__ == "SingleBlockRegionDef"
        return self._line("irdl.region with size 1" if single else "irdl.region")

    def _constraint(self, constraint: object) -> str:
        """Write a constraint and return the name of its value."""
        match constraint:
            case RangeLengthConstraint(constraint=inner) | VarConstraint(constraint=inner):
                return self._constraint(inner)
            case RangeOf(constr=inner) | MessageConstraint(constr=inner):
                return self._constraint(inner)
            case EqAttrConstraint(attr=attribute):
                return self._line(f"irdl.is {attribute}")
            case BaseAttr(attr=base) | ParamAttrConstraint(base_attr=base):
                return self._base(base)
            case ArrayOfConstraint():
                return self._base(ArrayAttr)
            case SymbolNameConstraint():
                return self._base(StringAttr)
            case _:
                # Unions too: `irdl.any_of` over base types ends the process in MLIR 22.
                return self._line("irdl.any")

    def _base(self, base: type[Attribute]) -> str:
        dialect, _, name = base.name.partition(".")
        if base in _BUILTIN:
            return self._line(f'irdl.base "{_BUILTIN[base]}"')
        if dialect in NAMES:
            self.referred.add(dialect)
            return self._line(f"irdl.base @{dialect}::@{name}")
        return self._line("irdl.any")

    def _open(self, keyword: str, name: str) -> None:
        self.count = 0
        self.lines.append(f"  irdl.{keyword} @{name.partition('.')[2]} {{")

    def _line(self, text: str) -> str:
        name = f"%{self.count}"
        self.count += 1
        self.lines.append(f"{self._WIDTH}{name} = {text}")
        return name

    def _list(self, keyword: str, parts: Iterable[str]) -> None:
        if text := ", ".join(parts):
            self.lines.append(f"{self._WIDTH}irdl.{keyword}({text})")


def _arity(part: object) -> str:
    if isinstance(part, OptionalDef):
        return "optional "
    return "variadic " if isinstance(part, VariadicDef) else ""

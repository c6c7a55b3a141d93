"""What the parts of the `hw` dialect have in common: names, copies, types, and how they print."""

from __future__ import annotations

import re
from abc import ABC
from collections.abc import Mapping
from typing import ClassVar

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    FlatSymbolRefAttr,
    IntegerAttr,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region
from xdsl.irdl import IRDLOperation, opt_prop_def, prop_def, region_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException


class PartOp(IRDLOperation, ABC):
    """What all parts have: a name, copies, a type and properties.

    Printed as `hw.op kind @name[copies] : @type attributes {…} {…}`, each where there is one.
    """

    KINDS: ClassVar[tuple[str, ...]] = ()
    """Values of the property `kind`, where the operation stands for several kinds of parts."""

    ALSO: ClassVar[tuple[str, ...]] = ()
    """Kinds whose types such a part may have besides its own."""

    def part_kind(self) -> str:
        """The kind of part, as types name it."""
        return text_of(self, "kind") or self.name.removeprefix("hw.")

    def print(self, printer: Printer) -> None:
        self.print_head(printer)
        if "count" in self.properties:
            printer.print_string(f"[{_copies(self)}]")
        if isinstance(prototype := self.properties.get("type"), SymbolRefAttr):
            printer.print_string(" : ")
            printer.print_symbol_name(prototype.string_value())
        shown = {
            k: v
            for k, v in self.properties.items()
            if k not in ("sym_name", "count", "type", "ends", "directed")
        }
        if self.KINDS:
            shown.pop("kind", None)
        printer.print_op_attributes({**shown, **self.attributes}, print_keyword=True)
        print_body(self, printer)

    def print_head(self, printer: Printer) -> None:
        """Print what comes before the copies."""
        if self.KINDS:
            printer.print_string(f" {text_of(self, 'kind')}")
        printer.print_string(" ")
        printer.print_symbol_name(text_of(self, "sym_name"))

    @classmethod
    def parse(cls, parser: Parser) -> PartOp:
        properties = cls.parse_head(parser)
        if parser.parse_optional_punctuation("["):
            properties["count"] = IntegerAttr(parser.parse_integer(allow_boolean=False), i64)
            parser.parse_punctuation("]")
        if parser.parse_optional_punctuation(":"):
            properties["type"] = SymbolRefAttr(parser.parse_symbol_name())
        shown = parser.parse_optional_attr_dict_with_keyword()
        known = cls.get_irdl_definition().properties
        attributes: dict[str, Attribute] = {}
        entries: Mapping[str, Attribute] = shown.data if shown else {}
        for name, value in entries.items():
            (properties if name in known else attributes)[name] = value
        regions = [parse_body(parser)] if cls.get_irdl_definition().regions else []
        return cls.create(properties=properties, attributes=attributes, regions=regions)

    @classmethod
    def parse_head(cls, parser: Parser) -> dict[str, Attribute]:
        """Parse what comes before the copies."""
        properties: dict[str, Attribute] = {}
        if cls.KINDS:
            properties["kind"] = StringAttr(parser.parse_identifier("one of " + ", ".join(cls.KINDS)))
        properties["sym_name"] = parser.parse_symbol_name()
        return properties

    def verify_(self) -> None:
        if self.KINDS and text_of(self, "kind") not in self.KINDS:
            raise VerifyException(
                f"kind must be one of {', '.join(self.KINDS)}, not {text_of(self, 'kind')!r}"
            )
        if "count" in self.properties and _copies(self) < 1:
            raise VerifyException(f"a part has at least 1 copy, not {_copies(self)}")
        prototype = self.properties.get("type")
        if not isinstance(prototype, SymbolRefAttr) or (machine := machine_of(self)) is None:
            return
        type_ = types_of(machine).get(prototype.string_value())
        if type_ is None:
            raise VerifyException(f"unknown type @{prototype.string_value()}")
        fits = (self.part_kind(), *self.ALSO)
        if text_of(type_, "kind") not in fits:
            raise VerifyException(
                f"@{prototype.string_value()} is a type of {text_of(type_, 'kind')}, not of {fits[0]}"
            )


class NamedOp(PartOp, ABC):
    """A part with a name of its own that may be copied and may have a type."""

    sym_name = prop_def(SymbolNameConstraint())
    count = opt_prop_def(IntegerAttr[I64])
    prototype = opt_prop_def(FlatSymbolRefAttr, prop_name="type")
    traits = traits_def(SymbolOpInterface())


class HolderOp(NamedOp, ABC):
    """A part that holds others."""

    body = region_def("single_block")
    traits = traits_def(NoTerminator(), SymbolTable())


def text_of(op: Operation, name: str) -> str:
    """A text property, or "" without one."""
    value = op.properties.get(name)
    return value.data if isinstance(value, StringAttr) else ""


def _copies(op: Operation) -> int:
    value = op.properties.get("count")
    return value.value.data if isinstance(value, IntegerAttr) else 1


def print_body(op: Operation, printer: Printer) -> None:
    """Print the parts within, if there are any."""
    if op.regions and op.regions[0].block.ops:
        printer.print_string(" ")
        printer.print_region(op.regions[0])


def parse_body(parser: Parser) -> Region:
    """The region of parts; one that is left out has an empty block all the same."""
    region = parser.parse_optional_region() or Region()
    if not region.blocks:
        region.add_block(Block())
    return region


def machine_of(op: Operation) -> Operation | None:
    """The machine around an operation, if any."""
    parent = op.parent_op()
    while parent is not None and parent.name != "hw.machine":
        parent = parent.parent_op()
    return parent


def types_of(machine: Operation) -> dict[str, Operation]:
    """The types of a machine by name."""
    return {text_of(op, "sym_name"): op for op in machine.regions[0].block.ops if op.name == "hw.type"}


def _layers(ops: list[Operation], types: dict[str, Operation]) -> list[Operation]:
    """The operations, their types, and what those extend: all that says which parts there are."""
    layers: list[Operation] = []
    seen: set[str] = set()
    for op in ops:
        current: Operation | None = op
        while current is not None:
            layers.append(current)
            reference = current.properties.get("extends" if current.name == "hw.type" else "type")
            name = reference.string_value() if isinstance(reference, SymbolRefAttr) else ""
            current = None if name in seen else types.get(name)
            seen.add(name)
    return layers


def verify_paths(op: Operation, paths: ArrayAttr[StringAttr] | None) -> None:
    """VerifyException unless every path leads from the operation around `op` to a part."""
    machine, parent = machine_of(op), op.parent_op()
    if machine is None or parent is None:
        return
    types = types_of(machine)
    for path in paths or ():
        found, holder = [parent], text_of(parent, "sym_name")
        for step in re.sub(r"\[[^\]]*\]", "", path.data).split("."):
            # A part may stand both in a type and in what overrides it; either may hold the next one.
            blocks = [
                block
                for layer in _layers(found, types)
                for region in layer.regions
                for block in region.blocks
            ]
            inner = [part for block in blocks for part in block.ops if part.name != "hw.type"]
            found = [part for part in inner if text_of(part, "sym_name") == step]
            if not found:
                raise VerifyException(f'path "{path.data}" leads nowhere: no part @{step} in @{holder}')
            holder = step

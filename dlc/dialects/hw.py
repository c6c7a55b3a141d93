"""`hw`: the machine that a module is compiled for, its parts described once and their copies counted.

Every figure is a `#hw.quantity` in a base unit with its provenance. Parts are symbols; a part may name a
type, whose properties and parts it takes over and may override.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import ClassVar, cast

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    DictionaryAttr,
    FlatSymbolRefAttr,
    IntegerAttr,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
    UnitAttr,
)
from xdsl.ir import Attribute, Dialect
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def, region_def, traits_def
from xdsl.irdl.constraints import VerificationContext
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator, OptionalSymbolOpInterface, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException

from .hw_part import (
    HolderOp,
    NamedOp,
    PartOp,
    machine_of,
    parse_body,
    print_body,
    text_of,
    types_of,
    verify_paths,
)
from .quantity import PRICES, ProvenanceAttr, QuantityAttr, quantity


@irdl_op_definition
class TypeOp(PartOp):
    """Prototype of parts of one kind; `figures` are the properties that the parts take over."""

    name = "hw.type"
    sym_name = prop_def(SymbolNameConstraint())
    kind = prop_def(StringAttr)
    extends = opt_prop_def(FlatSymbolRefAttr)
    figures = prop_def(DictionaryAttr)
    body = region_def("single_block")
    traits = traits_def(SymbolOpInterface(), NoTerminator(), SymbolTable())

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.kind.data} ")
        printer.print_symbol_name(self.sym_name.data)
        if self.extends is not None:
            printer.print_string(" extends ")
            printer.print_symbol_name(self.extends.string_value())
        printer.print_op_attributes({**self.figures.data, **self.attributes}, print_keyword=True)
        print_body(self, printer)

    @classmethod
    def parse(cls, parser: Parser) -> TypeOp:
        properties: dict[str, Attribute] = {"kind": StringAttr(parser.parse_identifier("a kind of part"))}
        properties["sym_name"] = parser.parse_symbol_name()
        if parser.parse_optional_keyword("extends"):
            properties["extends"] = SymbolRefAttr(parser.parse_symbol_name())
        properties["figures"] = parser.parse_optional_attr_dict_with_keyword() or DictionaryAttr({})
        return cls.create(properties=properties, regions=[parse_body(parser)])

    def verify_(self) -> None:
        op = OPS_BY_KIND.get(self.kind.data)
        if op is None:
            raise VerifyException(f"unknown kind {self.kind.data!r}; known are {', '.join(OPS_BY_KIND)}")
        known = op.get_irdl_definition().properties
        for name, value in self.figures.data.items():
            if name not in known or name in _STRUCTURE or (name == "kind" and op.KINDS):
                raise VerifyException(f"a {self.kind.data} has no property '{name}'")
            try:
                known[name].constr.verify(value, VerificationContext())
            except VerifyException as error:
                raise VerifyException(f"property '{name}': {error}") from error
        if self.body.block.ops and not op.get_irdl_definition().regions:
            raise VerifyException(f"a {self.kind.data} holds no parts")
        if self.extends is not None and (machine := machine_of(self)) is not None:
            base = types_of(machine).get(self.extends.string_value())
            if base is None:
                raise VerifyException(f"unknown type @{self.extends.string_value()}")
            if text_of(base, "kind") != self.kind.data:
                raise VerifyException(
                    f"a type of {self.kind.data} cannot extend one of {text_of(base, 'kind')}"
                )


@irdl_op_definition
class MachineOp(PartOp):
    """A whole machine: its types and its parts.

    `meta` holds texts such as its source, `total` figures that are stated of the machine as a whole.
    """

    name = "hw.machine"
    sym_name = prop_def(SymbolNameConstraint())
    meta = opt_prop_def(DictionaryAttr)
    total = opt_prop_def(DictionaryAttr)
    body = region_def("single_block")
    traits = traits_def(SymbolOpInterface(), NoTerminator(), SymbolTable())

    def verify_(self) -> None:
        meta: Mapping[str, Attribute] = self.meta.data if self.meta else {}
        for name, value in meta.items():
            if not isinstance(value, StringAttr):
                raise VerifyException(f"meta holds strings, and '{name}' is none")
        verify_entries("total", self.total)
        for op in self.body.block.ops:
            if not isinstance(op, PartOp) or isinstance(op, MachineOp):
                raise VerifyException(f"a machine holds parts and types, not {op.name}")


@irdl_op_definition
class NodeOp(HolderOp):
    """What runs one operating system; `price` is what one costs per hour."""

    name = "hw.node"
    price = opt_prop_def(QuantityAttr)
    power = opt_prop_def(quantity("W"))
    idle = opt_prop_def(quantity("W"))

    def verify_(self) -> None:
        super().verify_()
        if self.price is not None and self.price.unit.data not in PRICES:
            raise VerifyException(f"price: expected one of {', '.join(PRICES)}, not {self.price.unit.data!r}")


@irdl_op_definition
class GroupOp(HolderOp):
    """Parts that stand together: a socket, a rack, a cluster within a machine."""

    name = "hw.group"
    KINDS: ClassVar = ("group", "socket", "cluster")
    kind = prop_def(StringAttr)
    power = opt_prop_def(quantity("W"))
    idle = opt_prop_def(quantity("W"))


@irdl_op_definition
class ProcessorOp(HolderOp):
    """A processor with the memory and caches of its own; `compute` has FLOP/s by element type."""

    name = "hw.processor"
    KINDS: ClassVar = ("cpu", "gpu", "accel")
    kind = prop_def(StringAttr)
    cores = opt_prop_def(quantity("1"))
    smt = opt_prop_def(quantity("1"))
    clock = opt_prop_def(quantity("Hz"))
    isa = opt_prop_def(ArrayAttr[StringAttr])
    compute = opt_prop_def(DictionaryAttr)
    launch = opt_prop_def(quantity("s"))
    power = opt_prop_def(quantity("W"))
    idle = opt_prop_def(quantity("W"))

    def verify_(self) -> None:
        super().verify_()
        rates: Mapping[str, Attribute] = self.compute.data if self.compute else {}
        for dtype, rate in rates.items():
            if not isinstance(rate, QuantityAttr) or rate.unit.data != "FLOP/s":
                raise VerifyException(f'compute of {dtype}: expected a quantity in "FLOP/s"')


@irdl_op_definition
class MemoryOp(NamedOp):
    """Memory that the processor around it, or those beside it, address directly."""

    name = "hw.memory"
    capacity = opt_prop_def(quantity("B"))
    bandwidth = opt_prop_def(quantity("B/s"))
    sustained = opt_prop_def(quantity("B/s"))
    latency = opt_prop_def(quantity("s"))
    power = opt_prop_def(quantity("W"))
    idle = opt_prop_def(quantity("W"))


@irdl_op_definition
class CacheOp(NamedOp):
    """A cache level with one instance for each core, socket or node, or for `shared_by` cores."""

    name = "hw.cache"
    capacity = opt_prop_def(quantity("B"))
    per = opt_prop_def(StringAttr)
    shared_by = opt_prop_def(quantity("1"))
    line = opt_prop_def(quantity("B"))
    bandwidth = opt_prop_def(quantity("B/s"))
    latency = opt_prop_def(quantity("s"))


class StorageOp(NamedOp, ABC):
    """What holds files."""

    capacity = opt_prop_def(quantity("B"))
    read = opt_prop_def(quantity("B/s"))
    write = opt_prop_def(quantity("B/s"))
    latency = opt_prop_def(quantity("s"))
    read_operations = opt_prop_def(quantity("IO/s"))
    write_operations = opt_prop_def(quantity("IO/s"))


@irdl_op_definition
class DiskOp(StorageOp):
    """Storage of one node."""

    name = "hw.disk"


@irdl_op_definition
class StoreOp(StorageOp):
    """Storage that all nodes share: a file system, or an object store."""

    name = "hw.store"
    kind = opt_prop_def(StringAttr)
    client = opt_prop_def(quantity("B/s"))
    operations_per = opt_prop_def(StringAttr)
    attach = opt_prop_def(ArrayAttr[StringAttr])

    def part_kind(self) -> str:
        return "store"


class ChannelOp(PartOp, ABC):
    """What carries messages; bandwidth is that of one direction."""

    ALSO: ClassVar = ("interconnect",)

    bandwidth = opt_prop_def(quantity("B/s"))
    sustained = opt_prop_def(quantity("B/s"))
    latency = opt_prop_def(quantity("s"))
    overhead = opt_prop_def(quantity("s"))
    hop = opt_prop_def(quantity("s"))
    duplex = opt_prop_def(StringAttr)
    sharing = opt_prop_def(StringAttr)


@irdl_op_definition
class NicOp(ChannelOp, NamedOp):
    """A network interface, by its `affinity` beside some of the processors."""

    name = "hw.nic"
    affinity = opt_prop_def(ArrayAttr[StringAttr])
    power = opt_prop_def(quantity("W"))
    idle = opt_prop_def(quantity("W"))

    def verify_(self) -> None:
        super().verify_()
        verify_paths(self, self.affinity)


@irdl_op_definition
class SwitchOp(NamedOp):
    """Joins the links that end at it."""

    name = "hw.switch"
    ports = opt_prop_def(quantity("1"))
    latency = opt_prop_def(quantity("s"))
    overhead = opt_prop_def(quantity("s"))


@irdl_op_definition
class LinkOp(ChannelOp):
    """A wire between two parts, `"p9" <-> "g[*]"`, or, with a name and a `scope`, between all of a level."""

    name = "hw.link"
    sym_name = opt_prop_def(SymbolNameConstraint())
    count = opt_prop_def(IntegerAttr[I64])
    prototype = opt_prop_def(FlatSymbolRefAttr, prop_name="type")
    ends = opt_prop_def(ArrayAttr[StringAttr])
    directed = opt_prop_def(UnitAttr)
    scope = opt_prop_def(StringAttr)
    traits = traits_def(OptionalSymbolOpInterface())

    def part_kind(self) -> str:
        return "interconnect" if self.ends is None else "link"

    def print_head(self, printer: Printer) -> None:
        if self.ends is None:
            super().print_head(printer)
            return
        first, second = (end.data for end in self.ends)
        printer.print_string(" ")
        printer.print_string_literal(first)
        printer.print_string(" -> " if self.directed else " <-> ")
        printer.print_string_literal(second)

    @classmethod
    def parse_head(cls, parser: Parser) -> dict[str, Attribute]:
        first = parser.parse_optional_str_literal()
        if first is None:
            return super().parse_head(parser)
        directed = parser.parse_optional_punctuation("<") is None
        parser.parse_punctuation("->")
        ends = ArrayAttr([StringAttr(first), StringAttr(parser.parse_str_literal())])
        return {"ends": ends, "directed": UnitAttr()} if directed else {"ends": ends}

    def verify_(self) -> None:
        super().verify_()
        if (self.ends is None) == (self.sym_name is None):
            raise VerifyException("a link has either two ends or a name")
        if self.ends is not None and len(self.ends) != 2:
            raise VerifyException(f"a link has two ends, not {len(self.ends)}")
        verify_paths(self, self.ends)


@irdl_op_definition
class NetworkOp(ChannelOp):
    """Joins the parts that `attach` selects in a regular way, with wires of its type."""

    name = "hw.network"
    sym_name = prop_def(SymbolNameConstraint())
    count = opt_prop_def(IntegerAttr[I64])
    prototype = opt_prop_def(FlatSymbolRefAttr, prop_name="type")
    topology = prop_def(StringAttr)
    arguments = opt_prop_def(DictionaryAttr)
    attach = opt_prop_def(ArrayAttr[StringAttr])
    bisection = opt_prop_def(quantity("B/s"))
    traits = traits_def(SymbolOpInterface())

    def verify_(self) -> None:
        super().verify_()
        verify_entries("argument", self.arguments)
        verify_paths(self, self.attach)


@irdl_op_definition
class IslandOp(NamedOp):
    """A named share of the machine for one gang."""

    name = "hw.island"
    members = opt_prop_def(ArrayAttr[StringAttr])

    def verify_(self) -> None:
        super().verify_()
        verify_paths(self, self.members)


@irdl_op_definition
class GridOp(NamedOp):
    """Parts arranged as a mesh of devices."""

    name = "hw.grid"
    over = opt_prop_def(StringAttr)
    shape = opt_prop_def(ArrayAttr[IntegerAttr[I64]])
    axes = opt_prop_def(ArrayAttr[StringAttr])

    def verify_(self) -> None:
        super().verify_()
        verify_paths(self, None if self.over is None else ArrayAttr([self.over]))


def verify_entries(what: str, entries: DictionaryAttr | None) -> None:
    """VerifyException unless all entries are figures: quantities, lists and maps of them, or flags."""
    given: Mapping[str, Attribute] = entries.data if entries else {}
    for name, value in given.items():
        inner = [value]
        if isinstance(value, ArrayAttr):
            inner = list(cast("ArrayAttr[Attribute]", value))
        elif isinstance(value, DictionaryAttr):
            inner = list(value.data.values())
        flag = isinstance(value, UnitAttr) or value in (
            IntegerAttr.from_bool(False),
            IntegerAttr.from_bool(True),
        )
        if not flag and not all(isinstance(entry, QuantityAttr) for entry in inner):
            raise VerifyException(f"{what} '{name}': expected a quantity")


_STRUCTURE = ("sym_name", "count", "type", "ends", "directed")
"""Properties that say where a part stands, which no type can give it."""

OPS_BY_KIND: dict[str, type[PartOp]] = {
    "node": NodeOp,
    **dict.fromkeys(GroupOp.KINDS, GroupOp),
    **dict.fromkeys(ProcessorOp.KINDS, ProcessorOp),
    "memory": MemoryOp,
    "cache": CacheOp,
    "disk": DiskOp,
    "store": StoreOp,
    "nic": NicOp,
    "switch": SwitchOp,
    "interconnect": LinkOp,
    "link": LinkOp,
    "network": NetworkOp,
    "island": IslandOp,
    "grid": GridOp,
}
"""The operation of each kind of part."""

Hw = Dialect(
    "hw",
    [MachineOp, TypeOp, *dict.fromkeys(OPS_BY_KIND.values())],
    [QuantityAttr, ProvenanceAttr],
)

"""Machines as operations of the `hw` dialect and back; nothing is lost, locations included."""

from collections.abc import Mapping
from typing import cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FileLineColLoc,
    FloatAttr,
    IntAttr,
    IntegerAttr,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
    UnknownLoc,
    f64,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region

from dlc.diagnostics import SourceLoc
from dlc.dialects.hw import OPS_BY_KIND, MachineOp, PartOp, ProvenanceAttr, QuantityAttr, TypeOp
from dlc.hwspec.check import check
from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Counts, Entry, Part, Properties, Provenance, Quantity, Table, Type, Value

_STRUCTURE = ("sym_name", "count", "type", "extends", "figures", "body")


def to_ir(machine: Machine) -> MachineOp:
    """The `hw.machine` operation of a machine; every operation has its place in the description."""
    ops: list[Operation] = [_type_op(type_) for type_ in machine.types]
    ops += [_part_op(part) for part in machine.parts]
    properties: dict[str, Attribute] = {"sym_name": StringAttr(machine.name)}
    if machine.meta:
        properties["meta"] = DictionaryAttr({name: StringAttr(text) for name, text in machine.meta})
    if machine.total:
        properties["total"] = DictionaryAttr({name: _attribute(value) for name, value in machine.total})
    return MachineOp.create(properties=properties, regions=[_body(ops)], location=_location(machine.loc))


def _type_op(type_: Type) -> TypeOp:
    part = type_.part
    properties: dict[str, Attribute] = {"sym_name": StringAttr(part.name), "kind": StringAttr(part.kind)}
    if type_.base:
        properties["extends"] = SymbolRefAttr(type_.base)
    properties["figures"] = DictionaryAttr({name: _attribute(value) for name, value in part.properties})
    body = _body([_part_op(inner) for inner in part.parts])
    return TypeOp.create(properties=properties, regions=[body], location=_location(part.loc))


def _part_op(part: Part) -> PartOp:
    op = OPS_BY_KIND[part.kind]
    properties: dict[str, Attribute] = {"kind": StringAttr(part.kind)} if op.KINDS else {}
    if part.name:
        properties["sym_name"] = StringAttr(part.name)
    if part.count is not None:
        properties["count"] = IntegerAttr(part.count, i64)
    if part.type:
        properties["type"] = SymbolRefAttr(part.type)
    properties |= {name: _attribute(value) for name, value in part.properties}
    regions = [_body([_part_op(inner) for inner in part.parts])] if op.get_irdl_definition().regions else []
    return op.create(properties=properties, regions=regions, location=_location(part.loc))


def _body(ops: list[Operation]) -> Region:
    return Region(Block(ops))


def _location(loc: SourceLoc) -> FileLineColLoc | UnknownLoc:
    if not loc.line:
        return UnknownLoc()
    return FileLineColLoc(StringAttr(loc.file), IntAttr(loc.line), IntAttr(loc.column))


def _attribute(value: Value) -> Attribute:
    match value:
        case Quantity():
            return _quantity_attribute(value)
        case Table():
            return DictionaryAttr({name: _attribute(entry) for name, entry in value.entries})
        case bool():
            return UnitAttr() if value else IntegerAttr.from_bool(value)
        case str():
            return StringAttr(value)
        case tuple():
            return ArrayAttr(
                [IntegerAttr(item, i64) if isinstance(item, int) else StringAttr(item) for item in value]
            )
        case Counts():
            return ArrayAttr([_quantity_attribute(item) for item in value.items])


def _quantity_attribute(quantity: Quantity) -> QuantityAttr:
    origin = quantity.provenance
    kind = StringAttr(origin.kind)
    plain = not origin.source and not origin.spread
    provenance = (
        kind if plain else ProvenanceAttr(kind, StringAttr(origin.source), FloatAttr(origin.spread, f64))
    )
    return QuantityAttr(FloatAttr(quantity.value, f64), StringAttr(quantity.unit), provenance)


def from_ir(op: MachineOp) -> Machine:
    """The checked machine of a `hw.machine` operation; raises `DLC403` to `DLC405` when it is wrong."""
    types: list[Type] = []
    parts: list[Part] = []
    for inner in op.body.block.ops:
        if isinstance(inner, TypeOp):
            base = inner.extends.string_value() if inner.extends else ""
            figures = _properties(inner.figures.data)
            name, body = inner.sym_name.data, _parts(inner)
            types.append(Type(Part(inner.kind.data, name, None, "", figures, body, _source(inner)), base))
        elif isinstance(inner, PartOp):
            parts.append(_part(inner))
    meta: Mapping[str, Attribute] = op.meta.data if op.meta else {}
    texts = tuple(sorted((name, text.data) for name, text in meta.items() if isinstance(text, StringAttr)))
    total = _properties(op.total.data) if op.total else ()
    return check(Machine(op.sym_name.data, tuple(types), tuple(parts), texts, _source(op), total))


def _part(op: PartOp) -> Part:
    name, count, type_ = op.properties.get("sym_name"), op.properties.get("count"), op.properties.get("type")
    structure = (*_STRUCTURE, "kind") if op.KINDS else _STRUCTURE
    return Part(
        op.part_kind(),
        name.data if isinstance(name, StringAttr) else "",
        count.value.data if isinstance(count, IntegerAttr) else None,
        type_.string_value() if isinstance(type_, SymbolRefAttr) else "",
        _properties({key: value for key, value in op.properties.items() if key not in structure}),
        _parts(op),
        _source(op),
    )


def _parts(op: PartOp) -> tuple[Part, ...]:
    blocks = [block for region in op.regions for block in region.blocks]
    return tuple(_part(inner) for block in blocks for inner in block.ops if isinstance(inner, PartOp))


def _source(op: Operation) -> SourceLoc:
    loc = op.location
    if not isinstance(loc, FileLineColLoc):
        return SourceLoc("", 0)
    return SourceLoc(loc.filename.data, loc.line.data, loc.column.data)


def _properties(attributes: Mapping[str, Attribute]) -> Properties:
    values = ((name, _value(attribute)) for name, attribute in attributes.items())
    return tuple(sorted((entry for entry in values), key=lambda entry: entry[0]))


def _value(attribute: Attribute) -> Value:
    match attribute:
        case QuantityAttr():
            return _quantity(attribute)
        case DictionaryAttr():
            return Table(cast("tuple[tuple[str, Entry], ...]", _properties(attribute.data)))
        case StringAttr():
            return attribute.data
        case ArrayAttr():
            items: list[Attribute] = list(attribute)
            quantities = tuple(_quantity(item) for item in items if isinstance(item, QuantityAttr))
            numbers = tuple(item.value.data for item in items if isinstance(item, IntegerAttr))
            if quantities:
                return Counts(quantities)
            return numbers or tuple(i.data for i in items if isinstance(i, StringAttr))
        case IntegerAttr():
            return bool(attribute.value.data)
        case _:
            return True


def _quantity(attribute: QuantityAttr) -> Quantity:
    origin = attribute.provenance
    if isinstance(origin, ProvenanceAttr):
        provenance = Provenance(origin.kind.data, origin.source.data, float(origin.spread.value.data))
    else:
        provenance = Provenance(origin.data)
    return Quantity(float(attribute.value.value.data), attribute.unit.data, provenance)

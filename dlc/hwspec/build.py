"""Checks a syntax tree against the schema and makes the machine of it.

Reports unknown names (`DLC403`), units (`DLC402`), values (`DLC404`) and doubles (`DLC405`); what needs the
whole machine is left to `check`.
"""

from collections.abc import Iterable
from typing import cast

from dlc.diagnostics import DlcError, SourceLoc
from dlc.hwspec import schema, syntax
from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Entry, Part, Properties, Table, Type
from dlc.hwspec.values import MAX_COUNT, distinct, path_text, unknown, value

_SKELETON = "write `machine name { node n[0..3] { … } }`"


def build(file: syntax.File) -> Machine:
    """The one machine of a file; raises `DLC402` to `DLC405`."""
    if len(file.machines) != 1:
        where = file.machines[1].name.loc if file.machines else SourceLoc(file.file, 1)
        found = f"holds {len(file.machines)}" if file.machines else "holds none"
        raise DlcError(
            "DLC405", f"a description holds one machine, this one {found}", loc=where, help=_SKELETON
        )
    machine = file.machines[0]
    inner = tuple(item for item in machine.block if isinstance(item, syntax.TypeDef))
    types = (*file.types, *inner)
    distinct((definition.name for definition in types), "type")
    body = tuple(item for item in machine.block if not isinstance(item, syntax.TypeDef | syntax.Section))
    sections = [item for item in machine.block if isinstance(item, syntax.Section)]
    for section in sections:
        if section.name.text not in ("meta", "total"):
            raise unknown("section", section.name, ("meta", "total"))
    distinct((section.name for section in sections), "section")
    blocks = {section.name.text: section.block for section in sections}
    meta, total = (
        _meta(blocks.get("meta", ())),
        _block(blocks.get("total", ()), "total", schema.TOTALS, (), ())[0],
    )
    _, parts = _block(body, "machine", {}, schema.IN_MACHINE, ())
    loc = machine.name.loc
    return Machine(machine.name.text, tuple(_type(item) for item in types), parts, meta, loc, total)


def _type(item: syntax.TypeDef) -> Type:
    if item.kind.text not in schema.TYPED:
        raise unknown("kind", item.kind, schema.TYPED)
    kind = item.kind.text
    row = schema.KINDS[kind]
    properties, parts = _block(item.block, kind, row.properties, row.holds, ())
    return Type(
        Part(kind, item.name.text, None, "", properties, parts, item.name.loc),
        item.base.text if item.base else "",
    )


def _block(
    block: Iterable[syntax.Statement],
    kind: str,
    allowed: dict[str, schema.Property],
    holds: tuple[str, ...],
    given: Properties,
) -> tuple[Properties, tuple[Part, ...]]:
    """The properties and parts of a block of a `kind`; `given` are properties that its head has set."""
    names: list[syntax.Name] = []
    part_names: list[syntax.Name] = []
    properties = dict(given)
    parts: list[Part] = []
    for item in block:
        if isinstance(item, syntax.Assignment):
            names.append(item.name)
            if item.name.text not in allowed:
                raise unknown("property", item.name, allowed, f" of a {kind}")
            properties[item.name.text] = value(item.name, item.value, allowed[item.name.text])
        elif isinstance(item, syntax.PartDef | syntax.LinkDef):
            parts.append(_part(item, kind, holds))
            if isinstance(item, syntax.PartDef):
                part_names.append(item.selector.name)
        else:
            what = "type" if isinstance(item, syntax.TypeDef) else item.name.text
            where = item.name.loc
            raise DlcError(
                "DLC405", f"a {kind} cannot hold a `{what}` block", loc=where, help="move it to the machine"
            )
    distinct(names, "property")
    distinct(part_names, "part")
    return tuple(sorted(properties.items())), tuple(parts)


def _part(item: syntax.PartDef | syntax.LinkDef, holder: str, holds: tuple[str, ...]) -> Part:
    name = item.kind if isinstance(item, syntax.PartDef) else item.keyword
    kind = "link" if isinstance(item, syntax.LinkDef) else name.text
    if kind not in schema.KINDS or (isinstance(item, syntax.PartDef) and kind == "link"):
        raise unknown("kind of part", name, holds)
    if kind not in holds:
        fix = f"a {holder} holds {', '.join(holds)}" if holds else f"a {holder} holds no parts"
        raise DlcError("DLC405", f"a {holder} cannot hold a {kind}", loc=name.loc, help=fix)
    row = schema.KINDS[kind]
    if isinstance(item, syntax.LinkDef):
        ends: Properties = (("ends", (path_text(item.ends[0]), path_text(item.ends[1]))),)
        given = (*ends, ("directed", True)) if item.directed else ends
        properties, parts = _block(item.block, kind, row.properties, (), given)
        return Part(kind, "", None, item.type.text if item.type else "", properties, parts, name.loc)
    given = _topology(item) if kind == "network" else ()
    if item.arguments and kind != "network":
        raise DlcError("DLC404", f"the type of a {kind} takes no arguments", loc=item.arguments[0].name.loc)
    type_ = item.type.text if item.type and kind != "network" else ""
    properties, parts = _block(item.block, kind, row.properties, row.holds, given)
    if kind == "network":
        # What a network is made of is its type, as for a link; the text has the topology in that place.
        type_ = str(dict(properties).get("via", ""))
        properties = tuple(entry for entry in properties if entry[0] != "via")
    return Part(
        kind, item.selector.name.text, _count(item.selector), type_, properties, parts, item.selector.loc
    )


def _topology(item: syntax.PartDef) -> Properties:
    if item.type is None:
        fix = f"write `network {item.selector.name.text} : star(ports = 36) {{ … }}`"
        raise DlcError("DLC405", "a network needs a topology", loc=item.selector.loc, help=fix)
    if item.type.text not in schema.TOPOLOGIES:
        raise unknown("topology", item.type, schema.TOPOLOGIES)
    allowed = schema.TOPOLOGIES[item.type.text]
    distinct((argument.name for argument in item.arguments), "argument")
    entries: list[tuple[str, Entry]] = []
    for argument in item.arguments:
        if argument.name.text not in allowed:
            raise unknown("argument", argument.name, allowed, f" of {item.type.text}")
        made = value(argument.name, argument.value, allowed[argument.name.text])
        entries.append((argument.name.text, cast("Entry", made)))
    topology: Properties = (("topology", item.type.text),)
    return (
        (*topology, ("arguments", Table(tuple(sorted(entries, key=lambda entry: entry[0])))))
        if entries
        else topology
    )


def _count(selector: syntax.Selector) -> int | None:
    if selector.index is None:
        return None
    name, index = selector.name.text, selector.index
    if ".." not in index:
        fix = f"write `{name}[0..{int(index) - 1 if index.isdigit() and int(index) > 0 else 3}]`"
        raise DlcError("DLC404", "the copies of a part are given as a range", loc=selector.loc, help=fix)
    first, last = (int(bound) for bound in index.split(".."))
    if first != 0 or last >= MAX_COUNT:
        message = "copies are numbered from 0" if first else f"a part has at most {MAX_COUNT} copies"
        fix = f"write `{name}[0..{last - first}]`" if 0 < first <= last < MAX_COUNT else None
        raise DlcError("DLC404", message, loc=selector.loc, help=fix)
    return last + 1


def _meta(block: tuple[syntax.Statement, ...]) -> tuple[tuple[str, str], ...]:
    entries: list[tuple[str, str]] = []
    for item in block:
        if not isinstance(item, syntax.Assignment):
            raise DlcError("DLC404", 'meta holds strings only, `name = "…"`', loc=_where(item))
        if not isinstance(item.value, syntax.Text):
            raise DlcError("DLC404", f'`{item.name.text}` must be a string, `"…"`', loc=item.value.loc)
        entries.append((item.name.text, item.value.text))
    distinct((item.name for item in block if isinstance(item, syntax.Assignment)), "entry")
    return tuple(sorted(entries))


def _where(item: syntax.Statement) -> SourceLoc:
    if isinstance(item, syntax.PartDef):
        return item.kind.loc
    return item.keyword.loc if isinstance(item, syntax.LinkDef) else item.name.loc

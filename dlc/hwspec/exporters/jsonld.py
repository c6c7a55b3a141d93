"""A machine as linked data: schema.org and the HPC ontology name the parts, QUDT and UCUM the units.

Every number keeps where it comes from: `schema:measurementMethod` says whether it is published, measured or
assumed, `prov:wasDerivedFrom` names the source, and QUDT's uncertainty holds the spread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Counts, Part, Quantity, Table, Value
from dlc.hwspec.units import PRICES

Json = dict[str, Any]

CONTEXT: Json = {
    "schema": "https://schema.org/",
    "hpc": "https://hpc-fair.github.io/ontology#",
    "qudt": "http://qudt.org/schema/qudt/",
    "unit": "http://qudt.org/vocab/unit/",
    "prov": "http://www.w3.org/ns/prov#",
    "dcterms": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "qudt:unit": {"@type": "@id"},
    "dcterms:hasPart": {"@container": "@list"},
    "hpc:hasNode": {"@container": "@set"},
}

_CLASSES = {
    "node": "hpc:Computer",
    "cpu": "hpc:CPU",
    "gpu": "hpc:GPU",
    "accel": "hpc:Accelerator",
    "memory": "hpc:Memory",
    "cache": "hpc:Cache",
}
_TERMS = {
    ("cpu", "cores"): "hpc:cpuCoreCount",
    ("cpu", "clock"): "hpc:cpuFrequency",
    ("gpu", "clock"): "hpc:gpuFrequency",
    ("memory", "capacity"): "hpc:memorySize",
    ("memory", "bandwidth"): "hpc:memoryBandwidth",
    ("cache", "capacity"): "hpc:memorySize",
    ("disk", "capacity"): "hpc:harddriveSize",
}
_UNITS = {
    "1": ("unit:UNITLESS", "1"),
    "B": ("unit:BYTE", "By"),
    "s": ("unit:SEC", "s"),
    "B/s": ("unit:BYTE-PER-SEC", "By/s"),
    "FLOP/s": ("unit:FLOPS", "{FLOP}/s"),
    "Hz": ("unit:HZ", "Hz"),
    "W": ("unit:W", "W"),
    "IO/s": ("unit:NUM-PER-SEC", "{IO}/s"),
    **{price: ("", f"{{{price.removesuffix('/h')}}}/h") for price in PRICES},
}
"""QUDT's unit, if any, and UCUM's code of each base unit; UCUM takes what it has no unit for in braces."""


def write(machine: Machine) -> dict[str, str]:
    """The document, with its context embedded so that it expands without a network."""
    parts = [_part(part, "#") for part in machine.tree]
    document: Json = {
        "@context": CONTEXT,
        "@id": "#",
        "@type": "hpc:Cluster" if machine.count("node") > 1 else "hpc:Computer",
        "schema:name": machine.name,
        "schema:identifier": f"sha256:{machine.fingerprint}",
        "hpc:computeNodeCount": machine.count("node"),
        "hpc:totalClusterCPUCoreCount": machine.cores,
    }
    for name, text in machine.meta:
        if name == "source":
            document["prov:wasDerivedFrom"] = _source(text)
        else:
            document.setdefault("schema:additionalProperty", []).append(_text(name, text))
    for name, value in machine.total:
        document.setdefault("schema:additionalProperty", []).extend(_property(name, value))
    document["hpc:hasNode"] = [{"@id": node} for node in _nodes(parts)]
    document["dcterms:hasPart"] = parts
    return {f"{machine.name}.jsonld": json.dumps(document, indent=1, ensure_ascii=False) + "\n"}


def _nodes(parts: list[Json]) -> Iterator[str]:
    for part in parts:
        if part["@type"] == "hpc:Computer":
            yield part["@id"]
        yield from _nodes(part.get("dcterms:hasPart", []))


def _part(part: Part, holder: str) -> Json:
    name = part.name or part.label.replace(" ", "")
    identifier = f"{holder}{'' if holder == '#' else '.'}{re.sub(r'[^A-Za-z0-9_.*-]', '_', name)}"
    made: Json = {
        "@id": identifier,
        "@type": _CLASSES.get(part.kind, "hpc:Hardware"),
        "schema:name": part.label,
        "schema:additionalType": part.kind,
        "hpc:count": part.copies,
    }
    if part.type:
        made["schema:model"] = part.type
    further: list[Json] = []
    for key, value in part.properties:
        if isinstance(value, Quantity) and (part.kind, key) in _TERMS:
            made[_TERMS[part.kind, key]] = _quantity(value)
        elif isinstance(value, Quantity) and key == "power":
            made["hpc:power"] = _quantity(value)
        else:
            further += _property(key, value)
    if further:
        made["schema:additionalProperty"] = further
    if part.parts:
        made["dcterms:hasPart"] = [_part(inner, identifier) for inner in part.parts]
    return made


def _property(name: str, value: Value) -> list[Json]:
    match value:
        case Quantity():
            return [{"schema:name": name, **_quantity(value)}]
        case Table():
            return [item for key, entry in value.entries for item in _property(f"{name}.{key}", entry)]
        case Counts():
            return [_text(name, " ".join(f"{item.value:g}" for item in value.items))]
        case tuple():
            return [_text(name, str(item)) for item in value]
        case bool():
            return [_text(name, "true" if value else "false")]
        case str():
            return [_text(name, value)]


def _text(name: str, text: str) -> Json:
    return {"@type": "schema:PropertyValue", "schema:name": name, "schema:value": text}


def _quantity(quantity: Quantity) -> Json:
    unit, code = _UNITS[quantity.unit]
    number = (
        int(quantity.value) if quantity.value.is_integer() and abs(quantity.value) < 2**53 else quantity.value
    )
    made: Json = {
        "@type": ["schema:PropertyValue", "qudt:QuantityValue"],
        "schema:value": number,
        "qudt:numericValue": number,
        "schema:unitText": code,
        "qudt:ucumCode": code,
        "schema:measurementMethod": quantity.provenance.kind,
    }
    if unit:
        made["qudt:unit"] = unit
    if quantity.provenance.source:
        made["prov:wasDerivedFrom"] = _source(quantity.provenance.source)
    if quantity.provenance.spread:
        made["qudt:relativeStandardUncertainty"] = quantity.provenance.spread
    return made


def _source(text: str) -> Json:
    """A source that can be visited as a link, any other as an entity with its name."""
    if text.startswith("doi:"):
        return {"@id": f"https://doi.org/{text.removeprefix('doi:').strip()}", "@type": "prov:Entity"}
    if re.fullmatch(r"https?://\S+", text):
        return {"@id": text, "@type": "prov:Entity"}
    return {"@type": "prov:Entity", "schema:name": text}

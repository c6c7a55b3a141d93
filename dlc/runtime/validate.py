"""Checks decoded JSON against the part of JSON Schema that the plan's own schema uses."""

from typing import Any, cast

_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


class Invalid(Exception):
    """A value does not fit the schema; the text says where and why."""


def validate(value: Any, definition: str, schema: dict[str, Any], max_depth: int = 512) -> None:
    """Raise Invalid unless `value` fits `schema["$defs"][definition]`.

    A work list keeps hostile nesting from exhausting the stack; `max_depth` bounds what later passes meet.
    """
    definitions: dict[str, Any] = schema["$defs"]
    work: list[tuple[Any, dict[str, Any], str, int]] = [(value, definitions[definition], definition, 0)]
    while work:
        item, rule, where, depth = work.pop()
        if depth > max_depth:
            raise Invalid(f"{where[:200]} is nested too deeply")
        if "$ref" in rule:
            rule = definitions[rule["$ref"].removeprefix("#/$defs/")]
        _check_scalar(item, rule, where)
        if isinstance(item, dict):
            children = _object_children(cast("dict[str, Any]", item), rule, where)
        elif isinstance(item, list):
            children = _array_children(cast("list[Any]", item), rule, where)
        else:
            continue
        work.extend((child, child_rule, name, depth + 1) for child, child_rule, name in children)


def _check_scalar(item: Any, rule: dict[str, Any], where: str) -> None:
    if "const" in rule and (item != rule["const"] or isinstance(item, bool)):
        raise Invalid(f"{where} is not {rule['const']!r}")
    if "enum" in rule and item not in rule["enum"]:
        raise Invalid(f"{where} is none of {', '.join(map(str, rule['enum']))}")
    if "type" in rule:
        kinds: str | list[str] = rule["type"]
        names = [kinds] if isinstance(kinds, str) else kinds
        if not any(_is_of(item, name) for name in names):
            raise Invalid(f"{where} is not of type {' or '.join(names)}")
    if "minimum" in rule and isinstance(item, int) and item < rule["minimum"]:
        raise Invalid(f"{where} is less than {rule['minimum']}")


def _is_of(item: Any, name: str) -> bool:
    return isinstance(item, _TYPES[name]) and (name == "boolean" or not isinstance(item, bool))


def _object_children(
    item: dict[str, Any], rule: dict[str, Any], where: str
) -> list[tuple[Any, dict[str, Any], str]]:
    if "oneOf" in rule:
        rule = _merge(rule, _variant(item, rule["oneOf"], where))
    for name in rule.get("required", ()):
        if name not in item:
            raise Invalid(f"{where} has no {name!r}")
    rules: dict[str, Any] = rule.get("properties", {})
    other: dict[str, Any] | None = rule.get("additionalProperties")
    children: list[tuple[Any, dict[str, Any], str]] = []
    for name, child in item.items():
        child_rule = rules.get(name, other)
        if child_rule is not None:
            children.append((child, child_rule, f"{where}.{name}"))
    return children


def _variant(item: dict[str, Any], variants: list[dict[str, Any]], where: str) -> dict[str, Any]:
    """The variant whose `op` or `kind` is the item's; some variants need none."""
    key = "op" if "op" in variants[0]["properties"] else "kind"
    for variant in variants:
        may_lack = key not in variant.get("required", ()) and key not in item
        if may_lack or variant["properties"][key]["const"] == item.get(key):
            return variant
    raise Invalid(f"{where} has an unknown {key} {str(item.get(key))[:40]!r}")


def _merge(rule: dict[str, Any], variant: dict[str, Any]) -> dict[str, Any]:
    return {
        "required": [*rule.get("required", ()), *variant.get("required", ())],
        "properties": {**rule.get("properties", {}), **variant["properties"]},
    }


def _array_children(
    item: list[Any], rule: dict[str, Any], where: str
) -> list[tuple[Any, dict[str, Any], str]]:
    if len(item) < rule.get("minItems", 0) or len(item) > rule.get("maxItems", len(item)):
        raise Invalid(f"{where} has {len(item)} items")
    prefix: list[dict[str, Any]] = rule.get("prefixItems", [])
    children = [(child, r, f"{where}[{i}]") for i, (child, r) in enumerate(zip(item, prefix, strict=False))]
    if "items" in rule:
        children += [(child, rule["items"], f"{where}[{i}]") for i, child in enumerate(item)]
    return children

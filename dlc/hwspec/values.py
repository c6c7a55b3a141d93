"""Checks one written value against the rule of its property: form, unit, range and provenance."""

from collections.abc import Iterable
from fractions import Fraction

from dlc.diagnostics import DlcError, Note, suggest
from dlc.hwspec import schema, syntax
from dlc.hwspec.parse import shorten
from dlc.hwspec.parts import MAX_HEIGHT, Counts, Provenance, Quantity, Table, Value
from dlc.hwspec.units import PRICES, UNITS, advice, scale

MAX_COUNT = 10**9
MAX_EXPONENT = 30

_PLAIN = {
    "B": "16 GB",
    "s": "5 us",
    "B/s": "100 Gbit/s",
    "FLOP/s": "7.8 TFLOP/s",
    "Hz": "2.4 GHz",
    "W": "300 W",
    "IO/s": "5500 IO/s",
    "price": "3.06 USD/h",
}
_FORMS = {
    "rates": "rates by element type, `{ f64: 7.8 TFLOP/s }`",
    "text": 'a string, `"…"`',
    "texts": 'strings, `["…", "…"]`',
    "flag": "`true` or `false`",
    "path": "a path such as `n[*].hca`",
    "paths": "paths such as `n[*].hca`",
    "type": "the name of a type",
    "numbers": "whole numbers, `[16, 4]`",
    "count": "a whole number",
    "counts": "whole numbers, `[16, 16, 16]`",
    "1": "a number",
}


def value(name: syntax.Name, node: syntax.Node, rule: schema.Property) -> Value:
    """The value of the property `name`; raises `DLC402`, `DLC403` or `DLC404`."""
    made: Value | None = None
    items = node.items if isinstance(node, syntax.Items) else (node,)
    match rule.form:
        case "choice":
            made = _choice(name, node, rule)
        case "rates":
            made = _rates(node) if isinstance(node, syntax.Entries) else None
        case "text":
            made = node.text if isinstance(node, syntax.Text) else None
        case "flag":
            made = node.value if isinstance(node, syntax.Flag) else None
        case "path" | "type":
            made = path_text(node) if isinstance(node, syntax.Path) else None
        case "paths":
            paths = tuple(path_text(item) for item in items if isinstance(item, syntax.Path))
            made = paths if len(paths) == len(items) else None
        case "texts":
            texts = tuple(item.text for item in items if isinstance(item, syntax.Text))
            made = texts if len(texts) == len(items) else None
        case "numbers":
            whole = schema.Property("count", "")
            numbers = tuple(
                int(quantity(name, item, whole).value) for item in items if isinstance(item, syntax.Number)
            )
            made = numbers if len(numbers) == len(items) else None
        case "counts":
            whole, mark = schema.Property("count", ""), _mark_of(node)
            counts = tuple(
                quantity(name, item, whole, mark) for item in items if isinstance(item, syntax.Number)
            )
            made = Counts(counts) if len(counts) == len(items) > 0 else None
        case _:
            made = quantity(name, node, rule) if isinstance(node, syntax.Number) else None
    if made is None:
        wanted = _FORMS.get(rule.form) or f"a quantity such as `{_PLAIN[rule.form]}`"
        raise DlcError("DLC404", f"`{name.text}` must be {wanted}", loc=node.loc)
    return made


def path_text(path: syntax.Path) -> str:
    """A path as written; raises `DLC404` when it is longer than any that can lead to a part."""
    if len(path.steps) > MAX_HEIGHT:
        raise DlcError("DLC404", f"a path has at most {MAX_HEIGHT} steps", loc=path.loc)
    return path.text


def _choice(name: syntax.Name, node: syntax.Node, rule: schema.Property) -> str:
    if not isinstance(node, syntax.Path | syntax.Text):
        raise DlcError("DLC404", f"`{name.text}` must be one of {', '.join(rule.choices)}", loc=node.loc)
    if node.text not in rule.choices:
        raise unknown("value", syntax.Name(node.text, node.loc), rule.choices, f" of `{name.text}`")
    return node.text


def _rates(node: syntax.Entries) -> Table:
    distinct((key for key, _ in node.entries), "entry")
    rates: list[tuple[str, Quantity]] = []
    for key, entry in node.entries:
        if key.text not in schema.RATES:
            raise unknown("element type", key, schema.RATES)
        if not isinstance(entry, syntax.Number):
            raise DlcError("DLC404", f"`{key.text}` must be a rate such as `7.8 TFLOP/s`", loc=entry.loc)
        rates.append((key.text, quantity(key, entry, schema.Property("FLOP/s", ""), node.mark)))
    return Table(tuple(sorted(rates, key=lambda rate: rate[0])))


def _mark_of(node: syntax.Node) -> syntax.Mark | None:
    return node.mark if isinstance(node, syntax.Items) else None


def quantity(
    name: syntax.Name, node: syntax.Number, rule: schema.Property, mark: syntax.Mark | None = None
) -> Quantity:
    """A number in the base unit of its rule; `mark` holds when the number has none of its own.

    Raises `DLC402`, `DLC403` or `DLC404`.
    """
    mantissa, _, exponent = node.digits.lower().partition("e")
    if exponent and abs(int(exponent)) > MAX_EXPONENT:
        raise DlcError("DLC404", f"`{node.digits}` is out of range", loc=node.loc)
    number = Fraction(mantissa) * Fraction(10) ** int(exponent or 0)
    base = "1" if rule.form == "count" else rule.form
    if node.unit and node.unit not in UNITS:
        fix = advice(node.unit)
        raise DlcError("DLC402", f"unknown unit `{shorten(node.unit)}`", loc=node.loc, help=fix)
    wanted = "a currency per hour" if base == "price" else base
    if not node.unit and base != "1":
        fix = f"`{name.text}` is measured in {wanted}, as in `{_PLAIN[base]}`"
        raise DlcError("DLC402", f"`{name.text}` needs a unit", loc=node.loc, help=fix)
    made = number
    if node.unit:
        unit = UNITS[node.unit]
        if base == "price" and unit.base in PRICES:
            base = unit.base
        if unit.base != base:
            takes = "takes no unit" if base == "1" else f"is measured in {wanted}"
            raise DlcError(
                "DLC402", f"`{name.text}` {takes}, not in {node.unit}", loc=node.loc, help=_bits(node, base)
            )
        made = Fraction(scale(number, unit))
    if made < 0 or (rule.positive and made == 0):
        raise DlcError(
            "DLC404", f"`{name.text}` must be {'positive' if rule.positive else 'at least 0'}", loc=node.loc
        )
    if rule.form == "count" and (made.denominator != 1 or made > MAX_COUNT):
        raise DlcError("DLC404", f"`{name.text}` must be a whole number of at most {MAX_COUNT}", loc=node.loc)
    return Quantity(float(made), base, _provenance(node.mark or mark))


def _bits(node: syntax.Number, base: str) -> str | None:
    """The usual slip: a rate where a size is wanted, or the other way round."""
    other = node.unit.removesuffix("/s") if node.unit.endswith("/s") else f"{node.unit}/s"
    return f"write `{node.digits} {other}`" if other in UNITS and UNITS[other].base == base else None


def _provenance(mark: syntax.Mark | None) -> Provenance:
    """A number without a mark is assumed: the weakest claim needs no words."""
    if mark is None:
        return Provenance()
    if mark.name.text not in schema.PROVENANCES:
        raise unknown("mark", mark.name, schema.PROVENANCES)
    source, spread = "", 0.0
    for note in mark.notes:
        if isinstance(note, syntax.Text):
            source = note.text
        else:
            spread = quantity(mark.name, note, schema.Property("1", "", positive=False)).value
    return Provenance(mark.name.text, source, spread)


def distinct(names: Iterable[syntax.Name], what: str) -> None:
    """Raises `DLC405` when a name stands twice."""
    seen: dict[str, syntax.Name] = {}
    for name in names:
        if name.text in seen:
            note = Note("first given here", seen[name.text].loc)
            raise DlcError("DLC405", f"{what} `{name.text}` is given twice", loc=name.loc, notes=(note,))
        seen[name.text] = name


def unknown(what: str, name: syntax.Name, known: Iterable[str], of: str = "") -> DlcError:
    """The error for a name that does not exist, with the nearest that does."""
    names = list(known)
    guess = suggest(name.text, names)
    fix = f"did you mean `{guess}`?" if guess else f"known: {', '.join(names)}" if names else None
    return DlcError("DLC403", f"unknown {what} `{shorten(name.text)}`{of}", loc=name.loc, help=fix)

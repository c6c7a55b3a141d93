"""Units of machine descriptions: text takes SI, IEC and bits; everything else holds base units alone.

Pure and exact: a number is scaled as a fraction and rounded once, so `100 Gbit/s` is 12.5e9 B/s to the bit.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from dlc.diagnostics import suggest

PRICES = ("USD/h", "EUR/h", "GBP/h", "CHF/h", "JPY/h")
"""Units of prices; one is never converted into another."""

BASE_UNITS = ("1", "B", "s", "B/s", "FLOP/s", "Hz", "W", "IO/s", *PRICES)
"""All units that the model and the IR hold; `1` is the unit of counts and ratios."""

_LARGE = {"": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SMALL = {"": 0, "m": -3, "u": -6, "µ": -6, "μ": -6, "n": -9, "p": -12}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


@dataclass(frozen=True)
class Unit:
    """A unit as written: one of it is `factor` of `base`."""

    symbol: str
    base: str
    factor: Fraction


def _table() -> dict[str, Unit]:
    units: dict[str, Unit] = {"%": Unit("%", "1", Fraction(1, 100))}

    def add(
        symbol: str, base: str, prefixes: dict[str, int], radix: int = 10, factor: Fraction = Fraction(1)
    ) -> None:
        for prefix, power in prefixes.items():
            name = prefix + symbol
            units[name] = Unit(name, base, factor * Fraction(radix) ** power)

    for suffix in ("", "/s"):
        for radix, prefixes in ((10, _LARGE), (2, _BINARY)):
            add(f"B{suffix}", f"B{suffix}", prefixes, radix)
            add(f"bit{suffix}", f"B{suffix}", prefixes, radix, Fraction(1, 8))
    # An integer operation of a tensor unit counts as one floating-point operation does.
    for symbol, base in (
        ("FLOP/s", "FLOP/s"),
        ("OP/s", "FLOP/s"),
        ("Hz", "Hz"),
        ("W", "W"),
        ("IO/s", "IO/s"),
    ):
        add(symbol, base, _LARGE)
    add("s", "s", _SMALL)
    for price in PRICES:
        add(price, price, {"": 0})
    return units


UNITS = _table()
"""Every unit that text may use, by its symbol."""

# Spellings seen in data sheets that are wrong or ambiguous here, and what to write in their place.
_ADVICE = {
    "b": "write `{0}bit` for bits or `{0}B` for bytes",
    "b/s": "write `{0}bit/s` for bits or `{0}B/s` for bytes",
    "bps": "write `{0}bit/s`",
    "flops": "write `{0}FLOP/s`",
    "ops": "write `{0}OP/s`",
    "iops": "write `{0}IO/s`",
}


def advice(symbol: str) -> str:
    """How to mend a unit that does not exist; never empty."""
    for length in (0, 1, 2):
        prefix, rest = symbol[:length], symbol[length:]
        if prefix not in _LARGE and prefix not in _BINARY:
            continue
        hint = _ADVICE.get(rest) or _ADVICE.get(rest.lower() if len(rest) > 2 else rest)
        if hint:
            return hint.format(prefix)
    if symbol.startswith("K") and (near := "k" + symbol[1:]) in UNITS:
        iec = "Ki" + symbol[1:]
        return f"write `{near}`" + (
            f" for powers of ten or `{iec}` for powers of two" if iec in UNITS else ""
        )
    guess = suggest(symbol, UNITS)
    return (
        f"did you mean `{guess}`?" if guess else "units are B, bit, B/s, bit/s, FLOP/s, Hz, W, IO/s, s and %"
    )


def scale(number: Fraction, unit: Unit) -> float:
    """`number` of a unit in its base unit, rounded once."""
    return float(number * unit.factor)


def text(value: float, base: str) -> str:
    """The shortest text that reads back as exactly `value`, such as `12.5 GB/s` or `48 KiB`."""
    exact = Fraction(Decimal(repr(value)))
    if base == "1":
        return _digits(exact)
    candidates = [
        f"{_digits(exact / unit.factor)} {symbol}"
        for symbol, unit in UNITS.items()
        if unit.base == base and _is_usual(symbol) and (1 <= exact / unit.factor < 1024 or symbol == base)
    ]
    # Of equally short texts one in powers of ten wins, then the larger unit: 10.2 kW before 10200 W.
    return min(candidates, key=lambda text: (len(text), "i" in text, text[:4].isdigit()))


def rate_text(dtype: str, value: float) -> str:
    """The rate of an element type: operations on whole numbers are not floating-point ones."""
    shown = text(value, "FLOP/s")
    return shown.replace("FLOP/s", "OP/s") if dtype.startswith("i") else shown


def _is_usual(symbol: str) -> bool:
    """Whether text is written with the unit: bits, OP/s and the two letters µ are for reading alone."""
    return symbol.isascii() and "bit" not in symbol and not symbol.removesuffix("FLOP/s").endswith("OP/s")


def _digits(number: Fraction) -> str:
    """An exact decimal without trailing zeros; every number here has one, its denominator being 2^a·5^b."""
    power = 0
    while (number * 10**power).denominator != 1:
        power += 1
    whole = str((number * 10**power).numerator)
    if power == 0:
        return whole
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    whole = whole.zfill(power + 1)
    return f"{sign}{whole[:-power]}.{whole[-power:]}"

"""A machine as the target specification of MLIR's `dlti` dialect.

A device for each kind of processor. The sizes that MLIR's own passes look up have upstream's names; further
figures, all in base units, have names that end in their unit in the same manner.
"""

from __future__ import annotations

from collections.abc import Iterator

from dlc.hwspec.model import Machine
from dlc.hwspec.parts import Part, Placed, Quantity, Table
from dlc.hwspec.units import PRICES

_SUFFIX = {
    "B": "_in_bytes",
    "s": "_in_seconds",
    "B/s": "_in_bytes_per_second",
    "FLOP/s": "_in_flops",
    "Hz": "_in_hertz",
    "W": "_in_watts",
    "IO/s": "_in_operations_per_second",
    "1": "",
    **{price: f"_in_{price.removesuffix('/h').lower()}_per_hour" for price in PRICES},
}
_DEVICES = {"cpu": "CPU", "gpu": "GPU", "accel": "ACCEL"}


def write(machine: Machine) -> dict[str, str]:
    """A module whose attribute is the specification."""
    devices: dict[str, list[str]] = {}
    for placed in machine.of_kind(*_DEVICES):
        entries = list(_device(placed))
        # Equal processors are one device, wherever they stand; others of the kind have their type behind it.
        name = _DEVICES[placed.part.kind]
        if devices.get(name, entries) != entries:
            name = f"{name}:{placed.part.type or placed.path}"
        devices[name] = entries
    text = ",\n".join(
        f"    {_quoted(name)} = #dlti.target_device_spec<\n      {(',' + chr(10) + '      ').join(entries)}>"
        for name, entries in devices.items()
    )
    spec = f"#dlti.target_system_spec<\n{text}\n  >"
    head = f"module @{_symbol(machine.name)} attributes {{\n  dlti.target_system_spec = {spec}\n}}"
    return {f"{machine.name}.mlir": f"{head} {{\n}}\n"}


def _device(placed: Placed) -> Iterator[str]:
    processor = placed.part
    holder = placed.parents[-1] if placed.parents else processor
    yield _entry("count", placed.copies)
    # A cache or a memory that stands beside processors is the host's.
    shared = holder.parts if processor.kind == "cpu" else ()
    for cache in (*processor.parts, *shared):
        if cache.kind == "cache" and (size := cache.number("capacity")):
            level = f"L{cache.name.lstrip('lL')[:1]}" if cache.name[1:2].isdigit() else cache.name
            yield _entry(f"{level}_cache_size_in_bytes", int(size))
    for key, value in processor.properties:
        yield from _figures(key, value)
    memories = [part for part in processor.parts if part.kind == "memory"]
    outwards = reversed(placed.parents) if processor.kind == "cpu" else ()
    for outer in outwards:
        memories = memories or [part for part in outer.parts if part.kind == "memory"]
    if memories:
        yield _entry("memory_capacity_in_bytes", sum(_total(memory, "capacity") for memory in memories))
        yield _entry(
            "memory_bandwidth_in_bytes_per_second", float(sum(_total(m, "bandwidth") for m in memories))
        )


def _figures(key: str, value: object) -> Iterator[str]:
    if isinstance(value, Quantity):
        whole = value.unit in ("1", "B") and value.value.is_integer()
        yield _entry(key + _SUFFIX[value.unit], int(value.value) if whole else value.value)
    elif isinstance(value, Table):
        for name, entry in value.entries:
            yield from _figures(f"{key}_{name}", entry)


def _total(memory: Part, figure: str) -> int:
    return memory.copies * int(memory.number(figure, 0) or 0)


def _entry(name: str, value: float) -> str:
    text = f"{value} : i64" if isinstance(value, int) else f"{_float(value)} : f64"
    return f"{_quoted(name)} = {text}"


def _float(value: float) -> str:
    """A float as MLIR reads it: with a point even where there is an exponent."""
    text = repr(value)
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}{exponent}{power}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "_").replace('"', "_") + '"'


def _symbol(name: str) -> str:
    return name.replace("-", "_")

"""Checks that need the whole machine: what is missing, what leads nowhere, what cannot be true (`DLC405`)."""

from itertools import chain

from dlc.diagnostics import DlcError
from dlc.hwspec import schema
from dlc.hwspec.claims import contradictions
from dlc.hwspec.joined import apart
from dlc.hwspec.model import Machine
from dlc.hwspec.networks import Network
from dlc.hwspec.parts import Part, Quantity, Table, Type, select, walk
from dlc.hwspec.units import PRICES

_FLOP_PER_CYCLE = {"f64": 64, "f32": 128}
"""More than any core of a host processor does in a cycle; a rate above is a slip in a unit or a count."""

MAX_INSTANCES = 10**12


def check(machine: Machine) -> Machine:
    """The machine itself; raises `DLC403` to `DLC405` at the first thing that is wrong."""
    _types(machine.types)
    _names((*(type_.part for type_ in machine.types), *machine.parts))
    kinds = {type_.part.name: type_.part.kind for type_ in machine.types}
    for part in (*(type_.part for type_ in machine.types), *machine.parts):
        for inner in (part, *(placed.part for placed in walk(part.parts))):
            _type_fits(inner, kinds)
    for placed in machine.placed:
        _part(placed.part)
        _paths(placed.part.parts)
        if placed.copies > MAX_INSTANCES:
            message = f"{placed.part.label} comes to {placed.copies} copies, more than {MAX_INSTANCES}"
            raise _error(placed.part, message, None)
    _paths(machine.tree)
    nodes = machine.of_kind("node")
    if not nodes:
        raise DlcError(
            "DLC405", f"machine {machine.name} has no node", loc=machine.loc, help="write `node n { … }`"
        )
    for node in nodes:
        if not any(placed.part.kind == "cpu" for placed in walk(node.part.parts)):
            raise _error(node.part, f"{node.part.label} has no cpu", "write `cpu c { cores = 4 }`")
        if not any(placed.part.kind == "memory" for placed in walk(node.part.parts)):
            raise _error(node.part, f"{node.part.label} has no memory", "write `memory ram { … }`")
    # Ranks on different nodes must reach one another; this fails where nothing joins the nodes.
    _ = machine.fabric
    for error in chain(apart(machine), contradictions(machine)):
        raise error
    return machine


def _error(part: Part, message: str, fix: str | None) -> DlcError:
    return DlcError("DLC405", message, loc=part.loc, help=fix)


def _types(types: tuple[Type, ...]) -> None:
    kinds = {type_.part.name: type_.part.kind for type_ in types}
    for type_ in types:
        base = kinds.get(type_.base, type_.part.kind)
        if base != type_.part.kind:
            raise _error(type_.part, f"a {type_.part.kind} type cannot extend `{type_.base}`, a {base}", None)


def _type_fits(part: Part, kinds: dict[str, str]) -> None:
    kind = kinds.get(part.type, part.kind)
    if kind != part.kind and kind not in schema.KINDS[part.kind].types:
        raise _error(part, f"{part.label} cannot have the type `{part.type}`, which is a {kind}", None)


def _part(part: Part) -> None:
    for name, rule in schema.KINDS[part.kind].properties.items():
        value = part.get(name)
        if rule.required and value is None:
            raise _error(part, f"{part.label} has no {name}", f"add `{name} = …`: {rule.doc}")
        # The text was checked where it was written, but IR may come from anywhere.
        if isinstance(value, Quantity) and rule.positive and not value.value:
            raise _error(part, f"{name} of {part.label} must be positive", None)
        wanted = PRICES if rule.form == "price" else ("1",) if rule.form == "count" else (rule.form,)
        if isinstance(value, Quantity) and value.unit not in wanted:
            raise _error(part, f"{name} of {part.label} must be in {' or '.join(wanted)}", None)
        if rule.choices and value is not None and value not in rule.choices:
            raise _error(part, f"{name} of {part.label} must be one of {', '.join(rule.choices)}", None)
    sustained, bandwidth = part.number("sustained"), part.number("bandwidth")
    if sustained is not None and bandwidth is not None and sustained > bandwidth:
        raise _error(part, f"{part.label} sustains more than its bandwidth", "`bandwidth` is the peak rate")
    if part.kind in ("disk", "store") and not any(part.number(name) for name in ("read", "write", "client")):
        raise _error(part, f"{part.label} has neither read nor write", "add `read = …` or `write = …`")
    if part.kind == "cpu":
        _compute(part)


def _compute(cpu: Part) -> None:
    cores, clock, compute = cpu.number("cores"), cpu.number("clock"), cpu.get("compute")
    if not (cores and clock and isinstance(compute, Table)):
        return
    for dtype, most in _FLOP_PER_CYCLE.items():
        rate = compute.get(dtype)
        if rate is not None and rate.value > cores * clock * most:
            needed = f"{rate.value / (cores * clock):.0f} {dtype} operations per cycle and core"
            raise _error(
                cpu, f"{cpu.label} would need {needed}", "check `cores`, `clock` and the unit of `compute`"
            )


def _names(parts: tuple[Part, ...]) -> None:
    """Types and the parts of a machine share their names, as symbols of the IR do."""
    seen: set[str] = set()
    for part in parts:
        if part.name and part.name in seen:
            raise _error(part, f"part `{part.name}` is given twice", None)
        seen.add(part.name)


def _paths(parts: tuple[Part, ...]) -> None:
    """Every path among siblings must lead to a part."""
    for part in parts:
        for path in (
            *part.texts("ends"),
            *part.texts("attach"),
            *part.texts("members"),
            *part.texts("affinity"),
        ):
            select(parts, path, part.loc)
        if part.kind == "link":
            _link(part, parts)
        elif part.kind == "network":
            _network(part, parts)
        elif part.kind == "grid":
            _grid(part, parts)


def _link(link: Part, parts: tuple[Part, ...]) -> None:
    first, second = (select(parts, path, link.loc) for path in link.texts("ends"))
    for end in (first.part, second.part):
        if end.kind == "network":
            fix = f"add the other end to `attach` of {end.label}"
            raise _error(link, f"{link.label} ends at a network", fix)
    if first.part is second.part and first.count == second.count == 1 and len(set(link.texts("ends"))) == 1:
        raise _error(link, f"{link.label} joins a part to itself", "write two parts, `g[0] <-> g[1]`")


def _network(network: Part, parts: tuple[Part, ...]) -> None:
    if network.text("topology") not in schema.TOPOLOGIES:
        known = ", ".join(schema.TOPOLOGIES)
        raise _error(network, f"{network.label} has an unknown topology", f"known: {known}")
    arguments = network.get("arguments")
    entries = dict(arguments.entries) if isinstance(arguments, Table) else {}
    for name, rule in schema.TOPOLOGIES[network.text("topology")].items():
        if rule.required and name not in entries:
            raise _error(network, f"{network.label} has no {name}", f"add `{name} = …`: {rule.doc}")
    try:
        _ = Network(network, parts).topology
    except ValueError as error:
        fix = "correct the arguments of the topology, or attach other parts"
        raise _error(network, f"{network.label} {error}", fix) from None
    for path in network.texts("attach"):
        if network.rate is None and select(parts, path, network.loc).part.rate is None:
            raise _error(network, f"{network.label} has no bandwidth", "add `via = TYPE` or `bandwidth = …`")


def _grid(grid: Part, parts: tuple[Part, ...]) -> None:
    shape, axes = grid.get("shape"), grid.texts("axes")
    extents: tuple[int, ...] = tuple(int(extent) for extent in shape) if isinstance(shape, tuple) else ()
    devices = select(parts, grid.text("over"), grid.loc).count
    size = 1
    for extent in extents:
        size *= extent
    if size != devices:
        raise _error(
            grid,
            f"{grid.label} has {size} places for {devices} parts",
            "`shape` multiplies to the number of parts",
        )
    if axes and len(axes) != len(extents):
        raise _error(grid, f"{grid.label} has {len(extents)} axes and {len(axes)} names", None)

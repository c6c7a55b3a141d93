"""Compares what is stated with what follows from the parts.

A contradiction is an error. A doubt is a figure that is possible but hardly true, above all a rate that is
said to be measured and equals the theoretical peak, as has been published of real machines.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import product

from dlc.diagnostics import DlcError, SourceLoc
from dlc.hwspec.collectives import host_memory
from dlc.hwspec.model import Machine
from dlc.hwspec.networks import Network
from dlc.hwspec.parts import Part, Quantity, Table, select, steps
from dlc.hwspec.units import text

_TOLERANCE = 0.05
"""Published figures are rounded to two digits; further apart they are different figures."""

_REACHED = 0.98
"""No program reaches more of the peak of a whole machine."""

_MAX_SWITCHES = 10_000
"""Instances of a switch that are looked at one by one."""

_ROUNDED = 0.002
_OPERATIONS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Operations per cycle and core that processors have; no program reaches such a rate exactly."""

_COUNTED = {"nodes": "node", "gpus": "gpu", "accels": "accel"}


def contradictions(machine: Machine) -> Iterator[DlcError]:
    """`DLC405` for every figure that the parts rule out."""
    for network in machine.router.networks.values():
        yield from _bisection(network)
    yield from _ports(machine)
    for name, stated in machine.total:
        if isinstance(stated, Table):
            for dtype, rate in stated.entries:
                derived = _peak(machine, dtype)
                if isinstance(rate, Quantity) and derived and _rate_contradicts(rate, derived):
                    yield _total(machine, f"{dtype} rate", rate, derived)
        elif isinstance(stated, Quantity):
            derived = float(_derived(machine, name))
            if abs(stated.value - derived) > (_TOLERANCE * derived if stated.unit == "B" else 0):
                yield _total(machine, name, stated, derived)


def _ports(machine: Machine) -> Iterator[DlcError]:
    """Links at a switch: what a link says among some parts holds for all instances of what holds them."""
    used: dict[str, Counter[tuple[int, ...]]] = defaultdict(Counter)
    switches: dict[str, Part] = {}
    levels = [("", machine.tree), *((f"{p.path}.".replace("[*]", ""), p.part.parts) for p in machine.placed)]
    for prefix, parts in levels:
        for link in (part for part in parts if part.kind == "link"):
            ends = link.texts("ends")
            for end, other in (ends, ends[::-1]):
                selected = select(parts, end, link.loc)
                if selected.part.number("ports") is None or selected.count > _MAX_SWITCHES:
                    continue
                path = prefix + ".".join(step.name for step in steps(end))
                switches[path] = selected.part
                joined = select(parts, other, link.loc).count - (end == other)
                extents = zip((*selected.parents, selected.part), steps(end), strict=True)
                spans = (range(s.first, (p.copies - 1 if s.last is None else s.last) + 1) for p, s in extents)
                for instance in product(*spans):
                    used[path][instance] += joined
    for path, counts in used.items():
        most = max(sum(counts[key[from_:]] for from_ in range(len(key))) for key in list(counts))
        ports = switches[path].number("ports") or 0
        if most > ports:
            message = f"{switches[path].label} has {ports:.0f} ports for {most} links"
            yield DlcError("DLC405", message, loc=switches[path].loc, help="correct `ports`, or the links")


def _bisection(network: Network) -> Iterator[DlcError]:
    stated, derived = network.part.number("bisection"), network.derived_bisection
    if stated is not None and stated > derived * (1 + _TOLERANCE):
        label = network.part.label
        message = f"{label} states a bisection of {_rate(stated)}, but its wires carry {_rate(derived)}"
        fix = "state the rate of one direction, or correct the topology or the rate of a wire"
        yield DlcError("DLC405", message, loc=network.part.loc, help=fix)


def _rate(value: float) -> str:
    return text(float(f"{value:.4g}"), "B/s")


def _derived(machine: Machine, name: str) -> float:
    if name == "cores":
        return machine.cores
    if name == "memory":
        return sum(host_memory(node.part) * node.copies for node in machine.of_kind("node"))
    return machine.count(_COUNTED[name])


def _peak(machine: Machine, dtype: str) -> float:
    return sum(machine.flops(dtype, kind) for kind in ("cpu", "gpu", "accel"))


def _rate_contradicts(stated: Quantity, derived: float) -> bool:
    """No rate is above the peak; a measured one may be far below."""
    if stated.provenance.kind == "measured":
        return stated.value > derived * (1 + _TOLERANCE)
    return abs(stated.value - derived) > _TOLERANCE * derived


def _total(machine: Machine, name: str, stated: Quantity, derived: float) -> DlcError:
    written, counted = (
        text(float(f"{value:.6g}"), stated.unit).removesuffix(" 1") for value in (stated.value, derived)
    )
    message = f"the total states {name} {written}, but the parts come to {counted}"
    return DlcError("DLC405", message, loc=machine.loc, help="correct the total or the parts")


def doubts(machine: Machine) -> Iterator[DlcError]:
    """`DLC407`, to be shown and not raised, for every figure that is hardly true."""
    for _, stated in machine.total:
        if isinstance(stated, Table):
            for dtype, rate in stated.entries:
                peak = _peak(machine, dtype)
                if isinstance(rate, Quantity) and _measured(rate) and peak and rate.value >= peak * _REACHED:
                    yield _doubt(
                        machine.loc, f"the measured {dtype} rate of {machine.name}", "the peak of its parts"
                    )
    for placed in machine.placed:
        yield from _part_doubts(placed.part)


def _part_doubts(part: Part) -> Iterator[DlcError]:
    sustained, bandwidth = part.get("sustained"), part.number("bandwidth")
    if isinstance(sustained, Quantity) and _measured(sustained) and sustained.value == bandwidth:
        yield _doubt(part.loc, f"the measured rate of {part.label}", "its bandwidth")
    cores, clock, compute = part.number("cores"), part.number("clock"), part.get("compute")
    if not (cores and clock and isinstance(compute, Table)):
        return
    for dtype, rate in compute.entries:
        if not (isinstance(rate, Quantity) and _measured(rate)):
            continue
        for operations in _OPERATIONS:
            if abs(rate.value - cores * clock * operations) <= _ROUNDED * rate.value:
                peak = f"{cores:.0f} cores at {text(clock, 'Hz')} with {operations} operations a cycle"
                yield _doubt(part.loc, f"the measured {dtype} rate of {part.label}", f"its peak, {peak}")


def _measured(quantity: Quantity) -> bool:
    return quantity.provenance.kind == "measured"


def _doubt(loc: SourceLoc, claim: str, peak: str) -> DlcError:
    return DlcError("DLC407", f"{claim} equals {peak}", loc=loc, help="mark it @spec, or measure it")

"""Predictions as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlc.diagnostics import SourceLoc
from dlc.predict.prediction import Interval, Prediction, Step

_TRIVIAL = 1e-3  # steps below this share of the total are counted in one line
_LEFT = ("step", "bound by")  # columns of words; all others are figures
_GAP = "  "


def text(prediction: Prediction, locations: Sequence[SourceLoc | None] = ()) -> str:
    """Totals, steps, bottleneck and advice; `locations` are the user's lines by index."""
    return "\n".join(_lines(prediction, locations))


def _lines(found: Prediction, locations: Sequence[SourceLoc | None]) -> Iterator[str]:
    where = f"{_count(found.ranks, 'rank')} on {_count(found.nodes, 'node')} of {found.machine}"
    yield f"{found.program}: {where}"
    yield ""
    yield f"  time     {duration(found.seconds)}"
    for name, used in found.memory.items():
        space = found.capacity.get(name)
        of = f" of {size(space)}" if space else ""
        over = "  DOES NOT FIT" if space and used > space else ""
        yield f"  memory   {size(used)} a node{of} ({name}){over}"
    for name, moved in found.traffic.items():
        yield f"  traffic  {size(moved)} over {name}"
    yield f"  work     {flop(found.flops)}"
    if found.energy is not None:
        yield f"  energy   {energy(found.energy)}"
    if found.price is not None:
        yield f"  price    {found.price:.4g} {found.currency}"
    yield ""
    yield from _steps(found, locations)
    yield ""
    yield from _bounds(found)


def _bounds(found: Prediction) -> Iterator[str]:
    """What the time is spent on, and what would help."""
    total = found.seconds.value or 1.0
    parts = {name: part / total for name, part in found.parts.items()}
    spent = ", ".join(f"{name} {share:.0%}" for name, share in parts.items() if share > _TRIVIAL)
    yield f"bottleneck: {found.bottleneck or 'none'}{f' ({spent})' if spent else ''}"
    if found.steps:
        longest = max(found.steps, key=lambda step: step.seconds.value)
        yield f"longest step: {longest.label}, {longest.seconds.value / total:.0%} of the time"
    for number, entry in enumerate(found.advice):
        saved = f"{entry.seconds / total - 1:+.0%}"
        yield f"{'would help' if not number else '':<10}  {entry.change}: {seconds(entry.seconds)} ({saved})"
    if not found.advice:
        yield "would help  nothing of twice the speed, and neither twice nor half the ranks"


def _steps(found: Prediction, locations: Sequence[SourceLoc | None]) -> Iterator[str]:
    """A table of the steps that matter; what none of them has makes no column."""
    total = found.seconds.value
    shown = [step for step in found.steps if step.seconds.value > _TRIVIAL * total]
    rows = [_row(step, found, locations) for step in shown]
    rest = [step for step in found.steps if step not in shown]
    if rest and sum(step.seconds.value for step in rest):
        moved = {name: sum(step.traffic.get(name, 0.0) for step in rest) for name in found.traffic}
        work = sum(step.flops for step in rest)
        rows.append(
            {
                **{name: size(nbytes) for name, nbytes in moved.items() if nbytes},
                "time": seconds(sum(step.seconds.value for step in rest)),
                "work": flop(work) if work else "",
                "step": f"{_count(len(rest), 'shorter step')}",
            }
        )
    own = [name for name, figure in (("energy", found.energy), ("price", found.price)) if figure is not None]
    yield from table(rows, ("time", "from", "to", *own, *found.traffic, "work", "rows", "size", "step"))


def _row(step: Step, found: Prediction, locations: Sequence[SourceLoc | None]) -> dict[str, str]:
    """Time with its interval, and what else the step takes; its share of the time has that of the price."""
    share = step.seconds.value / (found.seconds.value or 1.0)
    loc = locations[step.loc] if 0 <= step.loc < len(locations) else None
    words = [
        step.label,
        f"× {step.times:,}" if step.times > 1 else "",
        f"by {step.algorithm}" if step.algorithm else "",
        f"({loc.file.rpartition('/')[2]}:{loc.line})" if loc is not None else "",
    ]
    return {
        **{name: size(moved) for name, moved in step.traffic.items()},
        "time": seconds(step.seconds.value),
        "from": seconds(step.seconds.low),
        "to": seconds(step.seconds.high),
        "energy": energy(share * (found.energy or 0.0)),
        "price": f"{share * (found.price or 0.0):.3g} {found.currency}",
        "work": flop(step.flops) if step.flops else "",
        "rows": f"{step.rows:,.0f}" if step.bytes else "",
        "size": size(step.bytes) if step.bytes else "",
        "step": " ".join(word for word in words if word),
    }


def table(rows: Sequence[dict[str, str]], names: Sequence[str]) -> Iterator[str]:
    """Rows under their headings, without the columns that are empty; figures to the right."""
    kept = [name for name in names if any(row.get(name) for row in rows)]
    widths = {name: max(len(name), *(len(row.get(name, "")) for row in rows)) for name in kept}
    for row in ({name: name for name in kept}, *rows):
        cells = (
            row.get(name, "").ljust(widths[name]) if name in _LEFT else row.get(name, "").rjust(widths[name])
            for name in kept
        )
        yield (_GAP + _GAP.join(cells)).rstrip()


def duration(interval: Interval) -> str:
    """A duration with its bounds."""
    return f"{seconds(interval.value)} ({seconds(interval.low)} to {seconds(interval.high)})"


def seconds(value: float, digits: int = 3) -> str:
    """A duration in the unit that suits it, of so many digits."""
    for limit, unit, factor in (
        (1e-3, "µs", 1e6),
        (1.0, "ms", 1e3),
        (120.0, "s", 1.0),
        (7200.0, "min", 1 / 60),
        (360_000.0, "h", 1 / 3600),
    ):
        # Rounded first, so that 999.9 ms are 1 s.
        if abs(float(f"{value:.{digits}g}")) < limit:
            return f"{value * factor:.{digits}g} {unit}" if value else "0 s"
    days = value / 86400
    return f"{days:,.{digits}g} days" if days < 10**digits else f"{days:,.0f} days"


def size(count: float) -> str:
    """Bytes in the unit that suits them."""
    return _scaled(count, ("B", "kB", "MB", "GB", "TB", "PB"))


def flop(count: float) -> str:
    """Arithmetic in the unit that suits it."""
    return _scaled(count, ("FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP"))


def energy(joules: float) -> str:
    """Energy in watt-hours, of the unit that suits it."""
    return _scaled(joules / 3.6, ("mWh", "Wh", "kWh", "MWh", "GWh"))


def _scaled(value: float, units: Sequence[str]) -> str:
    """Three digits; beyond the last unit a power of ten."""
    for unit in units[:-1]:
        if float(f"{value:.3g}") < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} {units[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def curve(predictions: Sequence[Prediction]) -> str:
    """One line for each number of ranks: time, speed-up and efficiency against the first, what bounds it."""
    first = predictions[0]
    rows: list[dict[str, str]] = []
    for found in predictions:
        speed_up = first.seconds.value / (found.seconds.value or 1e-30)
        efficiency = speed_up * first.ranks / found.ranks
        full = any(used > found.capacity.get(name, used) for name, used in found.memory.items())
        rows.append(
            {
                "ranks": f"{found.ranks:,}",
                "nodes": f"{found.nodes:,}",
                "time": seconds(found.seconds.value),
                "from": seconds(found.seconds.low),
                "to": seconds(found.seconds.high),
                "speed-up": f"{speed_up:.2f}",
                "efficiency": f"{efficiency:.1%}",
                "moved": size(moved) if (moved := sum(found.traffic.values())) else "",
                "memory a node": size(max(found.memory.values(), default=0.0)),
                "energy": energy(found.energy) if found.energy is not None else "",
                "price": f"{found.price:.3g} {found.currency}" if found.price is not None else "",
                "bound by": found.bottleneck + (", DOES NOT FIT" if full else ""),
            }
        )
    return "\n".join((f"{first.program} on {first.machine}", "", *table(rows, list(rows[0]))))

"""Predictions as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlc.diagnostics import SourceLoc
from dlc.predict.prediction import Interval, Prediction, Step

_TRIVIAL = 1e-3  # steps below this share of the total are counted in one line


def text(prediction: Prediction, locations: Sequence[SourceLoc | None] = ()) -> str:
    """Totals, steps, bottleneck and advice; `locations` are the user's lines by index."""
    return "\n".join(_lines(prediction, locations))


def _lines(found: Prediction, locations: Sequence[SourceLoc | None]) -> Iterable[str]:
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
    yield f"  work     {found.flops:.3g} FLOP"
    if found.energy is not None:
        yield f"  energy   {found.energy / 3.6e6:.3g} kWh"
    if found.price is not None:
        yield f"  price    {found.price:.4g} {found.currency}"
    yield ""
    yield from _steps(found, locations)
    yield ""
    total = found.seconds.value or 1.0
    spent = ", ".join(f"{name} {seconds / total:.0%}" for name, seconds in found.parts.items())
    yield f"bottleneck: {found.bottleneck or 'none'} ({spent})"
    for entry in found.advice:
        yield f"  {entry.change}: {seconds(entry.seconds)} ({entry.seconds / total - 1:+.0%})"


def _steps(found: Prediction, locations: Sequence[SourceLoc | None]) -> Iterable[str]:
    total = found.seconds.value
    shown = [step for step in found.steps if step.seconds.value > _TRIVIAL * total]
    width = max((len(step.label) for step in shown), default=0)
    for step in shown:
        where = _where(step, locations)
        repeated = f" × {step.times}" if step.times > 1 else ""
        how = f" by {step.algorithm}" if step.algorithm else ""
        rows = f"{step.rows:,.0f} rows, {size(step.bytes)}" if step.bytes else ""
        line = f"  {seconds(step.seconds.value):>9}  {step.label:<{width}}{repeated}  {rows}{how}{where}"
        yield line.rstrip()
    rest = [step.seconds.value for step in found.steps if step not in shown]
    if sum(rest):
        yield f"  {seconds(sum(rest)):>9}  {_count(len(rest), 'step')} more"


def _where(step: Step, locations: Sequence[SourceLoc | None]) -> str:
    loc = locations[step.loc] if 0 <= step.loc < len(locations) else None
    return f"  ({loc.file.rpartition('/')[2]}:{loc.line})" if loc is not None else ""


def duration(interval: Interval) -> str:
    """A duration with its bounds."""
    return f"{seconds(interval.value)} ({seconds(interval.low)} to {seconds(interval.high)})"


def seconds(value: float) -> str:
    """A duration in the unit that suits it, three digits."""
    for limit, unit, factor in (
        (1e-3, "µs", 1e6),
        (1.0, "ms", 1e3),
        (120.0, "s", 1.0),
        (7200.0, "min", 1 / 60),
    ):
        if abs(value) < limit:
            return f"{value * factor:.3g} {unit}"
    return f"{value / 3600:,.3g} h" if value < 360_000 else f"{value / 86400:,.0f} days"


def size(count: float) -> str:
    """Bytes in the unit that suits them."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} PB"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def curve(predictions: Sequence[Prediction]) -> str:
    """One line for each number of ranks: time, speed-up and efficiency against the first, what bounds it."""
    first = predictions[0]
    lines = [
        f"{first.program} on {first.machine}",
        "",
        "    ranks    nodes       time  speed-up  efficiency  bound by",
    ]
    for found in predictions:
        speed_up = first.seconds.value / (found.seconds.value or 1e-30)
        efficiency = speed_up * first.ranks / found.ranks
        lines.append(
            f"{found.ranks:>9,}{found.nodes:>9,}{seconds(found.seconds.value):>11}{speed_up:>10.2f}"
            f"{efficiency:>11.0%}   {found.bottleneck}"
        )
    return "\n".join(lines)

"""Coefficients of work from the runs of the past: robust least squares on the logarithms of times.

A step takes the sum of what its classes of work take, which is linear in their figures once the serial
share is known; a run takes the sum of its steps. Errors count as factors, an outlier counts little, and
figures that no run tells stay near their defaults.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dlc.predict.accuracy import spread
from dlc.predict.coefficients import DEFAULTS, UNCERTAIN, Coefficient, Coefficients
from dlc.predict.fitting import Floats, least_squares
from dlc.predict.prediction import CROWDING

Json = dict[str, Any]

_NOISE = 0.3e-3  # seconds below which a difference between measured and predicted means nothing
_USUAL = 0.2  # spread of measured times about the truth; what is further off counts for less
_WHOLE = 3.0  # how much more a whole run counts than one of its steps
_PRIOR = 0.7  # spread of the defaults: how far from them a figure may go without evidence
_MIXED = 0.5  # share of a step that a class must take for the step to tell how well the class is known
_BELIEF = 4.0  # steps that the default spread counts for


@dataclass(frozen=True)
class _Steps:
    """Demands of all steps as arrays: entry e belongs to step `step[e]` and class `kind[e]`.

    Step s belongs to run `run[s]`, which took `total` seconds.
    """

    step: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    calls: Floats
    amount: Floats
    threads: Floats
    moving: Floats
    measured: Floats
    run: npt.NDArray[np.int64]
    total: Floats


def fit(entries: Sequence[Json], provenance: Mapping[str, Any] | None = None) -> Coefficients:
    """The coefficients that explain the steps of these entries of the history best."""
    kinds = sorted(DEFAULTS)
    data = _arrays(entries, kinds)
    start = np.concatenate([_encode(DEFAULTS[kind]) for kind in kinds])

    def residuals(figures: Floats) -> Floats:
        predicted = _predict(figures, data)
        errors = np.log((predicted + _NOISE) / (data.measured + _NOISE))
        whole = np.bincount(data.run, predicted, minlength=len(data.total))
        sums = np.log((whole + _NOISE) / (data.total + _NOISE))
        return np.concatenate([errors / _USUAL, _WHOLE * sums / _USUAL, (figures - start) / _PRIOR])

    figures = least_squares(residuals, start, robust=True) if len(data.measured) else start
    classes = {
        kind: _decode(figures[3 * number : 3 * number + 3], DEFAULTS[kind])
        for number, kind in enumerate(kinds)
    }
    clock = max((entry["machine"]["clock"] for entry in entries), default=0.0)
    told = {"kind": "measured", "runs": len(entries), "steps": len(data.measured), **(provenance or {})}
    return Coefficients(_with_spreads(classes, figures, data, kinds), clock, told)


def _arrays(entries: Sequence[Json], kinds: Sequence[str]) -> _Steps:
    rows: list[tuple[int, int, float, float, float]] = []
    moving: list[float] = []
    measured: list[float] = []
    run: list[int] = []
    for number, entry in enumerate(entries):
        for step in entry["steps"]:
            if not step["demands"]:
                continue
            rows += [
                (len(measured), kinds.index(kind), calls, amount, threads)
                for kind, calls, amount, threads in step["demands"]
                if kind in kinds
            ]
            moving.append(step["moving"])
            measured.append(step["measured"])
            run.append(number)
    table = np.array(rows).reshape(-1, 5)
    return _Steps(
        step=table[:, 0].astype(int),
        kind=table[:, 1].astype(int),
        calls=table[:, 2],
        amount=table[:, 3],
        threads=table[:, 4],
        moving=np.array(moving),
        measured=np.array(measured),
        run=np.array(run, dtype=int),
        total=np.array([float(entry["measured"]) for entry in entries]),
    )


def _encode(entry: Coefficient) -> Floats:
    """Logarithms of the seconds of a call and of a unit, and the logit of the serial share."""
    serial = min(max(entry.serial, 1e-3), 0.999)
    unit = 0.0 if math.isinf(entry.rate) else 1 / entry.rate
    return np.array(
        [math.log(entry.seconds or 1e-9), math.log(unit or 1e-18), math.log(serial / (1 - serial))]
    )


def _decode(figures: Floats, default: Coefficient) -> Coefficient:
    seconds, unit, serial = (float(figure) for figure in figures)
    return replace(
        default,
        seconds=math.exp(seconds) if default.seconds else 0.0,
        rate=math.inf if math.isinf(default.rate) else math.exp(-unit),
        serial=1 / (1 + math.exp(-serial)),
    )


def _predict(figures: Floats, data: _Steps) -> Floats:
    return data.moving + np.bincount(data.step, _parts(figures, data), minlength=len(data.measured))


def _parts(figures: Floats, data: _Steps) -> Floats:
    """Seconds of each demand, as `Demand.seconds` has them."""
    each, unit, logit = (figures[3 * data.kind + number] for number in range(3))
    serial = 1 / (1 + np.exp(-logit))
    share = serial + (1 - serial) / np.maximum(1.0, data.threads)
    crowd = np.maximum(1.0, 1 / data.threads) ** CROWDING
    return (data.calls * np.exp(each) + data.amount * np.exp(unit) * share) * crowd


def _with_spreads(
    classes: Mapping[str, Coefficient], figures: Floats, data: _Steps, kinds: Sequence[str]
) -> dict[str, Coefficient]:
    """The classes with how far off they are in steps that are mostly theirs."""
    if not len(data.measured):
        return dict(classes)
    predicted = _predict(figures, data)
    errors = np.log((predicted + _NOISE) / (data.measured + _NOISE))
    parts = _parts(figures, data)
    found: dict[str, Coefficient] = {}
    for number, kind in enumerate(kinds):
        own = np.bincount(data.step, parts * (data.kind == number), minlength=len(predicted))
        typical = errors[own > _MIXED * predicted]
        known = spread(typical.tolist())
        count = len(typical)
        mixed = math.sqrt((count * known**2 + _BELIEF * UNCERTAIN**2) / (count + _BELIEF))
        found[kind] = replace(classes[kind], spread=mixed)
    return found

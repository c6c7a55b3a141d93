"""Least squares, for the few places that fit figures to measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def least_squares(
    residuals: Callable[[Floats], Floats | Sequence[float]], start: Floats, *, robust: bool = False
) -> Floats:
    """The figures with the least sum of squared residuals; `robust` lets those beyond 1 count for less."""
    # Late: SciPy takes a while to import. It has no types.
    from scipy import optimize

    solver: Any = optimize
    return solver.least_squares(residuals, start, loss="cauchy" if robust else "linear").x

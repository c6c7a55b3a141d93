"""Predictions: a plan and a machine in; time, traffic, memory, energy and price out.

Importing this package is cheap. Pure functions of costs are in `network`, `collectives` and `costs`.
"""

from dlc.predict.coefficients import Coefficient, Coefficients
from dlc.predict.prediction import Advice, Interval, Prediction, Step
from dlc.predict.resources import Resources
from dlc.predict.simulate import simulate

__all__ = [
    "Advice",
    "Coefficient",
    "Coefficients",
    "Interval",
    "Prediction",
    "Resources",
    "Step",
    "simulate",
]

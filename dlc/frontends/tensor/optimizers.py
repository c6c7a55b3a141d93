"""Optimisers as pure functions of parameters, state and gradients, as torch.optim defines them.

State is a tree of its own: the number of steps taken, and moments in the shapes of the parameters. A learning
rate is a number, or a function in JAX of the number of steps taken, an i32 scalar.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from dlc.diagnostics import DlcError, SourceLoc
from dlc.frontends.location import caller

from .specs import DTYPES
from .trace import Traced, trace_function
from .untyped import jax, jnp

Schedule = Callable[[Any], Any]
Tree = Any
"""A pytree of arrays: dicts, lists and tuples with arrays as leaves."""


class Now(NamedTuple):
    """Learning rate and number of the step, from 1."""

    rate: Any
    count: Any


@dataclass(frozen=True)
class Optimizer(ABC):
    """Base of the optimisers: a step is the same for each parameter, given its moments."""

    learning_rate: float | Schedule

    def check(self, loc: SourceLoc) -> None:
        """DLC117 for an option that is out of range."""
        self._require(
            loc, callable(self.learning_rate) or _is_number(self.learning_rate), "learning_rate", "0.001"
        )

    def init(self, params: Tree) -> Tree:
        """The state before the first step."""
        moments = {name: jax.tree.map(jnp.zeros_like, params) for name in self.moments()}
        return {"step": jnp.zeros((), jnp.int32), **moments}

    def update(self, params: Tree, state: Tree, gradients: Tree) -> tuple[Tree, Tree]:
        """Parameters and state after one step."""
        taken, rate = state["step"], self.learning_rate
        now = Now(rate(taken) if callable(rate) else rate, taken + 1)
        leaves, tree = jax.tree.flatten(params)
        names = self.moments()
        columns = [jax.tree.leaves(gradients), *(jax.tree.leaves(state[name]) for name in names)]
        after = [
            self.step(now, parameter, gradient, *moments)
            for parameter, gradient, *moments in zip(leaves, *columns, strict=True)
        ]
        new, *moments = (jax.tree.unflatten(tree, list(column)) for column in zip(*after, strict=True))
        return new, {"step": now.count, **dict(zip(names, moments, strict=True))}

    @abstractmethod
    def moments(self) -> tuple[str, ...]:
        """Names of the trees of the state that have the shapes of the parameters."""

    @abstractmethod
    def step(self, now: Now, parameter: Any, gradient: Any, *moments: Any) -> tuple[Any, ...]:
        """One parameter after a step, and its moments."""

    def _require(self, loc: SourceLoc, holds: bool, option: str, example: str) -> None:
        if not holds:
            raise DlcError(
                "DLC117",
                f"{type(self).__name__} does not take {option}={getattr(self, option)!r}",
                loc=loc,
                help=f"write {option}={example}",
            )


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent, with momentum if it is not 0."""

    learning_rate: float | Schedule = 1e-3
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def check(self, loc: SourceLoc) -> None:
        super().check(loc)
        self._require(loc, _is_fraction(self.momentum), "momentum", "0.9")
        self._require(loc, _is_number(self.weight_decay), "weight_decay", "0.01")
        self._require(loc, not self.nesterov or self.momentum > 0, "nesterov", "False, or momentum=0.9")

    def moments(self) -> tuple[str, ...]:
        return ("momentum",) if self.momentum else ()

    def step(self, now: Now, parameter: Any, gradient: Any, *moments: Any) -> tuple[Any, ...]:
        gradient = gradient + self.weight_decay * parameter if self.weight_decay else gradient
        if not self.momentum:
            return (parameter - now.rate * gradient,)
        momentum = self.momentum * moments[0] + gradient
        direction = gradient + self.momentum * momentum if self.nesterov else momentum
        return parameter - now.rate * direction, momentum


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015) with bias correction; `weight_decay` is added to the gradient."""

    learning_rate: float | Schedule = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    def check(self, loc: SourceLoc) -> None:
        super().check(loc)
        self._require(
            loc, len(self.betas) == 2 and all(map(_is_fraction, self.betas)), "betas", "(0.9, 0.999)"
        )
        self._require(loc, _is_number(self.eps), "eps", "1e-8")
        self._require(loc, _is_number(self.weight_decay), "weight_decay", "0.01")

    def moments(self) -> tuple[str, ...]:
        return ("mean", "square")

    def step(self, now: Now, parameter: Any, gradient: Any, *moments: Any) -> tuple[Any, ...]:
        gradient = gradient + self.weight_decay * parameter if self.weight_decay else gradient
        return self._moved(now, parameter, gradient, *moments)

    def _moved(self, now: Now, parameter: Any, gradient: Any, mean: Any, square: Any) -> tuple[Any, ...]:
        first, second = self.betas
        mean = first * mean + (1 - first) * gradient
        square = second * square + (1 - second) * gradient * gradient
        corrected = mean / _missing(first, now, parameter)
        root = jnp.sqrt(square / _missing(second, now, parameter))
        return parameter - now.rate * corrected / (root + self.eps), mean, square


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    weight_decay: float = 1e-2

    def step(self, now: Now, parameter: Any, gradient: Any, *moments: Any) -> tuple[Any, ...]:
        decayed = parameter - now.rate * self.weight_decay * parameter
        return self._moved(now, decayed, gradient, *moments)


@dataclass(frozen=True)
class Update:
    """`init` takes the flat parameters and gives the flat state.

    `update` takes parameters, state and gradients, each in their flat order, and gives parameters and state.
    """

    init: Traced
    update: Traced


def trace_update(optimizer: Optimizer, params: Tree, *, name: str, loc: SourceLoc | None = None) -> Update:
    """Trace an optimiser for parameters of these shapes, as `name.init` and `name.update`.

    `params` is a tree of arrays or of `jax.ShapeDtypeStruct`, which is needed for types of 64 bits.
    """
    loc = loc or caller()
    optimizer.check(loc)
    init = trace_function(optimizer.init, [params], name=f"{name}.init", loc=loc)
    shapes = [jax.ShapeDtypeStruct(result.shape, DTYPES[result.dtype]) for result in init.results]
    state = jax.tree.unflatten(init.tree, shapes)
    update = trace_function(optimizer.update, [params, state, params], name=f"{name}.update", loc=loc)
    return Update(init, update)


def _missing(decay: float, now: Now, like: Any) -> Any:
    """`1 - decay**count`, the weight that an average of so few steps lacks, without the cancellation."""
    rate = math.log(decay) if decay else -math.inf
    return -jnp.expm1(rate * now.count.astype(like.dtype))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def _is_fraction(value: object) -> bool:
    return _is_number(value) and isinstance(value, int | float) and value < 1

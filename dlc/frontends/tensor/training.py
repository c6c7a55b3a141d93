"""A loss function as two tensor functions: forward, which keeps what the gradients need, and backward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

from dlc.diagnostics import DlcError, SourceLoc
from dlc.frontends.location import caller

from .shapes import is_array
from .trace import Traced, trace_function
from .untyped import jax, jnp, tree_util


@dataclass(frozen=True)
class Training:
    """`forward` takes the parameters and the batch, and gives the loss and what `backward` needs beside them.

    `backward` gives the gradient of every parameter, in their flat order. Its argument k is result
    `given[k][1]` of `forward` if `given[k][0]` is "result", else that argument of `forward`.
    """

    forward: Traced
    backward: Traced
    given: tuple[tuple[str, int], ...]


def trace_training(
    loss: Callable[..., Any],
    params: Any,
    batch: Sequence[Any],
    *,
    name: str,
    loc: SourceLoc | None = None,
) -> Training:
    """Trace `loss(params, *batch)` and its gradients for `params`, a tree of floating-point arrays.

    The functions are called `name.forward` and `name.backward`. Raises DLC117 for a loss that is no
    floating-point number and for parameters of other types, and what `trace_function` raises.
    """
    loc = loc or caller()
    _check_parameters(params, loc)
    pullback = _Pullback(loss, loc)

    def forward(*args: Any) -> list[Any]:
        return pullback.forward(*args)

    # Arguments keep the names that the loss gives them.
    named = update_wrapper(forward, loss, updated=())
    traced = trace_function(named, (params, *batch), name=f"{name}.forward", loc=loc)
    backward = trace_function(pullback.backward, pullback.shapes, name=f"{name}.backward", loc=loc)
    return Training(traced, backward, tuple(pullback.given))


class _Pullback:
    """The loss's pull-back, whose residuals leave one traced function and enter the other."""

    def __init__(self, loss: Callable[..., Any], loc: SourceLoc):
        self._loss, self._loc = loss, loc
        self.given: list[tuple[str, int]] = []
        self.shapes: list[Any] = []

    def forward(self, params: Any, *batch: Any) -> list[Any]:
        """The loss, then the residuals that are no arguments."""

        def loss(wanted: Any) -> Any:
            return self._loss(wanted, *batch)

        value, pull = jax.vjp(loss, params)
        _check_loss(value, self._loc)
        residuals, self._tree = tree_util.tree_flatten(pull)
        self._dtype = value.dtype
        arguments = tree_util.tree_leaves((params, batch))
        results = [value]
        # Constants are leaves too, and stay where they are used.
        self._constants = [None if isinstance(leaf, jax.core.Tracer) else leaf for leaf in residuals]
        self._places: list[int] = []
        for leaf in residuals:
            if isinstance(leaf, jax.core.Tracer):
                self._places.append(self._place(leaf, arguments, results))
        return results

    def _place(self, leaf: Any, arguments: Sequence[Any], results: list[Any]) -> int:
        """Which argument of `backward` a residual is; `forward` returns one that is new."""
        index = _index(leaf, arguments)
        if index is not None:
            where = ("argument", index)
        else:
            index = _index(leaf, results)
            if index is None:
                results.append(leaf)
                index = len(results) - 1
            where = ("result", index)
        if where not in self.given:
            self.given.append(where)
            self.shapes.append(jax.ShapeDtypeStruct(leaf.shape, leaf.dtype))
        return self.given.index(where)

    def backward(self, *kept: Any) -> Any:
        """The gradients, from residuals in the order of `given`."""
        places = iter(self._places)
        leaves = [kept[next(places)] if constant is None else constant for constant in self._constants]
        return tree_util.tree_unflatten(self._tree, leaves)(jnp.ones((), self._dtype))[0]


def _index(leaf: Any, among: Sequence[Any]) -> int | None:
    return next((index for index, other in enumerate(among) if other is leaf), None)


def _check_loss(value: Any, loc: SourceLoc) -> None:
    if not hasattr(value, "dtype"):
        found = f"a value of type {type(value).__name__}"
    elif value.shape != ():
        found = f"a tensor of shape ({', '.join(map(str, value.shape))})"
    elif not jnp.issubdtype(value.dtype, jnp.floating):
        found = f"a number of type {value.dtype}"
    else:
        return
    raise DlcError(
        "DLC117",
        f"the loss function returns {found}",
        loc=loc,
        help="return one floating-point number, such as jnp.mean(…) of the errors of the rows",
    )


def _check_parameters(params: Any, loc: SourceLoc) -> None:
    leaves, _ = tree_util.tree_flatten_with_path(params)
    wrong = [
        tree_util.keystr(path, simple=True, separator=".") or "params"
        for path, leaf in leaves
        if not (is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.floating))
    ]
    if wrong or not leaves:
        what = f"'{wrong[0]}' is no floating-point array" if wrong else "there is none"
        raise DlcError(
            "DLC117",
            f"the parameters to train must be a tree of floating-point arrays, and {what}",
            loc=loc,
            help="put what is not trained into the function, for example with functools.partial",
        )

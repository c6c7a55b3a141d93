"""From a function written in JAX to a tensor function: StableHLO ops over any number of rows."""

from __future__ import annotations

import gc
import inspect
import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from xdsl.dialects.func import FuncOp

from dlc.diagnostics import DlcError, SourceLoc
from dlc.frontends.location import attribute, caller

from .errors import explained
from .importer import import_function
from .purity import check_pure
from .shapes import abstract, is_array, needs_64_bits, spec
from .specs import DTYPES, RowTensor, TensorSpec
from .untyped import jax, tree_util


@dataclass(frozen=True)
class Traced:
    """A tensor function and how its flat arguments and results belong to the trees of the Python function.

    `function` takes the number of rows first, then `arguments` in order; `tree` is the pytree of the results.
    """

    function: FuncOp
    arguments: tuple[TensorSpec, ...]
    results: tuple[TensorSpec, ...]
    tree: Any


def trace_function(
    function: Callable[..., Any], args: Sequence[Any], *, name: str, loc: SourceLoc | None = None
) -> Traced:
    """Trace `function(*args)`, in which tensors are `RowTensor`, arrays or `jax.ShapeDtypeStruct`.

    Other leaves of `args`, such as numbers, strings and None, are passed as they are and become part of the
    function. Types of 64 bits become those of 32 unless a `RowTensor` or `jax.ShapeDtypeStruct` asks for one.
    Raises DLC112 to DLC116 at the line of the function that is at fault.
    """
    loc = loc or caller()
    leaves, tree = tree_util.tree_flatten_with_path(tuple(args))
    tensors = [(path, leaf) for path, leaf in leaves if is_array(leaf)]
    _check_rows([leaf for _, leaf in tensors], loc)
    _check_types([leaf for _, leaf in tensors], loc)

    given: list[Any] = []

    def flat(*values: Any) -> Any:
        given[:] = map(weakref.ref, values)
        remaining = iter(values)
        filled = [next(remaining) if is_array(leaf) else leaf for _, leaf in leaves]
        result = function(*jax.tree.unflatten(tree, filled))
        _check_results(result, loc)
        return result

    wide = jax.enable_x64(True) if needs_64_bits([leaf for _, leaf in tensors]) else nullcontext()
    with wide, explained(loc):
        specs = [abstract(leaf) for _, leaf in tensors]
        # JAX would drop arguments that are not used.
        traced = jax.jit(flat, keep_unused=True).trace(*specs)
        _check_leaks(flat, specs, given)
        check_pure(traced.jaxpr, len(specs), loc)
        _check_types(jax.tree.leaves(traced.out_info), loc)
        lowered = traced.lower(lowering_platforms=("cpu",))
    imported = import_function(lowered.compiler_ir("stablehlo"), name, attribute(loc))
    outputs, result_tree = tree_util.tree_flatten_with_path(traced.out_info)
    names = _parameters(function)
    arguments = tuple(
        spec(_name(path, names), shape) for (path, _), shape in zip(tensors, specs, strict=True)
    )
    _name_arguments(imported, arguments)
    return Traced(imported, arguments, tuple(spec(_name(path), leaf) for path, leaf in outputs), result_tree)


def _check_leaks(flat: Callable[..., Any], specs: Sequence[Any], references: Sequence[Any]) -> None:
    """Let JAX search for tensors that the function left behind, which is slow, if an argument is still held.

    What is computed from an argument holds it too.
    """
    if any(reference() is not None for reference in references):
        gc.collect()
    if any(reference() is not None for reference in references):

        def again(*values: Any) -> Any:
            return flat(*values)

        with jax.checking_leaks():
            jax.jit(again).trace(*specs)


def _check_results(result: Any, loc: SourceLoc) -> None:
    for leaf in jax.tree.leaves(result):
        if not is_array(leaf) and not isinstance(leaf, int | float | complex):
            raise DlcError(
                "DLC113",
                f"the function returns a value of type {type(leaf).__name__}",
                loc=loc,
                help="return tensors, in tuples, lists or dicts",
            )


def _check_types(arrays: Sequence[Any], loc: SourceLoc) -> None:
    for array in arrays:
        if str(array.dtype) not in {*DTYPES, *DTYPES.values()}:
            raise DlcError(
                "DLC113",
                f"a function takes or returns an array of type {array.dtype}",
                loc=loc,
                help="use tensors of floats, integers or booleans",
            )


def _check_rows(leaves: Sequence[Any], loc: SourceLoc) -> None:
    frames = {leaf.rows for leaf in leaves if isinstance(leaf, RowTensor) and None in leaf.shape}
    if len(frames) > 1:
        raise DlcError(
            "DLC116",
            "a function is given rows of frames whose numbers of rows may differ",
            loc=loc,
            help="join the frames first, and make the tensors from the one that comes of it",
        )


def _parameters(function: Callable[..., Any]) -> list[str]:
    """Names of the positional parameters, as far as they are known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # functions in C have none
        return []
    return [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]


def _name(path: Sequence[Any], parameters: Sequence[str] = ()) -> str:
    """The path of a leaf, as in `params.dense.w`, where the first number means a parameter."""
    text: str = tree_util.keystr(tuple(path), simple=True, separator=".")
    first, dot, rest = text.partition(".")
    known = first.isdigit() and int(first) < len(parameters)
    return (parameters[int(first)] if known else first) + dot + rest


def _name_arguments(function: FuncOp, arguments: Sequence[TensorSpec]) -> None:
    """Let the printed function call its arguments by the names of the tree, where those are identifiers."""
    function.args[0].name_hint = "rows"
    for value, argument in zip(function.args[1:], arguments, strict=True):
        last = argument.name.rpartition(".")[2]
        if last.isidentifier() and last.isascii() and not last.startswith("_"):
            value.name_hint = last

"""What goes wrong while JAX traces a user's function, as the line that did it and a way out."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

from dlc.diagnostics import DlcError, SourceLoc
from dlc.frontends.failure import failures

from .untyped import errors, jax

_SHAPES = re.compile(r"shape|dimension|broadcast|\brank\b|ndim|axis|axes|size", re.IGNORECASE)
_HOLDER = re.compile(r"is referred to by ([^<\s]+)")
_FIRST = re.compile(r"[.:]?(\n|$)|(?<=[^.])\. ")


@contextmanager
def explained(loc: SourceLoc) -> Generator[None]:
    """Turns what the user's function raises within into a diagnostic at the user's innermost line.

    DLC113 for what JAX cannot trace, DLC114 for shapes that depend on data, DLC116 for shapes that do not
    fit, and DLC112 for all else that the user's code raises.
    """
    filtering = jax.config.jax_traceback_filtering
    # JAX hides its own frames, so that what it raises would seem to be raised by those who call it.
    jax.config.update("jax_traceback_filtering", "off")
    try:
        with failures(loc):
            yield
    except DlcError as error:
        cause = error.__cause__
        if error.code != "DLC112" or not isinstance(cause, Exception):
            raise
        raise _diagnosis(cause, error.loc or loc) or error from cause
    finally:
        jax.config.update("jax_traceback_filtering", filtering)


def _diagnosis(error: Exception, loc: SourceLoc) -> DlcError | None:
    """The diagnostic for an exception of JAX's; None for one of the user's own."""
    text = str(error)
    match error:
        case errors.TracerBoolConversionError():
            return _dependent(
                "this line asks whether a tensor is true, which is known only when the program runs",
                "choose between values with jnp.where, between computations with jax.lax.cond",
                loc,
            )
        case errors.NonConcreteBooleanIndexError():
            return _dependent(
                "this line selects by a mask, so that the shape of the result depends on the data",
                "keep all rows and use jnp.where(mask, value, 0), or filter the frame before to_tensor",
                loc,
            )
        case errors.TracerIntegerConversionError():
            return _dependent(
                "this line uses a tensor as a Python integer, which is known only when the program runs",
                "index with jnp.take or jax.lax.dynamic_slice, loop with jax.lax.fori_loop",
                loc,
            )
        case errors.TracerArrayConversionError():
            return _untraceable("NumPy is given a tensor that has no values yet", "write jnp for np", loc)
        case errors.ConcretizationTypeError() if "pass a static" in text or "concrete value" in text:
            return _dependent(
                "this line needs the value of a tensor, which is known only when the program runs",
                "give sizes as plain Python numbers; jnp.nonzero and jnp.unique take size=…",
                loc,
            )
        case errors.InconclusiveDimensionOperation():
            return _dependent(
                f"the number of rows is not known here: {_first(text)}",
                "write the line so that it holds for any number of rows",
                loc,
            )
        case errors.UnexpectedTracerError():
            return _untraceable(
                "a tensor of another call is used, which had been kept in a variable",
                "pass it as an argument and return it",
                loc,
            )
        case Exception() if text.startswith("Leaked trace"):
            holder = _HOLDER.search(text)
            return _untraceable(
                f"the function leaves a tensor behind{f' in {holder[1]}' if holder else ''}",
                "return what is needed later; a tensor has no values while the function is traced",
                loc,
            )
        case TypeError() | ValueError() if _of_jax(error) and _SHAPES.search(text):
            return DlcError(
                "DLC116",
                f"the shapes of tensors do not fit: {_first(text)}",
                loc=loc,
                help="compare the shapes in the message; 'rows' is the number of rows of the frame",
            )
        case TypeError() | ValueError() | NotImplementedError() if _of_jax(error):
            return _untraceable(
                f"JAX cannot trace this line: {_first(text)}", "use functions of jax.numpy on tensors", loc
            )
        case _:
            return None


def _dependent(message: str, help: str, loc: SourceLoc) -> DlcError:
    return DlcError("DLC114", message, loc=loc, help=help)


def _untraceable(message: str, help: str, loc: SourceLoc) -> DlcError:
    return DlcError("DLC113", message, loc=loc, help=help)


def _of_jax(error: BaseException) -> bool:
    """Whether JAX raised an exception."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith("jax")


def _first(text: str) -> str:
    """The first sentence of a message."""
    return _FIRST.split(text.strip(), maxsplit=1)[0]

"""What goes wrong in a function of JAX is shown with its code, the user's line and a fix."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dlc.diagnostics import DlcError, render
from dlc.frontends.tensor.specs import RowTensor
from dlc.frontends.tensor.trace import trace_function

ROWS = RowTensor((None, 3))
LINE = RowTensor((None,))
FOUR = np.zeros(4, np.float32)
kept: list[Any] = []


def keeps(x: Any) -> Any:
    kept.append(x * 2)
    return x


def outer(x: Any) -> Any:
    return inner(x)


def inner(x: Any) -> Any:
    return x @ FOUR


# Code, a piece of the message, a piece of the help, and the function.
MISTAKES: list[tuple[str, str, str, Callable[..., Any]]] = [
    ("DLC112", "ZeroDivisionError", "correct the line", lambda x: x / (1 // 0)),
    ("DLC112", "KeyError: 'w'", "correct the line", lambda x: x @ {}["w"]),
    ("DLC113", "NumPy", "jnp for np", lambda x: np.log(x) + 1),
    ("DLC113", "debug_print", "return the values", lambda x: jax.debug.print("{}", x) or x),
    ("DLC113", "pure_callback", "return the values", lambda x: jax.pure_callback(np.sin, x, x)),
    (
        "DLC113",
        "io_callback",
        "return the values",
        lambda x: jax.experimental.io_callback(print, None, x[0, 0]) or x,
    ),
    ("DLC113", "leaves a tensor behind in", "return what is needed", keeps),
    ("DLC113", "of type str", "tuples, lists or dicts", lambda _: "x"),
    ("DLC113", "cannot trace", "jax.numpy", lambda x: x.astype("nonsense")),
    ("DLC114", "is true", "jnp.where", lambda x: x if x.sum() > 0 else -x),
    ("DLC114", "by a mask", "filter the frame", lambda x: x[x > 0]),
    ("DLC114", "needs the value", "size=", lambda x: jnp.nonzero(x)[0]),
    ("DLC114", "needs the value", "size=", lambda x: float(x[0, 0])),
    ("DLC114", "as a Python integer", "fori_loop", lambda x: range(x[0, 0].astype(int))),
    ("DLC114", "'rows' > '5' is inconclusive", "any number of rows", lambda x: x if x.shape[0] > 5 else -x),
    ("DLC114", "requires a constant", "any number of rows", lambda x: jnp.zeros(int(x.shape[0]))),
    ("DLC114", "divide evenly", "any number of rows", lambda x: x.reshape(2, -1)),
    ("DLC115", "lapack", "jnp.linalg.inv", lambda x: jnp.linalg.inv(x.T @ x)),
    ("DLC116", "contracting dimensions", "'rows' is", lambda x: x @ FOUR),
    ("DLC116", "(rows, 3), (4,)", "'rows' is", lambda x: x + FOUR),
    ("DLC116", "axis 7", "'rows' is", lambda x: x.sum(axis=7)),
    ("DLC116", "equal output types", "'rows' is", lambda x: jax.lax.cond(True, lambda: x, lambda: x[:, 0])),
]


@pytest.mark.parametrize(("code", "message", "remedy", "function"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_the_line_is_shown_with_what_is_wrong_and_a_fix(
    code: str, message: str, remedy: str, function: Callable[..., Any]
) -> None:
    with pytest.raises(DlcError) as caught:
        trace_function(function, [ROWS], name="f")
    error = caught.value
    assert error.code == code
    assert message in error.message
    assert remedy in (error.help or "")
    assert "test_jax_errors.py" in str(error.loc)
    assert "Traceback" not in render(error)


def test_the_innermost_line_of_the_users_is_shown() -> None:
    with pytest.raises(DlcError) as caught:
        trace_function(outer, [ROWS], name="f")
    assert caught.value.loc is not None
    assert caught.value.loc.line == inner.__code__.co_firstlineno + 1
    assert "x @ FOUR" in render(caught.value)


def test_a_tensor_of_another_call_is_refused() -> None:
    holder: list[Any] = []
    with pytest.raises(DlcError):
        trace_function(lambda x: holder.append(x) or x, [ROWS], name="f")
    with pytest.raises(DlcError) as caught:
        trace_function(lambda x: x + holder[0], [ROWS], name="f")
    assert caught.value.code == "DLC113"
    assert "another call" in caught.value.message


def test_rows_of_two_frames_do_not_meet() -> None:
    with pytest.raises(DlcError) as caught:
        trace_function(
            lambda x, y: x + y, [RowTensor((None,), rows="a"), RowTensor((None,), rows="b")], name="f"
        )
    assert caught.value.code == "DLC116"
    assert "join" in (caught.value.help or "")


def test_jax_reports_its_own_errors_as_before() -> None:
    before = jax.config.jax_traceback_filtering
    with pytest.raises(DlcError):
        trace_function(lambda x: x @ FOUR, [ROWS], name="f")
    assert jax.config.jax_traceback_filtering == before

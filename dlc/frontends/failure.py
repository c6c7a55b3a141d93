"""Exceptions of the user's own code, shown as the line that raised them."""

from __future__ import annotations

import traceback
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType

from dlc.diagnostics import DlcError, SourceLoc

from .libraries import PACKAGE, is_library
from .location import of_frame


@contextmanager
def failures(default: SourceLoc) -> Generator[None]:
    """Turns any exception of the user's code within into DLC112; dlc's own errors pass."""
    try:
        yield
    except DlcError:
        raise
    except SyntaxError as error:
        loc = SourceLoc(
            error.filename or default.file, error.lineno or 0, error.offset or 0, error.end_offset or 0
        )
        raise _error(error, loc) from None
    except (Exception, SystemExit) as error:
        if _is_ours(error.__traceback__):
            raise
        raise _error(error, _innermost(error.__traceback__) or default) from error


def _error(error: BaseException, loc: SourceLoc) -> DlcError:
    last = traceback.format_exception_only(error)[-1].strip()
    return DlcError(
        "DLC112",
        f"the program raised {last}",
        loc=loc,
        help="the program runs once in Python before it is compiled: correct the line shown",
    )


def _is_ours(trace: TracebackType | None) -> bool:
    """Whether this package itself raised, which no program should be able to make it do."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_filename.startswith(PACKAGE)


def _innermost(trace: TracebackType | None) -> SourceLoc | None:
    """The deepest line that belongs to the user, not to a library."""
    found: SourceLoc | None = None
    while trace is not None:
        frame = trace.tb_frame
        if not is_library(frame.f_code.co_filename):
            found = of_frame(frame, trace.tb_lasti, trace.tb_lineno)
        trace = trace.tb_next
    return found

"""Turns whatever a command raised into a message on stderr and an exit code."""

import errno
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import dlc
from dlc.diagnostics import DlcError, render

_PACKAGES = ("xdsl", "numpy", "polars", "pyarrow", "mpi4py", "mpich", "lark")
_BROKEN_PIPE = 141


def report(error: Exception, arguments: Sequence[str]) -> int:
    """Show the error on stderr and return the exit code; a fault of dlc itself leaves a file to report."""
    if isinstance(error, BrokenPipeError):
        _abandon_stdout()  # its reader has left, which is no error
        return _BROKEN_PIPE
    diagnostic = error if isinstance(error, DlcError) else _diagnose(error, arguments)
    print(render(diagnostic, color=_wants_color()), file=sys.stderr)
    return diagnostic.exit_code


def _wants_color() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _diagnose(error: Exception, arguments: Sequence[str]) -> DlcError:
    """The diagnostic for an exception that no layer has turned into one."""
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("dlc"):
        return DlcError(
            "DLC702",
            f"the Python package '{error.name}' is not installed",
            help="install dlc again with pip, or run `dlc doctor` to see what is missing",
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        _abandon_stdout()
        return DlcError("DLC605", "there is no space left to write to", help="free space, or write elsewhere")
    path = _write_reproducer(error, arguments)
    return DlcError(
        "DLC901",
        f"internal error: {type(error).__name__}: {error}",
        help=f"this is a fault of dlc; please report it with the file {path}",
    )


def _abandon_stdout() -> None:
    """Keep the interpreter from writing what is left in the buffer when it exits, which would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write_reproducer(error: Exception, arguments: Sequence[str]) -> Path:
    """Write the report into the working directory, or where that is read-only into the temporary one."""
    text = _describe(error, arguments)
    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        try:
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=folder, prefix="dlc-crash-", suffix=".txt", delete=False
            ) as file:
                file.write(text)
            return Path(file.name)
        except OSError:
            continue
    sys.stderr.write(text)
    return Path("(shown above)")


def _describe(error: Exception, arguments: Sequence[str]) -> str:
    lines = [
        f"dlc {dlc.__version__}, Python {platform.python_version()}, {platform.platform()}",
        *(f"{name} {_version(name)}" for name in _PACKAGES),
        f"arguments: {list(arguments)}",
        "",
        "".join(traceback.format_exception(error)),
    ]
    return "\n".join(lines)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"

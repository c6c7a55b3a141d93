"""Where results go: a file, which appears only when it is complete, or stdout for `-`."""

import sys
import tempfile
from pathlib import Path

from dlc.diagnostics import DlcError


def write_text(text: str, target: str = "-") -> None:
    """Write `text` and a final newline to the file `target`, or to stdout for "-"; raises DLC605."""
    text = text.rstrip("\n") + "\n"
    if target != "-":
        write_bytes(text.encode(), target)
        return
    # A name in the user's data must not end the command where stdout is not UTF-8.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def write_bytes(data: bytes, target: str) -> None:
    """Write `data` to the file `target`, or to stdout for "-"; raises DLC605."""
    if target == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a device or a named pipe is written to, never replaced
            return
        with tempfile.TemporaryDirectory(prefix=".dlc-", dir=path.absolute().parent) as staging:
            staged = Path(staging) / path.name
            staged.write_bytes(data)
            staged.replace(path)
    except OSError as error:
        raise DlcError(
            "DLC605", f"cannot write '{target}': {error.strerror or error}", help=_advice(error, path)
        ) from error


def _advice(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return f"create the directory {path.parent} first"
    if isinstance(error, IsADirectoryError):
        return "give the name of a file"
    return "choose another place with -o"

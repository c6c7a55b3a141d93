"""Which files belong to libraries, so that errors and locations point past them at the user's lines."""

from __future__ import annotations

import sysconfig
from pathlib import Path

PACKAGE = f"{Path(__file__).parent.parent}/"
_PREFIXES = (
    PACKAGE,
    *(sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")),
    "<frozen",
)


def is_library(file: str) -> bool:
    """Whether a source file is that of an installed package, of Python itself or of dlc."""
    return file.startswith(_PREFIXES)

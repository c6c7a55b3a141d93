"""Where a run stages its outputs, and how they go away: all that the launcher needs to know of them."""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def staging_path(path: Path, run: str) -> Path:
    """The directory beside an output in which the run of this name stages it."""
    return path.with_name(f".{path.name}.{run}.staged")


def discard(paths: Iterable[str | os.PathLike[str]], run: str) -> None:
    """Remove what a run has staged for these outputs."""
    for path in paths:
        staging = staging_path(Path(path), run)
        # Renamed first, so that ranks which still write cannot add files while it is being removed.
        dead = staging.with_name(f"{staging.name}.dead")
        with suppress(OSError):  # another rank was first, or nothing was staged
            staging.rename(dead)
        # Also if another rank was first: it may be killed before it is done.
        remove(dead)


def remove(path: Path) -> None:
    """Remove a file or a directory; it need not exist."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()

"""Writes outputs so that all of them appear together, or none: staged beside their places, then renamed."""

import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.staging import discard, remove, staging_path
from dlc.runtime.transport import PeerFailed


class Outputs:
    """The outputs of one run. World rank 0 prepares and commits; any rank may discard what is staged.

    `run` tells the staged files of this run from those of others.
    """

    def __init__(self, paths: Sequence[str], run: str) -> None:
        self._paths = [Path(path) for path in dict.fromkeys(paths)]
        self._run = run

    def prepare(self) -> None:
        """Make the places in which ranks stage their files. Raises DLC605."""
        for path in self._paths:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._staging(path).mkdir()
            except OSError as error:
                raise _unwritable(path, error) from error

    def write(self, frame: pl.DataFrame, path: str, part: int | None, loc: SourceLoc | None) -> None:
        """Stage rows as Parquet: as part `part` of a directory, or for None as the file itself.

        Raises DLC605, and PeerFailed when another rank has given up the run.
        """
        target = self._staging(Path(path)) / ("file" if part is None else f"part-{part:05}.parquet")
        try:
            with target.open("xb") as stream:
                # Pieces of a frame would become row groups, and depend on the number of ranks.
                frame.rechunk().write_parquet(stream)
                stream.flush()
                os.fsync(stream.fileno())
        except (OSError, pl.exceptions.PolarsError) as error:
            if not target.parent.exists():  # a rank that failed has discarded it
                raise PeerFailed from error
            raise _unwritable(Path(path), error, loc) from error

    def commit(self) -> None:
        """Put every staged output in its place; if one cannot be, the old ones come back. Raises DLC605."""
        done: list[Path] = []
        try:
            for path in self._paths:
                try:
                    self._publish(path)
                except OSError as error:
                    raise _unwritable(path, error) from error
                done.append(path)
        except BaseException:
            for path in reversed(done):
                self._restore(path)
            self.discard()
            raise
        for path in self._paths:
            remove(self._old(path))
            remove(self._staging(path))

    def discard(self) -> None:
        """Remove what is staged."""
        discard(self._paths, self._run)

    def _publish(self, path: Path) -> None:
        staging, old = self._staging(path), self._old(path)
        staged = staging / "file" if (staging / "file").exists() else staging
        sync(staging)
        if path.is_dir():
            path.rename(old)
        elif path.exists():
            old.hardlink_to(path)  # so that the path always holds one or the other
        try:
            staged.replace(path)
        except OSError:
            if old.exists():
                old.replace(path)
            raise
        sync(path.parent)

    def _restore(self, path: Path) -> None:
        remove(path)
        if self._old(path).exists():
            self._old(path).rename(path)

    def _staging(self, path: Path) -> Path:
        return staging_path(path, self._run)

    def _old(self, path: Path) -> Path:
        return path.with_name(f".{path.name}.{self._run}.old")


def sync(directory: Path) -> None:
    """Make the names in a directory last."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: Exception, loc: SourceLoc | None = None) -> DlcError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
    return DlcError(
        "DLC605",
        f"cannot write {path}: {reason}",
        loc=loc,
        help="check the directory, its permissions and free space",
    )

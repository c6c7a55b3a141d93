"""Compiled XLA modules on disk, for one user; damaged entries count as missing."""

import hashlib
import os
import platform
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

_DIGEST = hashlib.sha256().digest_size


class Cache:
    """Entries for one kind of device and version of XLA, which `owner` names; ranks may share it."""

    def __init__(self, owner: str) -> None:
        self._directory = _directory()
        self._owner = _digest(f"{owner} {_processor()}")[:16]

    def get(self, text: str) -> bytes | None:
        """The compiled form of a module, if it is there and whole."""
        try:
            data = self._path(text).read_bytes() if self._is_own() else b""
        except OSError:
            return None
        digest, content = data[:_DIGEST], data[_DIGEST:]
        return content if hashlib.sha256(content).digest() == digest else None

    def put(self, text: str, content: bytes) -> None:
        """Keep a compiled module; without a place to write to, nothing is kept."""
        with suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._directory)
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(hashlib.sha256(content).digest() + content)
                os.replace(temporary, self._path(text))
            except OSError:
                os.unlink(temporary)
                raise

    def _is_own(self) -> bool:
        """Whether nobody else can put code there."""
        status = self._directory.stat()
        return status.st_uid == os.getuid() and not status.st_mode & 0o022

    def _path(self, text: str) -> Path:
        return self._directory / f"{_digest(text)}.{self._owner}"


def kept(modules: Mapping[str, str]) -> frozenset[str]:
    """The names of the modules that were compiled here before, as far as can be told without XLA."""
    try:
        present = {path.name.partition(".")[0] for path in _directory().iterdir()}
    except OSError:
        return frozenset()
    return frozenset(name for name, text in modules.items() if _digest(text) in present)


def _directory() -> Path:
    home = Path(os.environ.get("HOME", os.devnull), ".cache")  # none: nothing can be written
    return Path(os.environ.get("XDG_CACHE_HOME") or home, "dlc", "xla")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _processor() -> str:
    """What tells processors apart: compiled code may use every instruction that this one has."""
    path = Path("/proc/cpuinfo")
    first = path.read_text().partition("\n\n")[0] if path.exists() else ""
    kept = [line for line in first.splitlines() if line.startswith(("model name", "flags", "Features"))]
    return "\n".join([platform.machine(), *kept])

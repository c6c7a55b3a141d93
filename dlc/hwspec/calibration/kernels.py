"""What one core does for a while: stream through memory, multiply matrices, write and read a file.

Each function returns rates, one a repetition, in B/s or FLOP/s; the clock is that of the caller.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from dlc.hwspec.calibration.samples import Clock, until

_BLOCK = 16_384  # doubles; three blocks stay in the second-level cache between the two steps of a triad
_MATRIX = 1024
_CHUNK = 4 << 20  # bytes of one write or read


def triad(size: int, clock: Clock) -> Callable[[], float]:
    """One STREAM triad, a = b + s·c, over three arrays of `size` bytes each; B/s as STREAM counts them.

    NumPy takes two steps for it, so it goes block by block: the second step finds its block in the cache, and
    memory sees each array once. McCalpin, "Memory bandwidth and machine balance", 1995.
    """
    count = max(size // 8, _BLOCK) // _BLOCK * _BLOCK
    a, b, c = np.zeros(count), np.full(count, 1.0), np.full(count, 2.0)
    blocks = [
        (a[at : at + _BLOCK], b[at : at + _BLOCK], c[at : at + _BLOCK]) for at in range(0, count, _BLOCK)
    ]

    def measure() -> float:
        start = clock()
        for target, first, second in blocks:
            np.multiply(second, 3.0, out=target)
            np.add(target, first, out=target)
        return 3 * 8 * count / (clock() - start)

    return measure


def copy(size: int, clock: Clock) -> Callable[[], float]:
    """One copy of `size` bytes; B/s of bytes copied, each of which is read and written."""
    source, target = np.zeros(size, np.uint8), np.ones(size, np.uint8)

    def measure() -> float:
        start = clock()
        np.copyto(target, source)
        return size / (clock() - start)

    return measure


def gemm(dtype: str, clock: Clock, order: int = _MATRIX) -> Callable[[], float]:
    """One product of square matrices; FLOP/s, of as many threads as the BLAS was given."""
    a, b = np.ones((order, order), dtype), np.ones((order, order), dtype)
    out = np.empty_like(a)

    def measure() -> float:
        start = clock()
        np.matmul(a, b, out=out)
        return 2 * order**3 / (clock() - start)

    return measure


def disk(folder: Path, most: int, seconds: float, clock: Clock) -> tuple[list[float], list[float]]:
    """Rates of writing a file up to and including fsync, and of reading it back from the disk.

    The file has at most `most` bytes, fewer where that would take too long. The kernel is asked to forget it
    before it is read; what a hypervisor keeps cannot be helped.
    """
    block = os.urandom(_CHUNK)  # a disk may compress what repeats
    writes: list[float] = []
    reads: list[float] = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        pilot = _write(file, block, 4 * _CHUNK, clock)
        size = min(most, int(pilot * seconds / 8) // _CHUNK * _CHUNK + _CHUNK)
        for _ in until(seconds, clock):
            writes.append(_write(file, block, size, clock))
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            file.seek(0)
            start = clock()
            while file.read(_CHUNK):
                pass
            reads.append(size / (clock() - start))
    return writes, reads


def _write(file: IO[bytes], block: bytes, size: int, clock: Clock) -> float:
    file.seek(0)
    file.truncate(0)
    start = clock()
    for _ in range(0, size, _CHUNK):
        file.write(block)
    os.fsync(file.fileno())
    return size / (clock() - start)

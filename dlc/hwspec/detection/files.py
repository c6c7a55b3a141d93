"""Reads the small files of /proc and /sys; what is missing or junk reads as nothing."""

import re
from pathlib import Path


def read(path: Path) -> str:
    """The text of a file without surrounding blanks, "" when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def number(path: Path) -> int | None:
    """The whole number that a file holds, None for anything else."""
    content = read(path)
    return int(content) if re.fullmatch(r"-?[0-9]{1,20}", content) else None


def listed(cpus: str) -> frozenset[int]:
    """The processors that a list such as `0-3,8` names; empty for anything else."""
    if not re.fullmatch(r"\d{1,6}(-\d{1,6})?(,\d{1,6}(-\d{1,6})?)*", cpus):
        return frozenset()
    ranges = (part.partition("-") for part in cpus.split(","))
    return frozenset(cpu for first, _, last in ranges for cpu in range(int(first), int(last or first) + 1))

"""The page of each code: `codes/DLC101.md`, read only when somebody asks for it.

A page begins with `# DLC101: title`, then `exit: N`, then what the error means, an example and the fix.
"""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "codes"


def codes() -> list[str]:
    """All codes that dlc may report, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("DLC*.md"))


@cache
def page(code: str) -> str:
    """The Markdown page of a code; raises `KeyError` for a code that has none."""
    if code not in codes():
        raise KeyError(code)
    return (_FOLDER / f"{code}.md").read_text(encoding="utf-8")


def title(code: str) -> str:
    """The short name of a code, as in "unknown column"."""
    return page(code).partition("\n")[0].partition(": ")[2]


def exit_code(code: str) -> int:
    """The exit code of a process that ends with this error."""
    for line in page(code).splitlines():
        if line.startswith("exit: "):
            return int(line.removeprefix("exit: "))
    raise ValueError(f"the page of {code} has no exit line")

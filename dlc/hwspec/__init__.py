"""Machines: descriptions in `.hw` text, detection of the machine at hand, and the model that passes query.

Importing this package is cheap; the parser and the IR are imported by the functions that need them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dlc.diagnostics import DlcError, SourceLoc, suggest
from dlc.hwspec.model import Island, Machine
from dlc.hwspec.parts import Provenance, Quantity

if TYPE_CHECKING:
    from dlc.dialects.hw import MachineOp

__all__ = [
    "Island",
    "Machine",
    "Provenance",
    "Quantity",
    "catalog_names",
    "detect",
    "doubts",
    "from_ir",
    "load",
    "loads",
    "picture",
    "show",
    "to_ir",
]

_CATALOG = Path(__file__).parent / "catalog"


def catalog_names() -> list[str]:
    """The machines that `load` knows by name, `host` (the machine at hand) first."""
    return ["host", *sorted(path.stem for path in _CATALOG.glob("*.hw"))]


def load(name_or_path: str | Path) -> Machine:
    """The machine of a catalog name or of a `.hw` file; `host` is the one at hand, detected once a process.

    Raises `DLC406` when there is no such machine and `DLC401` to `DLC405` when its description is wrong.
    """
    name = str(name_or_path)
    if isinstance(name_or_path, str) and name in catalog_names():
        return _named(name)
    path = Path(name)
    if not (path.is_file() or path.suffix == ".hw" or path.parent != Path()):
        guess = suggest(name, catalog_names())
        fix = f"did you mean `{guess}`?" if guess else f"known machines are {', '.join(catalog_names())}"
        raise DlcError(
            "DLC406", f"unknown machine `{name}`", help=f"{fix} A path ends in `.hw`." if guess else fix
        )
    return loads(_read(path), name)


@cache
def _named(name: str) -> Machine:
    if name == "host":
        return loads(detect(), "host.hw")
    path = _CATALOG / f"{name}.hw"
    return loads(_read(path), str(path))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DlcError("DLC406", f"cannot read `{path}`: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DlcError("DLC401", "a machine description is UTF-8 text", loc=SourceLoc(str(path), 1)) from None


def loads(text: str, file: str = "<text>") -> Machine:
    """The checked machine of a description; `file` is its name in messages. Raises `DLC401` to `DLC405`."""
    from dlc.hwspec.build import build
    from dlc.hwspec.check import check
    from dlc.hwspec.parse import parse

    return check(build(parse(text, file)))


def doubts(machine: Machine) -> tuple[DlcError, ...]:
    """What is hardly true of a machine, such as a measured peak: errors `DLC407`, to be shown."""
    from dlc.hwspec.claims import doubts as find

    return tuple(find(machine))


def detect() -> str:
    """The `.hw` text of the machine at hand, as far as this process may use it."""
    from dlc.hwspec.detection import describe, read_facts

    return describe(read_facts())


def show(machine: Machine) -> str:
    """The machine as a tree of text for the terminal."""
    from dlc.hwspec.tree import draw

    return draw(machine)


def picture(machine: Machine) -> str:
    """The machine as one self-contained SVG document."""
    from dlc.hwspec.drawing import draw

    return draw(machine)


def to_ir(machine: Machine) -> MachineOp:
    """The `hw.machine` operation of a machine."""
    from dlc.hwspec.ir import to_ir as convert

    return convert(machine)


def from_ir(op: MachineOp) -> Machine:
    """The machine of a `hw.machine` operation; raises `DLC403` to `DLC405` when it is wrong."""
    from dlc.hwspec.ir import from_ir as convert

    return convert(op)

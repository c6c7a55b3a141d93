"""The arguments that compile, run and explain share: a program or plan, its machine and parameters."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from dlc.diagnostics import DlcError


@dataclass(frozen=True)
class Target:
    """What the user named: a plan, or a Python file and perhaps one program in it."""

    path: Path
    program: str | None = None

    @property
    def is_plan(self) -> bool:
        """Whether the file is a compiled plan rather than Python source."""
        return self.path.suffix != ".py"


def parse_target(text: str) -> Target:
    """Split `prog.py:name`; raises DLC201 when there is no such file."""
    file, _, program = text.rpartition(":")
    target = Target(Path(file), program) if file.endswith(".py") else Target(Path(text))
    if not target.path.is_file():
        raise DlcError(
            "DLC201", f"there is no file '{target.path}'", help="give a Python program or a .dlc plan"
        )
    return target


def add_compile_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a compilation needs to know."""
    parser.add_argument(
        "--machine",
        default="host",
        metavar="NAME",
        help="a .hw file, a machine of the catalog, or host (default)",
    )
    parser.add_argument(
        "-n",
        "--ranks",
        type=positive,
        metavar="N",
        help="number of MPI processes (default: 1, or those of the plan)",
    )
    parser.add_argument(
        "--param",
        dest="params",
        action="append",
        default=[],
        type=parameter,
        metavar="NAME=VALUE",
        help="a parameter of the program; may be repeated",
    )


def positive(text: str) -> int:
    """An argparse type: an integer of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value


def parameter(text: str) -> tuple[str, str]:
    """An argparse type: NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=VALUE")
    return name, value


def parameters(args: argparse.Namespace) -> dict[str, str]:
    """The parameters by name; raises DLC110 for one given twice."""
    given: dict[str, str] = {}
    for name, value in args.params:
        if name in given:
            raise DlcError("DLC110", f"parameter '{name}' is given twice", help="give each --param once")
        given[name] = value
    return given

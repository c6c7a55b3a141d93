"""The arguments that compile, run and explain share: a program or plan, its machine and parameters."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dlc.diagnostics import DlcError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from dlc.runtime.plan import Plan


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
    if not target.path.exists() or target.path.is_dir():
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
    add_parameters(parser)
    parser.add_argument(
        "--fast-math", action="store_true", help="let the last bits of floats depend on the number of ranks"
    )


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add the option that gives parameters of a program their values."""
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


def run_parameters(target: Target, args: argparse.Namespace) -> dict[str, str]:
    """The parameters that are still open when the run begins: those of a program are in its plan."""
    return parameters(args) if target.is_plan else {}


def compile_target(target: Target, args: argparse.Namespace, until: str = "plan") -> ModuleOp:
    """The module of a program at a stage, compiled as the arguments say; raises the program's errors."""
    from dlc import driver, hwspec

    module = driver.trace_file(target.path, target.program, parameters(args))
    machine = hwspec.load(args.machine)
    return driver.compile_module(module, machine, args.ranks or 1, until, fast_math=args.fast_math)


def load_plan(target: Target, args: argparse.Namespace) -> Plan:
    """The plan in a file, or that of a program."""
    if target.is_plan:
        from dlc.runtime import plan

        return plan.load(target.path)
    from dlc import driver

    return driver.build_plan(compile_target(target, args))

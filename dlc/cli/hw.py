"""`dlc hw`: machine descriptions."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dlc.cli import hw_calibrate, hw_exchange
from dlc.cli.output import write_text
from dlc.diagnostics import DlcError, render


@dataclass(frozen=True)
class Action:
    """One action of `dlc hw`: its line in the help, its arguments, and what it does with what exit code."""

    help: str
    add: Callable[[argparse.ArgumentParser], None]
    act: Callable[[argparse.Namespace], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `dlc hw`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, action in ACTIONS.items():
        inner = actions.add_parser(name, help=action.help)
        action.add(inner)
        inner.set_defaults(act=action.act)


def run(args: argparse.Namespace) -> int:
    """Carry out one action; raises the errors of .hw files (4xx)."""
    return args.act(args)


def _output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", default="-", metavar="FILE", help="where to write (default: stdout)"
    )


def _detect(args: argparse.Namespace) -> int:
    from dlc import hwspec

    write_text(hwspec.detect(), args.output)
    return 0


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("machine", nargs="?", help="a name of the catalog, a .hw file, or host")
    parser.add_argument("--svg", metavar="FILE", help="draw a picture instead of a tree; - is stdout")


def _show(args: argparse.Namespace) -> int:
    from dlc import hwspec

    if not args.machine:
        write_text("\n".join(hwspec.catalog_names()))
        return 0
    machine = hwspec.load(args.machine)
    if args.svg:
        write_text(hwspec.picture(machine), args.svg)
    else:
        write_text(hwspec.show(machine))
    return 0


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a .hw file, or a name of the catalog")
    parser.add_argument("--strict", action="store_true", help="take doubtful figures as errors")


def _check(args: argparse.Namespace) -> int:
    from dlc import hwspec

    for file in args.files:
        machine = hwspec.load(file)
        doubts = hwspec.doubts(machine)
        if doubts and args.strict:
            raise doubts[0]
        for doubt in doubts:
            sys.stderr.write(render(doubt).replace("error", "warning", 1) + "\n")
        write_text(f"{file}: {machine.name} is consistent")
    return 0


def _fmt_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path)
    parser.add_argument(
        "--check", action="store_true", help="change nothing, exit with 1 if something would change"
    )


def _fmt(args: argparse.Namespace) -> int:
    from dlc.hwspec.formatting import canonical

    changed = 0
    for file in args.files:
        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise DlcError("DLC406", f"cannot read `{file}`: {error.strerror}") from None
        except UnicodeDecodeError:
            raise DlcError("DLC401", f"`{file}` is not UTF-8 text") from None
        wanted = canonical(text, str(file))
        if wanted == text:
            continue
        changed += 1
        if args.check:
            write_text(f"{file} would change")
        else:
            write_text(wanted, str(file))
    return int(args.check and changed > 0)


ACTIONS: dict[str, Action] = {
    "detect": Action("describe the machine at hand", _output, _detect),
    "calibrate": Action(
        "describe the machine at hand with measured figures",
        hw_calibrate.add_arguments,
        hw_calibrate.run,
    ),
    "show": Action("print a machine as a tree, or the names in the catalog", _show_arguments, _show),
    "check": Action("check .hw files", _check_arguments, _check),
    "fmt": Action("write .hw files in their canonical layout", _fmt_arguments, _fmt),
    "import": Action(
        "describe a machine from what another tool tells of it",
        hw_exchange.import_arguments,
        hw_exchange.import_machine,
    ),
    "export": Action(
        "write a machine in the format of another tool",
        hw_exchange.export_arguments,
        hw_exchange.export_machine,
    ),
}
"""What `dlc hw` does."""

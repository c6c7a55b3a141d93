"""`dlc hw`: machine descriptions."""

import argparse

from dlc.cli.output import write_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `dlc hw`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    detect = actions.add_parser("detect", help="describe the machine at hand")
    detect.add_argument(
        "-o", "--output", default="-", metavar="FILE", help="where to write (default: stdout)"
    )
    detect.set_defaults(act=_detect)
    show = actions.add_parser("show", help="print a machine as a tree, or the names in the catalog")
    show.add_argument("machine", nargs="?", help="a name of the catalog, a .hw file, or host")
    show.set_defaults(act=_show)
    check = actions.add_parser("check", help="check .hw files")
    check.add_argument("files", nargs="+", metavar="FILE")
    check.set_defaults(act=_check)


def run(args: argparse.Namespace) -> int:
    """Carry out one action; raises the errors of .hw files (4xx)."""
    return args.act(args)


def _detect(args: argparse.Namespace) -> int:
    from dlc import hwspec

    write_text(hwspec.detect(), args.output)
    return 0


def _show(args: argparse.Namespace) -> int:
    from dlc import hwspec

    if args.machine:
        write_text(hwspec.show(hwspec.load(args.machine)))
    else:
        write_text("\n".join(hwspec.catalog_names()))
    return 0


def _check(args: argparse.Namespace) -> int:
    from dlc import hwspec

    for file in args.files:
        machine = hwspec.load(file)
        write_text(f"{file}: {machine.name} is consistent")
    return 0

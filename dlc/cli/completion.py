"""`dlc completion`: a script that completes dlc's commands and options in a shell."""

import argparse

from dlc.cli.output import write_text
from dlc.diagnostics import DlcError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dlc completion`."""
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))


def run(args: argparse.Namespace) -> int:
    """Print the script; raises DLC702 without the package shtab."""
    try:
        import shtab
    except ModuleNotFoundError as error:
        raise DlcError(
            "DLC702", "completion scripts need the package shtab", help="pip install 'dlc[completion]'"
        ) from error
    from dlc.cli.app import COMMANDS, build_parser

    write_text(shtab.complete(build_parser(list(COMMANDS)), shell=args.shell))
    return 0

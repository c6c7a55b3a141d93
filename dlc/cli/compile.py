"""`dlc compile`: a program in, a plan or the module at a stage out."""

import argparse

from dlc.cli.output import write_bytes, write_text
from dlc.cli.target import add_compile_arguments, compile_target, load_plan, parse_target
from dlc.diagnostics import DlcError
from dlc.passes import STAGES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dlc compile`."""
    parser.add_argument(
        "program", metavar="PROG.py[:PROGRAM]", help="the file, and the program in it if it has several"
    )
    parser.add_argument(
        "--emit", choices=STAGES, help="print the module at this stage instead of writing a plan"
    )
    add_compile_arguments(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where to write, - for stdout (default: PROG.dlc, or - with --emit)",
    )


def run(args: argparse.Namespace) -> int:
    """Compile a program as far as asked; raises the program's errors (1xx–5xx)."""
    target = parse_target(args.program)
    if target.is_plan:
        raise DlcError(
            "DLC109", f"'{target.path}' is not a Python file", help="give the .py file of a program"
        )
    if args.emit:
        write_text(str(compile_target(target, args, args.emit)), args.output or "-")
        return 0
    from dlc.runtime import plan

    write_bytes(plan.to_bytes(load_plan(target, args)), args.output or f"{target.path.stem}.dlc")
    return 0

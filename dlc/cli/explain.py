"""`dlc explain`: the page of an error code, or what a program or plan will do."""

import argparse
import re

from dlc.cli.output import write_text
from dlc.cli.target import add_compile_arguments, load_plan, parse_target
from dlc.diagnostics import codes, page, suggest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dlc explain`."""
    parser.add_argument(
        "subject",
        type=_subject,
        metavar="CODE|PROG.py[:PROGRAM]|PLAN.dlc",
        help="an error code such as DLC101, a program or a plan",
    )
    add_compile_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print a page, or the tree of operators with layout, rows and bytes."""
    if args.subject in codes():
        write_text(page(args.subject))
        return 0

    plan = load_plan(parse_target(args.subject), args)
    from dlc import driver

    write_text(driver.explain(plan))
    return 0


def _subject(text: str) -> str:
    """An argparse type: a code in its full form, or any other text as it is."""
    if not re.fullmatch(r"(?i)(dlc)?\d{3}", text):
        return text
    code = "DLC" + text[-3:]
    if code not in codes():
        raise argparse.ArgumentTypeError(f"there is no {code}; the nearest is {suggest(code, codes())}")
    return code

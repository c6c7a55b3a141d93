"""`dlc rerun`: the run of a crate once more, compared with what the crate holds."""

import argparse
from pathlib import Path

from dlc.cli.output import write_text
from dlc.cli.target import positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dlc rerun`."""
    parser.add_argument("crate", type=Path, metavar="CRATE", help="the directory of `dlc run --crate`")
    parser.add_argument(
        "-n", "--ranks", type=positive, metavar="N", help="number of MPI processes (default: as in the run)"
    )
    parser.add_argument(
        "--plan", action="store_true", help="run the plan of the crate instead of compiling its program again"
    )


def run(args: argparse.Namespace) -> int:
    """Run again and compare; raises DLC510 to DLC514, and what the program and its run raise."""
    from dlc import crate

    outcome = crate.rerun(args.crate, args.ranks, from_plan=args.plan)
    tables = ", ".join(outcome.tables) or "nothing"
    ranks = f"{outcome.ranks} rank{'' if outcome.ranks == 1 else 's'}"
    way = "its plan run again" if outcome.from_plan else "compiled and run again"
    write_text(f"{outcome.program}: {way} on {ranks}; the same: {tables}")
    return 0

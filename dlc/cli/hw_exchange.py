"""`dlc hw import` and `dlc hw export`: machines from and to the formats of other tools."""

import argparse
import sys
from pathlib import Path

from dlc.cli.output import write_text
from dlc.diagnostics import DlcError, SourceLoc


def import_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dlc hw import`."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="XML of lstopo, or slurm.conf, gres.conf and topology.conf"
    )
    parser.add_argument(
        "--format", choices=("hwloc", "slurm"), help="what wrote the files (default: told from the text)"
    )
    parser.add_argument(
        "--like", metavar="NAME", help="a machine whose figures stand in for those that the files do not tell"
    )
    parser.add_argument(
        "-o", "--output", default="-", metavar="FILE", help="where to write (default: stdout)"
    )


def export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dlc hw export`."""
    parser.add_argument("machine", help="a name of the catalog, a .hw file, or host")
    parser.add_argument(
        "--to",
        required=True,
        choices=("dlti", "jsonld", "shard", "simgrid", "slurm"),
        help="MLIR's target specification or grids, JSON-LD, a SimGrid platform, or Slurm's files",
    )
    parser.add_argument(
        "-o",
        "--output",
        default="-",
        metavar="FILE",
        help="where to write; for slurm a directory (default: stdout)",
    )


def import_machine(args: argparse.Namespace) -> int:
    """Write the description of what other tools tell; raises DLC201, DLC406 and DLC415 to DLC419."""
    from dlc import hwspec
    from dlc.hwspec import importers
    from dlc.hwspec.importers.like import assumptions, fill
    from dlc.hwspec.write import write

    machine = importers.read({file: _read(file) for file in args.files}, args.format)
    if args.like:
        filled = fill(machine, hwspec.load(args.like))
        machine = filled.machine
        for name, other in filled.instead:
            print(f"warning: {name} has the figures of {other}", file=sys.stderr)
    write_text(write(machine), args.output)
    taken, guessed = assumptions(machine)
    if taken:
        print(f"figures as in {args.like}, marked @assumed: {taken}", file=sys.stderr)
    if guessed:
        way = "by hand" if args.like else "with --like NAME, by hand"
        fix = f"correct them {way} or with `dlc hw calibrate`"
        print(f"warning: figures that are guesses, marked @assumed: {guessed}; {fix}", file=sys.stderr)
    return 0


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise DlcError(
            "DLC201", f"cannot read '{file}': {error.strerror}", help="give the file's path"
        ) from None
    except UnicodeDecodeError:
        raise DlcError("DLC415", "this is not UTF-8 text", loc=SourceLoc(file, 1)) from None


def export_machine(args: argparse.Namespace) -> int:
    """Write a machine for another tool; raises DLC418 for what its format cannot tell."""
    from dlc import hwspec
    from dlc.hwspec import exporters

    texts = exporters.write(hwspec.load(args.machine), args.to)
    if args.to != "slurm":
        (text,) = texts.values()
        write_text(text, args.output)
    elif args.output == "-":
        write_text("\n".join(f"# {name}\n{text}" for name, text in texts.items()))
    else:
        folder = Path(args.output)
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise DlcError(
                "DLC605", f"cannot write '{folder}': {error.strerror}", help="name a directory"
            ) from None
        for name, text in texts.items():
            write_text(text, str(folder / name))
    return 0

"""Finds the subcommand, runs it, and turns whatever it raises into a message and an exit code."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

import dlc

COMMANDS = {
    "compile": "compile a program to a plan, or print it at a stage",
    "run": "run a program or a plan on a number of ranks",
    "rerun": "do the run of a crate again and compare what comes out",
    "opt": "run passes over a module",
    "explain": "explain a program, a plan or an error code",
    "predict": "predict time, memory and traffic of a plan or a workload",
    "hw": "detect, show and check machine descriptions",
    "doctor": "check that this machine can run plans",
    "completion": "print a shell completion script",
}

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (by default that of the process) and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            return _dispatch(arguments)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except Exception as error:
        from dlc.cli.failure import report

        return report(error, arguments)


def build_parser(chosen: Sequence[str]) -> argparse.ArgumentParser:
    """The parser, in which only the `chosen` subcommands have their arguments (and are imported)."""
    parser = argparse.ArgumentParser(
        prog="dlc",
        description="Compile pipelines of tables and models to gangs of MPI processes, and run them.",
        epilog="exit codes: 0 ok, 1 program or IR at fault, 2 usage, 3 environment, 4 resources, "
        "5 task failed, 6 rank lost, 70 internal error",
    )
    parser.add_argument("--version", action="version", version=f"dlc {dlc.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        subparser = commands.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + "."
        )
        if name in chosen:
            module = import_module(f"dlc.cli.{name}")
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    return parser


def _dispatch(arguments: list[str]) -> int:
    command = next((argument for argument in arguments if not argument.startswith("-")), "")
    args = build_parser([command]).parse_args(arguments)
    return args.run(args)

"""The command line: one module a subcommand, imported only when that subcommand runs.

A subcommand module has `add_arguments(parser)` and `run(args) -> int`, which returns the exit code.
Data goes to stdout, talk to stderr.
"""

from dlc.cli.app import main

__all__ = ["main"]

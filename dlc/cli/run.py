"""`dlc run`: a program or a plan in, its result tables out.

Called by hand it starts the MPI processes; called by mpiexec or srun it is one of them.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlc.cli.output import write_bytes, write_text
from dlc.cli.target import add_compile_arguments, load_plan, parameters, parse_target, run_parameters
from dlc.diagnostics import DlcError

if TYPE_CHECKING:
    import polars

_SHOWN_ROWS = 40
_FORMATS = (".parquet", ".csv", ".json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dlc run`."""
    parser.add_argument(
        "target", metavar="PROG.py[:PROGRAM]|PLAN.dlc", help="a program, compiled first, or a plan"
    )
    add_compile_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the results as JSON instead of tables")
    parser.add_argument(
        "-o",
        "--output",
        default="-",
        metavar="FILE",
        help="write the result to FILE (.parquet, .csv or .json)",
    )
    parser.add_argument(
        "--record", metavar="FILE", help="write what each step took, and was predicted to take, as JSON"
    )
    parser.add_argument(
        "--crate", type=Path, metavar="DIR", help="keep the run as an RO-Crate in DIR, for `dlc rerun`"
    )
    parser.add_argument(
        "--agent",
        default="",
        metavar="NAME",
        help="who runs it, for the crate: a name, perhaps with an ORCID (default: nobody is named)",
    )
    parser.add_argument(
        "--license",
        default="",
        metavar="ID",
        help="how the crate may be used: an SPDX identifier or a URL (default: the crate says nothing)",
    )


def run(args: argparse.Namespace) -> int:
    """Run to the end and show the results; raises the errors of the program and of the run."""
    _check_output(args.output)
    _check_directory(args.record or "-")
    from dlc.runtime.launch import in_mpi_world

    if args.crate is not None:
        results = _record(args)
    elif in_mpi_world():
        from dlc.cli.world import run_as_rank

        results = run_as_rank(args)
    else:
        target = parse_target(args.target)
        from dlc.cli.accounting import run_plan

        results = run_plan(load_plan(target, args), run_parameters(target, args), args)
    if results is not None:
        _show(results, args)
    return 0


def _record(args: argparse.Namespace) -> "dict[str, polars.DataFrame] | None":
    from dlc import crate
    from dlc.cli.accounting import account

    target = parse_target(args.target)
    request = crate.Request(
        target.path,
        target.program,
        parameters(args),
        args.machine,
        args.ranks,
        args.fast_math,
        args.agent,
        args.license,
    )
    return crate.record(request, args.crate, lambda plan, steps: account(plan, steps, args))


def _check_output(path: str) -> None:
    """Refuse a file that cannot be written before the run rather than after it."""
    if path != "-" and not path.endswith(_FORMATS):
        raise DlcError(
            "DLC605",
            f"cannot write '{path}': the name has no known ending",
            help=f"use one of {', '.join(_FORMATS)}",
        )
    _check_directory(path)


def _check_directory(path: str) -> None:
    if path != "-" and not Path(path).absolute().parent.is_dir():
        raise DlcError("DLC605", f"cannot write '{path}': there is no such directory", help="create it first")


def _show(results: Mapping[str, "polars.DataFrame"], args: argparse.Namespace) -> None:
    if args.output != "-":
        _write(results, args.output)
    elif args.json:
        write_text(to_json(results))
    elif results:
        write_text("\n\n".join(_table(name, frame, len(results) > 1) for name, frame in results.items()))


def to_json(results: Mapping[str, "polars.DataFrame"]) -> str:
    """One object that holds the rows of each result; decimals, dates and non-finite floats are strings."""
    return json.dumps(
        {name: [_row(row) for row in frame.to_dicts()] for name, frame in results.items()}, allow_nan=False
    )


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _json_value(value) for name, value in row.items()}


def _json_value(value: Any) -> Any:
    match value:
        case date() | datetime() | time():
            return value.isoformat()
        case timedelta() | Decimal():
            return str(value)
        case float() if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        case _:
            return value


def _table(name: str, frame: "polars.DataFrame", named: bool) -> str:
    import polars

    width = -1 if not sys.stdout.isatty() else None
    with polars.Config(tbl_rows=_SHOWN_ROWS, tbl_cols=-1, tbl_width_chars=width, fmt_str_lengths=60):
        return f"{name}\n{frame}" if named else str(frame)


def _write(results: Mapping[str, "polars.DataFrame"], path: str) -> None:
    if path.endswith(".json"):
        return write_text(to_json(results), path)
    if len(results) != 1:
        raise DlcError(
            "DLC605",
            f"cannot write {len(results)} results to one file '{path}'",
            help="write them as .json, or let the program write each with sink_parquet",
        )
    (frame,) = results.values()
    buffer = BytesIO()
    if path.endswith(".csv"):
        frame.write_csv(buffer)
    else:
        frame.write_parquet(buffer)
    return write_bytes(buffer.getvalue(), path)

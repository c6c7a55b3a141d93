"""`dlc predict`: time, memory, traffic and price of a plan or a workload on a machine, before it runs."""

import argparse
import json
import re
from typing import TYPE_CHECKING, Any

from dlc.cli.output import write_text
from dlc.cli.target import Target, add_parameters, load_plan, parse_target
from dlc.diagnostics import DlcError, SourceLoc

if TYPE_CHECKING:
    from dlc.predict import Prediction
    from dlc.runtime.plan import Plan

_MOST_RANKS = 10_000_000
_MOST_POINTS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dlc predict`."""
    parser.add_argument(
        "target",
        nargs="?",
        metavar="PROG.py[:PROGRAM]|PLAN.dlc|WORKLOAD.toml",
        help="a program, a plan, or the description of a workload",
    )
    parser.add_argument(
        "--machine",
        metavar="NAME",
        help="a .hw file, a machine of the catalog, or host (default; a workload names its own)",
    )
    parser.add_argument(
        "-n",
        "--ranks",
        type=rank_list,
        metavar="N[,N…]",
        help="number of ranks; several, such as 1,2,4,…,4096, give a curve",
    )
    add_parameters(parser)
    parser.add_argument("--fast-math", action="store_true", help="compile the program as with this option")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw the curve over the numbers of ranks")
    parser.add_argument(
        "--history",
        action="store_true",
        help="show how good the predictions of past runs have been",
    )
    parser.add_argument(
        "--calibrate", action="store_true", help="fit the coefficients of operators to past runs"
    )


def rank_list(text: str) -> list[int]:
    """An argparse type: numbers of ranks; `a,b,…,z` goes on by the factor from a to b."""
    found: list[int] = []
    entries = re.split(r"\s*,\s*", text.replace("...", "…"))
    for number, entry in enumerate(entries):
        if entry != "…":
            found.append(int(entry))
            continue
        if number < 2 or number + 1 >= len(entries) or found[-1] <= found[-2]:
            raise argparse.ArgumentTypeError("… stands between growing numbers and the last one")
        factor, last = found[-1] / found[-2], int(entries[number + 1])
        while (after := round(found[-1] * factor)) < last and len(found) < _MOST_POINTS:
            found.append(after)
    if len(found) > _MOST_POINTS:
        raise argparse.ArgumentTypeError(f"there are more than {_MOST_POINTS} numbers of ranks")
    if not found or min(found) < 1 or max(found) > _MOST_RANKS:
        raise argparse.ArgumentTypeError(f"numbers of ranks are from 1 to {_MOST_RANKS}")
    return found


def run(args: argparse.Namespace) -> int:
    """Predict, or report on past predictions; raises what is wrong with the target or the machine."""
    if args.history or args.calibrate:
        return _look_back(args)
    if args.target is None:
        raise DlcError(
            "DLC201", "there is nothing to predict", help="give a program, a plan or a workload, or --history"
        )
    if args.target.endswith(".toml"):
        return _workload(args)
    return _plan(args)


def _plan(args: argparse.Namespace) -> int:
    from dlc import hwspec
    from dlc.predict import advice, history, report

    args.machine = args.machine or "host"
    machine = hwspec.load(args.machine)
    target = parse_target(args.target)
    counts: list[int] | list[None] = args.ranks or [None]
    if args.plot and len(set(counts)) < 2:
        problem = f"cannot draw '{args.plot}' from one number of ranks"
        raise DlcError("DLC605", problem, help="give several: -n 1,2,4,…,64")
    coefficients = history.coefficients()
    found: list[Prediction] = []
    locations: list[SourceLoc | None] = []
    for count in counts:
        plan = _load(target, args, count)
        compiled = _compiled(plan) if args.machine == "host" else frozenset[str]()
        found.append(advice.advise(plan, machine, coefficients, ranks=count, compiled=compiled))
        locations = [plan.location(index) for index in range(len(plan.locations))]
    if args.plot:
        from dlc.predict.plot import scaling_plot

        write_text(scaling_plot(found), args.plot)
    if args.json:
        data = [entry.to_json() for entry in found]
        write_text(json.dumps(data if len(data) > 1 else data[0], indent=1))
    elif len(found) == 1:
        write_text(report.text(found[0], locations))
    else:
        write_text(report.curve(found))
    return 0


def _compiled(plan: "Plan") -> frozenset[str]:
    """The kernels of a plan that were compiled on this machine before."""
    if not plan.kernels:
        return frozenset()
    from dlc.runtime.kernels.xla_cache import kept

    return kept(plan.kernels)


def _load(target: Target, args: argparse.Namespace, ranks: int | None) -> Any:
    """The plan for so many ranks: a program is compiled for them, a plan stays what it is."""
    return load_plan(target, argparse.Namespace(**{**vars(args), "ranks": ranks}))


def _workload(args: argparse.Namespace) -> int:
    from dlc import hwspec
    from dlc.predict import workloads

    for option in ("ranks", "params", "plot", "fast_math"):
        if getattr(args, option):
            name = "--" + {"params": "param"}.get(option, option.replace("_", "-"))
            raise DlcError("DLC524", f"{name} is for programs and plans", help="leave it out for a workload")
    found = workloads.run(parse_target(args.target).path, args.machine, hwspec.load)
    write_text(json.dumps(found.to_json(), indent=1) if args.json else found.text())
    return 0


def _look_back(args: argparse.Namespace) -> int:
    from dlc.predict import history

    if args.calibrate:
        history.recalibrate()
    summary = history.summary()
    write_text(json.dumps(summary.to_json(), indent=1) if args.json else summary.text())
    return 0

"""`dlc hw calibrate`: the machine at hand with measured figures."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dlc.cli.output import write_text

if TYPE_CHECKING:
    from dlc.calibrate import Calibration

_CALM = 0.1  # spread of a figure on a machine with nothing else to do


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dlc hw calibrate`."""
    parser.add_argument(
        "-n",
        "--ranks",
        type=_ranks,
        metavar="RANKS",
        help="MPI processes (default: one a core, two at least)",
    )
    parser.add_argument(
        "-o", "--output", default="-", metavar="FILE", help="where to write (default: stdout)"
    )
    parser.add_argument(
        "--machine",
        default="host",
        metavar="NAME",
        help="the description to fill in (default: host, as detected)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(),
        help="where to write a file of 256 MB for the rates of its disk",
    )
    parser.add_argument("--record", metavar="FILE", help="write all that was measured as JSON")
    parser.add_argument("--quick", action="store_true", help="take 15 s at most, with larger spreads")


def run(args: argparse.Namespace) -> int:
    """Measure, and write the description; raises DLC410 to DLC412, DLC406 and DLC701."""
    from dlc import hwspec
    from dlc.calibrate import LIMIT, QUICK_LIMIT, calibrate
    from dlc.hwspec.write import write

    machine = hwspec.load(args.machine)
    done = calibrate(machine, args.ranks, args.folder, QUICK_LIMIT if args.quick else LIMIT)
    write_text(write(done.machine), args.output)
    if args.record:
        write_text(done.record.to_json(), args.record)
    print(_summary(done), file=sys.stderr)
    return 0


def _ranks(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of ranks")
    return int(text)


def _summary(done: "Calibration") -> str:
    """The main figures for a person, and how well the model says what it was not fitted to."""
    record = done.record
    gemm = ", ".join(f"{dtype} {figure.value / 1e9:.0f}" for dtype, figure in record.node_gemm.items())
    lines = [
        f"ranks: {record.ranks}, {record.seconds:.0f} s"
        + (", oversubscribed" if record.oversubscribed else ""),
        f"  memory    {record.node_stream.value / 1e9:.1f} GB/s (± {record.node_stream.spread:.0%})",
        f"  gemm      {gemm} GFLOP/s",
    ]
    if record.write and record.read:
        lines.append(
            f"  file      read {record.read.value / 1e6:.0f}, write {record.write.value / 1e6:.0f} MB/s"
        )
    for name, messages in (("messages", record.local), ("network", record.remote)):
        if messages:
            delay, rate = messages.fit.latency * 1e6, messages.fit.bandwidth / 1e9
            lines.append(f"  {name:9} {delay:.2f} us, {rate:.1f} GB/s, R2 {messages.fit.r2:.4f}")
    if exchanges := [entry for entry in record.collectives if entry.name == "all_to_all"]:
        last = exchanges[-1]
        model = done.machine.exchange_seconds(last.size, last.ranks)
        lines.append(
            f"  all-to-all of {last.size / 1e6:.1f} MB by {last.ranks} ranks: "
            f"{last.seconds.value * 1e6:.0f} us, {model * 1e6:.0f} us by the model"
        )
    figures = (record.node_stream, *record.node_gemm.values())
    widest = max([figure.spread for figure in figures] + [record.local.spread if record.local else 0.0])
    if widest > _CALM:
        lines.append(f"warning: figures spread by up to {widest:.0%}; measure again when nothing else runs")
    return "\n".join(lines)

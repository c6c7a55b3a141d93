"""Holds each run against its prediction: a line on stderr, an entry in the history, details on request."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlc.cli.output import write_text
from dlc.diagnostics import DlcError

if TYPE_CHECKING:
    import polars

    from dlc.crate import Accounted
    from dlc.predict.accuracy import Comparison
    from dlc.runtime.plan import Plan


def wanted(args: argparse.Namespace) -> bool:
    """Whether this run is to be measured: it is unless the user keeps no history and asks for no record."""
    from dlc.predict import history

    return bool(args.record) or history.path() is not None


def run_plan(
    plan: Plan, parameters: dict[str, str], args: argparse.Namespace
) -> dict[str, polars.DataFrame] | None:
    """Run a plan as `driver.run_plan` does, and account for it."""
    from dlc import driver

    if not wanted(args):
        return driver.run_plan(plan, parameters, args.ranks)
    with tempfile.TemporaryDirectory(prefix="dlc-") as folder:
        file = Path(folder) / "record.json"
        results = driver.run_plan(plan, parameters, args.ranks, record=str(file))
        account(plan, json.loads(file.read_bytes()), args)
    return results


def account(plan: Plan, record: dict[str, Any], args: argparse.Namespace) -> Accounted | None:
    """Compare the record of a run with the prediction, say how far off it was, and remember it.

    Returns prediction and comparison as plain data. A run without a prediction is no failed run: the reason
    becomes a warning.
    """
    try:
        comparison = _compare(plan, record, args)
    except DlcError as error:
        print(f"warning: there is no prediction to compare this run with: {error.message}", file=sys.stderr)
        return None
    from dlc.crate import Accounted
    from dlc.predict import history

    print(comparison.line(), file=sys.stderr)
    history.keep(comparison)
    told = comparison.to_json()
    if args.record:
        write_text(json.dumps({"record": record, "comparison": told}, indent=1), args.record)
    return Accounted(comparison.prediction.to_json(), told)


def _compare(plan: Plan, record: dict[str, Any], args: argparse.Namespace) -> Comparison:
    from dlc import hwspec
    from dlc.predict import history
    from dlc.predict.accuracy import compare

    return compare(plan, hwspec.load(args.machine), record, history.latest_coefficients())

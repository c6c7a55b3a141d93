"""How good estimates of rows are: ``python benchmarks/cardinality.py --scale 0.1 1``.

Every operator of the TPC-H queries and of the single operators, as it stands after logical optimisation,
has its rows counted by a run and held against `estimate-cardinality`. The q-error of an estimate is the
factor by which it is off, at least 1; fewer rows than one count as one. Operators that change no number of
rows, and those that leave one row by their nature, are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "tpch"))

from data import generate  # noqa: E402
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp  # noqa: E402

from dlc import driver  # noqa: E402
from dlc.dialects import context, flow, table  # noqa: E402
from dlc.dialects.frame import AggregateAttr, FrameType  # noqa: E402
from dlc.passes import pipelines  # noqa: E402

QUERIES = ("q01", "q03", "q05", "q06", "q10", "q12", "q14", "q18")
OPERATORS = re.findall(r"@dlc\.program\ndef (\w+)", (HERE / "predict" / "operators.py").read_text())


def counted(module: ModuleOp) -> list[tuple[str, int]]:
    """(operator, estimated rows) of every frame; the module is made to return their true numbers of rows."""
    program = next(op for op in module.ops if isinstance(op, flow.ProgramOp))
    end = program.body.block.last_op
    assert isinstance(end, flow.ReturnOp)
    told: list[tuple[str, int]] = []
    counts: list[table.AggregateOp] = []
    for op in list(program.body.block.ops):
        rows = op.attributes.get("rows")
        if not isinstance(rows, IntegerAttr) or _plain(op):
            continue
        told.append((f"{op.name.removeprefix('table.')} {_details(op)}".strip(), rows.value.data))
        count = table.AggregateOp(op.results[0], [], [AggregateAttr.of("rows", "len")])
        count.attributes |= {"rows": IntegerAttr(1, 64), "bytes": IntegerAttr(8, 64)}
        count.location = op.location
        program.body.block.insert_op_before(count, end)
        counts.append(count)
    results = [count.result for count in counts]
    returned = flow.ReturnOp([f"c{at}" for at in range(len(results))], results)
    returned.location = end.location
    program.body.block.insert_op_before(returned, end)
    end.detach()
    program.returns = ArrayAttr([result.type for result in results if isinstance(result.type, FrameType)])
    return told


def _plain(op: object) -> bool:
    """Whether the rows of an operator need no estimate."""
    match op:
        case table.ScanOp():
            return op.predicate is None
        case table.AggregateOp():
            return not op.keys.data
        case table.SortOp():
            return op.limit is None
        case _:
            return isinstance(op, table.ProjectOp)


def _details(op: object) -> str:
    match op:
        case table.ScanOp():
            return Path(op.paths.data[0].data).stem + (" where" if op.predicate is not None else "")
        case table.JoinOp():
            return f"{op.kind.data} on {', '.join(key.data for key in op.left_on)}"
        case table.AggregateOp():
            return f"by {', '.join(key.data for key in op.keys) or 'nothing'}"
        case _:
            return ""


def errors(program: str, label: str, known: dict[str, int]) -> list[tuple[str, str, int, int]]:
    """(program, operator, estimated, true) of every operator; `known` keeps what runs have counted."""
    module = driver.compile_module(driver.trace_file(*program.split(":")), until="opt")
    told = counted(module)
    if any(f"{label} {at} {name}" not in known for at, (name, _) in enumerate(told)):
        later = [name for stage in ("dist", "placed", "plan") for name in pipelines.STAGES[stage]]
        pipelines.run(module, driver.configure(later, ranks=1), context())
        results = driver.run_plan(driver.build_plan(module))
        assert results is not None
        for at, (name, _) in enumerate(told):
            known[f"{label} {at} {name}"] = results[f"c{at}"].item()
    return [(label, name, rows, known[f"{label} {at} {name}"]) for at, (name, rows) in enumerate(told)]


def q_error(estimated: float, true: float) -> float:
    """The factor by which an estimate is off."""
    low, high = sorted((max(1.0, estimated), max(1.0, true)))
    return high / low


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, nargs="+", default=[0.1])
    parser.add_argument(
        "--known", type=Path, help="a JSON file that keeps true numbers of rows between calls"
    )
    parser.add_argument("--worst", type=int, default=1000, help="print so many of the worst only")
    options = parser.parse_args()
    known: dict[str, int] = {}
    if options.known and options.known.exists():
        known = json.loads(options.known.read_text())
    found: list[tuple[str, str, int, int]] = []
    with tempfile.TemporaryDirectory() as out:
        os.environ["TPCH_OUT"] = out
        for scale in options.scale:
            os.environ["TPCH_DATA"] = str(generate(scale))
            programs = [(name, str(HERE / "tpch" / f"{name}.py")) for name in QUERIES]
            programs += [(name, f"{HERE / 'predict' / 'operators.py'}:{name}") for name in OPERATORS]
            for name, program in programs:
                found += errors(program, f"{name} at {scale:g}", known)
    if options.known:
        options.known.write_text(json.dumps(known, indent=1))
    print("| program | operator | estimated | true | q-error |\n|---|---|---:|---:|---:|")
    for label, name, rows, true in sorted(found, key=lambda row: -q_error(*row[2:]))[: options.worst]:
        print(f"| {label} | {name} | {rows:,} | {true:,} | {q_error(rows, true):.2f} |")
    factors = [q_error(rows, true) for _, _, rows, true in found]
    tenths = quantiles(factors, n=10, method="inclusive")
    mean = f"{median(factors):.2f}, p90 {tenths[-1]:.2f}, worst {max(factors):.2f}"
    print(f"\n{len(factors)} operators: q-error median {mean}")


if __name__ == "__main__":
    main()

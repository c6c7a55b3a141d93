"""The real MLIR knows the dialects by their IRDL, and agrees with what xDSL prints."""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dlc.cli import main
from dlc.dialects import NAMES, load
from dlc.dialects.irdl import export, is_described

ir: Any = pytest.importorskip("mlir.ir", reason="MLIR is not installed: pip install 'dlc[mlir]'")
irdl: Any = pytest.importorskip("mlir.dialects.irdl")

LIT = Path(__file__).parent.parent.parent / "lit"
FRAME = '!table.frame<["x" : i64]>'

Load = Callable[[str], Any]


@pytest.fixture(scope="module")
def load_mlir() -> Iterator[Load]:
    """Parses and verifies a module in a context that has all dialects."""
    context = ir.Context()
    context.allow_unregistered_dialects = True
    with context, ir.Location.unknown():
        irdl.load_dialects(ir.Module.parse(export()))
        yield ir.Module.parse


@pytest.mark.parametrize("name", NAMES)
def test_a_dialect_comes_with_those_it_refers_to(name: str) -> None:
    with ir.Context(), ir.Location.unknown():
        irdl.load_dialects(ir.Module.parse(export([name])))


def commands() -> Iterator[tuple[Path, str]]:
    """(file, options) of every `dlc opt` that the FileCheck tests run on a file and expect to succeed."""
    command = re.compile(r"// RUN: (?:cd %data && )?dlc opt ([^|\n]*)%s")
    for path in sorted(LIT.rglob("*.mlir")):
        for options in command.findall(path.read_text(encoding="utf-8")):
            yield path, options


@pytest.mark.parametrize(
    ("path", "options"),
    list(commands()),
    ids=lambda part: part.stem if isinstance(part, Path) else part.strip(),
)
def test_mlir_reads_every_module_of_the_filecheck_tests(
    path: Path,
    options: str,
    load_mlir: Load,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(LIT / "data")
    assert main(["opt", "--print-for-mlir", *shlex.split(options), str(path)]) == 0
    for text in re.split(r"(?m)^// -----\n", capsys.readouterr().out):
        assert load_mlir(text).operation.verify()


def test_what_mlir_reads_stays_the_same(load_mlir: Load) -> None:
    text = f'%a = "table.scan"() ({{\n}}) {{format = "csv", paths = ["é"]}} : () -> {FRAME}'
    printed = str(load_mlir(text))
    assert str(load_mlir(printed)) == printed
    assert FRAME in printed


PRELUDE = f"""
%frame = "table.scan"() ({{
}}) {{format = "csv", paths = ["a"]}} : () -> {FRAME}
%other = "table.scan"() ({{
}}) {{format = "csv", paths = ["a"]}} : () -> !table.frame<["y" : i64]>
%number = "expr.literal"() {{value = 1}} : () -> i64
%text = "expr.literal"() {{value = "a"}} : () -> !expr.string
%index = "arith.constant"() {{value = 0 : index}} : () -> index
"""
INVALID = {
    "an operand of another type": (
        f'%a = "table.head"(%number) {{count = 3}} : (i64) -> {FRAME}',
        "expected base type 'table.frame' but got 'builtin.integer'",
    ),
    "an operand of another type of ours": (
        f'%a = "table.head"(%text) {{count = 3}} : (!expr.string) -> {FRAME}',
        "expected base type 'table.frame' but got 'expr.string'",
    ),
    "too few operands": (
        f'%a = "table.head"() {{count = 3}} : () -> {FRAME}',
        "expects exactly 1 operands, but got 0",
    ),
    "too many operands": (
        f'%a = "table.head"(%frame, %frame) {{count = 3}} : ({FRAME}, {FRAME}) -> {FRAME}',
        "expects exactly 1 operands, but got 2",
    ),
    "too few results": (
        f'"table.head"(%frame) {{count = 3}} : ({FRAME}) -> ()',
        "expects exactly 1 results, but got 0",
    ),
    "a result of another type": (
        f'%a = "table.head"(%frame) {{count = 3}} : ({FRAME}) -> f64',
        "expected base type 'table.frame' but got 'builtin.f64'",
    ),
    "a result that is not boolean": (
        '%a = "expr.is_null"(%number) : (i64) -> i64',
        "expected 'i1' but got 'i64'",
    ),
    "no attribute": (
        f'%a = "table.head"(%frame) : ({FRAME}) -> {FRAME}',
        'attribute "count" is expected',
    ),
    "an attribute of another kind": (
        f'%a = "table.head"(%frame) {{count = "3"}} : ({FRAME}) -> {FRAME}',
        "expected base attribute 'builtin.integer' but got 'builtin.string'",
    ),
    "no region": (
        f'%a = "table.filter"(%frame) : ({FRAME}) -> {FRAME}',
        "unexpected number of regions: expected 1 but got 0",
    ),
    "two schemas in one concat": (
        f'%a = "table.concat"(%frame, %other) : ({FRAME}, !table.frame<["y" : i64]>) -> {FRAME}',
        f"expected '{FRAME}' but got",
    ),
    "a type with a parameter of another kind": (
        '%a = "expr.param"() {parameter = "p"} : () -> !expr.timestamp<1, 2>',
        "expected base attribute 'builtin.string' but got 'builtin.integer'",
    ),
    "batches of no rows": (
        '%a = "nn.steps"(%frame) : (' + FRAME + ") -> index",
        "expected base type 'nn.batches' but got 'table.frame'",
    ),
    "a step that is no index": (
        '"nn.log"(%number, %index, %number) {label = "loss"} : (i64, index, i64) -> ()',
        "expected base type 'builtin.index' but got 'builtin.integer'",
    ),
    "parameters without a hash": (
        '"dlc.nn.parameters"() {values = #nn.tensors<3>} : () -> ()',
        "expected base attribute 'builtin.string' but got 'builtin.integer'",
    ),
    "an unknown operation": (f'%a = "table.haed"() : () -> {FRAME}', "unregistered operation 'table.haed'"),
}


@pytest.mark.parametrize(("text", "message"), INVALID.values(), ids=INVALID)
def test_mlir_refuses(text: str, message: str, load_mlir: Load) -> None:
    with pytest.raises(ir.MLIRError) as caught:
        load_mlir(PRELUDE + text)
    assert message in str(caught.value)


def test_few_operations_are_beyond_irdl() -> None:
    """Terminators, and operations on a number of values that differ in type."""
    beyond = {op.name for name in NAMES for op in load(name).operations if not is_described(op)}
    assert beyond == {
        *("flow.return", "table.yield", "dist.yield", "plan.end"),
        *("expr.case", "expr.coalesce", "expr.call", "dist.local", "plan.run", "plan.free"),
        *("table.to_tensor", "table.from_tensor", "dist.all_reduce_tensors"),
        *("nn.parameters", "nn.batches", "nn.batch", "nn.history", "nn.save", "nn.load"),
        *("plan.map_rows", "plan.micro", "plan.reduce", "plan.wait"),
    }

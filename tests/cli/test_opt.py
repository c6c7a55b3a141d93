"""`dlc opt`: what goes in, what comes out, and how errors are told."""

import io
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Dlc

from dlc.cli import main, opt
from dlc.diagnostics import codes
from dlc.dialects import NAMES
from dlc.passes.pipelines import STAGES

FRAME = '!table.frame<["x" : i64]>'
PROGRAM = f"""flow.program @p {{
  %t = table.scan "csv" ["t.csv"] : {FRAME}
  %h = table.head %t 3 : {FRAME} -> {FRAME}
  flow.return ["h"] %h : {FRAME}
}}
"""
UNUSED = PROGRAM.replace("  flow.return", f"  %u = table.head %h 2 : {FRAME} -> {FRAME}\n  flow.return")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_opt(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `dlc opt` on a text in the file m.mlir; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(text: str, *options: str) -> tuple[int, str, str]:
        Path("m.mlir").write_text(text, encoding="utf-8")
        exit_code = main(["opt", "m.mlir", *options])
        return exit_code, *capsys.readouterr()

    return run


def test_without_passes_the_module_comes_out_as_it_is(run_opt: Run) -> None:
    code, out, err = run_opt(PROGRAM)
    assert (code, err) == (0, "")
    assert out.replace("\n  ", "\n") == f"builtin.module {{\n{PROGRAM}}}\n"


def test_stdin_is_the_default_and_a_dash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = set[str]()
    for arguments in (["opt"], ["opt", "-"]):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PROGRAM.encode())))
        assert main(arguments) == 0
        outputs.add(capsys.readouterr().out)
    assert len(outputs) == 1


def test_errors_in_stdin_show_the_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n%a = table.head 3")))
    assert main(["opt"]) == 1
    assert "--> <stdin>:2:17" in (shown := capsys.readouterr().err)
    assert "2 | %a = table.head 3" in shown


def test_output_goes_to_a_file(run_opt: Run) -> None:
    code, out, _ = run_opt(PROGRAM, "-o", "out.mlir")
    assert (code, out) == (0, "")
    assert Path("out.mlir").read_text(encoding="utf-8").startswith("builtin.module {\n  flow.program @p {")


@pytest.mark.parametrize("option", ["--print-op-generic", "--mlir-print-op-generic"])
def test_the_generic_form(run_opt: Run, option: str) -> None:
    assert '%h = "table.head"(%t) <{count = 3 : i64}>' in run_opt(PROGRAM, option)[1]


@pytest.mark.parametrize("option", ["--print-debuginfo", "--mlir-print-debuginfo"])
def test_locations_are_those_of_the_text(run_opt: Run, option: str) -> None:
    assert re.search(r'table\.head .* loc\("m\.mlir":3:3\)', run_opt(PROGRAM, option)[1])


@pytest.mark.parametrize(
    "spelling",
    [
        ("-p", "dce"),
        ("--passes", "dce"),
        ("--pass-pipeline", "builtin.module(dce)"),
        ("-p", "cse, dce , cse"),
    ],
)
def test_passes_by_name(run_opt: Run, spelling: tuple[str, str]) -> None:
    code, out, err = run_opt(UNUSED, *spelling)
    assert (code, err) == (0, "")
    assert "%u" not in out


@pytest.mark.parametrize("option", ["--print-ir-after-all", "--mlir-print-ir-after-all"])
def test_the_module_after_every_pass(run_opt: Run, option: str) -> None:
    _, out, err = run_opt(UNUSED, "-p", "cse,dce", option)
    assert re.findall(r"// -----// IR Dump (.*) //----- //", err) == ["After cse", "After dce"]
    assert err.count("%u") == 1
    assert out in err


def test_the_module_before_every_pass(run_opt: Run) -> None:
    _, _, err = run_opt(UNUSED, "-p", "cse,dce", "--print-ir-before-all")
    assert re.findall(r"// -----// IR Dump (.*) //----- //", err) == ["Before cse", "Before dce"]
    assert err.count("%u") == 2


@pytest.mark.parametrize("option", ["--timing", "--mlir-timing"])
def test_times_of_parser_passes_verifier_and_output(run_opt: Run, option: str) -> None:
    _, out, err = run_opt(PROGRAM, "-p", "cse,dce,cse", option)
    assert out.startswith("builtin.module")
    assert re.findall(r"(?m)^ +\d+\.\d{4} \( *\d+\.\d%\)  (.*)$", err) == [
        *("Parser", "cse", "Verifier", "dce", "Output", "Total")
    ]


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ("ces", "no pass is called 'ces'"),
        ("cse{depth=3}", "pass 'cse' has no option 'depth'"),
        ("cse{", "cannot read the pipeline"),
        ("cse dce", "cannot read the pipeline"),
        ("partition{ranks=many}", "pass 'partition': "),
        ("partition{rank=4}", "pass 'partition' has no option 'rank'"),
        ("$", "cannot read the pipeline"),
    ],
)
def test_a_wrong_pipeline_is_refused(run_opt: Run, pipeline: str, message: str) -> None:
    code, out, err = run_opt(PROGRAM, "-p", pipeline)
    assert (code, out) == (1, "")
    assert err.startswith(f"error[DLC303]: {message}")
    assert "= help: " in err


def test_a_syntax_error_points_at_the_word(run_opt: Run) -> None:
    code, out, err = run_opt(PROGRAM.replace("head %t 3", "head %t three"))
    assert (code, out) == (1, "")
    assert err.splitlines()[0].startswith("error[DLC301]: ")
    assert err.splitlines()[1:] == [
        " --> m.mlir:3:22",
        "  |",
        f"3 |   %h = table.head %t three : {FRAME} -> {FRAME}",
        "  |                      ^^^^^",
    ]


def test_a_verifier_error_names_the_operation(run_opt: Run) -> None:
    code, _, err = run_opt(PROGRAM.replace('["h"]', '["h", "i"]'))
    assert code == 1
    assert err.startswith("error[DLC302]: flow.return: 2 names for 1 results\n --> m.mlir:4:3\n")


def test_verification_can_be_switched_off(run_opt: Run) -> None:
    assert run_opt(PROGRAM.replace('["h"]', '["h", "i"]'), "--disable-verify")[0] == 0


def test_a_pass_that_breaks_a_module_is_a_fault_of_dlc(run_opt: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from xdsl.dialects.builtin import StringAttr

    from dlc.passes.optimize.cse import CsePass

    def apply(_: CsePass, __: object, module: object) -> None:
        for op in module.walk():  # type: ignore[attr-defined]
            if op.name == "table.scan":
                op.properties["format"] = StringAttr("xls")

    monkeypatch.setattr(CsePass, "apply", apply)
    code, out, err = run_opt(PROGRAM, "-p", "cse")
    assert (code, out) == (70, "")
    assert err.startswith("error[DLC901]: pass 'cse' has left an invalid module: table.scan: format must be")
    assert run_opt(PROGRAM, "-p", "cse", "--no-verify-each")[0] == 0


def test_an_exception_in_a_pass_is_a_fault_of_dlc(run_opt: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from dlc.passes.optimize.cse import CsePass

    def apply(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(CsePass, "apply", apply)
    code, _, err = run_opt(PROGRAM, "-p", "cse")
    assert code == 70
    assert err.startswith("error[DLC901]: internal error: KeyError: 'x'")


def test_pieces_are_processed_on_their_own(run_opt: Run) -> None:
    code, out, err = run_opt(f"{PROGRAM}// -----\n?\n// -----\n{PROGRAM}", "--split-input-file")
    assert code == 1
    assert out.count("flow.program @p") == 2
    assert out.count("// -----\n") == 1
    assert "--> m.mlir:7:1" in err


WRONG_NAMES = PROGRAM.replace('["h"]', '["h", "i"]')


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        (4, "// expected-error@+1 {{2 names for 1 results}}"),
        (4, "// expected-error@below {{DLC302}}"),
        (4, "// expected-error-re@below {{[0-9] names for . results$}}"),
        (5, "// expected-error@above {{flow.return}}"),
        (6, "// expected-error@-2 {{flow.return}}"),
    ],
)
def test_an_expected_error_is_no_error(run_opt: Run, line: int, comment: str) -> None:
    lines = WRONG_NAMES.splitlines()
    lines.insert(line - 1, comment)
    assert run_opt("\n".join(lines), "--verify-diagnostics") == (0, "", "")


def test_what_was_not_expected_and_what_did_not_come_is_told(run_opt: Run) -> None:
    code, _, err = run_opt(
        f"// expected-error@+1 {{{{something else}}}}\n{WRONG_NAMES}", "--verify-diagnostics"
    )
    assert code == 1
    assert err.splitlines() == [
        "m.mlir:5:3: unexpected error: DLC302: flow.return: 2 names for 1 results",
        'm.mlir:1: expected error "something else" was not produced',
    ]


def test_unregistered_operations_are_accepted_on_request(run_opt: Run) -> None:
    text = '%0 = "other.op"() {a = #other.attribute<x>} : () -> !other.type\n'
    assert run_opt(text)[0] == 1
    code, out, _ = run_opt(text, "--allow-unregistered-dialect")
    assert code == 0
    assert '"other.op"()' in out


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\xff\xfe", "DLC301"), (b"", "DLC301"), (b"(" * 1000, "DLC304"), (b" " * ((16 << 20) + 1), "DLC304")],
)
def test_files_that_cannot_be_modules(run_dlc: Dlc, tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "m.mlir").write_bytes(data)
    result = run_dlc("opt", "m.mlir")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error[{code}]: ")


@pytest.mark.parametrize("name", ["none.mlir", "."])
def test_a_file_that_cannot_be_read(run_dlc: Dlc, name: str) -> None:
    result = run_dlc("opt", name)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error[DLC201]: cannot read '{name}': ")


def test_passes_and_dialects_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["opt", "--list-passes"]) == 0
    assert re.search(r"(?m)^cse +\w.*$", capsys.readouterr().out)
    assert main(["opt", "--show-dialects"]) == 0
    shown = capsys.readouterr().out
    assert re.findall(r"(?m)^\w+$", shown) == list(NAMES)
    assert re.search(r"(?m)^    table\.filter +Rows for which the predicate is true\.$", shown)


def test_the_options_name_what_the_compiler_has() -> None:
    assert tuple(STAGES) == opt.STAGES
    assert NAMES == opt.DIALECTS
    assert {"DLC201", "DLC301", "DLC302", "DLC303", "DLC304", "DLC901"} <= set(codes())


def test_a_small_module_takes_no_time_to_speak_of(tmp_path: Path) -> None:
    """The best of several runs, in seconds of the processor: the machine may be busy with other tests."""
    (tmp_path / "m.mlir").write_text(PROGRAM, encoding="utf-8")

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "dlc", "opt", tmp_path / "m.mlir"]
        subprocess.run(command, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(8)) < 0.4

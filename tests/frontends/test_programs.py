"""Programs: how they are found, what their parameters become, and what they may return."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from xdsl.dialects.builtin import FileLineColLoc, UnitAttr

import dlc
from dlc import col
from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import datatypes as t
from dlc.dialects.expr import python_literal
from dlc.dialects.flow import ProgramOp
from dlc.frontends.load import load
from dlc.frontends.program import Program, trace

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file of a program into the working directory and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write_file(text: str, name: str = "prog.py") -> str:
        Path(name).write_text(f"import dlc\nfrom dlc import col\n{text}", encoding="utf-8")
        return name

    return write_file


def program_of(program: Program, **parameters: object) -> ProgramOp:
    op = trace(program, parameters).body.block.first_op
    assert isinstance(op, ProgramOp)
    return op


def defaults(op: ProgramOp) -> dict[str, object]:
    return {
        p.parameter.data: "required" if isinstance(p.default, UnitAttr) else python_literal(p.default, p.type)
        for p in op.parameters or ()
    }


def test_scalar_parameters_are_open_until_the_run(orders: dlc.Frame) -> None:
    @dlc.program
    def late(least: int, share: float = 1, name: str = "x", on: bool = True, day: date = date(1970, 1, 2)):
        return orders.filter(col("id") > least, col("day") >= day, on)

    op = program_of(late)
    assert op.sym_name.data == "late"
    assert op.stage is not None
    assert op.stage.data == "flow"
    assert [t.text(p.type) for p in op.parameters or ()] == ["i64", "f64", "string", "bool", "date"]
    assert defaults(op) == {"least": "required", "share": 1.0, "name": "x", "on": True, "day": 1}
    assert 'expr.param "least"' in str(op)


def test_given_values_become_defaults_and_may_be_text(orders: dlc.Frame) -> None:
    @dlc.program
    def late(least: int, share: float = 1, on: bool = True, day: date = date(1970, 1, 2)):
        return orders

    given = {"least": "7", "share": "0.5", "on": "False", "day": "1970-01-11"}
    assert defaults(program_of(late, **given)) == {"least": 7, "share": 0.5, "on": False, "day": 10}
    assert defaults(program_of(late, least=7, day=date(1970, 1, 3)))["day"] == 2


def test_a_parameter_may_be_declared_in_the_body(orders: dlc.Frame) -> None:
    @dlc.program
    def late():
        return orders.filter(col("id") > dlc.param("least", dlc.Int32, 5))

    assert defaults(program_of(late)) == {"least": 5}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lest": 1}, "no parameter 'lest'"),
        ({"least": "x"}, "'x' is not a value of type i64"),
        ({"least": 1.5}, "1.5 is not a value of type i64"),
        ({"least": True}, "True is not a value of type i64"),
    ],
)
def test_parameters_that_do_not_fit(orders: dlc.Frame, given: dict[str, object], message: str) -> None:
    @dlc.program
    def late(least: int = 3):
        return orders

    with pytest.raises(DlcError) as caught:
        trace(late, given)
    assert caught.value.code == "DLC110"
    assert message in caught.value.message
    assert caught.value.loc == late.loc


def test_parameters_that_a_plan_cannot_hold(orders: dlc.Frame) -> None:
    @dlc.program
    def untyped(x):
        return orders

    @dlc.program
    def odd(x: dict[str, int]):
        return orders

    @dlc.program
    def unknown(x: "Nowhere"):  # noqa: F821
        return orders

    @dlc.program
    def several(*x: int):
        return orders

    @dlc.program
    def wrong_default(x: int = "a"):  # pyright: ignore[reportGeneralTypeIssues]
        return orders

    for program in (untyped, odd, unknown, several, wrong_default):
        with pytest.raises(DlcError) as caught:
            trace(program)
        assert caught.value.code == "DLC110", program


def test_frame_parameters_are_bound_to_files(tables: Path) -> None:
    @dlc.program(inputs={"orders": str(tables / "orders.parquet")})
    def bound(orders: dlc.Frame, customers: "dlc.Frame"):
        return orders.join(customers, on="customer")

    op = program_of(bound, customers=tables / "customers.parquet")
    assert str(op).count("table.scan") == 2
    with pytest.raises(DlcError, match="needs a file for its frame 'customers'"):
        trace(bound)


def test_results_are_named(orders: dlc.Frame, tmp_path: Path) -> None:
    @dlc.program
    def one() -> dlc.Frame:
        return orders

    @dlc.program
    def two() -> dict[str, dlc.Frame]:
        return {"a": orders, "b": orders.head(1)}

    @dlc.program
    def none() -> None:
        orders.sink_parquet(tmp_path / "all.parquet")
        orders.sink_parquet(tmp_path / "parts")

    assert [name.data for name in program_of(one).return_op.names] == ["one"]
    assert [name.data for name in program_of(two).return_op.names] == ["a", "b"]
    assert 'as "directory"' in str(program_of(none))


def test_one_path_is_written_once(orders: dlc.Frame) -> None:
    @dlc.program
    def twice() -> None:
        orders.sink_parquet("x.parquet")
        orders.head(1).sink_parquet("x.parquet")

    with pytest.raises(DlcError, match="written twice"):
        trace(twice)


def test_programs_can_call_one_another(orders: dlc.Frame) -> None:
    @dlc.program
    def part(least: int = 3) -> dlc.Frame:
        return orders.filter(col("id") > least)

    @dlc.program
    def whole() -> dlc.Frame:
        return part(least=5).head(1)

    assert program_of(whole).parameters is None
    assert part.__name__ == "part"


def test_a_parameter_belongs_to_its_program(orders: dlc.Frame) -> None:
    kept: list[dlc.Frame] = []

    @dlc.program
    def first(least: int = 3) -> dlc.Frame:
        kept.append(orders.filter(col("id") > least))
        return kept[0]

    trace(first)

    @dlc.program
    def second() -> dlc.Frame:
        return kept[0]

    with pytest.raises(DlcError, match="belongs to another program"):
        trace(second)
    with pytest.raises(DlcError, match="no program is being traced"):
        dlc.param("least", int)


def test_the_program_of_a_file_is_found(write: Write, tables: Path) -> None:
    path = write(
        f"@dlc.program\ndef only():\n    return dlc.scan_parquet({str(tables / 'orders.parquet')!r})\n"
    )
    program = load(path)
    assert program.name == "only"
    assert program.loc == SourceLoc("prog.py", 4)


def test_of_several_programs_one_must_be_named(write: Write) -> None:
    path = write("@dlc.program\ndef one(): ...\n@dlc.program\ndef two(): ...\n")
    assert load(path, "two").name == "two"
    with pytest.raises(DlcError, match="2 programs: one, two"):
        load(path)
    with pytest.raises(DlcError, match="did you mean 'two'"):
        load(path, "tow")


def test_a_file_without_a_program(write: Write) -> None:
    for text in ("", "from other import shared\n"):
        write("@dlc.program\ndef shared(): ...\n", "other.py")
        with pytest.raises(DlcError) as caught:
            load(write(text))
        assert caught.value.code == "DLC109"
    with pytest.raises(DlcError) as caught:
        load("none.py")
    assert caught.value.code == "DLC201"


def test_a_file_that_cannot_be_imported_shows_its_line(write: Write) -> None:
    for text, line in (("x = = 1\n", 3), ("\nimport nowhere_to_be_found\n", 4), ("\n\nopen('none')\n", 5)):
        with pytest.raises(DlcError) as caught:
            load(write(text))
        assert caught.value.code == "DLC112"
        assert caught.value.loc is not None
        assert (caught.value.loc.file, caught.value.loc.line) == ("prog.py", line)


def test_a_file_sees_itself_and_its_neighbours_as_a_script_does(write: Write, tables: Path) -> None:
    write(
        f"def scan():\n    return dlc.scan_parquet(TABLE)\nTABLE = {str(tables / 'orders.parquet')!r}\n",
        "nearby.py",
    )
    path = write("import nearby\nHERE = __file__\n@dlc.program\ndef p():\n    return nearby.scan()\n")
    assert trace(load(path)).ops


def test_a_changed_file_is_read_anew(write: Write) -> None:
    assert load(write("@dlc.program\ndef one(): ...\n")).name == "one"
    assert load(write("@dlc.program\ndef two(): ...\n")).name == "two"


def test_every_op_has_the_users_file_and_line(write: Write, tables: Path) -> None:
    path = write(
        f"""
def scan(name):
    return dlc.scan_parquet(f"{tables}/{{name}}.parquet")

@dlc.program
def p(least: int = 3):
    frame = (
        scan("orders")
        .filter((col("id") > least) & col("day").dt.year().is_in([2024]))
        .join(scan("customers").rename({{"id": "number"}}), on="customer", how="left")
        .with_columns(n=dlc.when(col("number").is_null()).then(0).otherwise(col("number")) * 2.5)
        .group_by(col("day").dt.month().alias("month"))
        .agg((col("n") * 2).sum() / dlc.len(), dlc.len())
        .sort(-col("month"), "len")
        .unique("month")
        .head(3)
    )
    dlc.concat([frame, frame.select(*frame.columns)]).sink_parquet("out")
    return frame.drop("len")
"""
    )
    found: dict[str, set[int]] = {}
    for op in trace(load(path)).walk():
        location = op.location
        assert isinstance(location, FileLineColLoc), op
        assert location.filename.data == "prog.py", op
        found.setdefault(op.name, set()).add(location.line.data)
    assert found["flow.program"] == {8}
    assert found["table.scan"] == {5}
    assert found["table.filter"] == {11}
    assert found["table.join"] == {12}
    assert found["table.aggregate"] == {15}
    assert found["table.sink"] == {20}
    assert 13 in found["expr.case"]


def test_only_functions_are_programs() -> None:
    with pytest.raises(DlcError, match="is not a function"):
        dlc.program(3)  # pyright: ignore[reportGeneralTypeIssues]


def test_an_error_of_this_package_is_not_blamed_on_the_user(
    orders: dlc.Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlc.frontends.table.frame.project", None)

    @dlc.program
    def p() -> dlc.Frame:
        return orders.select("id")

    with pytest.raises(TypeError):
        trace(p)


def test_importing_the_package_imports_no_compiler(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import dlc, sys; dir(dlc); assert not {'xdsl', 'polars', 'pyarrow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ, cwd=tmp_path)

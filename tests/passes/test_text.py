"""Modules from text: where errors point, what hostile text does, and that text survives a round trip."""

from itertools import pairwise

import pytest
from xdsl.dialects.builtin import ModuleOp

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import context
from dlc.passes import bounds
from dlc.passes.locations import source_loc
from dlc.passes.text import parse_module, print_module

SCAN = '%t = table.scan "csv" ["t.csv"] : !table.frame<["x" : i64]>\n'


def parse(text: str) -> ModuleOp:
    return parse_module(text, "test.mlir", context())


def error_of(text: str) -> DlcError:
    with pytest.raises(DlcError) as caught:
        parse(text)
    return caught.value


def test_operations_have_their_place_in_the_text_as_location() -> None:
    (scan, head) = parse(SCAN + "\n  %h = table.head %t 3 : " + frame_to_frame()).ops
    assert source_loc(scan) == SourceLoc("test.mlir", 1, 1)
    assert source_loc(head) == SourceLoc("test.mlir", 3, 3)


def frame_to_frame() -> str:
    return '!table.frame<["x" : i64]> -> !table.frame<["x" : i64]>'


def test_a_location_in_the_text_wins() -> None:
    (scan,) = parse(SCAN.rstrip() + ' loc("prog.py":7:5)').ops
    assert source_loc(scan) == SourceLoc("prog.py", 7, 5)


@pytest.mark.parametrize(
    "location",
    ['"name"("prog.py":7:5)', 'callsite("prog.py":7:5 at "b.py":1:1)', 'fused["prog.py":7:5, "b.py":1:1]'],
)
def test_the_first_file_that_a_location_names_counts(location: str) -> None:
    (scan,) = parse(f"{SCAN.rstrip()} loc({location})").ops
    assert source_loc(scan) == SourceLoc("prog.py", 7, 5)


def test_locations_survive_printing() -> None:
    text = print_module(parse(SCAN), debuginfo=True)
    (scan,) = parse_module(text, "printed.mlir", context()).ops
    assert source_loc(scan) == SourceLoc("test.mlir", 1, 1)


def test_a_syntax_error_marks_the_word() -> None:
    error = error_of(SCAN + "%h = table.head %t three : i64")
    assert (error.code, error.loc) == ("DLC301", SourceLoc("test.mlir", 2, 20, 25))


def test_an_unknown_operation_has_a_suggestion() -> None:
    error = error_of(SCAN + "%h = table.haed %t 3 : i64")
    assert error.help == "did you mean 'table.head'?"
    assert error.loc == SourceLoc("test.mlir", 2, 6, 16)


def test_an_unknown_type_is_marked() -> None:
    error = error_of('%h = expr.param "p" : !expr.strnig')
    assert error.help == "did you mean 'expr.string'?"
    assert error.loc == SourceLoc("test.mlir", 1, 24, 35)


def test_a_block_declared_twice_shows_both_places() -> None:
    error = error_of("dist.local() {\n^a:\n  dist.yield\n^a:\n  dist.yield\n} : () -> ()")
    assert error.loc == SourceLoc("test.mlir", 4, 1, 3)
    assert [note.loc for note in error.notes] == [SourceLoc("test.mlir", 2, 1, 3)]


def test_an_invalid_type_is_marked_where_it_begins() -> None:
    error = error_of('%t = table.scan "csv" ["t.csv"] : !table.frame<["x" : i64, "x" : i64]>')
    assert (error.code, error.loc) == ("DLC302", SourceLoc("test.mlir", 1, 35))


def test_a_verifier_names_the_operation_and_its_line() -> None:
    error = error_of(
        SCAN + "%h = table.head %t 3 : " + frame_to_frame().replace("x", "y", 2).replace("y", "x", 1)
    )
    assert error.code == "DLC302"
    assert error.message == "table.head: result schema must be x: i64"
    assert error.loc == SourceLoc("test.mlir", 2, 1)


def test_verification_can_be_left_out() -> None:
    text = 'flow.program @p {\n  flow.return ["a"]\n}'
    assert error_of(text).code == "DLC302"
    parse_module(text, "test.mlir", context(), verified=False)


def test_a_value_that_depends_on_itself_is_invalid() -> None:
    assert "%h is used before it is defined" in error_of(f"%h = table.head %h 3 : {frame_to_frame()}").message


def test_a_piece_of_a_file_counts_lines_from_its_own_first() -> None:
    with pytest.raises(DlcError) as caught:
        parse_module("\n?", "test.mlir", context(), first_line=10)
    assert caught.value.loc == SourceLoc("test.mlir", 11, 1, 2)


@pytest.mark.parametrize(
    "name", ["é", 'say "x"', "back\\slash", "tab\tnewline\n", "", "日本", "\x00", "a : i64]>"]
)
@pytest.mark.parametrize("generic", [False, True])
def test_any_text_may_be_a_name(name: str, generic: bool) -> None:
    from dlc.dialects.datatypes import parse_text
    from dlc.dialects.frame import FrameType
    from dlc.dialects.table import ScanOp

    module = ModuleOp([ScanOp("csv", [name], FrameType.of({name: parse_text("i64")}))])
    text = print_module(module, generic=generic)
    (scan,) = parse(text).ops
    assert isinstance(scan, ScanOp)
    assert scan.paths.data[0].data == name
    assert list(scan.result.type.columns) == [name]  # type: ignore[attr-defined]


HOSTILE = {
    "no text": ("", "DLC301"),
    "a bad first word": ("\x00", "DLC301"),
    "a string without end": ('"' + "a" * 5000, "DLC301"),
    "a string without end full of escapes": ('%a = table.scan "' + "\\q" * 5000, "DLC301"),
    "many opening brackets": ("[" * 100_000, "DLC304"),
    "brackets of all kinds": ("({[<" * 50, "DLC304"),
    "nested types": ("%a = expr.null : " + "!expr.nullable<" * 1000 + "i64" + ">" * 1000, "DLC304"),
    "nested attributes": ("module attributes {a = " + "[" * 40 + "]" * 40 + "} {}", None),
    "a name without end": ("%" + "a" * 100_000, "DLC304"),
    "a wide integer type": ("%a = expr.literal 1 : i16777215", "DLC304"),
    "a long number": (f"%a = expr.literal {'9' * 5000} : i64", "DLC301"),
    "a constant larger than memory": (
        '"x.y"() {a = dense<1> : tensor<99999x99999xi64>} : () -> ()',
        "DLC301",
    ),
    "many words": ("1 " * (bounds.MAX_TOKENS + 1), "DLC304"),
    "affine division by zero": ('"x.y"() {a = affine_map<(d0) -> (1 floordiv 0)>} : () -> ()', "DLC301"),
    "a chain of signs": (f"module attributes {{a = affine_map<() -> ({'-' * 5000}1)>}} {{}}", "DLC304"),
    "only closing brackets": (">)]}" * 1000, "DLC301"),
}


@pytest.mark.parametrize(("text", "code"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.timeout(10)
def test_hostile_text_is_an_error_like_others(text: str, code: str | None) -> None:
    if code is None:
        parse(text)
    else:
        assert error_of(text).code == code


def test_the_bounds_are_checked_before_the_parser_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlc.passes.text._LocatingParser", None)
    error = error_of("\n " + "(" * 100)
    assert (error.code, error.loc) == ("DLC304", SourceLoc("test.mlir", 2, 2 + bounds.MAX_DEPTH))


def test_brackets_in_strings_and_comments_do_not_count() -> None:
    parse(f'// {"(" * 100}\n%t = table.scan "csv" ["{"(" * 100}"] : !table.frame<["x" : i64]>')


def test_arrows_close_no_bracket() -> None:
    text = "{" * (bounds.MAX_DEPTH + 1)
    arrows = "".join(a + "->" for a, _ in pairwise(text + "x"))
    assert error_of(arrows).code == "DLC304"


def test_parsing_takes_time_in_proportion_to_the_text() -> None:
    import time

    def seconds(lines: int) -> float:
        text = "".join(f"%a{i} = expr.literal {i} : i64\n" for i in range(lines))
        start = time.perf_counter()
        parse(text)
        return time.perf_counter() - start

    seconds(10)
    assert seconds(2000) < 40 * max(seconds(200), 0.01)

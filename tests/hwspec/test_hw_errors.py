"""Every mistake in a description is told with its code, its place and a way to mend it."""

from pathlib import Path

import pytest

from dlc import hwspec
from dlc.diagnostics import DlcError, page, render
from dlc.hwspec.parts import Table

CORE = "cpu c { cores = 4 }; memory ram { capacity = 8 GB; bandwidth = 20 GB/s }"
PAIR = f"node n[0..1] {{ {CORE}; nic h {{ bandwidth = 1 GB/s }} }}"


def error_of(text: str, tmp_path: Path) -> DlcError:
    file = tmp_path / "m.hw"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DlcError) as caught:
        hwspec.load(file)
    return caught.value


RENDERED = {
    "syntax": (
        "machine m {\n  node n[0...3] { }\n}\n",
        """\
error[DLC401]: expected `]`, found `.`
 --> m.hw:2:11
  |
2 |   node n[0...3] { }
  |           ^""",
    ),
    "unit": (
        "machine m {\n  node n {\n    memory ram { capacity = 8 Gb @spec }\n  }\n}\n",
        """\
error[DLC402]: unknown unit `Gb`
 --> m.hw:3:29
  |
3 |     memory ram { capacity = 8 Gb @spec }
  |                             ^^^^
  = help: write `Gbit` for bits or `GB` for bytes""",
    ),
    "name": (
        "machine m {\n  node n {\n    cpu c { coers = 8 }\n  }\n}\n",
        """\
error[DLC403]: unknown property `coers` of a cpu
 --> m.hw:3:13
  |
3 |     cpu c { coers = 8 }
  |             ^^^^^
  = help: did you mean `cores`?""",
    ),
    "value": (
        "machine m {\n  node n[1..4] { }\n}\n",
        """\
error[DLC404]: copies are numbered from 0
 --> m.hw:2:8
  |
2 |   node n[1..4] { }
  |        ^^^^^^^
  = help: write `n[0..3]`""",
    ),
    "check": (
        "machine m {\n  node n {\n    cpu c { cores = 8 }\n    memory ram { bandwidth = 9 GB/s }\n  }\n}\n",
        """\
error[DLC405]: memory ram has no capacity
 --> m.hw:4:12
  |
4 |     memory ram { bandwidth = 9 GB/s }
  |            ^^^
  = help: add `capacity = …`: usable size""",
    ),
    "twice": (
        "machine m {\n  node n {\n    cpu c { cores = 8 }\n    cpu c { cores = 8 }\n  }\n}\n",
        """\
error[DLC405]: part `c` is given twice
 --> m.hw:4:9
  |
4 |     cpu c { cores = 8 }
  |         ^
note: first given here
 --> m.hw:3:9
  |
3 |     cpu c { cores = 8 }
  |         ^""",
    ),
}


@pytest.mark.parametrize(("text", "rendered"), RENDERED.values(), ids=RENDERED)
def test_an_error_points_into_the_text(
    text: str, rendered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.hw").write_text(text, encoding="utf-8")
    with pytest.raises(DlcError) as caught:
        hwspec.load("m.hw")
    assert render(caught.value) == rendered


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        (
            "machin m { }",
            "expected `machine`, `type` or the end of the file, found `machin`",
            "did you mean `machine`?",
        ),
        (
            "machine m {",
            "expected `link`, `type`, `}` or a name, found the end of the file",
            "close the block with `}`",
        ),
        (
            "machine m { x: 3 }",
            "expected `=`, `{` or a name, found `:`",
            "a property is written `name = value`",
        ),
        (
            'machine m { meta { a = "b } }',
            'expected `[`, `{`, a name, a number or a string, found `"`',
            'a string ends with `"` on the line where it begins',
        ),
        (
            "machine m { node n { cpu c { cores = 4 smt = 2 } } }",
            "expected `;`, `@`, `link`, `type`, `}` or a name, found `=`",
            "write `;` between properties on one line",
        ),
    ],
)
def test_syntax(text: str, message: str, fix: str, tmp_path: Path) -> None:
    error = error_of(text, tmp_path)
    assert (error.code, error.message, error.help) == ("DLC401", message, fix)


@pytest.mark.parametrize(
    ("value", "message", "fix"),
    [
        ("8", "`capacity` needs a unit", "`capacity` is measured in B, as in `16 GB`"),
        ("8 GB/s", "`capacity` is measured in B, not in GB/s", "write `8 GB`"),
        ("8 KB", "unknown unit `KB`", "write `kB` for powers of ten or `KiB` for powers of two"),
        ("8 GHz", "`capacity` is measured in B, not in GHz", None),
    ],
)
def test_a_quantity_needs_a_unit_that_fits(value: str, message: str, fix: str | None, tmp_path: Path) -> None:
    error = error_of(f"machine m {{ node n {{ memory r {{ capacity = {value} }} }} }}", tmp_path)
    assert (error.code, error.message, error.help) == ("DLC402", message, fix)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("3", "`price` needs a unit"),
        ("3 USD", "unknown unit `USD`"),
        ("3 W", "`price` is measured in a currency per hour, not in W"),
    ],
)
def test_a_price_is_a_currency_per_hour(value: str, message: str, tmp_path: Path) -> None:
    error = error_of(f"machine m {{ node n {{ price = {value} }} }}", tmp_path)
    assert (error.code, error.message) == ("DLC402", message)


def test_a_mark_behind_a_list_or_a_map_holds_for_all_its_numbers() -> None:
    machine = hwspec.loads(
        """machine m { node n {
          cpu c { cores = 1; compute = { f64: 1 GFLOP/s, f32: 2 GFLOP/s @assumed } @spec("x") }
          memory r { capacity = 1 B; bandwidth = 1 B/s }
        } }"""
    )
    rates = machine.of_kind("cpu")[0].part.get("compute")
    assert isinstance(rates, Table)
    kinds = {name: rate.provenance for name, rate in rates.entries if isinstance(rate, hwspec.Quantity)}
    assert kinds == {"f64": hwspec.Provenance("spec", "x"), "f32": hwspec.Provenance("assumed")}


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        (f"machine m {{ nod n {{ {CORE} }} }}", "unknown kind of part `nod`", "did you mean `node`?"),
        (
            f"type node Thin {{ {CORE} }} machine m {{ node n : Thn }}",
            "unknown type `Thn`",
            "did you mean `Thin`?",
        ),
        (
            "machine m { node n { cpu c { cores = 4 @measurd } } }",
            "unknown mark `measurd`",
            "did you mean `measured`?",
        ),
        (
            f"machine m {{ {PAIR} network x : sta {{ attach = n[*].h }} }}",
            "unknown topology `sta`",
            "did you mean `star`?",
        ),
        (
            f"machine m {{ {PAIR} network x : star {{ attach = n[*].hh }} }}",
            "unknown part `hh` in node n",
            "did you mean `h`?",
        ),
        (
            f"machine m {{ node n {{ {CORE}; cache l {{ per = cor }} }} }}",
            "unknown value `cor` of `per`",
            "did you mean `core`?",
        ),
        (
            f"machine m {{ node n {{ {CORE} }}; mata {{ }} }}",
            "unknown section `mata`",
            "did you mean `meta`?",
        ),
    ],
)
def test_an_unknown_name_brings_the_nearest_known_one(
    text: str, message: str, fix: str, tmp_path: Path
) -> None:
    error = error_of(text, tmp_path)
    assert (error.code, error.message, error.help) == ("DLC403", message, fix)


@pytest.mark.parametrize(
    ("cpu", "message"),
    [
        ("cores = 2.5", "`cores` must be a whole number of at most 1000000000"),
        ("cores = 0", "`cores` must be positive"),
        ("cores = -4", "`cores` must be positive"),
        ('cores = "four"', "`cores` must be a whole number"),
        ("cores = 1e99", "`1e99` is out of range"),
        ("isa = avx2", '`isa` must be strings, `["…", "…"]`'),
        ("launch = 5", "`launch` needs a unit"),
        ("compute = 3 GFLOP/s", "`compute` must be rates by element type, `{ f64: 7.8 TFLOP/s }`"),
    ],
)
def test_a_value_must_be_what_its_property_takes(cpu: str, message: str, tmp_path: Path) -> None:
    error = error_of(f"machine m {{ node n {{ cpu c {{ {cpu} }} }} }}", tmp_path)
    assert error.message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a description holds one machine, this one holds none"),
        ("machine a { } machine b { }", "a description holds one machine, this one holds 2"),
        ("machine m { }", "machine m has no node"),
        ("machine m { node n { memory r { capacity = 1 B; bandwidth = 1 B/s } } }", "node n has no cpu"),
        ("machine m { node n { cpu c { cores = 1 } } }", "node n has no memory"),
        ("machine m { node n { node k { } } }", "a node cannot hold a node"),
        (f"machine m {{ node n {{ {CORE}; type cpu t {{ }} }} }}", "a node cannot hold a `type` block"),
        (f"machine m {{ node n[0..1] {{ {CORE} }} }}", "nothing joins `n[0]` and `n[1]`"),
        (
            f"""machine m {{ {PAIR.replace("0..1", "0..7")} switch s
            link n[0..1].h <-> s {{ bandwidth = 1 GB/s }} link n[3..7].h <-> s {{ bandwidth = 1 GB/s }} }}""",
            "nothing joins `n[0]` and `n[2]`",
        ),
        (
            f"""machine m {{ {PAIR.replace("0..1", "0..7")}
            network x : star {{ attach = [n[0..2].h, n[4..7].h] }} }}""",
            "nothing joins `n[0]` and `n[3]`",
        ),
        (f"machine m {{ {PAIR} network x : star {{ attach = n[0..2].h }} }}", "`n[0..2]` is out of range"),
        (f"machine m {{ {PAIR} network x : star {{ attach = n.h }} }}", "there are 2 of `n`"),
        (
            f"machine m {{ {PAIR} network x : star(ports = 1) {{ attach = n[*].h }} }}",
            "network x has 1 ports for 2 attached parts",
        ),
        (
            f"""machine m {{ group r[0..1] {{ {PAIR} switch x {{ ports = 2 }}
            link n[*].h <-> x {{ bandwidth = 1 GB/s }} }} switch y
            link r[*].x <-> y {{ bandwidth = 1 GB/s }} }}""",
            "switch x has 2 ports for 3 links",
        ),
        (f"machine m {{ node n {{ {CORE}; link c <-> ram }} }}", "link c <-> ram has no bandwidth"),
        (
            f"""type interconnect W {{ bandwidth = 1 B/s }}
            machine m {{ {PAIR} network x : star {{ attach = n[*].h }} link n[0].h -> x : W }}""",
            "link n[0].h <-> x ends at a network",
        ),
        (
            f"machine m {{ {PAIR} network x : star {{ attach = n[*].h; bisection = 5 GB/s }} }}",
            "network x states a bisection of 5 GB/s, but its wires carry 1 GB/s",
        ),
        (
            f"machine m {{ total {{ memory = 20 GB }} {PAIR} network x : star {{ attach = n[*].h }} }}",
            "the total states memory 20 GB, but the parts come to 16 GB",
        ),
        (
            f"machine m {{ total {{ cores = 9 }} {PAIR} network x : star {{ attach = n[*].h }} }}",
            "the total states cores 9, but the parts come to 8",
        ),
        (
            """machine m { total { compute = { f64: 9 GFLOP/s @measured } } node n {
              cpu c { cores = 1; compute = { f64: 8 GFLOP/s } }
              memory r { capacity = 1 B; bandwidth = 1 B/s }
            } }""",
            "the total states f64 rate 9 GFLOP/s, but the parts come to 8 GFLOP/s",
        ),
        (f"machine m {{ {PAIR} network x : torus {{ attach = n[*].h }} }}", "network x has no dims"),
        (
            f"machine m {{ node n {{ {CORE}; link c <-> c {{ bandwidth = 1 B/s }} }} }}",
            "link c <-> c joins a part to itself",
        ),
        (
            f"machine m {{ node n {{ {CORE}; disk d {{ capacity = 1 TB }} }} }}",
            "disk d has neither read nor write",
        ),
        (
            f"machine m {{ node n {{ {CORE}; nic h {{ bandwidth = 1 B/s; sustained = 2 B/s }} }} }}",
            "nic h sustains more than its bandwidth",
        ),
        (
            f"machine m {{ node n {{ {CORE} }} grid g {{ over = n; shape = [2] }} }}",
            "grid g has 2 places for 1 parts",
        ),
        (
            "type node T extends U { } type node U extends T { } machine m { node n : T { } }",
            "type `T` contains itself: T -> U -> T",
        ),
        (
            f"type gpu G {{ }} machine m {{ node n : G {{ {CORE} }} }}",
            "node n cannot have the type `G`, which is a gpu",
        ),
        (
            f"type gpu G extends M {{ }} type memory M {{ }} machine m {{ node n {{ {CORE} }} }}",
            "a gpu type cannot extend `M`, a memory",
        ),
        (f"type node T {{ {CORE} }} machine m {{ node T : T }}", "part `T` is given twice"),
    ],
)
def test_a_description_must_hold_together(text: str, message: str, tmp_path: Path) -> None:
    error = error_of(text, tmp_path)
    assert (error.code, error.message) == ("DLC405", message)


@pytest.mark.parametrize(
    ("part", "doubt"),
    [
        (
            "cpu c { cores = 4; clock = 2 GHz; compute = { f64: 256 GFLOP/s @measured } }",
            "the measured f64 rate of cpu c equals its peak, 4 cores at 2 GHz with 32 operations a cycle",
        ),
        (
            "cpu c { cores = 4 }; nic h { bandwidth = 1 GB/s @spec; sustained = 1 GB/s @measured }",
            "the measured rate of nic h equals its bandwidth",
        ),
        ("cpu c { cores = 4; clock = 2 GHz; compute = { f64: 256 GFLOP/s @spec } }", None),
        ("cpu c { cores = 4; clock = 2 GHz; compute = { f64: 203 GFLOP/s @measured } }", None),
    ],
)
def test_what_is_measured_and_equals_the_peak_is_doubted(part: str, doubt: str | None) -> None:
    machine = hwspec.loads(
        f"machine m {{ node n {{ {part}; memory r {{ capacity = 1 B; bandwidth = 1 B/s }} }} }}"
    )
    assert [(error.code, error.message) for error in hwspec.doubts(machine)] == (
        [("DLC407", doubt)] if doubt else []
    )


def test_the_example_of_the_page_on_doubts_is_doubted() -> None:
    example = page("DLC407").split("```text\n")[1].split("```")[0]
    assert [doubt.code for doubt in hwspec.doubts(hwspec.loads(example))] == ["DLC407"]


def test_rates_and_cores_that_cannot_go_together_are_refused(tmp_path: Path) -> None:
    cpu = "cpu c { cores = 4; clock = 2 GHz; compute = { f64: 3 TFLOP/s } }"
    memory = "memory r { capacity = 1 GB; bandwidth = 1 GB/s }"
    error = error_of(f"machine m {{ node n {{ {cpu} {memory} }} }}", tmp_path)
    assert error.message == "cpu c would need 375 f64 operations per cycle and core"


@pytest.mark.parametrize(
    ("name", "message", "fix"),
    [
        ("hall", "unknown machine `hall`", "did you mean `hal`? A path ends in `.hw`."),
        ("/nowhere/x.hw", "cannot read `/nowhere/x.hw`: No such file or directory", None),
    ],
)
def test_an_unknown_machine(name: str, message: str, fix: str | None) -> None:
    with pytest.raises(DlcError) as caught:
        hwspec.load(name)
    assert (caught.value.code, caught.value.message, caught.value.help) == ("DLC406", message, fix)


def test_a_description_is_utf8(tmp_path: Path) -> None:
    file = tmp_path / "m.hw"
    file.write_bytes(b"machine \xff { }")
    with pytest.raises(DlcError, match="UTF-8"):
        hwspec.load(file)

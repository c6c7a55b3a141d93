"""The canonical layout: stable, without a change of meaning, and with every comment."""

import dataclasses
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Dlc

from dlc import hwspec
from dlc.diagnostics import DlcError, SourceLoc
from dlc.hwspec import schema
from dlc.hwspec.formatting import WIDTH, canonical
from dlc.hwspec.parse import parse

CATALOG = sorted((Path(hwspec.__file__).parent / "catalog").glob("*.hw"))

MESSY = """# top
type node N:M{cpu c{cores=4;compute={f64:1 TFLOP/s @measured( "x",3%),f32:2TFLOP/s}@spec # why
}
# end of N
}   # after N


machine   m{ # first
 network n:torus(dims=[2,3 ]@spec("y"),wrap=false){attach=[a[ * ] . h,b[0..3].h] # inside
   via=W}


 link a.b[0]<->c:X
 link a->b  { bandwidth=1GB/s }
 compute={f64:1TFLOP/s,f32:1TFLOP/s,f16:1TFLOP/s,bf16: 1 TFLOP/s @measured("a source"),i8:3TOP/s}
 node q[0..3]
 x = [] y = { } z = true
}
# bye
"""

TIDY = """\
# top
type node N : M {
  cpu c {
    cores = 4
    compute = { f64: 1 TFLOP/s @measured("x", 3 %), f32: 2 TFLOP/s } @spec  # why
  }
  # end of N
}  # after N

machine m {
  # first
  network n : torus(dims = [2, 3] @spec("y"), wrap = false) {
    attach = [a[*].h, b[0..3].h]  # inside
    via = W
  }

  link a.b[0] <-> c : X
  link a -> b { bandwidth = 1 GB/s }
  compute = {
    f64: 1 TFLOP/s,
    f32: 1 TFLOP/s,
    f16: 1 TFLOP/s,
    bf16: 1 TFLOP/s @measured("a source"),
    i8: 3 TOP/s
  }
  node q[0..3]
  x = []; y = { }; z = true
}
# bye
"""


def bare(node: Any) -> Any:
    """A syntax tree without the places of its words."""
    if isinstance(node, SourceLoc):
        return None
    if dataclasses.is_dataclass(node):
        fields = (getattr(node, field.name) for field in dataclasses.fields(node))
        return (type(node).__name__, *(bare(field) for field in fields))
    return tuple(bare(item) for item in node) if isinstance(node, tuple) else node


def comments(text: str) -> list[str]:
    return sorted(match for match in re.findall(r'"[^"\n]*"|#[^\n]*', text) if match.startswith("#"))


def test_text_is_written_in_one_layout() -> None:
    assert canonical(MESSY) == TIDY


@pytest.mark.parametrize("text", [MESSY, *(file.read_text("utf-8") for file in CATALOG), "", "# alone\n"])
def test_the_layout_is_stable_and_says_the_same(text: str) -> None:
    tidy = canonical(text)
    assert canonical(tidy) == tidy
    assert bare(parse(tidy, "m")) == bare(parse(text, "m"))


@pytest.mark.timeout(300)
def test_comments_and_meaning_survive_wherever_lines_are_broken() -> None:
    chance = random.Random(20260101)
    for _ in range(100):
        text = chance.choice(CATALOG).read_text("utf-8")
        words = re.findall(r'"[^"\n]*"|#[^\n]*\n|\d[\d.]*[ \t]+[A-Za-z%/]+|\S|\s+', text)
        places = [at for at, word in enumerate(words) if word.isspace()]
        for number, at in enumerate(chance.sample(places, 8)):
            words[at] = chance.choice([f" # note {number}\n", "\n\n\n", "\n", "\t"])
        text = "".join(words)
        try:
            tree = parse(text, "m")
        except DlcError:
            continue
        tidy = canonical(text)
        assert bare(parse(tidy, "m")) == bare(tree)
        assert [c.rstrip() for c in comments(tidy)] == [c.rstrip() for c in comments(text)]
        assert canonical(tidy) == tidy


def test_lines_end_before_the_margin() -> None:
    for file in CATALOG:
        for line in canonical(file.read_text("utf-8")).splitlines():
            assert len(line) <= WIDTH or line.lstrip().startswith("#")


def test_text_that_is_no_description_is_refused() -> None:
    with pytest.raises(DlcError, match="expected"):
        canonical("machine m {")


def test_fmt_rewrites_files_and_check_only_tells(run_dlc: Dlc, tmp_path: Path) -> None:
    file = tmp_path / "m.hw"
    file.write_text(MESSY, encoding="utf-8")
    told = run_dlc("hw", "fmt", "--check", "m.hw")
    assert (told.returncode, told.stdout, file.read_text("utf-8")) == (1, "m.hw would change\n", MESSY)
    assert run_dlc("hw", "fmt", "m.hw").returncode == 0
    assert file.read_text("utf-8") == TIDY
    assert run_dlc("hw", "fmt", "--check", "m.hw").returncode == 0
    file.write_text("machine m {", encoding="utf-8")
    assert run_dlc("hw", "fmt", "m.hw").returncode == 1
    assert file.read_text("utf-8") == "machine m {"


def test_a_doubtful_figure_is_a_warning_and_strictly_an_error(run_dlc: Dlc, tmp_path: Path) -> None:
    (tmp_path / "m.hw").write_text(
        """machine m { node n {
          cpu c { cores = 4; clock = 2 GHz; compute = { f64: 128 GFLOP/s @measured } }
          memory r { capacity = 1 GB; bandwidth = 1 GB/s }
        } }""",
        encoding="utf-8",
    )
    shown = run_dlc("hw", "check", "m.hw")
    assert (shown.returncode, shown.stdout) == (0, "m.hw: m is consistent\n")
    peak = "its peak, 4 cores at 2 GHz with 16 operations a cycle"
    assert shown.stderr.startswith(f"warning[DLC407]: the measured f64 rate of cpu c equals {peak}\n")
    assert run_dlc("hw", "check", "--strict", "m.hw").returncode == 1


def highlighted(line: str) -> list[tuple[str, str]]:
    """The words of a line with their scopes, as an editor finds them with the TextMate grammar."""
    at, found = 0, []
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        for pattern in PATTERNS:
            match = re.compile(pattern["match"]).match(line, at)
            if match and match.end() > at:
                break
        else:
            raise AssertionError(f"nothing matches {line[at:]!r}")
        if "name" in pattern:
            found.append((match[0], pattern["name"]))
        for group, capture in pattern.get("captures", {}).items():
            if match[int(group)]:
                found.append((match[int(group)], capture["name"]))
        at = match.end()
    return found


PATTERNS = json.loads((Path(hwspec.__file__).parent / "hw.tmLanguage.json").read_text("utf-8"))["patterns"]


def test_the_grammar_for_editors_finds_the_words_of_the_catalog() -> None:
    from dlc.hwspec.units import UNITS

    properties = {name for kind in schema.KINDS.values() for name in kind.properties}
    properties |= {name for shape in schema.TOPOLOGIES.values() for name in shape}
    properties |= {*schema.TOTALS, *schema.RATES, "source", "manager"}
    wanted = {
        "storage.type.hw": set(schema.KINDS),
        "support.function.topology.hw": set(schema.TOPOLOGIES),
        "variable.other.property.hw": properties,
        "keyword.other.unit.hw": set(UNITS),
        "keyword.control.hw": {"type", "machine", "extends", "link", "meta", "total"},
        "storage.modifier.provenance.hw": {f"@{kind}" for kind in schema.PROVENANCES},
    }
    seen: dict[str, set[str]] = {}
    for file in CATALOG:
        for line in file.read_text("utf-8").splitlines():
            for word, scope in highlighted(line):
                seen.setdefault(scope, set()).add(word)
    for scope, words in wanted.items():
        assert seen[scope] <= words, scope
    # What the schema has and the catalog happens not to use is found as well.
    for kind in set(schema.KINDS) - {"link"}:
        assert (kind, "storage.type.hw") in highlighted(f"{kind} x {{")
    for topology in schema.TOPOLOGIES:
        assert (topology, "support.function.topology.hw") in highlighted(f"network n : {topology}(a = 1) {{")


@pytest.mark.parametrize(
    ("line", "scopes"),
    [
        ('x = 3 % @spec("# no comment") # a comment', {"# a comment": "comment.line.number-sign.hw"}),
        ("price = 3.06 USD/h", {"3.06": "constant.numeric.hw", "USD/h": "keyword.other.unit.hw"}),
        ("node n[0..9] : N", {"0..9": "constant.numeric.range.hw", "n": "entity.name.hw"}),
        ("link a <-> b", {"<->": "keyword.operator.hw", "link": "keyword.control.hw"}),
    ],
)
def test_the_grammar_for_editors_tells_words_apart(line: str, scopes: dict[str, str]) -> None:
    assert scopes.items() <= dict(highlighted(line)).items()

"""The canonical layout of values, on generated ones: it says the same, keeps comments and is stable."""

import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlc import hwspec
from dlc.hwspec.formatting import canonical
from dlc.hwspec.parse import parse
from dlc.hwspec.write import write
from tests.hwspec.test_hw_fmt import bare, comments

CATALOG = sorted((Path(hwspec.__file__).parent / "catalog").glob("*.hw"))
Words = list[str]

names = st.sampled_from(["a", "s0", "ib-x", "truth", "x_y", "n"])
numbers = st.sampled_from(["0", "-1", "3 GB", "1_000", "2.5e-3 us", "7%", "12 Gbit/s"])
strings = st.sampled_from(['""', '"a source"', '"[x, {y}] # no comment"'])
indices = st.sampled_from(["", "*", "7", "0..3"])


def joined(parts: list[Words], comma: bool = False) -> Words:
    """Words of several things one after another, with commas between them."""
    return [word for index, part in enumerate(parts) for word in ([","] if comma and index else []) + part]


@st.composite
def marks(draw: st.DrawFn) -> Words:
    notes: list[Words] = draw(
        st.sampled_from(
            [[], [['"x"']], [["3 %"]], [['"x (y)"'], ["0.5 %", "@", "spec"]], [["1", "@", "a", "(", ")"]]]
        )
    )
    brackets = ["(", *joined(notes, comma=True), ")"] if notes or draw(st.booleans()) else []
    return draw(st.sampled_from([[], ["@", draw(names), *brackets]]))


@st.composite
def paths(draw: st.DrawFn) -> Words:
    words: Words = []
    for name in draw(st.lists(names, min_size=1, max_size=3)):
        index = draw(indices)
        words += [*(["."] if words else []), name, *(["[", index, "]"] if index else [])]
    return words


@st.composite
def quantities(draw: st.DrawFn) -> Words:
    return [draw(numbers), *draw(marks())]


@st.composite
def lists(draw: st.DrawFn, inner: st.SearchStrategy[Words]) -> Words:
    return ["[", *joined(draw(st.lists(inner, max_size=4)), comma=True), "]", *draw(marks())]


@st.composite
def maps(draw: st.DrawFn, inner: st.SearchStrategy[Words]) -> Words:
    entries = [[draw(names), ":", *value] for value in draw(st.lists(inner, max_size=4))]
    return ["{", *joined(entries, comma=True), "}", *draw(marks())]


plain = quantities() | paths() | strings.map(lambda text: [text]) | st.sampled_from([["true"], ["false"]])
values = st.recursive(plain, lambda inner: lists(inner) | maps(inner), max_leaves=8)


def spread(words: Words, chance: random.Random) -> str:
    """Words with blanks, lines and comments between them, as the grammar allows anywhere."""
    text = ""
    for word in words:
        blanks = (
            ["", " ", "  ", "\n", "\n\n\n", " # why\n"] if not word.isalnum() else [" ", "\n", " # why\n"]
        )
        text += chance.choices(blanks, [8, 8, 2, 1, 1, 1][: len(blanks)])[0] + word
    return text


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(names, values), max_size=4), st.integers(0, 2**32))
def test_values_keep_their_meaning_and_their_comments(properties: list[tuple[str, Words]], seed: int) -> None:
    chance = random.Random(seed)
    inner = "".join(f"\n{name} {spread(['=', *value], chance)}" for name, value in properties)
    text = f"machine m {{ node n {{{inner}\n}} }}"
    tidy = canonical(text)
    assert bare(parse(tidy, "m")) == bare(parse(text, "m"))
    assert comments(tidy) == comments(text)
    assert canonical(tidy) == tidy


@settings(max_examples=100, deadline=None)
@given(st.lists(paths(), min_size=1, max_size=5))
def test_a_list_of_paths_stands_on_one_line(selected: list[Words]) -> None:
    written = ", ".join("".join(path) for path in selected)
    assert canonical(f"machine m {{ network x : star {{ attach=[{written}] }} }}").count(f"[{written}]") == 1


@pytest.mark.parametrize("file", CATALOG, ids=lambda file: file.stem)
def test_a_machine_stays_the_same_whatever_its_layout(file: Path) -> None:
    text = file.read_text("utf-8")
    fingerprint = hwspec.loads(text).fingerprint
    bare_text = re.sub(r"[ \t]+", " ", re.sub(r'("[^"\n]*")|#[^\n]*', lambda m: m[1] or "", text))
    for layout in (canonical(text), canonical(bare_text), write(hwspec.loads(text))):
        assert hwspec.loads(layout).fingerprint == fingerprint


def test_a_machine_with_a_list_of_ends_is_written() -> None:
    inner = (
        "cpu c { cores = 4 }; memory r { capacity = 1 GB; bandwidth = 1 GB/s }; nic h { bandwidth = 1 GB/s }"
    )
    network = "network x : star { attach = [a[*].h, b.h] }"
    machine = hwspec.loads(f"machine m {{ node a[0..1] {{ {inner} }}; node b {{ {inner} }}; {network} }}")
    assert "attach = [a[*].h, b.h]" in write(machine)
    assert hwspec.loads(write(machine)).fingerprint == machine.fingerprint

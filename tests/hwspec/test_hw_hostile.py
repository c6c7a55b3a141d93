"""Whatever the text, the answer is a machine or a coded error, soon.

`DLC_MUTATIONS=10000 pytest tests/hwspec/test_hw_hostile.py` tries more damaged files than usual.
"""

import os
import random
import time

import pytest

from dlc import hwspec
from dlc.diagnostics import DlcError
from dlc.hwspec.formatting import canonical

MUTATIONS = int(os.environ.get("DLC_MUTATIONS", "1000"))
NODE = "cpu c { cores = 4 }; memory ram { capacity = 8 GB; bandwidth = 20 GB/s }"


def catalog_texts() -> list[str]:
    from dlc.hwspec import _CATALOG

    return [file.read_text(encoding="utf-8") for file in sorted(_CATALOG.glob("*.hw"))]


def mutated(text: str, chance: random.Random) -> str:
    """A few cuts, copies, swaps and replacements, of characters and of words."""
    words = [
        *(
            "{",
            "}",
            "[",
            "]",
            "(",
            ")",
            "..",
            "@",
            ";",
            "=",
            ":",
            '"',
            "*",
            "<->",
            "->",
            "#",
            "\n",
            "\x00",
            "é",
        ),
        *("link", "type", "extends", "machine", "node", "star", "via", "attach", "n", "x", "GB", "GB/s"),
        *("0", "-1", "1e30", "1e-30", "99999999999999999999", "[0..999999999]", "[*]"),
    ]
    for _ in range(chance.randint(1, 6)):
        at, end = sorted((chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)))
        end = min(end, at + chance.choice([1, 3, 40, 400]))
        match chance.randrange(4):
            case 0:
                text = text[:at] + text[end:]
            case 1:
                text = text[:at] + chance.choice(words) + text[at:]
            case 2:
                text = text[:at] + text[at:end] * 2 + text[end:]
            case _:
                text = text[:at] + chance.choice(words) + text[end:]
    return text


@pytest.mark.timeout(600)
def test_damaged_descriptions_give_coded_errors() -> None:
    texts, chance = catalog_texts(), random.Random(20260101)
    accepted = 0
    for _ in range(MUTATIONS):
        text = mutated(chance.choice(texts), chance)
        try:
            machine = hwspec.loads(text)
        except DlcError as error:
            assert error.code in {"DLC401", "DLC402", "DLC403", "DLC404", "DLC405"}
            assert str(error)
        else:
            accepted += 1
            assert hwspec.show(machine)
            assert hwspec.picture(machine)
            tidy = canonical(text)
            assert canonical(tidy) == tidy
            assert hwspec.loads(tidy).fingerprint == machine.fingerprint
            assert machine.exchange_seconds(1e6, 8) >= 0
    assert 0 < accepted < MUTATIONS


def chain(links: int) -> str:
    """Types that each hold the one before twice: 2**links parts."""
    types = [f"type group g{i} {{ group a : g{i - 1}; group b : g{i - 1} }}" for i in range(1, links + 1)]
    return "\n".join(["type group g0 { memory r { capacity = 1 B; bandwidth = 1 B/s } }", *types])


def ladder(links: int) -> str:
    """Types that each extend the next."""
    return "\n".join(f"type node t{i} extends t{i + 1} {{ }}" for i in range(links))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{" * 100_000, "DLC401"),
        ("machine m { " + "group g { " * 1_000, "DLC401"),
        ("machine m { x = " + "[" * 1_000, "DLC401"),
        ("machine m { x = " + "9" * 100_000 + " }", "DLC401"),
        (f"machine m {{ node n[0..{'9' * 5_000}] {{ }} }}", "DLC401"),
        ("machine m { node n { cpu c { cores = 1e999999999 } } }", "DLC404"),
        ("machine m { node n { cpu c { cores = 1e-999999999 } } }", "DLC404"),
        (f"machine m {{ node n[0..999999999] {{ group g[0..999999999] {{ {NODE} }} }} }}", "DLC405"),
        ("# " + "x" * 2_000_000, "DLC401"),
        (f"{chain(60)} machine m {{ node n {{ {NODE}; group g : g60 }} }}", "DLC404"),
        (f"{chain(17)} machine m {{ node n {{ {NODE}; group g : g17 }} }}", "DLC404"),
        (f"{ladder(5_000)} machine m {{ node n : t0 }}", "DLC404"),
        ("machine " + "m" * 100_000 + " { }", "DLC401"),
        ("machine m { link " + "a." * 10_000 + "b <-> c }", "DLC404"),
        *(
            (
                f"""machine m {{ node n[0..99999999] {{ {NODE}; nic h {{ bandwidth = 1 B/s }} }}
                network x : {network} {{ attach = n[*].h }} }}""",
                "DLC405",
            )
            for network in (
                "torus(dims = [1000000000, 1000000000])",
                "fat_tree(radix = 36, levels = 1000000000)",
                "fat_tree(radix = 2)",
                "fat_tree(radix = 3)",
                "fat_tree(radix = 4, taper = 1e30)",
                "dragonfly(groups = 1000000000, routers = 1, hosts = 1, links = 1)",
                "rail_optimised(rails = 7, nodes = 1)",
            )
        ),
        (
            f"""machine m {{ node n[0..999999] {{ {NODE}; nic h[0..3] {{ bandwidth = 1 B/s }} }}
            network x : torus(dims = [2000000]) {{ attach = n[*].h[*] }} }}""",
            "DLC405",
        ),
        ("machine m { node n { " + "cpu c { cores = 1 } " * 10_000 + " } }", "DLC405"),
    ],
)
def test_hostile_text_is_bounded(text: str, code: str) -> None:
    start = time.perf_counter()
    with pytest.raises(DlcError) as caught:
        hwspec.loads(text)
    assert caught.value.code == code
    assert len(str(caught.value)) < 2_000
    assert time.perf_counter() - start < 20

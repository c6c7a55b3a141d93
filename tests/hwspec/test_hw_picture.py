"""The picture of a machine: all is in it, nothing covers anything else, and wires end where links do."""

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import Dlc

from dlc import hwspec
from dlc.hwspec.drawing.layout import Box, layout

SVG = "{http://www.w3.org/2000/svg}"
RING = """
    machine m {
      node n[0..9999] {
        socket s[0..1] { cpu c { cores = 4; clock = 2 GHz @spec }
                         memory r { capacity = 1 GiB; bandwidth = 2 GB/s @measured } }
        gpu g[0..3] { }
        link s[*].c <-> g[*] { bandwidth = 9 GB/s }
        link g[0] <-> g[3] { bandwidth = 90 GB/s }
        nic h { bandwidth = 1 GB/s }
      }
      network net : star { attach = n[*].h }
      store disk { kind = file; read = 1 GB/s; attach = net }
    }"""


def drawn(machine: hwspec.Machine) -> ElementTree.Element:
    return ElementTree.fromstring(hwspec.picture(machine))


def titles(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text") if text.get("class") == "n"]


def test_a_picture_is_one_file_with_everything_in_it(run_dlc: Dlc, tmp_path: Path) -> None:
    assert run_dlc("hw", "show", "frontier", "--svg", "frontier.svg").returncode == 0
    picture = (tmp_path / "frontier.svg").read_text("utf-8")
    assert "9,856 × node n : Bardpeak" in picture
    assert "http" not in picture.replace('xmlns="http://www.w3.org/2000/svg"', "").replace(
        "https://docs.olcf", ""
    )
    assert len(picture) < 100_000


def test_few_copies_stand_beside_one_another_and_one_node_stands_for_all() -> None:
    root = drawn(hwspec.loads(RING))
    assert [title for title in titles(root) if "node" in title] == ["10,000 × node n"]
    assert [title for title in titles(root) if "gpu" in title] == [f"gpu g[{index}]" for index in range(4)]


def test_there_is_a_line_for_each_two_parts_that_a_link_or_a_network_joins() -> None:
    root = drawn(hwspec.loads(RING))
    hints = [(line.findtext(f"{SVG}title") or "").partition("\n")[0] for line in root.iter(f"{SVG}path")]
    assert {hint: hints.count(hint) for hint in hints if hint} == {
        "link s[*].c <-> g[*]": 8,
        "link g[0] <-> g[3]": 1,
        "network net": 1,
        "store disk": 1,
    }


def test_figures_say_where_they_come_from_in_a_mark() -> None:
    words = [text.text for text in drawn(hwspec.loads(RING)).iter(f"{SVG}text")]
    assert "4~ cores, 2 GHz" in words
    assert "1 GiB~, 2 GB/s*" in words
    assert "link: 90 GB/s~" in words  # in the legend


@pytest.mark.parametrize("name", hwspec.catalog_names())
def test_every_machine_has_a_picture_in_which_nothing_sticks_out(name: str) -> None:
    root = drawn(hwspec.load(name))
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    for box in root.iter(f"{SVG}rect"):
        assert float(box.get("x", 0)) + float(box.attrib["width"]) <= width + 1
        assert float(box.get("y", 0)) + float(box.attrib["height"]) <= height + 1
    for line in root.iter(f"{SVG}path"):
        numbers = [float(word) for word in re.findall(r"[\d.]+", line.attrib["d"])]
        assert max(numbers) <= max(width, height)


@pytest.mark.parametrize("name", hwspec.catalog_names())
def test_no_box_covers_another(name: str) -> None:
    for holder in layout(name, [], hwspec.load(name).tree).walk():
        for box in holder.inner:
            assert holder.x <= box.x and box.x + box.width <= holder.x + holder.width
            assert holder.y <= box.y and box.y + box.height <= holder.y + holder.height
        for a, b in combinations(holder.inner, 2):
            assert apart(a, b)


def apart(a: Box, b: Box) -> bool:
    beside = a.x + a.width <= b.x or b.x + b.width <= a.x
    return beside or a.y + a.height <= b.y or b.y + b.height <= a.y

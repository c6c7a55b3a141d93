"""The layout algebra: what is disjoint, what is ordered, what survives renaming."""

import pytest

from dlc.passes.partition.attributes import from_attribute, to_attribute
from dlc.passes.partition.layouts import Any, Hash, Order, Partial, Range, Replicated, Rows, Single

LAYOUTS = [
    Replicated(),
    Single(),
    Rows(),
    Any(),
    Hash(("a", "b")),
    Range((Order("a", descending=True),)),
    Partial(),
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_a_layout_survives_its_attribute(layout):
    assert from_attribute(to_attribute(layout)) == layout


def test_only_whole_or_partial_frames_are_not_disjoint():
    assert [layout for layout in LAYOUTS if not layout.disjoint] == [Replicated(), Partial()]


def test_hash_and_range_follow_renamed_keys():
    names = {"a": "x", "b": "y"}
    assert Hash(("a", "b")).renamed(names) == Hash(("x", "y"))
    assert Range((Order("a", True),)).renamed(names) == Range((Order("x", True),))


def test_a_hash_whose_key_is_gone_is_any_and_a_range_is_still_in_order():
    assert Hash(("a", "b")).renamed({"a": "a"}) == Any()
    assert Range((Order("a"),)).renamed({"b": "b"}) == Rows()


def test_order_is_lost_but_place_is_kept():
    assert Rows().unordered() == Any()
    assert Hash(("a",)).unordered() == Hash(("a",))
    assert Single().unordered() == Single()

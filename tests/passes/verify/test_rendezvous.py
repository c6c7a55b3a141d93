"""Zero-buffer semantics: what runs to its end, and what is left waiting."""

import pytest

from dlc.dialects import context
from dlc.dialects.plan import GangOp, ranks_of
from dlc.passes.text import parse_module
from dlc.passes.verify.rendezvous import simulate

FRAME = '!table.frame<["v" : i64]>'


def blocked(*gangs):
    """Ranks left waiting by gangs given as (name, ranks, instructions)."""
    body = ""
    for name, ranks, instructions in gangs:
        lines = "\n".join(instructions)
        body += f"plan.gang @{name} array<i64: {ranks}> {{ {lines}\n plan.end }}\n"
    text = f"plan.program @p world 9 {{ {body} plan.end }}"
    module = parse_module(text, "test.mlir", context())
    found = [op for op in module.walk() if isinstance(op, GangOp)]
    return [wait.rank for wait in simulate([(ranks_of(g), list(g.body.block.ops)) for g in found])]


def recv(peer, tag=0, name="a"):
    return f"%{name} = plan.recv from {peer} tag {tag} : {FRAME}"


def send(peer, tag=0, name="a"):
    return f"plan.send %{name} to {peer} tag {tag} : {FRAME}"


READ = f'%a = plan.read {{ %s = table.scan "parquet" ["x"] : {FRAME}\n dist.yield %s : {FRAME} }} : {FRAME}'


def test_a_message_that_is_received_is_fine():
    assert blocked(("a", 0, [READ, send(1)]), ("b", 1, [recv(0)])) == []


def test_a_message_that_nobody_receives_waits_for_ever():
    assert blocked(("a", 0, [READ, send(1)]), ("b", 1, [READ])) == [0]


def test_sends_cross_only_with_a_buffer():
    assert blocked(
        ("a", 0, [READ, send(1), recv(1, name="b")]), ("b", 1, [READ, send(0), recv(0, name="b")])
    ) == [0, 1]


def test_one_side_receiving_first_needs_none():
    assert blocked(("a", 0, [READ, send(1), recv(1, name="b")]), ("b", 1, [recv(0), send(0)])) == []


@pytest.mark.parametrize("ranks", [3, 5])
def test_a_ring_of_sends_is_a_circle(ranks):
    ring = [
        (f"g{r}", r, [READ, send((r + 1) % ranks), recv((r - 1) % ranks, name="b")]) for r in range(ranks)
    ]
    assert blocked(*ring) == list(range(ranks))


def test_a_member_held_up_elsewhere_holds_up_its_gang():
    gather = f"%b = plan.all_gather %a : {FRAME} -> {FRAME}"
    assert blocked(("one", 0, [recv(7)]), ("both", "0, 1", [READ, gather])) == [0, 1]


def test_all_gangs_meet_when_lists_agree():
    gather = f"%b = plan.all_gather %a : {FRAME} -> {FRAME}"
    assert blocked(("low", "0, 1", [READ, gather]), ("high", "1, 2", [READ, gather])) == []

"""What a walked plan must show: more machine is never slower, ranks cost nothing to count, loops multiply."""

import time
from dataclasses import replace

import pytest

from dlc import hwspec
from dlc.diagnostics import DlcError
from dlc.predict import Coefficient, Coefficients, Resources, simulate
from dlc.predict.advice import advise
from dlc.predict.coefficients import DEFAULTS
from dlc.predict.prediction import CROWDING
from dlc.predict.resources import SCALABLE
from dlc.predict.simulate import idle_bytes
from dlc.runtime.plan import Gang, Json, Plan
from tests.predict.machines import cluster, group, make_plan, read, result, totals


def test_a_plan_on_a_laptop_has_time_memory_and_traffic() -> None:
    found = simulate(totals(2), hwspec.load("laptop"))
    assert found.seconds.low < found.seconds.value < found.seconds.high
    assert found.traffic == {"interconnect shm": pytest.approx(24e6 / 2 + 1.6e6 / 2, rel=0.01)}
    assert found.memory["host"] > 2 * idle_bytes(2, kernels=False, compiling=False) + 24e6
    assert sum(found.parts.values()) == pytest.approx(found.seconds.value)


def test_one_rank_sends_nothing() -> None:
    assert simulate(totals(1), cluster(4)).traffic == {}


def test_half_of_what_two_nodes_exchange_crosses_the_network() -> None:
    found = simulate(totals(16), cluster(2))
    shuffle = next(step for step in found.steps if step.op == "shuffle")
    # 8 of the 15 others that a rank sends to are on the other node.
    assert sum(shuffle.traffic.values()) == pytest.approx(24e6 * 15 / 16, rel=0.01)
    assert shuffle.traffic["network net"] == pytest.approx(24e6 / 2, rel=0.01)
    assert found.nodes == 2


def only(**classes: Coefficient) -> Coefficients:
    """Coefficients of some classes of work, beside which all else takes no time but that of memory."""
    return Coefficients(dict.fromkeys(DEFAULTS, Coefficient(serial=0.0)) | classes)


def test_work_follows_amdahls_law_on_the_threads_of_a_rank() -> None:
    plan = make_plan(1, [read(rows=1_000_000), group("sales", "t", 1000), result("t")])
    found = simulate(plan, cluster(1, cores=8), only(aggregate=Coefficient(rate=1e8, serial=0.25)))
    in_memory = (24e6 + 16e3 + 16e3) / 200e9  # reading, making groups, giving the result
    assert found.seconds.value == pytest.approx(1e6 / 1e8 * (0.25 + 0.75 / 8) + in_memory, rel=1e-9)


@pytest.mark.parametrize("ranks", [1, 2, 4, 8])
def test_ranks_share_the_rows_and_repeat_what_each_calls(ranks: int) -> None:
    plan = make_plan(ranks, [read(rows=1_000_000), group("sales", "t", 1000)])
    rates = only(group=Coefficient(rate=1e6, serial=1.0), query=Coefficient(seconds=0.5))
    found = simulate(plan, cluster(1, cores=8), rates)
    assert found.steps[-1].seconds.value == pytest.approx(1 / ranks + 0.5, rel=1e-3)


@pytest.mark.parametrize("crowd", [2, 4])
def test_ranks_beyond_the_cores_take_turns(crowd: int) -> None:
    """What each rank calls and its share of the rows take longer, by more than the turns themselves."""
    plan = make_plan(2 * crowd, [read(rows=1_000_000), group("sales", "t", 1000)])
    rates = only(group=Coefficient(rate=1e6, serial=1.0), query=Coefficient(seconds=0.5))
    found = simulate(plan, cluster(1, cores=2), rates)
    alone = 0.5 + 1 / (2 * crowd)
    assert found.steps[-1].seconds.value == pytest.approx(alone * crowd**CROWDING, rel=1e-3)
    assert CROWDING > 1


@pytest.mark.parametrize("ranks", [1, 8, 64, 4096])
@pytest.mark.parametrize("resource", SCALABLE)
def test_a_faster_machine_is_never_slower(ranks: int, resource: str) -> None:
    resources = Resources.of(cluster(512))
    plan = totals(ranks, rows=100_000_000)
    assert (
        simulate(plan, resources.scaled(resource, 4)).seconds.value <= simulate(plan, resources).seconds.value
    )


def test_a_hundred_thousand_ranks_cost_what_two_do() -> None:
    plan = totals(2, rows=10**9)
    plan.gangs[0].instructions *= 50
    begin = time.perf_counter()
    found = simulate(plan, cluster(100_000), ranks=800_000)
    assert time.perf_counter() - begin < 10
    assert found.nodes == 100_000


def test_more_ranks_than_cores_share_them() -> None:
    machine = cluster(1, cores=2)
    two, eight = (simulate(totals(ranks, rows=10**8), machine) for ranks in (2, 8))
    assert eight.seconds.value > 0.9 * two.seconds.value


def loop(count: int | str, *body: Json) -> Json:
    return {
        "op": "for", "index": "i", "start": 0, "stop": count, "step": 1, "loc": -1,
        "ins": [], "args": [], "yields": [], "outs": [], "body": list(body),
    }  # fmt: skip


def test_a_loop_is_walked_once_and_multiplied() -> None:
    body = group("sales", "t", 1000)
    once = simulate(make_plan(4, [read(), body]), cluster(1))
    start = once.steps[-1].start
    many = simulate(make_plan(4, [read(), loop(1_000_000, loop(10, body))]), cluster(1))
    assert [step.times for step in many.steps] == [1, 1, 10_000_000]
    assert many.seconds.value - start == pytest.approx(1e7 * (once.seconds.value - start))


def test_gangs_on_ranks_of_their_own_run_side_by_side() -> None:
    work = [read(rows=10**8), group("sales", "t", 1000), result("t")]
    together = Plan("two", 4, [Gang("a", [0, 1], work), Gang("b", [2, 3], work)])
    after = Plan("two", 2, [Gang("a", [0, 1], work), Gang("b", [0, 1], work)])
    machine = cluster(1)
    assert simulate(after, machine).seconds.value > 1.5 * simulate(together, machine).seconds.value


def test_a_message_arrives_after_it_was_sent() -> None:
    send = [read(rows=10**7), {"op": "send", "in": "sales", "peer": 1, "tag": 0, "loc": -1}]
    receive = [{"op": "recv", "out": "x", "peer": 0, "tag": 0, "loc": -1}, result("x")]
    found = simulate(Plan("pair", 2, [Gang("b", [1], receive), Gang("a", [0], send)]), cluster(2))
    sent = next(step for step in found.steps if step.op == "send")
    received = next(step for step in found.steps if step.op == "recv")
    assert received.start >= sent.start + sent.seconds.value


def test_gangs_that_wait_for_ever_are_reported() -> None:
    one = [{"op": "recv", "out": "x", "peer": 1, "tag": 0, "loc": -1}]
    two = [{"op": "recv", "out": "x", "peer": 0, "tag": 0, "loc": -1}]
    with pytest.raises(DlcError) as caught:
        simulate(Plan("pair", 2, [Gang("a", [0], one), Gang("b", [1], two)]), cluster(2))
    assert caught.value.code == "DLC522"


def test_an_instruction_without_a_rule_is_refused() -> None:
    with pytest.raises(DlcError) as caught:
        simulate(make_plan(1, [{"op": "teleport", "loc": -1}]), cluster(1))
    assert caught.value.code == "DLC520"


def test_energy_and_price_are_those_of_the_nodes_in_use() -> None:
    found = simulate(totals(16), cluster(100))
    assert found.energy == pytest.approx(2 * 500 * found.seconds.value)
    assert found.price == pytest.approx(2 * 2 * found.seconds.value / 3600)
    assert found.currency == "USD"


def test_advice_names_what_would_help() -> None:
    slow = cluster(64, bandwidth="10 MB/s")
    found = advise(totals(512, rows=10**9), slow)
    assert found.bottleneck == "network net"
    assert found.advice[0].change == "links of twice the bandwidth"
    assert found.advice[0].seconds < 0.6 * found.seconds.value


def test_rows_that_a_run_has_shown_replace_estimates() -> None:
    plan = totals(2)
    known = simulate(plan, cluster(1), observed={("main", 1): (2_000_000.0, 48e6)})
    assert known.steps[2].bytes == 48e6
    assert known.seconds.value > simulate(plan, cluster(1)).seconds.value


def test_uncertainty_grows_with_that_of_the_coefficients() -> None:
    sure = Coefficients({name: replace(entry, spread=0.05) for name, entry in DEFAULTS.items()})
    narrow, wide = (simulate(totals(1), cluster(1), found).seconds for found in (sure, Coefficients()))
    assert narrow.high / narrow.low < wide.high / wide.low

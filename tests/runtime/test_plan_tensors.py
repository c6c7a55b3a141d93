"""Plans with tensors and loops come back as they were, and those that do not hold together are refused."""

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlc.diagnostics import DlcError
from dlc.runtime import plan as plans
from dlc.runtime.plan import Json, Plan
from tests.runtime.training_programs import loop, table, training


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("plan") / "points.parquet"
    table(10).write_parquet(path)
    kept = str(path.parent / "kept")
    return training(path, 2, save=kept, load=kept)


def find(plan: Plan, op: str) -> Json:
    """The first instruction with this op, wherever it stands."""
    work = list(plan.gangs[0].instructions)
    while work:
        code = work.pop(0)
        if code["op"] == op:
            return code
        work += code.get("body", ())
    raise LookupError(op)


def body(plan: Plan) -> list[Json]:
    """The body of the loop over steps."""
    return next(code for code in find(plan, "for")["body"] if code["op"] == "for")["body"]


def predicting(plan: Plan) -> Json:
    """The fragment over all rows, after the loops."""
    return next(code["fragment"] for code in plan.gangs[0].instructions if code["op"] == "run")


def test_a_plan_comes_back_as_it_was_saved(plan: Plan) -> None:
    data = plans.to_bytes(plan)
    assert plans.from_bytes(data) == plan
    assert plans.to_bytes(copy.deepcopy(plan)) == data
    assert all(hashlib.sha256(text.encode()).hexdigest() == name for name, text in plan.kernels.items())


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.kernels.clear(),
        lambda p: p.constants.clear(),
        lambda p: find(p, "micro")["fragment"].update(masked="none"),
        lambda p: find(p, "micro")["fragment"].update(inputs=2),
        lambda p: find(p, "micro").update(outs=["one"]),
        lambda p: find(p, "micro").update(step="nowhere"),
        lambda p: find(p, "reduce").update(outs=["one"]),
        lambda p: find(p, "reduce").update(order="some"),
        lambda p: find(p, "reduce").update(ins=[], outs=[]),
        lambda p: find(p, "batches").update(micro_batches=0),
        lambda p: find(p, "batches").update(frame=None),
        lambda p: find(p, "batches").update(keys=None),
        lambda p: find(p, "batches").update(epoch="t"),
        lambda p: find(p, "for").update(stop="n"),
        lambda p: find(p, "for").update(step=0),
        lambda p: find(p, "for")["yields"].pop(),
        lambda p: find(p, "for").update(index="f"),
        lambda p: find(p, "for")["args"].__setitem__(0, find(p, "for")["index"]),
        lambda p: find(p, "for")["yields"].__setitem__(0, "w1.new"),
        lambda p: find(p, "to_tensor")["dtypes"].pop(),
        lambda p: find(p, "to_tensor")["columns"].__setitem__(0, 3),
        lambda p: find(p, "from_tensor")["tensors"].append("x"),
        lambda p: find(p, "from_tensor").update(tensors=["nowhere"]),
        lambda p: find(p, "save").update(epoch="nowhere"),
        lambda p: find(p, "load")["names"].pop(),
        lambda p: find(p, "run").update(fragment={**find(p, "run")["fragment"], "kind": "magic"}),
        lambda p: predicting(p)["rows"].update(split=[9]),
        lambda p: predicting(p)["rows"].update(chunk=0),
        lambda p: body(p).append({"op": "result", "in": "f", "name": "curve", "loc": 0}),
        lambda p: body(p).append({"op": "free", "values": ["x"], "loc": 0}),
        lambda p: body(p).append({"op": "rows", "in": "f", "out": "rows", "loc": 0}),
        lambda p: p.gangs[0].instructions.append({"op": "wait", "ins": ["loss"], "loc": 0}),  # left its loop
    ],
)
def test_a_plan_that_does_not_hold_together_is_refused(plan: Plan, change: Callable[[Plan], Any]) -> None:
    changed = copy.deepcopy(plan)
    change(changed)
    with pytest.raises(DlcError) as caught:
        plans.from_bytes(plans.to_bytes(changed))
    assert caught.value.code == "DLC501"


def test_loops_are_nested_only_so_deep(plan: Plan) -> None:
    changed = copy.deepcopy(plan)
    for depth in range(300):
        inner = changed.gangs[0].instructions
        changed.gangs[0].instructions = [loop(f"i{depth}", 0, 1, [], [], [], [], inner)]
    with pytest.raises(DlcError) as caught:
        plans.from_bytes(plans.to_bytes(changed))
    assert caught.value.code == "DLC501"


SCALARS = (
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "x", "f", "for", "table", "hash"])
)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=3), v, max_size=2)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.data())
def test_no_change_of_an_instruction_escapes_the_checks(plan: Plan, data: st.DataObject) -> None:
    """Anything may stand anywhere: the plan is loaded, or refused with a code."""
    changed = copy.deepcopy(plan)
    place: Any = changed.gangs[0].instructions
    while True:
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inside = place[key]
        if not isinstance(inside, dict | list) or not inside or data.draw(st.integers(0, 3)) == 0:
            place[key] = data.draw(VALUES)
            break
        place = inside
    try:
        plans.from_bytes(plans.to_bytes(changed))
    except DlcError as error:
        assert error.code == "DLC501"

"""No pass changes what a program computes; none makes a program fail that did not."""

from __future__ import annotations

from random import Random

import pytest
from xdsl.dialects.builtin import ModuleOp

from dlc.dialects import context
from dlc.passes import registry
from dlc.passes.locations import file_location
from tests.passes.optimize.interpreter import Frame, Row, RunError, by_all, run
from tests.passes.optimize.programs import draw_program, draw_tables

REWRITES = (
    "fold-constants",
    "canonicalize",
    "push-down-predicates",
    "push-down-projections",
    "cse",
    "dce",
)


def check(module: ModuleOp, files: dict[str, list[Row]], passes: tuple[str, ...]) -> None:
    module.verify()
    try:
        before = run(module, files)
    except RunError:
        return
    original = str(module)
    for name in passes:
        registry.load(name)().apply(context(), module)
        module.verify()
        after = run(module, files)
        for result, frame in before.items():
            assert_equal(frame, after[result], f"{name}:\n{original}\n{module}")


def assert_equal(before: Frame, after: Frame, explanation: str) -> None:
    a, b = before.rows, after.rows
    if not before.ordered:
        a, b = sorted(a, key=by_all), sorted(b, key=by_all)
    assert a == b, explanation


def drawn(seed: int) -> tuple[ModuleOp, dict[str, list[Row]]]:
    random = Random(seed)
    return draw_program(random), draw_tables(random)


@pytest.mark.parametrize("name", REWRITES)
def test_a_pass_keeps_the_meaning_of_programs(name: str) -> None:
    for seed in range(150):
        check(*drawn(seed), (name,))


@pytest.mark.parametrize("part", range(4))
def test_the_passes_together_keep_the_meaning_of_programs(part: int) -> None:
    for seed in range(part * 100, part * 100 + 100):
        check(*drawn(seed), (*REWRITES, *REWRITES))


def test_every_op_says_where_it_comes_from() -> None:
    line = file_location("program.py", 7, 1)
    for seed in range(80):
        module, _ = drawn(seed)
        for op in module.walk():
            op.location = line
        for name in REWRITES:
            registry.load(name)().apply(context(), module)
            lost = [op for op in module.walk() if op.location != line]
            assert not lost, f"{name}: {lost[0]}"

"""The stages of compilation and the passes that lead from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from . import registry

STAGES: dict[str, tuple[str, ...]] = {
    "flow": ("verify-flow",),
    "opt": (*registry.OPTIMIZE, "verify-opt"),
    "dist": (*registry.PARTITION, "verify-dist"),
    "placed": (*registry.PLACE, "verify-placed"),
    "plan": (*registry.LOWER, "verify-plan"),
}
"""Passes that bring a module from the previous stage to this one."""

Observer = Callable[[str, float, ModuleOp], None]
"""Told of every pass that has run: its name, seconds taken, and the module it left."""


def passes_until(stage: str) -> Iterator[str]:
    """Names of the passes from a traced program up to and including a stage."""
    for name, passes in STAGES.items():
        yield from passes
        if name == stage:
            return


def run(
    module: ModuleOp, passes: Iterable[ModulePass], ctx: Context, observe: Observer | None = None
) -> None:
    """Run passes in place, one after the other."""
    for pass_ in passes:
        start = perf_counter()
        pass_.apply(ctx, module)
        if observe is not None:
            observe(pass_.name, perf_counter() - start, module)

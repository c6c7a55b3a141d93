"""The reference page of tensor operations: which JAX may need, and which torch may."""

from __future__ import annotations

from collections.abc import Callable

from xdsl_jax.dialects.stablehlo import StableHLO

from dlc.dialects.chlo import Chlo
from dlc.dialects.stablehlo import Stablehlo

from .aten import FUNCTIONS
from .aten_layers import LAYERS

_REFUSED = {
    "stablehlo.custom_call": "a routine of a library: refused [DLC115]",
    "stablehlo.after_all": "orders side effects: refused [DLC113]",
}
_INTRODUCTION = """\
What `jax.numpy` and `jax.lax` are lowered to, and whether a function that uses it can run on the rows of each
rank apart ("by rows"). Every operation is verified, printed, read back and run by XLA; one without a rule
takes all rows at once. The meaning of each is that of the
[StableHLO specification](https://openxla.org/stablehlo/spec)."""
_TORCH = """\
Operations of ATen that a `torch.nn.Module` may come down to, by the names that `torch.export` gives them."""


def page(note: str, has_rule: Callable[[str], bool]) -> str:
    """The page in Markdown, a note under its title; `has_rule` tells by its name if an op runs by rows."""
    upstream = set(StableHLO.operations)
    rows = [
        (f"`{op.name}`", "xdsl-jax" if op in upstream else "dlc", _verdict(op.name, has_rule))
        for op in sorted((*Stablehlo.operations, *Chlo.operations), key=lambda op: op.name)
    ]
    table = [("operation", "defined by", "by rows"), ("---",) * 3, *rows]
    names = sorted({name.partition(".")[0] for name in (*FUNCTIONS, *LAYERS)})
    parts = [
        "# Tensor operations",
        note,
        _INTRODUCTION,
        "\n".join(f"| {' | '.join(row)} |" for row in table),
        "## torch",
        _TORCH,
        ", ".join(f"`{name}`" for name in names),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(name: str, has_rule: Callable[[str], bool]) -> str:
    return _REFUSED.get(name) or ("yes" if has_rule(name) else "no")

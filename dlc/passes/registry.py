"""Every pass by name. Classes are imported when asked for, so that a command pays only for what it runs."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from xdsl.passes import ModulePass

from dlc.diagnostics import DlcError, suggest

OPTIMIZE = (
    "fold-constants",
    "canonicalize",
    "expand-aggregates",
    "push-down-predicates",
    "push-down-projections",
    "canonicalize",
    "cse",
    "dce",
    "load-statistics",
    "prune-row-groups",
    "infer-ranges",
    "estimate-cardinality",
)
PARTITION = ("make-sums-exact", "fuse-calls", "partition", "fuse-fragments", "bucket-reductions")
PLACE = ("place",)
LOWER = ("lower-to-plan", "choose-engines", "insert-frees")
ENGINES = ("channels-last", "pooling-to-comparisons", "convolutions-to-products")
"""What `choose-engines` runs, in this order."""
VERIFY = ("verify-flow", "verify-opt", "verify-dist", "verify-placed", "verify-plan")

_PACKAGES = {
    **dict.fromkeys(OPTIMIZE, "optimize"),
    **dict.fromkeys(PARTITION, "partition"),
    **dict.fromkeys(PLACE, "place"),
    **dict.fromkeys(LOWER, "lower"),
    **dict.fromkeys(ENGINES, "optimize"),
    **dict.fromkeys(VERIFY, "verify"),
}

PASSES = tuple(_PACKAGES)
"""Names of all passes, in the order in which the pipelines run them."""


def stage_of(name: str) -> str:
    """Folder of the pass under `dlc/passes`."""
    return _PACKAGES[name]


def load(name: str) -> type[ModulePass]:
    """The class of a pass; DLC303 for a name that no pass has."""
    if name not in _PACKAGES:
        near = suggest(name, PASSES)
        raise DlcError(
            "DLC303",
            f"no pass is called {name!r}",
            help=f"did you mean {near!r}?" if near else "dlc opt --list-passes names them all",
        )
    module = import_module(f"dlc.passes.{_PACKAGES[name]}.{name.replace('-', '_')}")
    class_name = "".join(word.capitalize() for word in name.split("-")) + "Pass"
    return cast("type[ModulePass]", getattr(module, class_name))

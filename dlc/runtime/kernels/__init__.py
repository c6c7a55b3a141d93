"""Kernels: what runs a fragment on one rank. The registry maps the kind of a fragment to its kernel."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from dlc.diagnostics import DlcError
from dlc.runtime.kernels.call import Json, Locate
from dlc.runtime.kernels.table import Frame, TableFragment, collect

__all__ = ["Frame", "Kernel", "collect", "compile_fragment"]


class Kernel(Protocol):
    """A fragment ready to run on this rank's values."""

    def __call__(self, inputs: Sequence[Frame], parameters: Mapping[str, Any]) -> list[Frame]: ...


KERNELS: dict[str, Callable[[Json, Locate], Kernel]] = {"table": TableFragment}


def compile_fragment(tree: Json, locate: Locate) -> Kernel:
    """The kernel that runs a fragment of a plan; `locate` finds the user's lines. Raises DLC501."""
    kind = tree.get("kind", "table")
    if kind not in KERNELS:
        raise DlcError("DLC501", f"the plan holds a fragment of kind {kind!r}, which this dlc does not know")
    return KERNELS[kind](tree, locate)

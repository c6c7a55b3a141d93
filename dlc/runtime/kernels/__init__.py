"""Kernels: what runs a fragment on one rank. The registry maps the kind of a fragment to its kernel."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from dlc.diagnostics import DlcError
from dlc.runtime.kernels.call import Json, Locate
from dlc.runtime.kernels.table import Frame, TableFragment, collect

__all__ = ["Frame", "Kernel", "collect", "compile_fragment", "loaded_kernels"]


class Kernel(Protocol):
    """A fragment ready to run on this rank's values."""

    def __call__(self, inputs: Sequence[Any], parameters: Mapping[str, Any], /) -> list[Any]: ...


Modules = Mapping[str, str]
"""Texts of modules by name, for fragments that name theirs."""


def _table(tree: Json, locate: Locate, modules: Modules) -> Kernel:
    del modules
    return TableFragment(tree, locate)


def _xla(tree: Json, locate: Locate, modules: Modules) -> Kernel:
    from dlc.runtime.kernels.xla import compile_xla

    del locate  # XLA names no source lines at run time
    return compile_xla(tree, modules)


KERNELS: dict[str, Callable[[Json, Locate, Modules], Kernel]] = {"table": _table, "xla": _xla}


def compile_fragment(tree: Json, locate: Locate, modules: Modules = MappingProxyType({})) -> Kernel:
    """The kernel that runs a fragment of a plan; `locate` finds the user's lines. Raises DLC501."""
    kind = tree.get("kind", "table")
    if kind not in KERNELS:
        raise DlcError("DLC501", f"the plan holds a fragment of kind {kind!r}, which this dlc does not know")
    return KERNELS[kind](tree, locate, modules)


def loaded_kernels(modules: Modules) -> list[str]:
    """The names of the modules that this process did not have to compile, since it was done before."""
    from dlc.runtime.kernels.xla_device import device

    return [name for name, text in modules.items() if text in device().loaded]

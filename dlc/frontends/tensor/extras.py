"""The optional packages that tensors need, imported late and missed politely."""

from __future__ import annotations

from importlib.util import find_spec

from dlc.diagnostics import DlcError

_EXTRAS = {"jax": ("jax", "xdsl_jax"), "torch": ("torch", "jax", "xdsl_jax")}


def require(extra: str) -> None:
    """DLC702 with the pip command unless every package of an extra, `jax` or `torch`, is installed."""
    for package in _EXTRAS[extra]:
        if find_spec(package) is None:
            raise DlcError(
                "DLC702",
                f"tensor functions written in {extra} need the package {package.replace('_', '-')}",
                help=f"pip install 'dlc[{extra}]'",
            )

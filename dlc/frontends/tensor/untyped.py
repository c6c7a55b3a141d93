"""Packages that declare few of their types; what comes out of them is typed by those who call them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .extras import require

require("jax")

jax: Any = import_module("jax")
jnp: Any = import_module("jax.numpy")
errors: Any = import_module("jax.errors")
export: Any = import_module("jax.export")
tree_util: Any = import_module("jax.tree_util")
mlir: Any = import_module("jaxlib.mlir.ir")
